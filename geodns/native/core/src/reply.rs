//! A reply while it is put together, and its form on the wire.

use crate::cookie::Cookie;
use crate::name::{parent, suffix_at};
use crate::query::Query;
use crate::wire::{
    AA, DO, HEADER_OCTETS, NOERROR, OPTION_COOKIE, OPTION_ECS, OPTION_EDE, OPTION_KEEPALIVE,
    OPTION_NSID, QR, RD, TC,
};
use crate::writer::Writer;

/// A compressed name that is the question's (RFC 1035 section 4.1.4).
pub(crate) const QNAME_POINTER: [u8; 2] = [0xC0, 0x0C];

/// An Extended DNS Error (RFC 8914): its code and text.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Ede(pub(crate) u16, pub(crate) &'static str);

/// EDNS options that do not depend on what was found.
#[derive(Default)]
pub(crate) struct Options<'s> {
    pub(crate) cookie: Option<Cookie>,
    pub(crate) nsid: &'s [u8],
    pub(crate) keepalive: Option<u16>,
}

/// A reply while it is put together: sections are written one behind the other.
pub(crate) struct Reply<'q, 'o> {
    pub(crate) query: &'q Query<'q>,
    pub(crate) writer: Writer<'o>,
    pub(crate) rcode: u16,
    pub(crate) authoritative: bool,
    pub(crate) answers: usize,
    pub(crate) authorities: usize,
    pub(crate) additionals: usize,
    pub(crate) scope: u8,
    pub(crate) ede: Option<Ede>,
}

impl<'q, 'o> Reply<'q, 'o> {
    pub(crate) fn new(query: &'q Query<'q>, out: &'o mut [u8]) -> Self {
        let mut writer = Writer::new(out);
        // The question goes back as it came; the header is filled in at the end.
        writer.put(query.packet.get(..query.question_end).unwrap_or(&[]));
        Self {
            query,
            writer,
            rcode: NOERROR,
            authoritative: true,
            answers: 0,
            authorities: 0,
            additionals: 0,
            scope: 0,
            ede: None,
        }
    }

    /// Write one record (RFC 1035 section 4.1.3).
    pub(crate) fn put_record(&mut self, owner: &[u8], rtype: u16, ttl: u32, rdata: &[u8]) {
        let records = crate::record::Records { rtype, ttl };
        records.put(&mut self.writer, owner, rdata);
    }

    /// Finish; with TC and no records at all if the message would exceed `limit` octets.
    pub(crate) fn finish(mut self, limit: usize, options: &Options) -> Option<usize> {
        let question_end = self.query.question_end;
        let has_opt = self.query.edns.is_some();
        let mut flags = QR | self.query.flags & RD | self.rcode;
        if self.authoritative {
            flags |= AA;
        }
        let mut counts = [
            self.answers,
            self.authorities,
            self.additionals + usize::from(has_opt),
        ];
        self.put_opt(options);
        if self.writer.finish().is_none_or(|size| size > limit) {
            // RFC 2181 section 9: no part of an RRset; the client asks again over TCP.
            flags |= TC;
            counts = [0, 0, usize::from(has_opt)];
            self.writer.rewind(question_end);
            self.put_opt(options);
        }
        let questions = u8::from(question_end > HEADER_OCTETS);
        let [high, low] = flags.to_be_bytes();
        let counts = counts.map(u16::try_from);
        let [Ok(answers), Ok(authorities), Ok(additionals)] = counts else {
            return None;
        };
        let ([an1, an2], [ns1, ns2]) = (answers.to_be_bytes(), authorities.to_be_bytes());
        let [ar1, ar2] = additionals.to_be_bytes();
        let header = [high, low, 0, questions, an1, an2, ns1, ns2, ar1, ar2];
        self.writer.patch(2, &header);
        self.writer.finish()
    }

    fn put_opt(&mut self, options: &Options) {
        let Some(edns) = &self.query.edns else {
            return;
        };
        // RFC 3225 section 3: DO is copied.
        let [high, low] = if edns.dnssec_ok { DO } else { 0 }.to_be_bytes();
        let writer = &mut self.writer;
        writer.put_opt([0, 0, high, low], 0);
        let start = writer.size();
        if let Some(cookie) = &options.cookie {
            put_option(writer, OPTION_COOKIE, &[&cookie.octets]);
        }
        if edns.nsid && !options.nsid.is_empty() {
            put_option(writer, OPTION_NSID, &[options.nsid]);
        }
        if let Some(keepalive) = options.keepalive.filter(|_| edns.keepalive) {
            put_option(writer, OPTION_KEEPALIVE, &[&keepalive.to_be_bytes()]);
        }
        if let Some(subnet) = edns.subnet {
            // RFC 7871 section 7.2.1: family, source and address as they came; scope is ours.
            let [family1, family2] = subnet.family.to_be_bytes();
            let head = [family1, family2, subnet.source_prefix_len, self.scope];
            put_option(writer, OPTION_ECS, &[&head, subnet.address]);
        }
        if let Some(Ede(code, text)) = self.ede {
            put_option(writer, OPTION_EDE, &[&code.to_be_bytes(), text.as_bytes()]);
        }
        let size = writer.size().saturating_sub(start);
        if size > 0 {
            writer.patch_size(start.saturating_sub(2), size);
        }
    }
}

/// One EDNS option (RFC 6891 section 6.1.2).
fn put_option(writer: &mut Writer, code: u16, parts: &[&[u8]]) {
    writer.put_u16(code);
    writer.put_size(parts.iter().map(|part| part.len()).sum());
    for part in parts {
        writer.put(part);
    }
}

/// An owner name as it is written: with a pointer into the question as far as the two agree.
///
/// The one compression we use: owners only, and only onto the question (RFC 1035 §4.1.4).
pub(crate) struct Pointed {
    octets: [u8; 257],
    size: usize,
}

impl Pointed {
    /// Any name.
    pub(crate) fn new(name: &[u8], qname: &[u8]) -> Self {
        let mut made = Self {
            octets: [0; 257],
            size: 0,
        };
        let mut rest = name;
        while let Some(above) = parent(rest) {
            if let Some(at) = suffix_at(qname, rest) {
                let pointer = u16::try_from(HEADER_OCTETS + at).unwrap_or(0) | 0xC000;
                made.push(&pointer.to_be_bytes());
                return made;
            }
            made.push(rest.get(..rest.len() - above.len()).unwrap_or(&[]));
            rest = above;
        }
        made.push(&[0]);
        made
    }

    fn push(&mut self, octets: &[u8]) {
        for (to, from) in self.octets.iter_mut().skip(self.size).zip(octets) {
            *to = *from;
        }
        self.size += octets.len();
    }

    pub(crate) fn octets(&self) -> &[u8] {
        self.octets.get(..self.size).unwrap_or(&[])
    }
}

#[cfg(test)]
mod tests {
    use super::Pointed;

    const QNAME: &[u8] = b"\x03www\x07example\x04test\0";

    #[test]
    fn names_point_into_the_question_as_far_as_they_agree() {
        let pointed = |name| Pointed::new(name, QNAME).octets().to_vec();
        assert_eq!(pointed(QNAME), b"\xc0\x0c");
        assert_eq!(pointed(b"\x07example\x04test\0"), b"\xc0\x10");
        assert_eq!(pointed(b"\x01a\x04test\0"), b"\x01a\xc0\x18");
        assert_eq!(pointed(b"\x03org\0"), b"\x03org\0");
        assert_eq!(pointed(b"\0"), b"\0");
    }
}
