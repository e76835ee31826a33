//! The thread that serves UDP sockets: no lock, no allocation, nobody else's time.

use std::ops::Range;
use std::os::fd::{AsFd, OwnedFd};

use geodns_core::Outcome;
use rustix::event::{PollFd, PollFlags, Timespec, poll};

use crate::answerer::{Answerer, Asked, now_s};
use crate::batch::{BATCH, Batch};
use crate::counts::{Drop, Round};
use crate::host::{Asking, Deferred, Place};
use crate::panics::Turns;
use crate::server::{PULSE_MS, Shared};
use crate::system::{drain, milliseconds};
use crate::tally::{Tally, UDP};

/// With so many datagrams at once there are likely more: receive again without asking.
const BUSY: usize = BATCH / 8;

const PULSE: Timespec = milliseconds(PULSE_MS);

/// A socket to serve.
pub struct Endpoint {
    /// The socket.
    pub socket: OwnedFd,
    /// Whether replies must say which address was asked.
    pub wildcard: bool,
}

/// The thread's own side.
pub(crate) struct Serving<'s> {
    shared: &'s Shared,
    answerer: Answerer<'s>,
    batch: Batch,
    tally: Tally,
    asking: Asking,
    /// The socket whose datagrams are in the batch, and which of them are not begun yet.
    endpoint: usize,
    left: Range<usize>,
    round: Round,
}

impl<'s> Serving<'s> {
    pub(crate) fn new(shared: &'s Shared, asking: Asking) -> Self {
        Self {
            shared,
            answerer: Answerer::new(&shared.common, &shared.udp.feed),
            batch: Batch::new(),
            tally: Tally::new(UDP),
            asking,
            endpoint: 0,
            left: 0..0,
            round: Round::begin(),
        }
    }

    /// Answer what has come in on one socket, a batch at least, then let others have their turn.
    fn serve(&mut self, number: usize, endpoint: &Endpoint) {
        for _ in 0..BATCH {
            let socket = endpoint.socket.as_fd();
            // An error may be an ICMP message about an earlier reply; the next call tells.
            let count = self.batch.receive(socket, endpoint.wildcard).unwrap_or(0);
            (self.endpoint, self.left) = (number, 0..count);
            self.round = Round::begin();
            if count > 1 {
                self.answerer.warm(self.batch.datagrams());
            }
            self.answer_all(endpoint);
            if count < BUSY || self.answerer.is_stale() {
                return;
            }
        }
    }

    /// Answer what is left of the batch.
    fn answer_all(&mut self, endpoint: &Endpoint) {
        let now_s = now_s();
        while let Some(at) = self.left.next() {
            self.answer(at, now_s);
        }
        self.batch.send(endpoint.socket.as_fd());
        self.tally.flush(&self.shared.udp.page);
        self.shared.udp.counts.end(&self.round);
    }

    fn answer(&mut self, at: usize, now_s: u64) {
        let Some((octets, sender, out)) = self.batch.datagram(at) else {
            return;
        };
        if sender.port == 0 {
            self.tally.forged(); // nobody listens on port 0
            self.shared.udp.counts.dropped(Drop::Forged);
            return;
        }
        let asked = Asked {
            octets,
            address: sender.address,
            tcp: false,
            now_s,
        };
        match self.answerer.answer(asked, out) {
            Outcome::Reply(size) => {
                self.tally.replied(out);
                let (scratch, reply) = (self.answerer.scratch(), out.get(..size).unwrap_or(&[]));
                let counts = &self.shared.udp.counts;
                counts.answered(&mut self.round, scratch, octets.len(), reply);
                self.batch.queue(at, size);
            }
            Outcome::Drop => {
                self.tally.dropped();
                self.shared.udp.counts.dropped(Drop::Malformed);
            }
            Outcome::Defer => {
                let packet = octets.to_vec();
                let resolver = sender.address.to_canonical();
                self.defer(at, packet, resolver);
            }
        }
    }

    /// Leave a datagram to the host.
    fn defer(&mut self, at: usize, packet: Vec<u8>, resolver: std::net::IpAddr) {
        let envelope = self.batch.envelope(at);
        let question = envelope.map(|envelope| Deferred {
            place: Place::Udp(self.endpoint, envelope),
            packet,
            resolver,
        });
        let asked = question.map(|question| self.asking.ask(question, &self.shared.asked));
        if asked != Some(true) {
            self.tally.dropped();
            self.shared.udp.counts.dropped(Drop::Busy);
        }
    }
}

impl Turns for Serving<'_> {
    fn turns(&mut self) {
        let shared = self.shared;
        if let Some(endpoint) = shared.endpoints.get(self.endpoint) {
            self.answer_all(endpoint); // what a panic has left
        }
        let sockets = shared.endpoints.iter().map(|endpoint| &endpoint.socket);
        let all = std::iter::once(&shared.udp.wake).chain(sockets);
        let mut polled: Vec<PollFd> = all.map(|each| PollFd::new(each, PollFlags::IN)).collect();
        while shared.udp.goes_on() {
            polled.iter_mut().for_each(PollFd::clear_revents);
            let _ = poll(&mut polled, Some(&PULSE)); // it fails for want of memory only
            let mut ready = polled.iter().map(|each| !each.revents().is_empty());
            if ready.next() == Some(true) {
                drain(&shared.udp.wake);
            }
            self.answerer.refresh();
            for (number, endpoint) in shared.endpoints.iter().enumerate() {
                if ready.next() == Some(true) {
                    self.serve(number, endpoint);
                }
            }
        }
    }

    fn begun(&self) -> u64 {
        self.answerer.begun()
    }

    fn recover(&mut self) {
        self.tally.dropped();
        self.shared.udp.counts.dropped(Drop::Fault);
        self.answerer.recover();
    }
}
