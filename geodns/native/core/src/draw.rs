//! The draw of one answer's nodes, by query or by user, and the room that it and a decision take.

use std::ops::Range;

use crate::choose::Decision;
use crate::generation::Generation;
use crate::key::Key;
use crate::link::Tier;
use crate::member::Shed;
use crate::memo::{Kept, Memo, Weighed};
use crate::mix::{Address, STICKY, mix, next};
use crate::name::Name;
use crate::pool::{Pool, Spread};
use crate::pools::Pools;
use crate::rendezvous::{Ranked, rank, winner};
use crate::seen::{Seen, Why};

/// Who asks, and by what its draws are keyed.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Drawn {
    /// The name's.
    pub(crate) salt: u64,
    pub(crate) address: Address,
    pub(crate) message_id: u16,
}

impl Drawn {
    /// What this one query's nodes are drawn by.
    fn by_query(self) -> u64 {
        let query = self.address.value() ^ u64::from(self.message_id) << 32;
        mix(self.salt, query)
    }

    /// What a user's nodes are drawn by, for good.
    fn by_user(self, (bits4, bits6): (u32, u32)) -> u64 {
        mix(mix(self.salt, STICKY), self.address.user(bits4, bits6))
    }
}

/// Draw the nodes of one answer from the decided tiers.
pub(crate) fn pick(pools: &Pools, pool: &Pool, kept: &Kept, drawn: Drawn, scratch: &mut Scratch) {
    let mut wanted = pool.answers;
    let mut draw = None;
    for (first, tier) in scratch.memo.tiers(kept) {
        let count = wanted.saturating_sub(scratch.chosen.len()).min(tier.len());
        if tier.len() == 1 || pool.spread == Spread::First {
            scratch.chosen.extend((first..).take(count));
        } else if pool.spread == Spread::Weighted {
            let from = draw.unwrap_or_else(|| drawn.by_query());
            let room = (&mut scratch.taken, &mut scratch.chosen);
            draw = Some(draw_from(first, tier, count, from, room));
        } else {
            let base = drawn.by_user(pool.sticky);
            let room = (&mut scratch.ranked, &mut scratch.chosen);
            favourites(pools, (first, tier), count, base, room);
        }
        wanted = pool.min_answers;
        if scratch.chosen.len() >= wanted {
            break;
        }
    }
}

/// Choose the candidates of a tier that a user is given for good.
#[inline(never)]
fn favourites(
    pools: &Pools,
    (first, tier): (u32, &[Weighed]),
    count: usize,
    base: u64,
    (ranked, chosen): (&mut Vec<Ranked>, &mut Vec<u32>),
) {
    let keyed = weights(tier).map(|(member, weight)| (pools.node_key(member), weight));
    if count == 1 {
        chosen.push(first + winner(base, keyed));
        return;
    }
    rank(base, keyed, count, ranked);
    chosen.extend(ranked.iter().map(|ranked| first + ranked.number()));
}

/// The members of a tier and their weights.
fn weights(tier: &[Weighed]) -> impl Iterator<Item = (u32, u64)> + Clone {
    let before = std::iter::once(0).chain(tier.iter().map(|candidate| candidate.up_to));
    let tier = tier.iter().zip(before);
    tier.map(|(candidate, before)| (candidate.member, candidate.up_to - before))
}

/// Choose candidates of a tier by weight, none twice; returns the next draw.
///
/// A point among the weights of those left becomes one among all by stepping over those taken.
fn draw_from(
    first: u32,
    tier: &[Weighed],
    count: usize,
    mut draw: u64,
    (taken, chosen): (&mut Vec<Span>, &mut Vec<u32>),
) -> u64 {
    taken.clear();
    let mut total = tier.last().map_or(0, |last| last.up_to);
    for _ in 0..count {
        let mut point = high_half(draw, total);
        for span in taken.iter() {
            if point >= span.start {
                point += span.weight;
            }
        }
        let at = tier.partition_point(|candidate| candidate.up_to <= point);
        let start = at.checked_sub(1).and_then(|before| tier.get(before));
        let start = start.map_or(0, |before| before.up_to);
        let weight = tier.get(at).map_or(0, |found| found.up_to - start);
        let after = taken.partition_point(|span| span.start < start);
        taken.insert(after, Span { start, weight });
        chosen.push(first + u32::try_from(at).unwrap_or(0));
        total -= weight;
        draw = next(draw);
    }
    draw
}

/// Where the weight of a candidate that has been drawn stands among all.
#[derive(Debug, Clone, Copy)]
struct Span {
    start: u64,
    weight: u64,
}

/// The upper half of a product: `draw` as a fraction of 2^64, of `total`.
fn high_half(draw: u64, total: u64) -> u64 {
    let product = u128::from(draw) * u128::from(total);
    u64::try_from(product >> 64).unwrap_or(0)
}

/// A member that may answer now: its weight, and which of its addresses are usable.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Candidate {
    pub(crate) member: u32,
    /// Of the first usable address.
    pub(crate) slot: u32,
    pub(crate) usable: u64,
    pub(crate) weight: u64,
}

/// What a decision finds: candidates by tier, the tiers, and who in them sends users away.
#[derive(Debug, Default)]
pub(crate) struct Found {
    pub(crate) candidates: Vec<Candidate>,
    pub(crate) tiers: Vec<Range<usize>>,
    pub(crate) places: Vec<Tier>,
    pub(crate) sheds: Vec<Shed>,
}

impl Found {
    fn new(members: usize) -> Self {
        Self {
            candidates: Vec::with_capacity(members),
            tiers: Vec::with_capacity(members),
            places: Vec::with_capacity(members),
            sheds: Vec::with_capacity(members),
        }
    }

    pub(crate) fn clear(&mut self) {
        self.candidates.clear();
        self.tiers.clear();
        self.places.clear();
        self.sheds.clear();
    }

    /// A tier is whole: its candidates are those from `start` on. None: it is no tier.
    pub(crate) fn mark(&mut self, start: usize) -> bool {
        let end = self.candidates.len();
        if end > start {
            self.tiers.push(start..end);
        }
        end > start
    }

    /// Whether there is a tier, and as many candidates.
    pub(crate) fn has(&self, least: usize) -> bool {
        !self.tiers.is_empty() && self.candidates.len() >= least
    }
}

/// Room for one query at a time, kept from query to query so that none allocates.
#[derive(Debug, Default)]
pub struct Scratch {
    pub(crate) found: Found,
    pub(crate) memo: Memo,
    chosen: Vec<u32>,
    taken: Vec<Span>,
    ranked: Vec<Ranked>,
    pub(crate) hints: [Vec<u8>; 2],
    pub(crate) followed: Vec<Name>,
    pub(crate) redirected: Vec<Name>,
    pub(crate) last_view: usize,
    pub(crate) ahead: [Vec<u32>; 2],
    pub(crate) seen: Seen,
    /// How many of those chosen last are in the answer.
    pub(crate) answered: usize,
}

/// Source: no reference; answers of ten nodes with both families' addresses fit.
const HINT_OCTETS: usize = 4096;

impl Scratch {
    /// Room enough for every query to this generation.
    #[must_use]
    pub fn new(generation: &Generation<'_>) -> Self {
        let members = generation.members_max();
        Self {
            found: Found::new(members),
            memo: Memo::new(generation),
            chosen: Vec::with_capacity(members),
            taken: Vec::with_capacity(members),
            ranked: Vec::with_capacity(members),
            hints: [const { Vec::new() }; 2].map(|_: Vec<u8>| Vec::with_capacity(HINT_OCTETS)),
            followed: Vec::with_capacity(crate::lookup::CHAIN_MAX),
            redirected: Vec::with_capacity(crate::lookup::CHAIN_MAX + 1),
            last_view: 0,
            ahead: [const { Vec::new() }; 2]
                .map(|_: Vec<u32>| Vec::with_capacity(crate::warm::WARM_MAX)),
            seen: Seen::default(),
            answered: 0,
        }
    }

    /// What the query was about that was answered last.
    #[must_use]
    pub fn seen(&self) -> Seen {
        self.seen
    }

    /// The nodes in the answer that was given last, each by the slot of its first address.
    pub fn answered(&self) -> impl Iterator<Item = u32> {
        let chosen = self.chosen.get(..self.answered).unwrap_or(&[]);
        let slot = |number: &u32| self.memo.candidate(*number).map(|node| node.slot);
        chosen.iter().filter_map(slot)
    }

    /// All that were chosen last are in the answer, for this reason.
    pub(crate) fn answer(&mut self, why: Why) {
        self.seen.why = why;
        self.answered = self.chosen.len();
    }

    /// The nodes of the answer that was picked last, in order.
    pub(crate) fn chosen(&self) -> impl Iterator<Item = &Weighed> {
        let candidate = |number: &u32| self.memo.candidate(*number);
        self.chosen.iter().filter_map(candidate)
    }

    /// Keep a decision, whose tiers stand here.
    pub(crate) fn keep(&mut self, key: Key, decision: Decision) -> Kept {
        self.memo.keep(key, decision, &self.found)
    }

    /// Let the answer be that of nobody.
    pub(crate) fn choose_none(&mut self) {
        self.chosen.clear();
    }
}

#[cfg(test)]
mod tests {
    use super::{draw_from, high_half};
    use crate::memo::Weighed;
    use crate::mix::{mix, next};

    /// Candidates in a row, those drawn before left out: what sums and steps are short for.
    fn one_by_one(weights: &[u64], count: usize, mut draw: u64) -> (Vec<u32>, u64) {
        let mut left: Vec<Option<u64>> = weights.iter().copied().map(Some).collect();
        let mut chosen = Vec::new();
        for _ in 0..count {
            let mut point = high_half(draw, left.iter().flatten().sum());
            let is_drawn = |weight: &Option<u64>| {
                let Some(weight) = weight else { return false };
                let found = point < *weight;
                point = point.wrapping_sub(*weight);
                found
            };
            let at = left.iter().position(is_drawn).unwrap();
            left[at] = None;
            chosen.push(u32::try_from(at).unwrap());
            draw = next(draw);
        }
        (chosen, draw)
    }

    #[test]
    fn running_sums_draw_whom_a_walk_over_all_would_draw() {
        for round in 0..2000_u64 {
            let size = 1 + usize::try_from(mix(1, round) % 12).unwrap();
            let weight = |at| 1 + mix(round, at) % (1 << (mix(2, round) % 40));
            let weights: Vec<u64> = (0..size as u64).map(weight).collect();
            let mut up_to = 0;
            let weighed = |(member, weight): (u32, &u64)| {
                up_to += weight;
                Weighed {
                    member,
                    slot: 0,
                    usable: 1,
                    up_to,
                }
            };
            let tier: Vec<Weighed> = (0..).zip(&weights).map(weighed).collect();
            let count = 1 + usize::try_from(mix(3, round)).unwrap() % size;
            let (mut taken, mut chosen) = (Vec::new(), Vec::new());
            let room = (&mut taken, &mut chosen);
            let draw = draw_from(0, &tier, count, mix(4, round), room);
            let wanted = one_by_one(&weights, count, mix(4, round));
            assert_eq!((chosen, draw), wanted, "{weights:?}");
        }
    }
}
