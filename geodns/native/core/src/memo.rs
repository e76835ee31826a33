//! Decisions kept while no status word changes, so that a draw from a tier of ten thousand nodes
//! costs what one from a tier of two does.
//!
//! All room is taken when a generation is loaded. A decision that is not there is made anew;
//! when there is no room left, all are forgotten, so what is kept never changes an answer.

use std::hint::black_box;

use crate::choose::Decision;
use crate::draw::Found;
use crate::generation::Generation;
use crate::key::Key;
use crate::member::Shed;
use crate::view::View;

/// Decisions at most. Source: no reference; 4 MB, and few fleets have so many classes.
const KEPT_MAX: usize = 1 << 16;

/// Decisions at least where loads are drawn for each user. Source: no reference; 256 kB.
const USERS: usize = 1 << 12;

/// Room for candidates beside that for the greatest pool. Source: no reference; most tiers have
/// one or two.
const CANDIDATES: usize = 1 << 14;

/// A candidate of a tier, with the weights of the tier up to and with it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Weighed {
    pub(crate) member: u32,
    pub(crate) slot: u32,
    pub(crate) usable: u64,
    pub(crate) up_to: u64,
}

/// Where a decision's candidates are kept: those of tier t from `ends[t - 1]` or `start` on.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Kept {
    start: u32,
    ends: (u32, u32),
    sheds: (u32, u32),
    pub(crate) decision: Decision,
}

/// A decision in its place; one line of the cache.
#[derive(Debug, Clone, Copy)]
#[repr(align(64))]
struct Slot {
    key: Key,
    round: u32,
    kept: Kept,
}

/// What is kept, by direct place: a newcomer takes the place of who has it.
#[derive(Debug, Default)]
pub(crate) struct Memo {
    epoch: Option<u64>,
    /// Entries of another round are void.
    round: u32,
    slots: Vec<Slot>,
    candidates: Vec<Weighed>,
    ends: Vec<u32>,
    sheds: Vec<Shed>,
}

impl Memo {
    /// Room for the decisions of one generation.
    pub(crate) fn new(generation: &Generation<'_>) -> Self {
        let decisions: usize = generation.views.iter().map(View::decisions).sum();
        let (members, sheds) = (generation.members_max(), generation.pools.shed_anywhere());
        let least = if sheds { USERS } else { 0 };
        let places = (2 * decisions).max(least).min(KEPT_MAX).next_power_of_two();
        let none = Slot {
            key: Key::NOBODYS,
            round: 0,
            kept: Kept::default(),
        };
        Self {
            epoch: None,
            round: 1,
            slots: vec![none; places],
            candidates: Vec::with_capacity(members + places + CANDIDATES),
            ends: Vec::with_capacity(members + places + CANDIDATES),
            sheds: Vec::with_capacity(if sheds { members + CANDIDATES } else { 0 }),
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
        let slot = self.slots.get(key.place(self.slots.len()))?;
        (slot.key == key && slot.round == self.round).then_some(slot.kept)
    }

    /// Bring what `find` will read into the cache.
    pub(crate) fn warm(&self, key: Key) {
        let slot = self.slots.get(key.place(self.slots.len()));
        black_box(slot.map(|slot| slot.round));
    }

    /// Keep a decision with the candidates of its tiers, and with who in them sends users away.
    pub(crate) fn keep(&mut self, key: Key, decision: Decision, found: &Found) -> Kept {
        if !(has_room(&self.candidates, &found.candidates)
            && has_room(&self.ends, &found.tiers)
            && has_room(&self.sheds, &found.sheds))
        {
            self.forget();
        }
        let (start, first, shed) = (
            count(&self.candidates),
            count(&self.ends),
            count(&self.sheds),
        );
        for tier in &found.tiers {
            let mut up_to = 0;
            for candidate in found.candidates.get(tier.clone()).unwrap_or(&[]) {
                up_to += candidate.weight;
                self.candidates.push(Weighed {
                    member: candidate.member,
                    slot: candidate.slot,
                    usable: candidate.usable,
                    up_to,
                });
            }
            self.ends.push(count(&self.candidates));
        }
        self.sheds.extend_from_slice(&found.sheds);
        let kept = Kept {
            start,
            ends: (first, count(&self.ends)),
            sheds: (shed, count(&self.sheds)),
            decision,
        };
        let place = key.place(self.slots.len());
        if let Some(old) = self.slots.get_mut(place) {
            let round = self.round;
            *old = Slot { key, round, kept };
        }
        kept
    }

    /// The candidates of each tier, and the number of the first of them.
    pub(crate) fn tiers(&self, kept: &Kept) -> impl Iterator<Item = (u32, &[Weighed])> {
        let mut start = kept.start;
        part(&self.ends, kept.ends).iter().map(move |end| {
            let first = std::mem::replace(&mut start, *end);
            (first, part(&self.candidates, (first, *end)))
        })
    }

    /// Who in the tiers sends users away.
    pub(crate) fn sheds(&self, kept: &Kept) -> &[Shed] {
        part(&self.sheds, kept.sheds)
    }

    pub(crate) fn candidate(&self, number: u32) -> Option<&Weighed> {
        self.candidates.get(number as usize)
    }

    fn forget(&mut self) {
        self.candidates.clear();
        self.ends.clear();
        self.sheds.clear();
        self.round = self.round.wrapping_add(1);
        if self.round == 0 {
            self.round = 1;
            self.slots.iter_mut().for_each(|slot| slot.round = 0);
        }
    }
}

fn part<T>(all: &[T], (from, to): (u32, u32)) -> &[T] {
    all.get(from as usize..to as usize).unwrap_or(&[])
}

/// Whether some fit behind those that are there, without more memory.
fn has_room<T, U>(all: &Vec<T>, more: &[U]) -> bool {
    all.capacity() - all.len() >= more.len()
}

/// Room is bounded far below 2^32.
fn count<T>(kept: &[T]) -> u32 {
    u32::try_from(kept.len()).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests {
    use super::{Kept, Memo, Slot};
    use crate::choose::Decision;
    use crate::draw::{Candidate, Found};
    use crate::key::Key;
    use crate::pool::Family;
    use crate::seen::Why;

    const DECISION: Decision = Decision {
        pool: Some(1),
        settled: true,
        failing_open: false,
        why: Why::Preferred,
    };

    fn memo() -> Memo {
        Memo {
            epoch: None,
            round: 1,
            slots: vec![
                Slot {
                    key: Key::NOBODYS,
                    round: 0,
                    kept: Kept::default(),
                };
                4
            ],
            candidates: Vec::with_capacity(4),
            ends: Vec::with_capacity(4),
            sheds: Vec::new(),
        }
    }

    fn key(class: usize) -> Key {
        Key::new(0, class, Family::V4)
    }

    fn keep(memo: &mut Memo, key: Key, weights: &[u64]) {
        let candidate = |weight: &u64| Candidate {
            member: 0,
            slot: 0,
            usable: 1,
            weight: *weight,
        };
        let mut found = Found::default();
        found.candidates.extend(weights.iter().map(candidate));
        found.mark(0);
        memo.keep(key, DECISION, &found);
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

    #[test]
    fn a_user_whose_loads_are_drawn_is_not_another() {
        let mut memo = memo();
        assert!(memo.find(key(7), Some(1)).is_none());
        let of_user = key(7).with_load(0);
        keep(&mut memo, of_user, &[1]);
        assert!(memo.find(of_user, Some(1)).is_some());
        assert!(memo.find(key(7), Some(1)).is_none());
        assert!(memo.find(key(7).with_load(1), Some(1)).is_none());
    }

    #[test]
    fn a_decision_is_one_line_of_the_cache() {
        assert_eq!(size_of::<Slot>(), 64);
    }
}
