//! The reply that says only an rcode, to what could not be read as a query.

use crate::name::Name;
use crate::tsig::Unsigned;
use crate::wire::{
    DO, HEADER_OCTETS, OPCODE_MASK, QR, RD, TYPE_OPT, UDP_PAYLOAD_OCTETS, UDP_PLAIN_OCTETS, u16_at,
};
use crate::writer::Writer;

/// Write the reply that says only `rcode`; None for what must not be answered.
///
/// ID, opcode, RD and, if it can be read, the one question are as they came. `edns` adds OPT; an
/// rcode beyond 15 needs it and has it anyway (RFC 6891 section 6.1.3).
pub(crate) fn error_reply(query: &[u8], rcode: u16, edns: bool, out: &mut [u8]) -> Option<usize> {
    refuse(query, rcode, edns, None, out)
}

/// As `error_reply`; the TSIG that starts at `tsig` is answered by one, but where that would not
/// fit into plain UDP.
pub(crate) fn refuse(
    query: &[u8],
    rcode: u16,
    edns: bool,
    tsig: Option<usize>,
    out: &mut [u8],
) -> Option<usize> {
    let flags = u16_at(query, 2)?;
    if query.len() < HEADER_OCTETS || flags & QR != 0 {
        return None;
    }
    let end = question_end(query);
    let question = query.get(HEADER_OCTETS..end.unwrap_or(0)).unwrap_or(&[]);
    let has_opt = edns || rcode > 0xF;
    let mut writer = Writer::new(out);
    writer.put(query.get(..2)?);
    // RFC 1035 section 4.1.1: opcode and RD are copied. RFC 4035 section 3.1.6: AD, CD are clear.
    writer.put_u16(QR | flags & (OPCODE_MASK | RD) | rcode & 0xF);
    writer.put_u16(u16::from(end.is_some()));
    writer.put(&[0; 4]);
    writer.put_u16(u16::from(has_opt));
    writer.put(question);
    if has_opt {
        let flags = end.and_then(|end| opt_flags(query, end)).unwrap_or(0);
        let [high, low] = flags.to_be_bytes();
        // RFC 6891 section 6.1.3: the rcode's upper eight bits, a version (0), the flags.
        let extended = u8::try_from(rcode >> 4).unwrap_or(0);
        writer.put_opt([extended, 0, high, low], 0);
    }
    let tsig = tsig.and_then(|at| Unsigned::read(query, at));
    if let Some(tsig) = tsig.filter(|tsig| writer.size() + tsig.size() <= PLAIN) {
        tsig.put(&mut writer);
        writer.patch(COUNT_AT, &[0, u8::from(has_opt) + 1]);
    }
    writer.finish()
}

const PLAIN: usize = UDP_PLAIN_OCTETS as usize;
const COUNT_AT: usize = 10;

/// Where the only question ends, or None if there is not exactly one that can be read.
fn question_end(query: &[u8]) -> Option<usize> {
    if u16_at(query, 4)? != 1 {
        return None;
    }
    let (_, end) = Name::read(query, HEADER_OCTETS)?;
    (end + 4 <= query.len()).then_some(end + 4)
}

/// DO or 0 as in the query's OPT, which must be copied (RFC 3225 section 3); None without OPT.
fn opt_flags(query: &[u8], mut at: usize) -> Option<u16> {
    let counts = [6, 8, 10].map(|at| u32::from(u16_at(query, at).unwrap_or(0)));
    for _ in 0..counts.iter().sum() {
        let (_, end) = Name::read(query, at)?;
        let length = u16_at(query, end + 8)?;
        if u16_at(query, end)? == TYPE_OPT {
            return Some(u16_at(query, end + 6)? & DO);
        }
        at = end + 10 + usize::from(length);
    }
    None
}

impl Writer<'_> {
    /// OPT up to its options: the four octets of its TTL, and the options' length.
    pub(crate) fn put_opt(&mut self, ttl: [u8; 4], length: usize) {
        let ([type1, type2], [pay1, pay2]) =
            (TYPE_OPT.to_be_bytes(), UDP_PAYLOAD_OCTETS.to_be_bytes());
        let [ttl1, ttl2, ttl3, ttl4] = ttl;
        self.put(&[0, type1, type2, pay1, pay2, ttl1, ttl2, ttl3, ttl4]);
        self.put_size(length);
    }
}

#[cfg(test)]
mod tests {
    use super::error_reply;

    #[test]
    fn a_response_and_a_stump_are_not_answered() {
        let mut out = [0; 600];
        let response = b"\0\x01\x80\0\0\0\0\0\0\0\0\0";
        assert_eq!(error_reply(response, 1, false, &mut out), None);
        assert_eq!(error_reply(&response[..5], 1, false, &mut out), None);
    }

    #[test]
    fn an_extended_rcode_has_opt_and_keeps_do() {
        let mut out = [0; 600];
        let query = b"\0\x01\x01\0\0\x01\0\0\0\0\0\x01\0\0\x01\0\x01\0\0\x29\x10\0\0\x01\x80\0\0\0";
        let size = error_reply(query, 16, false, &mut out).unwrap();
        let wanted =
            b"\0\x01\x81\0\0\x01\0\0\0\0\0\x01\0\0\x01\0\x01\0\0\x29\x04\xd0\x01\0\x80\0\0\0";
        assert_eq!(&out[..size], wanted);
    }
}
