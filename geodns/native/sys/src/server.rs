//! A worker's threads: one serves its UDP sockets, one its TCP sockets; neither waits for the
//! other, or for the host.

use std::io;
use std::os::fd::{AsFd, AsRawFd, OwnedFd, RawFd};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread::{self, JoinHandle};

use geodns_core::Surroundings;

use crate::answerer::Common;
use crate::counts::Counts;
use crate::feed::{Feed, Offered};
use crate::held::Held;
use crate::host::{Deferred, Desk, Place, desk};
use crate::panics::{THREADS, guarded, keep_panics};
use crate::shared::SharedWords;
use crate::system::{block_signals, drain, event, signal};
use crate::tally::Page;
use crate::tcp::{self, Poller, TcpLimits};
use crate::udp::{self, Endpoint};

/// How long a thread sleeps at most, so that its pulse is seen.
pub(crate) const PULSE_MS: u32 = 250;

/// What a server serves with.
pub struct Parts {
    /// The UDP sockets. No socket may block.
    pub udp: Vec<Endpoint>,
    /// The TCP sockets, listening.
    pub tcp: Vec<OwnedFd>,
    /// What TCP clients may take.
    pub limits: TcpLimits,
    /// The status words.
    pub words: SharedWords,
    /// The counters of the UDP thread, and those of the TCP thread.
    pub pages: [Page; 2],
    /// What queries are about, and who answers: those of the UDP thread, and of the TCP thread.
    pub counts: [Counts; 2],
    /// What surrounds the lookup.
    pub around: Surroundings,
    /// The first generation; without one everything is REFUSED.
    pub held: Option<Held>,
}

/// What one thread and the server share.
pub(crate) struct Control {
    pub(crate) feed: Feed,
    pub(crate) page: Page,
    pub(crate) counts: Counts,
    pub(crate) wake: OwnedFd,
    pulse: AtomicU64,
    stopping: AtomicBool,
}

/// What all threads and the server share.
pub(crate) struct Shared {
    pub(crate) common: Common,
    pub(crate) endpoints: Vec<Endpoint>,
    pub(crate) udp: Control,
    pub(crate) tcp: Control,
    /// Readable when there are questions for the host.
    pub(crate) asked: OwnedFd,
}

/// The server; it stops when it is dropped.
pub struct Server {
    shared: Arc<Shared>,
    desk: Desk,
    threads: Vec<JoinHandle<()>>,
}

impl Server {
    /// Start to serve.
    ///
    /// # Errors
    /// When the system has no descriptors or threads left.
    pub fn start(parts: Parts) -> io::Result<Self> {
        keep_panics();
        let held = parts.held.map(Arc::new);
        let ([udp, tcp], [udp_counts, tcp_counts]) = (parts.pages, parts.counts);
        let udp = Control::new(held.as_ref(), udp, udp_counts);
        let tcp = Control::new(held.as_ref(), tcp, tcp_counts);
        let shared = Arc::new(Shared {
            common: Common {
                words: parts.words,
                around: parts.around,
            },
            endpoints: parts.udp,
            udp: udp?,
            tcp: tcp?,
            asked: event()?,
        });
        let (desk, asking, told) = desk();
        let poller = Poller::new(parts.tcp, &shared.tcp.wake)?;
        let mut server = Self {
            shared: Arc::clone(&shared),
            desk,
            threads: Vec::new(),
        };
        let (ours, also, limits) = (Arc::clone(&shared), asking.clone(), parts.limits);
        server.spawn("udp", move || guarded(&mut udp::Serving::new(&ours, also)))?;
        server.spawn("tcp", move || {
            guarded(&mut tcp::Serving::new(
                &shared, poller, limits, asking, told,
            ));
        })?;
        Ok(server)
    }

    /// Serve another generation; once this returns, every further reply comes from it.
    ///
    /// # Errors
    /// When a thread does not take it in time.
    pub fn load(&self, held: Held) -> io::Result<()> {
        let held = Arc::new(held);
        let controls = [&self.shared.udp, &self.shared.tcp];
        let offered = controls.map(|control| control.offer(&held));
        let settled = controls.iter().zip(offered);
        let settled = settled.map(|(control, offered)| control.feed.settle(offered));
        settled.fold(Ok(()), Result::and)
    }

    /// A descriptor that is readable when there are deferred questions.
    #[must_use]
    pub fn deferred_fd(&self) -> RawFd {
        self.shared.asked.as_raw_fd()
    }

    /// The next deferred question.
    #[must_use]
    pub fn take(&self) -> Option<Deferred> {
        self.desk.take().or_else(|| {
            drain(&self.shared.asked);
            // The signal of one that has come in between is drained with the rest.
            self.desk.take()
        })
    }

    /// Send the host's reply to a deferred question, or tell that it must have none.
    pub fn answer(&self, question: &Deferred, reply: Option<&[u8]>) {
        match &question.place {
            Place::Udp(endpoint, envelope) => {
                let endpoint = self.shared.endpoints.get(*endpoint);
                if let Some((endpoint, reply)) = endpoint.zip(reply) {
                    envelope.send(endpoint.socket.as_fd(), reply);
                }
            }
            Place::Tcp(ticket) => {
                self.desk.tell(*ticket, reply.map(<[u8]>::to_vec));
                signal(&self.shared.tcp.wake);
            }
        }
    }

    /// Numbers that go up while the threads are well.
    #[must_use]
    pub fn pulses(&self) -> [u64; 2] {
        [&self.shared.udp, &self.shared.tcp].map(|control| control.pulse.load(Ordering::Relaxed))
    }

    /// Stop serving.
    pub fn stop(&mut self) {
        for control in [&self.shared.udp, &self.shared.tcp] {
            control.stopping.store(true, Ordering::Release);
            signal(&control.wake);
        }
        for thread in self.threads.drain(..) {
            let _ = thread.join();
        }
    }

    fn spawn(&mut self, name: &str, serve: impl FnOnce() + Send + 'static) -> io::Result<()> {
        let thread = thread::Builder::new().name(format!("{THREADS}{name}"));
        self.threads.push(thread.spawn(move || {
            block_signals();
            serve();
        })?);
        Ok(())
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.stop();
    }
}

impl Control {
    fn new(held: Option<&Arc<Held>>, page: Page, counts: Counts) -> io::Result<Self> {
        Ok(Self {
            feed: Feed::new(held),
            page,
            counts,
            wake: event()?,
            pulse: AtomicU64::new(0),
            stopping: AtomicBool::new(false),
        })
    }

    /// Whether to go on; to be asked at every turn.
    pub(crate) fn goes_on(&self) -> bool {
        self.pulse.fetch_add(1, Ordering::Relaxed);
        !self.stopping.load(Ordering::Acquire)
    }

    fn offer(&self, held: &Arc<Held>) -> Offered {
        let offered = self.feed.offer(held);
        signal(&self.wake);
        offered
    }
}
