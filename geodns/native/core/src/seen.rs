//! What a query was about, for counters: kept beside the answer, and no part of it.

use crate::source::Source;

/// Types that are counted by themselves; the rest are "other". Source: `CoreDNS`, plugin/metrics,
/// `monitorType`, and SVCB and CAA.
const TYPES: [u16; 20] = [
    1, 2, 5, 6, 12, 15, 16, 28, 33, 43, 46, 47, 48, 50, 64, 65, 251, 252, 255, 257,
];
const OTHER: u8 = 20;

/// The place of each type below 258 in `TYPES`, made once.
const PLACES: [u8; 258] = places();

#[expect(clippy::indexing_slicing, reason = "the compiler does it")]
#[expect(clippy::cast_possible_truncation, reason = "there are twenty")]
const fn places() -> [u8; 258] {
    let mut made = [OTHER; 258];
    let mut at = 0;
    while at < TYPES.len() {
        made[TYPES[at] as usize] = at as u8;
        at += 1;
    }
    made
}

/// Why a node answers: the first of these that is true (`geodns.steering.choose.Why`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[repr(u8)]
pub enum Why {
    /// It is in the first tier of where the catch-all sends users.
    #[default]
    Preferred,
    /// It is in the first tier of where a rule sends users.
    Rule,
    /// Nobody in the tiers before could answer.
    NextTier,
    /// No pool before its own in the chain could answer.
    Fallback,
    /// Somebody whose turn it was sends users away.
    Load,
    /// Nobody is up.
    FailOpen,
}

/// What is counted of a query.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Seen {
    /// The row of its zone; 0 without one.
    pub zone: u32,
    /// The place of its type among those counted, behind all of them if IPv6 brought it.
    pub kind: u8,
    /// Why the nodes of the answer were chosen, if any were.
    pub why: Why,
}

impl Default for Seen {
    fn default() -> Self {
        Self {
            zone: 0,
            kind: OTHER,
            why: Why::Preferred,
        }
    }
}

impl Seen {
    /// A packet that is no query.
    pub(crate) fn of_none(source: Source) -> Self {
        Self::new(OTHER, source)
    }

    /// A query of this type.
    pub(crate) fn of(qtype: u16, source: Source) -> Self {
        let place = PLACES.get(usize::from(qtype));
        Self::new(place.copied().unwrap_or(OTHER), source)
    }

    fn new(place: u8, source: Source) -> Self {
        let before = match source {
            Source::V4(_) => 0,
            Source::V6(_) => OTHER + 1,
        };
        Self {
            kind: place + before,
            ..Self::default()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{OTHER, Seen, TYPES};
    use crate::source::Source;

    #[test]
    fn types_are_told_apart_as_far_as_they_are_known() {
        let kind = |rtype| Seen::of(rtype, Source::V4(1)).kind;
        for (place, rtype) in (0..).zip(TYPES) {
            assert_eq!(kind(rtype), place);
            assert_eq!(Seen::of(rtype, Source::V6(1)).kind, 21 + place);
        }
        assert_eq!([0, 3, 256, 258, 65_535].map(kind), [OTHER; 5]);
    }
}
