//! The keyed 64-bit mix behind every weighted choice: the same inputs choose the same node, in
//! both engines and in every process (FORMAT.md, "Draws").

/// What a name's salt is mixed with, so that its arms, its nodes and who is sent away by load are
/// drawn independently of one another.
pub(crate) const SPLIT: u64 = 0x73_706c_6974;
pub(crate) const STICKY: u64 = 0x7374_6963_6b79;
pub(crate) const SHED: u64 = 0x7368_6564;

/// Leading bits of an address by which arms are drawn and users are sent away.
/// Source: as the default of `sticky_bits`.
const DRAW_BITS4: u32 = 20;
const DRAW_BITS6: u32 = 40;

/// Who is drawn for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Address {
    V4(u32),
    /// The upper half of one.
    V6(u64),
}

impl Address {
    pub(crate) fn value(self) -> u64 {
        match self {
            Self::V4(address) => u64::from(address),
            Self::V6(upper) => upper,
        }
    }

    /// The part of the value that all draws depend on which must not change: its leading bits.
    pub(crate) fn user(self, bits4: u32, bits6: u32) -> u64 {
        let value = self.value();
        let rest = match self {
            Self::V4(_) => 32_u32.saturating_sub(bits4),
            Self::V6(_) => 64_u32.saturating_sub(bits6),
        };
        let kept = u64::MAX.checked_shl(rest).unwrap_or(0);
        value & kept
    }

    /// What this user's arms, or loads, are drawn by, under a name's salt.
    pub(crate) fn base(self, salt: u64, purpose: u64) -> u64 {
        mix(mix(salt, purpose), self.user(DRAW_BITS4, DRAW_BITS6))
    }
}

/// Spreads `value` over 64 bits under `key`; all arithmetic is modulo 2^64.
///
/// Adding the golden-ratio increment first keeps `value` 0 off the finalizer's fixed point 0.
#[must_use]
pub const fn mix(key: u64, value: u64) -> u64 {
    mix64(key ^ mix64(value.wrapping_add(GOLDEN_GAMMA)))
}

/// The finalizer of `SplitMix64`, a bijection: distinct inputs never collide.
///
/// Source: Stafford's variant 13 of the `MurmurHash3` finalizer, as in Java's `SplittableRandom`.
#[must_use]
pub const fn mix64(mut x: u64) -> u64 {
    x ^= x >> 30;
    x = x.wrapping_mul(0xbf58_476d_1ce4_e5b9);
    x ^= x >> 27;
    x = x.wrapping_mul(0x94d0_49bb_1331_11eb);
    x ^ (x >> 31)
}

/// The draw after this one, within one answer.
#[must_use]
pub const fn next(draw: u64) -> u64 {
    mix64(draw.wrapping_add(GOLDEN_GAMMA))
}

/// Source: 2^64 divided by the golden ratio, made odd; `SplitMix64`'s increment.
const GOLDEN_GAMMA: u64 = 0x9e37_79b9_7f4a_7c15;

#[cfg(test)]
mod tests {
    use super::{GOLDEN_GAMMA, mix, mix64};

    /// The published output of `SplitMix64` from seed 0: successive finalized increments.
    #[test]
    fn mix64_of_successive_increments_is_the_published_splitmix64_stream() {
        let stream = [
            0xe220_a839_7b1d_cdaf,
            0x6e78_9e6a_a1b9_65f4,
            0x06c4_5d18_8009_454f,
            0xf88b_b8a8_724c_81ec,
        ];
        for (step, wanted) in (1_u64..).zip(stream) {
            assert_eq!(mix64(GOLDEN_GAMMA.wrapping_mul(step)), wanted);
        }
    }

    /// The vectors that the Python twin is tested with too.
    #[test]
    fn mix_gives_the_vectors_shared_with_the_reference_engine() {
        for (key, value, wanted) in VECTORS {
            assert_eq!(mix(key, value), wanted, "mix({key:#x}, {value:#x})");
        }
    }

    #[test]
    fn mix_of_one_key_never_maps_two_values_to_one() {
        let mut seen: Vec<u64> = (0..10_000).map(|value| mix(42, value)).collect();
        seen.sort_unstable();
        seen.dedup();
        assert_eq!(seen.len(), 10_000);
    }

    const VECTORS: [(u64, u64, u64); 8] = [
        (0, 0, 0x4821_8226_ff3c_d4bf),
        (0, 1, 0xdce4_23fc_82c0_d5b8),
        (1, 0, 0x9e01_6029_3a33_aaf7),
        (1, 1, 0x5c52_bd40_54e9_58c9),
        (
            0xffff_ffff_ffff_ffff,
            0xffff_ffff_ffff_ffff,
            0x4650_bc0e_b331_2e23,
        ),
        (
            0xffff_ffff_ffff_ffff,
            0x61c8_8646_80b5_83eb,
            0xb4d0_55fc_f2cb_bd7b,
        ),
        (
            0x0123_4567_89ab_cdef,
            0xfedc_ba98_7654_3210,
            0x729f_ab7e_a7d7_88c6,
        ),
        (0xdead_beef_cafe_f00d, 0xffff, 0x1eb9_538b_a193_db44),
    ];
}
