//! What queries were about, and who answered: counted straight into memory that others map.
//!
//! The layout is that of `geodns.engine.counts`; each counter has one writer, and raising one is
//! an addition, for nothing here waits.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Instant;

use geodns_core::Scratch;

use crate::shared::Counters;

/// What starts where in a thread's block, in words.
const DROPS: usize = 0;
const ASKED_OCTETS: usize = 8;
const REPLY_OCTETS: usize = 24;
const DURATIONS: usize = 40;
const ZONES: usize = 64;
const ZONES_MAX: usize = 512;
const ROW: usize = 64;
const NODES: usize = ZONES + ZONES_MAX * ROW;

/// What starts where in a zone's row: by family and type, then by rcode.
const RCODES: usize = 2 * 21;
const RCODE_OTHER: usize = 6;
const WHYS: usize = 8;

/// Source: `CoreDNS`, plugin/metrics/vars.
const SIZES: [usize; 14] = [
    0, 100, 200, 300, 400, 511, 1023, 2047, 4095, 8291, 16_000, 32_000, 48_000, 64_000,
];

/// The first bound in nanoseconds; each is twice the one before. Source: `CoreDNS`'s from
/// 0.25 ms to 8.192 s, and four below, for that is where we are.
const FIRST_NS: u64 = 15_625;
const BOUNDS: usize = 20;

/// Why a query was not answered.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Drop {
    /// It is no query, or its header says that it is a reply.
    Malformed,
    /// Its source is nobody's.
    Forged,
    /// Those who would answer have too much to do.
    Busy,
    /// We failed.
    Fault,
}

/// One thread's counters; without memory for them nothing is counted.
pub struct Counts(pub Counters);

/// Queries that are answered together, and how long all of them take.
pub(crate) struct Round {
    since: Instant,
    answered: u64,
    asked_octets: u64,
    reply_octets: u64,
}

impl Round {
    pub(crate) fn begin() -> Self {
        Self {
            since: Instant::now(),
            answered: 0,
            asked_octets: 0,
            reply_octets: 0,
        }
    }
}

impl Counts {
    pub(crate) fn dropped(&self, why: Drop) {
        self.0.add(DROPS + why as usize, 1);
    }

    /// A query of so many octets was answered.
    pub(crate) fn answered(
        &self,
        round: &mut Round,
        scratch: &Scratch,
        asked: usize,
        reply: &[u8],
    ) {
        let (words, seen) = (self.0.words(), scratch.seen());
        let (Some([_, _, flags, rcode]), Some((head, rest))) =
            (reply.first_chunk::<4>(), words.split_first_chunk::<ZONES>())
        else {
            return;
        };
        let row = rest.get(seen.zone as usize * ROW..);
        if let Some(row) = row.and_then(<[AtomicU64]>::first_chunk::<ROW>) {
            // So that the compiler need not look: a row has room for more than there are.
            one(row.get(usize::from(seen.kind) & (ROW - 1)));
            one(row.get(RCODES + usize::from(rcode & 15).min(RCODE_OTHER)));
        }
        one(head.get(ASKED_OCTETS + size(asked)));
        one(head.get(REPLY_OCTETS + size(reply.len())));
        round.answered += 1;
        round.asked_octets += asked as u64;
        round.reply_octets += reply.len() as u64;
        if flags & 2 == 0 {
            // What was cut names nobody.
            let why = NODES - ZONES + seen.why as usize;
            for slot in scratch.answered() {
                one(rest.get(slot as usize * WHYS + why));
            }
        }
    }

    /// The round is over.
    #[inline]
    pub(crate) fn end(&self, round: &Round) {
        let Some(head) = self.0.words().first_chunk::<ZONES>() else {
            return;
        };
        if round.answered > 0 {
            let took = round.since.elapsed();
            let took = took.as_secs() * 1_000_000_000 + u64::from(took.subsec_nanos());
            more(head.get(DURATIONS + bound(took)), round.answered);
            let total = took.saturating_mul(round.answered);
            more(head.get(DURATIONS + BOUNDS + 1), total);
            more(head.get(ASKED_OCTETS + SIZES.len() + 1), round.asked_octets);
            more(head.get(REPLY_OCTETS + SIZES.len() + 1), round.reply_octets);
        }
    }
}

fn one(counter: Option<&AtomicU64>) {
    more(counter, 1);
}

/// There is one writer, so there is no need to lock the bus.
fn more(counter: Option<&AtomicU64>, count: u64) {
    if let Some(counter) = counter {
        let before = counter.load(Ordering::Relaxed);
        counter.store(before.wrapping_add(count), Ordering::Relaxed);
    }
}

/// The buckets of the sizes that most have, made once.
const USUAL: [u8; 512] = usual();

#[expect(clippy::indexing_slicing, reason = "the compiler does it")]
const fn usual() -> [u8; 512] {
    let (mut made, mut octets, mut bucket) = ([0; 512], 0, 0_u8);
    while octets < made.len() {
        if octets > SIZES[bucket as usize] {
            bucket += 1;
        }
        made[octets] = bucket;
        octets += 1;
    }
    made
}

/// The bucket of a size.
fn size(octets: usize) -> usize {
    match USUAL.get(octets) {
        Some(bucket) => usize::from(*bucket) & 15,
        None => SIZES.partition_point(|bound| *bound < octets),
    }
}

/// The bucket of a duration in nanoseconds.
fn bound(took: u64) -> usize {
    let bits = u64::BITS - (took.saturating_sub(1) / FIRST_NS).leading_zeros();
    (bits as usize).min(BOUNDS)
}

#[cfg(test)]
mod tests {
    use geodns_core::{Scratch, Seen};

    use super::{
        ASKED_OCTETS, BOUNDS, Counts, DROPS, Drop, FIRST_NS, NODES, RCODES, REPLY_OCTETS, Round,
        SIZES, ZONES, bound, size,
    };
    use crate::shared::Counters;

    fn counting() -> (Counts, &'static [u64]) {
        let memory = Box::leak(vec![0_u64; NODES + 32].into_boxed_slice());
        let (start, count) = (memory.as_mut_ptr(), memory.len());
        // SAFETY: the memory is leaked, so it stays.
        let counters = unsafe { Counters::new(start, count, Box::new(())) };
        // SAFETY: as above; the test reads only when nobody writes.
        (Counts(counters), unsafe {
            std::slice::from_raw_parts(start, count)
        })
    }

    #[test]
    fn a_query_counts_by_family_type_rcode_and_sizes() {
        let (counts, memory) = counting();
        let mut reply = vec![0; 511];
        reply[3] = 3;
        let mut round = Round::begin();
        counts.answered(&mut round, &Scratch::default(), 100, &reply);
        counts.end(&round);
        counts.dropped(Drop::Busy);
        let row = ZONES + usize::from(Seen::default().kind);
        assert_eq!((memory[row], memory[ZONES + RCODES + 3]), (1, 1));
        assert_eq!(
            (memory[ASKED_OCTETS + 1], memory[ASKED_OCTETS + 15]),
            (1, 100)
        );
        assert_eq!(
            (memory[REPLY_OCTETS + 5], memory[REPLY_OCTETS + 15]),
            (1, 511)
        );
        assert_eq!(memory[DROPS + 2], 1);
        assert_eq!(memory.iter().filter(|word| **word > 0).count(), 9);
    }

    #[test]
    fn sizes_and_durations_are_in_the_first_bucket_that_holds_them() {
        for (number, end) in SIZES.into_iter().enumerate() {
            assert_eq!((size(end), size(end + 1)), (number, number + 1));
        }
        for number in 0..BOUNDS {
            let end = FIRST_NS << number;
            assert_eq!((bound(end), bound(end + 1)), (number, number + 1));
        }
    }
}
