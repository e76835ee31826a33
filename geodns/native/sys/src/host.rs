//! Questions that the host's reference engine answers: debug names. Rare, so they may allocate.

use std::net::IpAddr;
use std::os::fd::OwnedFd;
use std::sync::mpsc::{Receiver, Sender, SyncSender, channel, sync_channel};
use std::sync::{Mutex, PoisonError};

use crate::batch::Envelope;
use crate::system::signal;

/// Questions that wait for the host. Source: no reference; people ask them, by hand.
const QUESTIONS_MAX: usize = 256;

/// Where the reply to a question goes.
pub(crate) enum Place {
    /// A datagram's sender, by the socket of this number.
    Udp(usize, Envelope),
    Tcp(Ticket),
}

/// A connection that waits for the host. A number is not used twice, a slot is.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) struct Ticket {
    pub(crate) slot: usize,
    pub(crate) number: u64,
}

/// A question that the host answers.
pub struct Deferred {
    pub(crate) place: Place,
    /// The packet.
    pub packet: Vec<u8>,
    /// Who sent it.
    pub resolver: IpAddr,
}

impl Deferred {
    /// Whether it came over TCP.
    #[must_use]
    pub fn is_tcp(&self) -> bool {
        matches!(self.place, Place::Tcp(_))
    }
}

/// The host's reply to a connection; None for silence.
pub(crate) type Told = (Ticket, Option<Vec<u8>>);

/// A serving thread's way to ask.
#[derive(Clone)]
pub(crate) struct Asking(SyncSender<Deferred>);

impl Asking {
    /// Whether there was room for the question; `readable` then shows the host that there is one.
    pub(crate) fn ask(&self, question: Deferred, readable: &OwnedFd) -> bool {
        let asked = self.0.try_send(question).is_ok();
        if asked {
            signal(readable);
        }
        asked
    }
}

/// The host's side.
pub(crate) struct Desk {
    questions: Mutex<Receiver<Deferred>>,
    told: Sender<Told>,
}

/// Both sides: the host's, the threads' way to ask, the TCP thread's way to be told.
pub(crate) fn desk() -> (Desk, Asking, Receiver<Told>) {
    let (asking, questions) = sync_channel(QUESTIONS_MAX);
    // Bounded by the questions there are.
    let (told, replies) = channel();
    let questions = Mutex::new(questions);
    (Desk { questions, told }, Asking(asking), replies)
}

impl Desk {
    pub(crate) fn take(&self) -> Option<Deferred> {
        let questions = self.questions.lock();
        let questions = questions.unwrap_or_else(PoisonError::into_inner);
        questions.try_recv().ok()
    }

    /// Pass a reply to the TCP thread; somebody has to wake it.
    pub(crate) fn tell(&self, ticket: Ticket, reply: Option<Vec<u8>>) {
        let _ = self.told.send((ticket, reply)); // it fails at the end of the thread only
    }
}
