//! The weighted draw of one answer's nodes, and the room that it and a decision take.

use std::ops::Range;

use crate::choose::Tier;
use crate::generation::Generation;
use crate::mix::{mix, next};
use crate::name::Name;
use crate::pools::Pool;

/// Draw the nodes of one answer from the decided tiers. `key` is the name's, `value` the query's.
pub(crate) fn pick(pool: &Pool, key: u64, value: u64, scratch: &mut Scratch) {
    let mut wanted = pool.answers;
    let mut draw = mix(key, value);
    let candidates = &mut scratch.candidates;
    let chosen = &mut scratch.chosen;
    chosen.clear();
    for tier in &scratch.tiers {
        let count = wanted.saturating_sub(chosen.len()).min(tier.len());
        if !pool.weighted || tier.len() == 1 {
            chosen.extend(tier.clone().take(count));
        } else {
            draw = draw_from(tier, count, draw, candidates, chosen);
        }
        wanted = pool.min_answers;
        if chosen.len() >= wanted {
            break;
        }
    }
}

/// Choose candidates of a tier by weight, none twice; returns the next draw.
fn draw_from(
    tier: &Range<usize>,
    count: usize,
    mut draw: u64,
    candidates: &mut [Candidate],
    chosen: &mut Vec<usize>,
) -> u64 {
    let Some(left) = candidates.get_mut(tier.clone()) else {
        return draw;
    };
    let mut total: u64 = left.iter().map(|candidate| candidate.weight).sum();
    for _ in 0..count {
        let mut point = high_half(draw, total);
        let mut drawn = None;
        for (at, candidate) in left.iter().enumerate() {
            if candidate.weight == TAKEN {
                continue;
            }
            drawn = Some(at);
            if point < candidate.weight {
                break;
            }
            point -= candidate.weight;
        }
        if let Some((at, candidate)) = drawn.and_then(|at| Some((at, left.get_mut(at)?))) {
            chosen.push(tier.start + at);
            total -= candidate.weight;
            candidate.weight = TAKEN;
        }
        draw = next(draw);
    }
    draw
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
    pub(crate) usable: u64,
    pub(crate) weight: u64,
}

/// The weight of a candidate that has been drawn.
const TAKEN: u64 = u64::MAX;

/// Room for one query at a time, kept from query to query so that none allocates.
#[derive(Debug, Default)]
pub struct Scratch {
    pub(crate) candidates: Vec<Candidate>,
    pub(crate) tiers: Vec<Range<usize>>,
    pub(crate) found: Vec<Tier>,
    chosen: Vec<usize>,
    pub(crate) hints: [Vec<u8>; 2],
    pub(crate) followed: Vec<Name>,
    pub(crate) redirected: Vec<Name>,
    pub(crate) last_view: usize,
    pub(crate) ahead: Vec<u32>,
}

/// Source: no reference; answers of ten nodes with both families' addresses fit.
const HINT_OCTETS: usize = 4096;

impl Scratch {
    /// Room enough for every query to this generation.
    #[must_use]
    pub fn new(generation: &Generation<'_>) -> Self {
        let members = generation.members_max();
        Self {
            candidates: Vec::with_capacity(members),
            tiers: Vec::with_capacity(members),
            found: Vec::with_capacity(members),
            chosen: Vec::with_capacity(members),
            hints: [const { Vec::new() }; 2].map(|_: Vec<u8>| Vec::with_capacity(HINT_OCTETS)),
            followed: Vec::with_capacity(crate::lookup::CHAIN_MAX),
            redirected: Vec::with_capacity(crate::lookup::CHAIN_MAX + 1),
            last_view: 0,
            ahead: Vec::with_capacity(crate::warm::WARM_MAX),
        }
    }

    /// The nodes of the answer that was picked last, in order.
    pub(crate) fn chosen(&self) -> impl Iterator<Item = &Candidate> {
        self.chosen.iter().filter_map(|at| self.candidates.get(*at))
    }

    /// Let the answer be that of nobody.
    pub(crate) fn choose_none(&mut self) {
        self.chosen.clear();
    }

    pub(crate) fn clear(&mut self) {
        self.candidates.clear();
        self.tiers.clear();
        self.found.clear();
    }

    pub(crate) fn mark(&mut self, start: usize) {
        self.tiers.push(start..self.candidates.len());
    }
}
