//! Address hints of SVCB and HTTPS records that follow steering: `ipv4hint=auto`.
//!
//! In the wire data that we keep, a hint to be filled in is one of length 0, which no operator
//! can write (RFC 9460 section 7.3: a hint lists at least one address).

use crate::wire::u16_at;
use crate::writer::Writer;

const IPV4HINT: u16 = 4; // RFC 9460 section 14.3.2
const IPV6HINT: u16 = 6;

/// Whether a record has a hint to be filled in.
pub(crate) fn is_hinted(rdata: &[u8]) -> bool {
    params(rdata).any(|(key, value)| is_auto(key, value))
}

/// Write a record's data with its hints filled in; one without addresses is left out.
pub(crate) fn fill(rdata: &[u8], four: &[u8], six: &[u8], writer: &mut Writer) {
    writer.put(rdata.get(..params_at(rdata)).unwrap_or(rdata));
    for (key, value) in params(rdata) {
        let value = match key {
            IPV4HINT if value.is_empty() => four,
            IPV6HINT if value.is_empty() => six,
            _ => value,
        };
        // RFC 9460 section 2.2: keys appear in increasing order, as they are kept.
        if !(value.is_empty() && is_auto(key, value)) {
            writer.put_u16(key);
            writer.put_size(value.len());
            writer.put(value);
        }
    }
}

fn is_auto(key: u16, value: &[u8]) -> bool {
    matches!(key, IPV4HINT | IPV6HINT) && value.is_empty()
}

fn params(rdata: &[u8]) -> impl Iterator<Item = (u16, &[u8])> {
    let mut at = params_at(rdata);
    std::iter::from_fn(move || {
        let key = u16_at(rdata, at)?;
        let start = at + 4;
        let end = start + usize::from(u16_at(rdata, at + 2)?);
        at = end;
        Some((key, rdata.get(start..end.min(rdata.len()))?))
    })
}

/// Where the parameters start: behind the priority and the uncompressed target name.
fn params_at(rdata: &[u8]) -> usize {
    let mut at = 2;
    while let Some(length @ 1..) = rdata.get(at) {
        at += usize::from(*length) + 1;
    }
    at + 1
}

#[cfg(test)]
mod tests {
    use super::{fill, is_hinted};
    use crate::writer::Writer;

    const AUTO: &[u8] = b"\0\x01\0\0\x01\0\x03\x02h2\0\x04\0\0\0\x06\0\0";

    fn filled(four: &[u8], six: &[u8]) -> Vec<u8> {
        let mut out = [0; 100];
        let mut writer = Writer::new(&mut out);
        fill(AUTO, four, six, &mut writer);
        let size = writer.finish().unwrap();
        out[..size].to_vec()
    }

    #[test]
    fn hints_of_length_0_are_filled_in_and_left_out_without_addresses() {
        assert!(is_hinted(AUTO));
        assert!(!is_hinted(&AUTO[..10]));
        let wanted = b"\0\x01\0\0\x01\0\x03\x02h2\0\x04\0\x04\xc0\0\x02\x01";
        assert_eq!(filled(&[192, 0, 2, 1], &[]), wanted);
    }
}
