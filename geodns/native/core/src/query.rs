//! A packet read as a query: header, question, EDNS and client subnet. Total on any octets.

use crate::edns::{Edns, read_options};
use crate::name::Name;
use crate::tsig::Unsigned;
use crate::wire::{
    BADVERS, DO, FORMERR, HEADER_OCTETS, LABEL_MAX_OCTETS, NAME_MAX_OCTETS, NOTAUTH, NOTIMP,
    OPCODE_MASK, QR, TYPE_OPT, TYPE_TSIG, UDP_PAYLOAD_OCTETS, UDP_PLAIN_OCTETS, u16_at,
};

/// The packet cannot be answered with data; `rcode` None means silence.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Malformed {
    pub(crate) rcode: Option<u16>,
    pub(crate) edns: bool,
    /// Where a TSIG starts that the reply ends with.
    pub(crate) tsig: Option<usize>,
}

/// Records that are read past; more are FORMERR. Source: `geodns.engine.query`.
const RECORDS_MAX: u16 = 16;

/// What was asked.
pub(crate) struct Query<'p> {
    pub(crate) packet: &'p [u8],
    pub(crate) flags: u16,
    /// The canonical name; empty without a question.
    pub(crate) qname: Name,
    pub(crate) qtype: u16,
    pub(crate) qclass: u16,
    pub(crate) question_end: usize,
    /// Octets that a reply over UDP may have.
    pub(crate) limit: u16,
    pub(crate) edns: Option<Edns<'p>>,
}

impl<'p> Query<'p> {
    /// Of a packet that is still to be read.
    pub(crate) const fn of(packet: &'p [u8]) -> Self {
        Self {
            packet,
            flags: 0,
            qname: Name::empty(),
            qtype: 0,
            qclass: 0,
            question_end: HEADER_OCTETS,
            limit: UDP_PLAIN_OCTETS,
            edns: None,
        }
    }

    /// Read the packet, in place: a query is too large to be handed about.
    pub(crate) fn read(&mut self) -> Result<(), Malformed> {
        let packet = self.packet;
        let silence = refused(None, false);
        let header = packet.first_chunk::<HEADER_OCTETS>().ok_or(silence)?;
        let [_, _, f1, f2, q1, q2, a1, a2, u1, u2, d1, d2] = *header;
        let flags = u16::from_be_bytes([f1, f2]);
        self.flags = flags;
        if flags & QR != 0 {
            return Err(silence); // a response; answering it could start a loop
        }
        if flags & OPCODE_MASK != 0 {
            return Err(refused(Some(NOTIMP), has_opt(packet)));
        }
        let (questions, answers) = (u16::from_be_bytes([q1, q2]), u16::from_be_bytes([a1, a2]));
        let authorities = u16::from_be_bytes([u1, u2]);
        let additionals = u16::from_be_bytes([d1, d2]);
        // RFC 9619 section 4: QDCOUNT is 1 in a query; and nothing is answered yet in one.
        // RFC 7873 section 5.4: without a question, a cookie may be asked for.
        if questions > 1 || answers != 0 || (questions == 0 && additionals == 0) {
            return Err(formerr(has_opt(packet)));
        }
        if questions == 1 {
            self.read_question().ok_or(formerr(false))?;
        }
        let mut at = self.question_end;
        if authorities > RECORDS_MAX {
            return Err(formerr(false));
        }
        for _ in 0..authorities {
            // The section in which IXFR sends its SOA (RFC 1995 section 3).
            at = self.skip_record(at, 0)?;
        }
        if additionals > 0 {
            self.read_additional(at, additionals)?;
        } else if at != packet.len() {
            return Err(formerr(false));
        }
        let cookie = self.edns.as_ref().and_then(|edns| edns.cookie);
        if questions == 0 && cookie.is_none() {
            return Err(formerr(self.edns.is_some()));
        }
        Ok(())
    }

    /// The question as it was sent, name first.
    pub(crate) fn question(&self) -> &'p [u8] {
        let range = HEADER_OCTETS..self.question_end;
        self.packet.get(range).unwrap_or(&[])
    }

    fn read_question(&mut self) -> Option<()> {
        let mut at = HEADER_OCTETS;
        loop {
            let length = *self.packet.get(at)?;
            if length > LABEL_MAX_OCTETS {
                return None; // RFC 1035 section 4.1.4: the first name has nothing to point to
            }
            at += usize::from(length) + 1;
            if length == 0 {
                break;
            }
        }
        if at - HEADER_OCTETS > NAME_MAX_OCTETS {
            return None; // RFC 1035 section 2.3.4
        }
        self.qtype = u16_at(self.packet, at)?;
        self.qclass = u16_at(self.packet, at + 2)?;
        self.qname.set(self.packet.get(HEADER_OCTETS..at)?)?;
        self.question_end = at + 4;
        Some(())
    }

    fn read_additional(&mut self, mut at: usize, count: u16) -> Result<(), Malformed> {
        for left in (1..=count).rev() {
            let fault = formerr(self.edns.is_some());
            let fixed = self.packet.get(at..).and_then(<[u8]>::first_chunk::<11>);
            let [name, type_high, type_low, rest @ ..] = *fixed.ok_or(fault)?;
            if name != 0 || u16::from_be_bytes([type_high, type_low]) != TYPE_OPT {
                at = self.skip_record(at, left)?;
                continue;
            }
            if self.edns.is_some() {
                return Err(fault); // RFC 6891 section 6.1.1: more than one OPT is FORMERR
            }
            at = self.read_opt(at + 11, rest)?;
        }
        if at == self.packet.len() {
            Ok(())
        } else {
            Err(formerr(self.edns.is_some()))
        }
    }

    /// Read what follows the type of OPT; returns where its options end.
    fn read_opt(&mut self, at: usize, fixed: [u8; 8]) -> Result<usize, Malformed> {
        let [pay1, pay2, _, version, flag1, flag2, len1, len2] = fixed;
        let end = at + usize::from(u16::from_be_bytes([len1, len2]));
        let options = self.packet.get(at..end).ok_or(formerr(true))?;
        if version != 0 {
            // RFC 6891 section 6.1.3
            return Err(refused(Some(BADVERS), true));
        }
        // RFC 6891 section 6.2.3: values below 512 are treated as 512.
        let payload = u16::from_be_bytes([pay1, pay2]);
        self.limit = payload.clamp(UDP_PLAIN_OCTETS, UDP_PAYLOAD_OCTETS);
        let mut edns = read_options(options).ok_or(formerr(true))?;
        edns.dnssec_ok = u16::from_be_bytes([flag1, flag2]) & DO != 0;
        self.edns = Some(edns);
        Ok(end)
    }

    /// The end of a record that means nothing here; `left` so many are additional.
    fn skip_record(&self, start: usize, left: u16) -> Result<usize, Malformed> {
        let fault = formerr(self.edns.is_some());
        let (_, at) = Name::read(self.packet, start)
            .filter(|_| left <= RECORDS_MAX)
            .ok_or(fault)?;
        let length = u16_at(self.packet, at + 8).ok_or(fault)?;
        let end = at + 10 + usize::from(length);
        match u16_at(self.packet, at) {
            // RFC 6891 sections 6.1.1, 6.1.2: at the root, additional
            Some(TYPE_OPT) => Err(formerr(true)),
            // RFC 8945 section 5.2: the last of the additional records, and by a known key.
            Some(TYPE_TSIG) if left == 1 && end == self.packet.len() => Err(Malformed {
                rcode: Some(NOTAUTH),
                tsig: Some(
                    Unsigned::read(self.packet, start)
                        .map(|_| start)
                        .ok_or(fault)?,
                ),
                ..fault
            }),
            Some(TYPE_TSIG) => Err(fault),
            _ => Ok(end),
        }
    }
}

/// Whether a message that is not read as a query has an OPT, as far as one can see.
///
/// RFC 6891 section 6.1.1: who sends OPT gets OPT, whatever the rcode.
fn has_opt(packet: &[u8]) -> bool {
    let count = |at| u32::from(u16_at(packet, at).unwrap_or(0));
    let (questions, records) = (count(4), count(6) + count(8) + count(10));
    let mut at = HEADER_OCTETS;
    for number in 0..(questions + records).min(RECORDS_MAX.into()) {
        let Some((_, end)) = Name::read(packet, at) else {
            return false;
        };
        let Some(length) = u16_at(packet, end + 8) else {
            return false;
        };
        at = end + 4;
        if number >= questions {
            if u16_at(packet, end) == Some(TYPE_OPT) {
                return true;
            }
            at += 6 + usize::from(length);
        }
    }
    false
}

const fn refused(rcode: Option<u16>, edns: bool) -> Malformed {
    Malformed {
        rcode,
        edns,
        tsig: None,
    }
}

const fn formerr(edns: bool) -> Malformed {
    refused(Some(FORMERR), edns)
}

#[cfg(test)]
mod tests {
    use super::Query;

    const HEAD: &[u8] = b"\x12\x34\x01\x00\x00\x01\x00\x00\x00\x00\x00";
    const QUESTION: &[u8] = b"\x03WWW\x04test\0\0\x01\0\x01";
    const OPT: &[u8] = b"\0\0\x29\x10\0\0\0\x80\0";

    fn packet(parts: &[&[u8]]) -> Vec<u8> {
        parts.concat()
    }

    #[test]
    fn a_query_with_a_subnet_is_read() {
        let ecs = b"\0\x0b\0\x08\0\x07\0\x01\x18\0\xc0\0\x02";
        let octets = packet(&[HEAD, b"\x01", QUESTION, OPT, ecs]);
        let mut query = Query::of(&octets);
        assert!(query.read().is_ok());
        assert_eq!(query.qname.octets(), b"\x03www\x04test\0");
        let edns = query.edns.unwrap();
        assert!(edns.dnssec_ok);
        assert_eq!(edns.subnet.unwrap().address, [192, 0, 2]);
        assert_eq!(query.limit, 1232);
    }

    #[test]
    fn bits_behind_the_prefix_are_formerr() {
        let ecs = b"\0\x0b\0\x08\0\x07\0\x01\x17\0\xc0\0\x03";
        let octets = packet(&[HEAD, b"\x01", QUESTION, OPT, ecs]);
        let fault = Query::of(&octets).read().err().unwrap();
        assert_eq!((fault.rcode, fault.edns), (Some(1), true));
    }

    #[test]
    fn every_shorter_packet_is_refused_or_silent() {
        let octets = packet(&[HEAD, b"\x01", QUESTION, OPT, b"\0\0"]);
        assert!(Query::of(&octets).read().is_ok());
        for size in 0..octets.len() {
            assert!(Query::of(&octets[..size]).read().is_err(), "{size} octets");
        }
    }
}
