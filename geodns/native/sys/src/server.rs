//! One thread that serves UDP sockets: no lock, no allocation, nobody else's time.

use std::io;
use std::os::fd::{AsFd, AsRawFd, OwnedFd, RawFd};

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use geodns_core::{Outcome, Packet, Scratch, Source, Surroundings, refuse_all, respond, warm};

use crate::batch::{BATCH, Batch, Envelope};
use crate::held::Held;
use crate::shared::SharedWords;
use crate::system::{block_signals, drain, event, poll, readable, signal};
use crate::tally::{Page, Tally};

/// Questions that wait for the host. Source: no reference; people ask them, by hand.
const DEFERRED_MAX: usize = 256;

/// How long the thread sleeps at most, so that its pulse is seen. Units: milliseconds.
const PULSE_MS: i32 = 250;

/// With so many datagrams at once there are likely more: receive again without asking.
const BUSY: usize = BATCH / 8;

/// How long a new generation may wait for the thread to take it.
const TAKEN_WITHIN: Duration = Duration::from_secs(2);

/// A socket to serve.
pub struct Endpoint {
    /// The socket.
    pub socket: OwnedFd,
    /// Whether replies must say which address was asked.
    pub wildcard: bool,
}

/// A question that the host answers.
pub struct Deferred {
    endpoint: usize,
    envelope: Envelope,
    /// The packet.
    pub packet: Vec<u8>,
    /// Who sent it.
    pub resolver: std::net::IpAddr,
}

/// What the thread and its owner share.
struct Shared {
    endpoints: Vec<Endpoint>,
    words: SharedWords,
    page: Page,
    around: Surroundings,
    next: Mutex<Next>,
    /// The number of the generation in `next`, to look at without the lock.
    number: AtomicU64,
    taken: Condvar,
    stopping: AtomicBool,
    pulse: AtomicU64,
    wake: OwnedFd,
    deferred: OwnedFd,
}

struct Next {
    held: Option<Arc<Held>>,
    scratch: Option<Scratch>,
    taken: u64,
}

/// The server; it stops when it is dropped.
pub struct UdpServer {
    shared: Arc<Shared>,
    thread: Option<JoinHandle<()>>,
    questions: Mutex<Receiver<Deferred>>,
}

impl UdpServer {
    /// Start to serve; without a generation everything is REFUSED.
    ///
    /// # Errors
    /// When the system has no descriptors or threads left.
    pub fn start(
        endpoints: Vec<Endpoint>,
        words: SharedWords,
        page: Page,
        around: Surroundings,
        held: Option<Held>,
    ) -> io::Result<Self> {
        let first = Next {
            scratch: held.as_ref().map(|held| Scratch::new(held.generation())),
            held: held.map(Arc::new),
            taken: 0,
        };
        let shared = Arc::new(Shared {
            endpoints,
            words,
            page,
            around,
            next: Mutex::new(first),
            number: AtomicU64::new(1),
            taken: Condvar::new(),
            stopping: AtomicBool::new(false),
            pulse: AtomicU64::new(0),
            wake: event()?,
            deferred: event()?,
        });
        let (sender, questions) = sync_channel(DEFERRED_MAX);
        let theirs = Arc::clone(&shared);
        let thread = thread::Builder::new()
            .name("geodns-udp".into())
            .spawn(move || {
                block_signals();
                // A panic would leave the sockets unserved and the process alive.
                let abort = AbortOnPanic;
                Serving::new(&theirs, sender).run();
                std::mem::forget(abort);
            })?;
        Ok(Self {
            shared,
            thread: Some(thread),
            questions: Mutex::new(questions),
        })
    }

    /// Serve another generation; once this returns, every further reply comes from it.
    ///
    /// # Errors
    /// When the thread does not take it in time.
    pub fn load(&self, held: Held) -> io::Result<()> {
        let scratch = Scratch::new(held.generation());
        let mut next = self.shared.lock();
        // The one before is let go of here, not by the thread.
        let before = next.held.replace(Arc::new(held));
        next.scratch = Some(scratch);
        let number = self.shared.number.fetch_add(1, Ordering::Release) + 1;
        signal(&self.shared.wake);
        let untaken = |next: &mut Next| next.taken != number;
        let waited = self
            .shared
            .taken
            .wait_timeout_while(next, TAKEN_WITHIN, untaken);
        let (next, timeout) = waited.unwrap_or_else(PoisonError::into_inner);
        drop(next);
        drop(before);
        if timeout.timed_out() {
            return Err(io::ErrorKind::TimedOut.into());
        }
        Ok(())
    }

    /// A descriptor that is readable when there are deferred questions.
    #[must_use]
    pub fn deferred_fd(&self) -> RawFd {
        self.shared.deferred.as_raw_fd()
    }

    /// The next deferred question.
    #[must_use]
    pub fn take(&self) -> Option<Deferred> {
        drain(&self.shared.deferred);
        let questions = self
            .questions
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        questions.try_recv().ok()
    }

    /// Send the host's answer to a deferred question.
    pub fn answer(&self, question: &Deferred, reply: &[u8]) {
        if let Some(endpoint) = self.shared.endpoints.get(question.endpoint) {
            question.envelope.send(endpoint.socket.as_fd(), reply);
        }
    }

    /// A number that goes up while the thread is well.
    #[must_use]
    pub fn pulse(&self) -> u64 {
        self.shared.pulse.load(Ordering::Relaxed)
    }

    /// Stop serving.
    pub fn stop(&mut self) {
        self.shared.stopping.store(true, Ordering::Release);
        signal(&self.shared.wake);
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

impl Drop for UdpServer {
    fn drop(&mut self) {
        self.stop();
    }
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, Next> {
        self.next.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

struct AbortOnPanic;

impl Drop for AbortOnPanic {
    fn drop(&mut self) {
        std::process::abort(); // the supervisor starts another worker at once
    }
}

/// The thread's own side.
struct Serving<'s> {
    shared: &'s Shared,
    batch: Batch,
    held: Option<Arc<Held>>,
    scratch: Scratch,
    number: u64,
    tally: Tally,
    deferred: SyncSender<Deferred>,
}

impl<'s> Serving<'s> {
    fn new(shared: &'s Shared, deferred: SyncSender<Deferred>) -> Self {
        Self {
            shared,
            batch: Batch::new(),
            held: None,
            scratch: Scratch::default(),
            number: 0,
            tally: Tally::default(),
            deferred,
        }
    }

    fn run(&mut self) {
        let endpoints = self.shared.endpoints.iter();
        let sockets = endpoints.map(|endpoint| endpoint.socket.as_raw_fd());
        self.take_generation();
        let all = std::iter::once(self.shared.wake.as_raw_fd()).chain(sockets);
        let mut polled: Vec<libc::pollfd> = all.map(readable).collect();
        while !self.shared.stopping.load(Ordering::Acquire) {
            self.shared.pulse.fetch_add(1, Ordering::Relaxed);
            poll(&mut polled, PULSE_MS);
            let mut ready = polled.iter().map(|each| each.revents != 0);
            if ready.next() == Some(true) {
                drain(&self.shared.wake);
            }
            self.take_generation();
            for (number, endpoint) in self.shared.endpoints.iter().enumerate() {
                if ready.next() == Some(true) {
                    self.serve(number, endpoint);
                }
            }
        }
    }

    fn take_generation(&mut self) {
        let number = self.shared.number.load(Ordering::Acquire);
        if number == self.number {
            return;
        }
        let mut next = self.shared.lock();
        self.held.clone_from(&next.held);
        self.scratch = next.scratch.take().unwrap_or_default();
        self.number = self.shared.number.load(Ordering::Acquire);
        next.taken = self.number;
        self.shared.taken.notify_all();
    }

    /// Answer what has come in on one socket, a batch at least, then let others have their turn.
    fn serve(&mut self, number: usize, endpoint: &Endpoint) {
        for _ in 0..BATCH {
            let socket = endpoint.socket.as_fd();
            // An error may be an ICMP message about an earlier reply; the next call tells.
            let count = self.batch.receive(socket, endpoint.wildcard).unwrap_or(0);
            let now = SystemTime::now().duration_since(UNIX_EPOCH);
            let now_s = now.map_or(0, |since| since.as_secs());
            if let Some(held) = self.held.as_ref().filter(|_| count > 1) {
                warm(held.generation(), self.batch.datagrams(), &mut self.scratch);
            }
            for at in 0..count {
                self.answer(number, at, now_s);
            }
            self.batch.send(socket);
            self.tally.flush(&self.shared.page);
            if count < BUSY || self.shared.number.load(Ordering::Relaxed) != self.number {
                return;
            }
        }
    }

    fn answer(&mut self, endpoint: usize, at: usize, now_s: u64) {
        let Some((octets, sender, out)) = self.batch.datagram(at) else {
            return;
        };
        if sender.port == 0 {
            self.tally.forged(); // nobody listens on port 0
            return;
        }
        let outcome = if let Some(held) = &self.held {
            let packet = Packet {
                octets,
                source: Source::from(sender.address),
                tcp: false,
                now_s,
            };
            let (words, around) = (&self.shared.words, &self.shared.around);
            respond(
                held.generation(),
                words,
                around,
                packet,
                &mut self.scratch,
                out,
            )
        } else {
            // No generation yet: we are authoritative for nothing.
            refuse_all(octets, out)
        };
        match outcome {
            Outcome::Reply(size) => {
                self.tally.replied(out);
                self.batch.queue(at, size);
            }
            Outcome::Drop => self.tally.dropped(),
            Outcome::Defer => {
                let packet = octets.to_vec();
                let resolver = sender.address.to_canonical();
                let question = self.batch.envelope(at).map(|envelope| Deferred {
                    endpoint,
                    envelope,
                    packet,
                    resolver,
                });
                match question.map(|question| self.deferred.try_send(question).is_ok()) {
                    Some(true) => signal(&self.shared.deferred),
                    _ => self.tally.dropped(),
                }
            }
        }
    }
}
