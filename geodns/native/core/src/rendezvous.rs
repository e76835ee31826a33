//! Weighted rendezvous: each user has a favourite among candidates, by weight and for good
//! (FORMAT.md, "Draws"). The twin of `geodns.steering.rendezvous`.

use std::cmp::Ordering;

use crate::mix::mix64;

const STEPS: usize = 256;

/// log2(1 + i/256) × 2^32 for i from 0 to 256, rounded down; by squaring, bit after bit.
const LOGARITHMS: [u64; STEPS + 1] = logarithms();

#[allow(
    clippy::indexing_slicing,
    reason = "the compiler runs it, and would see"
)]
const fn logarithms() -> [u64; STEPS + 1] {
    let mut table = [1 << 32; STEPS + 1];
    let mut i = 0;
    while i < STEPS {
        let mut x = ((STEPS + i) as u128) << 55;
        let (mut bits, mut count) = (0, 0);
        while count < 32 {
            x = (x * x) >> 63;
            let bit = (x >> 64) & 1;
            bits = bits << 1 | bit as u64;
            x >>= bit;
            count += 1;
        }
        table[i] = bits;
        i += 1;
    }
    table
}

/// −log2((h | 1) / 2^64) × 2^32, between the table's entries in a straight line. It never rises
/// with h.
fn neg_log2(h: u64) -> u64 {
    let h = h | 1;
    let width = u64::BITS - h.leading_zeros();
    let fraction = h.checked_shl(65 - width).unwrap_or(0); // what follows the leading bit
    let at = (fraction >> 56) as usize;
    let entry = |at: usize| LOGARITHMS.get(at).copied().unwrap_or(0);
    let (low, high) = (entry(at), entry(at + 1));
    let rest = fraction >> 24 & 0xFFFF_FFFF;
    (u64::from(65 - width) << 32) - low - (((high - low) * rest) >> 32)
}

/// One who may be taken: a hash, and the weight by which it counts.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Ranked {
    number: u32,
    weight: u64,
    hash: u64,
    cost: u64,
}

impl Ranked {
    /// Without `logs` no logarithm is taken: all that it is compared with weigh the same.
    fn new(base: u64, number: u32, (key, weight): (u64, u64), logs: bool) -> Self {
        let hash = mix64(base ^ key);
        Self {
            number,
            weight,
            hash,
            cost: if logs { neg_log2(hash) } else { 0 },
        }
    }

    /// Who comes first: the lesser cost; of equal costs the greater hash.
    fn order(&self, other: &Self) -> Ordering {
        let mine = u128::from(self.cost) * u128::from(other.weight);
        let others = u128::from(other.cost) * u128::from(self.weight);
        mine.cmp(&others).then(other.hash.cmp(&self.hash))
    }
}

/// The first `count` of some (key, weight), as `best` has room for; equal ones by position.
pub(crate) fn rank(
    base: u64,
    all: impl Iterator<Item = (u64, u64)> + Clone,
    count: usize,
    best: &mut Vec<Ranked>,
) {
    best.clear();
    let logs = is_mixed(all.clone().map(|(_, weight)| weight));
    for (number, keyed) in (0..).zip(all) {
        let next = Ranked::new(base, number, keyed, logs);
        let is_full = best.len() == count;
        if is_full && best.last().is_none_or(|last| next.order(last).is_ge()) {
            continue;
        }
        if is_full {
            best.pop();
        }
        best.insert(
            best.partition_point(|before| before.order(&next).is_le()),
            next,
        );
    }
}

/// The position of the first of some (key, weight).
pub(crate) fn winner(base: u64, all: impl Iterator<Item = (u64, u64)> + Clone) -> u32 {
    let logs = is_mixed(all.clone().map(|(_, weight)| weight));
    let ranked = (0..).zip(all);
    let ranked = ranked.map(|(number, keyed)| Ranked::new(base, number, keyed, logs));
    let best = ranked.reduce(|best, next| {
        if next.order(&best).is_lt() {
            next
        } else {
            best
        }
    });
    best.map_or(0, |best| best.number)
}

impl Ranked {
    pub(crate) fn number(&self) -> u32 {
        self.number
    }
}

/// Whether weights are not all equal.
fn is_mixed(mut weights: impl Iterator<Item = u64>) -> bool {
    let first = weights.next();
    weights.any(|weight| Some(weight) != first)
}

/// The share that means everybody; 16 bits have no 65,536.
const ALL_USERS: u64 = 0xFFFF;

/// Whether a user is among the `share` of 65,536 that a loaded node sends away.
pub(crate) fn is_sent_away(base: u64, key: u64, share: u64) -> bool {
    share == ALL_USERS || mix64(base ^ key) >> 48 < share
}

#[cfg(test)]
mod tests {
    use super::{LOGARITHMS, Ranked, is_sent_away, neg_log2, rank, winner};
    use crate::mix::{Address, SHED, SPLIT, STICKY, mix, mix64};

    const SALT: u64 = 0x0123_4567_89ab_cdef;
    const KEYS: [u64; 3] = [
        0x1111_1111_1111_1111,
        0x2222_2222_2222_2222,
        0x3333_3333_3333_3333,
    ];

    #[test]
    fn the_table_is_that_of_format_md() {
        let some = [(1, 24_157_254), (2, 48_220_694), (64, 1_382_670_639)];
        for (at, wanted) in some
            .into_iter()
            .chain([(128, 2_512_394_809), (255, 4_282_853_258)])
        {
            assert_eq!(LOGARITHMS[at], wanted, "L[{at}]");
        }
        assert_eq!(LOGARITHMS.iter().sum::<u64>(), 614_909_757_760);
    }

    #[test]
    fn logarithms_are_those_of_format_md() {
        for (h, wanted) in [
            (0, 274_877_906_944),
            (1, 274_877_906_944),
            (3, 268_070_544_839),
            (0x100, 240_494_011_322),
            (0x1_0000_0000, 137_438_953_471),
            (0x1234_5678_9abc_def0, 16_380_072_700),
            (0x7fff_ffff_ffff_ffff, 4_294_967_297),
            (0x8000_0000_0000_0001, 4_294_967_296),
            (0x8080_0000_0000_0000, 4_270_810_042),
            (0xdead_beef_cafe_f00d, 864_066_304),
            (0xff00_0000_0000_0000, 24_251_805),
            (0xffff_ffff_ffff_ffff, 1),
        ] {
            assert_eq!(neg_log2(h), wanted, "{h:#x}");
        }
    }

    /// A row of the table in FORMAT.md: address, bits, user, base of the arm, arm of two by 95 : 5,
    /// arm of three alike, order by 3 : 2 : 1 and by 7 : 7 : 7, load.
    type Row = (
        Address,
        u32,
        u64,
        u64,
        u32,
        u32,
        [u32; 3],
        [u32; 3],
        [u64; 3],
    );

    const V4: [u32; 4] = [0x4f01_e000, 0x4f01_f000, 0x4f06_0000, 0x4f06_1000];
    const V6: u64 = 0x2001_0db8_0000_0000;
    const LOW: u64 = 0x2001_0db8_0123_4567;

    #[rustfmt::skip]
    const ROWS: [Row; 8] = [
        (Address::V4(V4[0]), 20, V4[0] as u64, 0x6629_8c2f_1b3f_495e, 1, 1, [1, 0, 2], [2, 1, 0], [32_636, 9_642, 47_014]),
        (Address::V4(V4[1]), 20, V4[1] as u64, 0x5ff4_7a74_cecc_6e43, 1, 1, [0, 2, 1], [2, 0, 1], [45_064, 11_169, 16_318]),
        (Address::V4(V4[2]), 20, V4[2] as u64, 0x3f05_26ef_7b70_006c, 0, 2, [1, 0, 2], [1, 2, 0], [5_097, 37_678, 5_166]),
        (Address::V4(V4[3]), 20, V4[3] as u64, 0xfc88_39d9_fbfa_c0a5, 0, 1, [2, 0, 1], [2, 0, 1], [22_623, 40_926, 38_076]),
        (Address::V4(0x4f06_10ff), 32, 0x4f06_10ff, 0x50f5_85c5_9ec4_20a8, 0, 2, [1, 0, 2], [1, 2, 0], [20_090, 39_895, 2_524]),
        (Address::V6(V6), 40, V6, 0xb74e_7139_6c5a_3cbe, 0, 0, [0, 2, 1], [2, 0, 1], [11_848, 14_280, 62_840]),
        (Address::V6(LOW), 40, 0x2001_0db8_0100_0000, 0x3df9_8171_20cb_2f7f, 0, 1, [1, 2, 0], [2, 1, 0], [11_457, 5_579, 64_671]),
        (Address::V6(LOW), 64, LOW, 0x7b98_e23d_c3b4_62d4, 0, 2, [0, 1, 2], [0, 2, 1], [4_013, 33_769, 61_063]),
    ];

    fn order(base: u64, weights: [u64; 3]) -> Vec<u32> {
        let mut best = Vec::new();
        let all = KEYS.into_iter().zip(weights);
        rank(base, all.clone(), 3, &mut best);
        let order: Vec<u32> = best.iter().map(Ranked::number).collect();
        assert_eq!(winner(base, all.clone()), order[0]);
        for count in 1..3 {
            rank(base, all.clone(), count, &mut best);
            let fewer: Vec<u32> = best.iter().map(Ranked::number).collect();
            assert_eq!(fewer, order[..count]);
        }
        order
    }

    #[test]
    fn draws_by_user_are_those_of_format_md() {
        for (address, bits, user, base, of_two, of_three, weighty, alike, loads) in ROWS {
            assert_eq!(address.user(bits, bits), user, "{address:?}");
            let by = |purpose| mix(mix(SALT, purpose), user);
            assert_eq!(by(SPLIT), base, "{address:?}");
            let two = [(KEYS[0], 95), (KEYS[1], 5)];
            assert_eq!(winner(base, two.into_iter()), of_two, "{address:?}");
            assert_eq!(order(base, [1, 1, 1])[0], of_three, "{address:?}");
            assert_eq!(order(by(STICKY), [3, 2, 1]), weighty, "{address:?}");
            assert_eq!(order(by(STICKY), [7, 7, 7]), alike, "{address:?}");
            for (key, load) in KEYS.into_iter().zip(loads) {
                assert_eq!(mix64(by(SHED) ^ key) >> 48, load, "{address:?}");
                assert!(is_sent_away(by(SHED), key, load + 1));
                assert!(!is_sent_away(by(SHED), key, load));
            }
        }
    }

    #[test]
    fn at_full_share_everybody_is_sent_away() {
        let most = (0..1 << 20).find(|key| mix64(SALT ^ key) >> 48 == 0xFFFF);
        let key = most.expect("one hash in 65,536 is the greatest");
        assert!(is_sent_away(SALT, key, 0xFFFF));
        assert!(!is_sent_away(SALT, key, 0xFFFE));
    }

    #[test]
    fn arms_and_loads_are_drawn_by_20_bits_or_40() {
        for (address, bits, _, base, ..) in ROWS {
            if bits == 20 || bits == 40 {
                assert_eq!(address.base(SALT, SPLIT), base, "{address:?}");
            }
        }
    }

    #[test]
    fn a_user_of_no_bits_is_everybody() {
        assert_eq!(Address::V4(u32::MAX).user(0, 64), 0);
        assert_eq!(Address::V6(u64::MAX).user(32, 0), 0);
        assert_eq!(Address::V6(u64::MAX).user(0, 99), u64::MAX);
    }

    /// Equal hashes need equal keys, which no two nodes have; the order is told all the same.
    #[test]
    fn equal_ones_stand_by_position() {
        let mut best = Vec::new();
        for weights in [[1, 1, 1], [1, 1, 2]] {
            let all = [7, 7, 7].into_iter().zip(weights);
            rank(SALT, all.clone(), 3, &mut best);
            let order: Vec<u32> = best.iter().map(Ranked::number).collect();
            let wanted = if weights[2] == 2 {
                [2, 0, 1]
            } else {
                [0, 1, 2]
            };
            assert_eq!(order, wanted);
            assert_eq!(winner(SALT, all), wanted[0]);
        }
    }
}
