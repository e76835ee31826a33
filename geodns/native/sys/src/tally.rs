//! What became of the queries, counted where others see it.

use crate::shared::Counters;

/// The counters in the order of `geodns.engine.page.COUNTERS`.
pub(crate) const UDP: usize = 0;
pub(crate) const TCP: usize = 1;
const DROPPED: usize = 2;
const TRUNCATED: usize = 3;
const RCODES: usize = 4;
const OTHER: usize = 6;
const TCP_OPEN: usize = 11;
const TCP_CLOSED: usize = 12;
const COUNTERS: usize = 13;

/// A page of counters that one thread raises.
pub struct Page(pub Counters);

/// What one batch adds to them.
pub(crate) struct Tally {
    counts: [u64; COUNTERS],
    transport: usize,
}

impl Tally {
    /// Count queries of one transport, `UDP` or `TCP`.
    pub(crate) fn new(transport: usize) -> Self {
        Self {
            counts: [0; COUNTERS],
            transport,
        }
    }

    /// One query was answered with this reply.
    pub(crate) fn replied(&mut self, reply: &[u8]) {
        let Some([_, _, flags, rcode]) = reply.first_chunk::<4>() else {
            return;
        };
        self.add(self.transport);
        self.add(RCODES + usize::from(rcode & 15).min(OTHER));
        if flags & 2 != 0 {
            self.add(TRUNCATED);
        }
    }

    /// One query was not answered.
    pub(crate) fn dropped(&mut self) {
        self.add(self.transport);
        self.add(DROPPED);
    }

    /// One datagram has a sender that cannot be.
    pub(crate) fn forged(&mut self) {
        self.add(DROPPED);
    }

    pub(crate) fn opened(&mut self) {
        self.add(TCP_OPEN);
    }

    pub(crate) fn closed(&mut self) {
        self.add(TCP_CLOSED);
    }

    /// Show the counts, and start again.
    pub(crate) fn flush(&mut self, page: &Page) {
        for (number, count) in self.counts.iter_mut().enumerate() {
            if *count > 0 {
                page.0.add(number, std::mem::take(count));
            }
        }
    }

    fn add(&mut self, number: usize) {
        if let Some(count) = self.counts.get_mut(number) {
            *count += 1;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{DROPPED, RCODES, TRUNCATED, Tally, UDP};

    #[test]
    fn replies_count_by_rcode_and_truncation() {
        let mut tally = Tally::new(UDP);
        tally.replied(&[0, 0, 0x86, 3]);
        tally.replied(&[0, 0, 0x84, 9]);
        tally.dropped();
        tally.forged();
        assert_eq!(tally.counts[UDP], 3);
        assert_eq!(tally.counts[DROPPED], 2);
        assert_eq!(tally.counts[TRUNCATED], 1);
        assert_eq!((tally.counts[RCODES + 3], tally.counts[RCODES + 6]), (1, 1));
    }
}
