//! What both threads share of answering: the newest generation, and room to work in.

use std::net::IpAddr;
use std::time::{SystemTime, UNIX_EPOCH};

use geodns_core::{Outcome, Packet, Scratch, Source, Surroundings, refuse_all, respond, warm};

use crate::feed::{Feed, Taken};
use crate::shared::SharedWords;

/// What every reply of this process depends on beside the generation.
pub(crate) struct Common {
    pub(crate) words: SharedWords,
    pub(crate) around: Surroundings,
}

/// A packet and the circumstances it came in.
#[derive(Clone, Copy)]
pub(crate) struct Asked<'p> {
    pub(crate) octets: &'p [u8],
    pub(crate) address: IpAddr,
    pub(crate) tcp: bool,
    pub(crate) now_s: u64,
}

/// Answers packets of one thread.
pub(crate) struct Answerer<'s> {
    common: &'s Common,
    feed: &'s Feed,
    taken: Taken,
    begun: u64,
}

impl<'s> Answerer<'s> {
    pub(crate) fn new(common: &'s Common, feed: &'s Feed) -> Self {
        let mut made = Self {
            common,
            feed,
            taken: Taken::default(),
            begun: 0,
        };
        made.refresh();
        made
    }

    /// Answer from the newest generation from now on.
    pub(crate) fn refresh(&mut self) {
        self.feed.take(&mut self.taken);
    }

    pub(crate) fn is_stale(&self) -> bool {
        self.feed.has_newer(&self.taken)
    }

    /// Read ahead for packets that will be answered next.
    pub(crate) fn warm<'p>(&mut self, packets: impl Iterator<Item = &'p [u8]>) {
        if let Some(held) = &self.taken.held {
            warm(held.generation(), packets, &mut self.taken.scratch);
        }
    }

    pub(crate) fn answer(&mut self, asked: Asked<'_>, out: &mut [u8]) -> Outcome {
        self.begun += 1;
        #[cfg(test)]
        assert_ne!(asked.octets, tests::POISON);
        let Some(held) = &self.taken.held else {
            // No generation yet: we are authoritative for nothing.
            return refuse_all(asked.octets, out);
        };
        let packet = Packet {
            octets: asked.octets,
            source: Source::from(asked.address),
            tcp: asked.tcp,
            now_s: asked.now_s,
        };
        let Common { words, around } = self.common;
        let generation = held.generation();
        respond(
            generation,
            words,
            around,
            packet,
            &mut self.taken.scratch,
            out,
        )
    }

    /// Where the query that was answered last left what it was about.
    pub(crate) fn scratch(&self) -> &Scratch {
        &self.taken.scratch
    }

    /// How many queries were begun.
    pub(crate) fn begun(&self) -> u64 {
        self.begun
    }

    /// Forget what a query that was broken off may have left half done.
    pub(crate) fn recover(&mut self) {
        let held = self.taken.held.as_ref();
        self.taken.scratch =
            held.map_or_else(Scratch::default, |held| Scratch::new(held.generation()));
    }
}

/// Unix seconds.
pub(crate) fn now_s() -> u64 {
    let now = SystemTime::now().duration_since(UNIX_EPOCH);
    now.map_or(0, |since| since.as_secs())
}

#[cfg(test)]
pub(crate) mod tests {
    /// No real query panics; this one does, in tests only.
    pub(crate) const POISON: &[u8] = b"this panics!";
}
