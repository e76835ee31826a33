//! Addresses that have no place of their own: special-purpose blocks and IPv4 inside IPv6.
//!
//! The blocks are those of `geodns.geo.special`, where each has its source.

const SPECIAL4: [(u32, u8); 18] = [
    (0x0000_0000, 8),
    (0x0a00_0000, 8),
    (0x6440_0000, 10),
    (0x7f00_0000, 8),
    (0xa9fe_0000, 16),
    (0xac10_0000, 12),
    (0xc000_0000, 24),
    (0xc000_0200, 24),
    (0xc01f_c400, 24),
    (0xc034_c100, 24),
    (0xc058_6300, 24),
    (0xc0a8_0000, 16),
    (0xc0af_3000, 24),
    (0xc612_0000, 15),
    (0xc633_6400, 24),
    (0xcb00_7100, 24),
    (0xe000_0000, 4),
    (0xf000_0000, 4),
];

/// Without `2001::/23`, from which Teredo is cut out. The upper halves suffice but for `::/96`.
const SPECIAL6: [(u128, u8); 12] = [
    (0, 96),
    (0x0064_ff9b_0001 << 80, 48),
    (0x0100 << 112, 64),
    (0x0100_0000_0000_0001 << 64, 64),
    (0x2001_0db8 << 96, 32),
    (0x2620_004f_8000 << 80, 48),
    (0x3fff << 112, 20),
    (0x5f00 << 112, 16),
    (0xfc00 << 112, 7),
    (0xfe80 << 112, 10),
    (0xfec0 << 112, 10),
    (0xff00 << 112, 8),
];

const IETF: u128 = 0x2001 << 112; // 2001::/23, RFC 2928
const IETF_BITS: u32 = 23;
const MAPPED_BITS: u128 = 0xffff; // ::ffff:0:0/96, RFC 4291 section 2.5.5.2
const NAT64_BITS: u128 = 0x0064_ff9b << 64; // 64:ff9b::/96, RFC 6052
const SIX_TO_FOUR_BITS: u128 = 0x2002; // 2002::/16, RFC 3056
const TEREDO_BITS: u128 = 0x2001_0000; // 2001::/32, RFC 4380

/// An IPv4 network found inside an IPv6 one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Folded {
    pub(crate) address: u32,
    /// Where its bits start: a scope found for it is an IPv6 scope after adding this.
    pub(crate) offset: u8,
}

/// Length of the special-purpose block around an IPv4 address.
pub(crate) fn special_prefix_len4(address: u32) -> Option<u8> {
    let holds = |(first, bits): &&(u32, u8)| (first ^ address).leading_zeros() >= u32::from(*bits);
    SPECIAL4.iter().find(holds).map(|(_, bits)| *bits)
}

/// Length of the special-purpose block around an IPv6 address; in the transition ranges that of
/// the embedded IPv4 address, counted in IPv6 bits. Teredo tells its client only by all 128.
pub(crate) fn special_prefix_len6(address: u128) -> Option<u8> {
    match embedded(address) {
        Some((None, _)) => Some(128),
        Some((Some(inner), offset)) => Some(special_prefix_len4(inner)? + offset),
        None if (address ^ IETF).leading_zeros() >= IETF_BITS => {
            // What is left of the block without Teredo falls apart into one piece a length.
            let shared = (address ^ TEREDO_BITS << 96).leading_zeros();
            u8::try_from(shared + 1).ok()
        }
        None => {
            let holds =
                |(first, bits): &&(u128, u8)| (first ^ address).leading_zeros() >= u32::from(*bits);
            SPECIAL6.iter().find(holds).map(|(_, bits)| *bits)
        }
    }
}

/// Length of the widest prefix of an IPv6 address that holds no mapped or NAT64 address: for what
/// shares a /48 with them and is in no block itself.
pub(crate) fn beside_embedded(address: u128) -> u8 {
    let shared = |bits: u128| (address ^ bits << 32).leading_zeros();
    let longest = shared(MAPPED_BITS).max(shared(NAT64_BITS));
    u8::try_from((longest + 1).min(128)).unwrap_or(128)
}

/// The IPv4 network inside an IPv6 one; None unless `prefix_len` covers an embedded bit.
///
/// Teredo hides its client behind the server's address and inverts it in the last 32 bits, so it
/// folds only if all 128 bits are given (RFC 4380 section 4).
pub(crate) fn fold(address: u128, prefix_len: u8) -> Option<Folded> {
    let (inner, offset) = embedded(address)?;
    let Some(inner) = inner else {
        let address = low32(!address);
        return (prefix_len >= 128).then_some(Folded { address, offset });
    };
    let covered = u32::from(prefix_len.checked_sub(offset)?).min(32);
    let hidden = 32_u32.checked_sub(covered).filter(|bits| *bits < 32)?;
    let address = inner >> hidden << hidden;
    Some(Folded { address, offset })
}

/// The embedded IPv4 address and its offset; the address is None for Teredo.
fn embedded(address: u128) -> Option<(Option<u32>, u8)> {
    let upper = address >> 32;
    if upper == MAPPED_BITS || upper == NAT64_BITS {
        return Some((Some(low32(address)), 96));
    }
    if address >> 112 == SIX_TO_FOUR_BITS {
        return Some((Some(low32(address >> 80)), 16));
    }
    (address >> 96 == TEREDO_BITS).then_some((None, 96))
}

/// The lowest 32 bits.
#[expect(clippy::cast_possible_truncation, reason = "it is what is asked for")]
const fn low32(value: u128) -> u32 {
    value as u32
}

#[cfg(test)]
mod tests {
    use super::{Folded, beside_embedded, fold, special_prefix_len4, special_prefix_len6};

    fn six(text: &str) -> u128 {
        text.parse::<std::net::Ipv6Addr>().unwrap().into()
    }

    #[test]
    fn special_blocks_have_their_own_length() {
        assert_eq!(special_prefix_len4(0x0a01_0200), Some(8));
        assert_eq!(special_prefix_len4(0x0808_0808), None);
        assert_eq!(special_prefix_len6(six("2001:db8::1")), Some(32));
        assert_eq!(special_prefix_len6(six("::1")), Some(96));
        assert_eq!(special_prefix_len6(six("2a00::")), None);
        assert_eq!(special_prefix_len6(six("::ffff:10.0.0.1")), Some(104));
        assert_eq!(special_prefix_len6(six("2002:a00::")), Some(24));
    }

    #[test]
    fn pieces_around_teredo_are_as_long_as_they_must_be() {
        assert_eq!(special_prefix_len6(six("2001::1")), Some(128));
        assert_eq!(special_prefix_len6(six("2001:1::")), Some(32));
        assert_eq!(special_prefix_len6(six("2001:100::")), Some(24));
    }

    #[test]
    fn the_prefix_of_what_is_beside_embedded_addresses_holds_none_of_them() {
        assert_eq!(beside_embedded(six("::5:0:0")), 81);
        assert_eq!(beside_embedded(six("64:ff9b::1:0:0")), 96);
        assert_eq!(beside_embedded(six("64:ff9b:0:8000::")), 49);
    }

    #[test]
    fn embedded_addresses_fold_as_far_as_they_are_covered() {
        let folded = |address, offset| Some(Folded { address, offset });
        assert_eq!(fold(six("2002:c000:201::"), 48), folded(0xc000_0201, 16));
        assert_eq!(fold(six("2002:c000:201::"), 32), folded(0xc000_0000, 16));
        assert_eq!(fold(six("2002::"), 16), None);
        assert_eq!(fold(six("::ffff:8.8.8.8"), 128), folded(0x0808_0808, 96));
        assert_eq!(fold(six("2001::f7f7:f7f7"), 128), folded(0x0808_0808, 96));
        assert_eq!(fold(six("2001::f7f7:f7f7"), 127), None);
        assert_eq!(fold(six("2a00::"), 128), None);
    }
}
