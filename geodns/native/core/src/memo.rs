//! Decisions kept while no status word changes, so that a draw from a tier of ten thousand nodes
//! costs what one from a tier of two does.
//!
//! All room is taken when a generation is loaded. A decision that is not there is made anew;
//! when there is no room left, all are forgotten, so what is kept never changes an answer.

use crate::choose::Decision;
use crate::draw::Candidate;
use crate::generation::Generation;
use crate::pools::Family;
use crate::view::View;

/// Decisions at most. Source: no reference; 2 MB, and few fleets have so many classes.
const KEPT_MAX: usize = 1 << 16;

/// Room for candidates beside that for the greatest pool. Source: no reference; most tiers have
/// one or two.
const CANDIDATES: usize = 1 << 14;

/// What a decision depends on beside the words: view, class and family.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Key(u64);

impl Key {
    pub(crate) fn new(view: usize, class: u32, family: Family) -> Self {
        Self((view as u64) << 34 | u64::from(class) << 2 | family as u64)
    }

    /// Fibonacci hashing: neighbouring classes fall far apart.
    fn place(self, places: usize) -> usize {
        let spread = self.0.wrapping_mul(0x9e37_79b9_7f4a_7c15);
        usize::try_from(spread >> 32).unwrap_or(0) & places.wrapping_sub(1)
    }
}

/// A candidate of a tier, with the weights of the tier up to and with it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Weighed {
    pub(crate) member: u32,
    pub(crate) usable: u64,
    pub(crate) up_to: u64,
}

/// Where a decision's candidates are kept: those of tier t from `ends[t - 1]` or `start` on.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Kept {
    key: Key,
    round: u32,
    start: u32,
    ends: (u32, u32),
    pub(crate) decision: Decision,
}

/// What is kept, by direct place: a newcomer takes the place of who has it.
#[derive(Debug, Default)]
pub(crate) struct Memo {
    epoch: Option<u64>,
    /// Entries of another round are void.
    round: u32,
    kept: Vec<Kept>,
    candidates: Vec<Weighed>,
    ends: Vec<u32>,
}

impl Memo {
    /// Room for the decisions of one generation.
    pub(crate) fn new(generation: &Generation<'_>) -> Self {
        let classes: usize = generation.views.iter().map(View::classes).sum();
        let places = (2 * classes).next_power_of_two().min(KEPT_MAX);
        let members = generation.members_max();
        let none = Kept {
            key: Key(0),
            round: 0,
            start: 0,
            ends: (0, 0),
            decision: Decision::default(),
        };
        Self {
            epoch: None,
            round: 1,
            kept: vec![none; places],
            candidates: Vec::with_capacity(members + places + CANDIDATES),
            ends: Vec::with_capacity(members + places + CANDIDATES),
        }
    }

    /// The decision kept under a key, if it was made under this epoch. Without an epoch nothing
    /// is known of the words, and nothing is kept.
    pub(crate) fn find(&mut self, key: Key, epoch: Option<u64>) -> Option<Kept> {
        if epoch.is_none() || epoch != self.epoch {
            self.epoch = epoch;
            self.forget();
            return None;
        }
        let kept = self.kept.get(key.place(self.kept.len()))?;
        (kept.key == key && kept.round == self.round).then_some(*kept)
    }

    /// Keep a decision with the candidates of its tiers, which end at `ends`.
    pub(crate) fn keep(
        &mut self,
        key: Key,
        decision: Decision,
        tiers: &[std::ops::Range<usize>],
        candidates: &[Candidate],
    ) -> Kept {
        if self.candidates.capacity() - self.candidates.len() < candidates.len()
            || self.ends.capacity() - self.ends.len() < tiers.len()
        {
            self.forget();
        }
        let (start, first) = (count(&self.candidates), count(&self.ends));
        for tier in tiers {
            let mut up_to = 0;
            for candidate in candidates.get(tier.clone()).unwrap_or(&[]) {
                up_to += candidate.weight;
                self.candidates.push(Weighed {
                    member: candidate.member,
                    usable: candidate.usable,
                    up_to,
                });
            }
            self.ends.push(count(&self.candidates));
        }
        let kept = Kept {
            key,
            round: self.round,
            start,
            ends: (first, count(&self.ends)),
            decision,
        };
        let place = key.place(self.kept.len());
        if let Some(old) = self.kept.get_mut(place) {
            *old = kept;
        }
        kept
    }

    /// The candidates of each tier, and the number of the first of them.
    pub(crate) fn tiers(&self, kept: &Kept) -> impl Iterator<Item = (u32, &[Weighed])> {
        let ends = kept.ends.0 as usize..kept.ends.1 as usize;
        let mut start = kept.start;
        self.ends.get(ends).unwrap_or(&[]).iter().map(move |end| {
            let first = std::mem::replace(&mut start, *end);
            let tier = self.candidates.get(first as usize..*end as usize);
            (first, tier.unwrap_or(&[]))
        })
    }

    pub(crate) fn candidate(&self, number: u32) -> Option<&Weighed> {
        self.candidates.get(number as usize)
    }

    fn forget(&mut self) {
        self.candidates.clear();
        self.ends.clear();
        self.round = self.round.wrapping_add(1);
        if self.round == 0 {
            self.round = 1;
            self.kept.iter_mut().for_each(|kept| kept.round = 0);
        }
    }
}

/// Room is bounded far below 2^32.
fn count<T>(kept: &[T]) -> u32 {
    u32::try_from(kept.len()).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests {
    use super::{Kept, Key, Memo};
    use crate::choose::Decision;
    use crate::draw::Candidate;
    use crate::pools::Family;

    const DECISION: Decision = Decision {
        pool: Some(1),
        settled: true,
        failing_open: false,
    };

    fn memo() -> Memo {
        let none = Kept {
            key: Key(0),
            round: 0,
            start: 0,
            ends: (0, 0),
            decision: DECISION,
        };
        Memo {
            epoch: None,
            round: 1,
            kept: vec![none; 4],
            candidates: Vec::with_capacity(4),
            ends: Vec::with_capacity(4),
        }
    }

    fn key(class: u32) -> Key {
        Key::new(0, class, Family::V4)
    }

    fn keep(memo: &mut Memo, key: Key, weights: &[u64]) {
        let candidate = |weight: &u64| Candidate {
            member: 0,
            usable: 1,
            weight: *weight,
        };
        let candidates: Vec<Candidate> = weights.iter().map(candidate).collect();
        memo.keep(
            key,
            DECISION,
            std::slice::from_ref(&(0..weights.len())),
            &candidates,
        );
    }

    #[test]
    fn a_decision_is_kept_until_the_epoch_moves() {
        let mut memo = memo();
        assert!(memo.find(key(7), Some(1)).is_none());
        keep(&mut memo, key(7), &[2, 3]);
        let kept = memo.find(key(7), Some(1)).unwrap();
        let sums = memo.tiers(&kept).flat_map(|(_, tier)| tier);
        assert_eq!(sums.map(|each| each.up_to).collect::<Vec<_>>(), [2, 5]);
        assert!(memo.find(key(8), Some(1)).is_none());
        assert!(memo.find(key(7), Some(2)).is_none());
        assert!(
            memo.find(key(7), Some(1)).is_none(),
            "nor when it moves back"
        );
    }

    #[test]
    fn without_an_epoch_nothing_is_kept() {
        let mut memo = memo();
        keep(&mut memo, key(7), &[1]);
        assert!(memo.find(key(7), None).is_none());
        assert!(memo.find(key(7), None).is_none());
    }

    #[test]
    fn without_room_left_all_are_forgotten_and_no_room_is_added() {
        let mut memo = memo();
        assert!(memo.find(key(7), Some(1)).is_none());
        keep(&mut memo, key(7), &[1, 1, 1]);
        keep(&mut memo, key(8), &[1, 1]);
        assert!(memo.find(key(7), Some(1)).is_none());
        assert!(memo.find(key(8), Some(1)).is_some());
        assert_eq!(memo.candidates.capacity(), 4);
    }
}
