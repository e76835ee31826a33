//! Reading ahead for a batch of packets. It changes no answer, only when memory is waited for:
//! random subnets miss the cache four times each, and one by one that is a third of a
//! microsecond a query.

use crate::draw::Scratch;
use crate::generation::Generation;
use crate::key::Key;
use crate::pool::Family;

/// An IPv4 subnet of 24 bits as the last option: what resolvers send (RFC 7871 section 11.1).
const LAST_OPTION: [u8; 8] = [0, 8, 0, 7, 0, 1, 24, 0];
const ADDRESS_OCTETS: usize = 3;

/// Packets that are read ahead for. Source: as many as one system call receives.
pub(crate) const WARM_MAX: usize = 64;

/// Read ahead for packets that will be answered next.
///
/// Which view they need is not known before their names are: it is taken to be the last one.
pub fn warm<'p>(
    generation: &Generation<'_>,
    packets: impl Iterator<Item = &'p [u8]>,
    scratch: &mut Scratch,
) {
    let Some(view) = generation.views.get(scratch.last_view) else {
        return;
    };
    let [ahead, room] = &mut scratch.ahead;
    ahead.clear();
    ahead.extend(packets.filter_map(subnet).take(WARM_MAX));
    view.warm4(&generation.geo, ahead, room);
    let memo = &scratch.memo;
    view.each_row(ahead, |rows| {
        memo.warm(Key::new(scratch.last_view, rows, Family::V4));
    });
}

fn subnet(packet: &[u8]) -> Option<u32> {
    let (head, address) = packet.split_last_chunk::<ADDRESS_OCTETS>()?;
    let [a, b, c] = *address;
    head.ends_with(&LAST_OPTION)
        .then_some(u32::from_be_bytes([a, b, c, 0]))
}

#[cfg(test)]
mod tests {
    use super::subnet;

    #[test]
    fn only_a_24_bit_subnet_at_the_end_is_read_ahead() {
        assert_eq!(
            subnet(b"\0\x08\0\x07\0\x01\x18\0\xc0\0\x02"),
            Some(0xc000_0200)
        );
        assert_eq!(subnet(b"\0\x08\0\x07\0\x01\x17\0\xc0\0\x02"), None);
        assert_eq!(subnet(b"\x02"), None);
    }
}
