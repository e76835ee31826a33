//! One client: octets that are not yet a message, octets that are not yet sent.

use std::io::{ErrorKind, Read, Write};
use std::net::{IpAddr, TcpStream};
use std::ops::Range;
use std::time::Instant;

use rustix::event::epoll::EventFlags;

/// Octets of a message's length (RFC 1035 section 4.2.2).
pub(crate) const LENGTH_OCTETS: usize = 2;

const FRAME_MAX: usize = LENGTH_OCTETS + 65_535;

/// Octets of replies that are sent at once. Source: no reference; a pipelined burst's, some
/// hundred of them.
const BUNCH: usize = 8192;

/// The longest message fits, so that there is always room to read on or something to answer.
pub(crate) const INBOX_OCTETS: usize = FRAME_MAX;

/// The longest reply fits behind a bunch that is almost full.
pub(crate) const OUTBOX_OCTETS: usize = BUNCH + FRAME_MAX;

/// The connection is over.
#[derive(Debug)]
pub(crate) struct Over;

pub(crate) struct Connection {
    pub(crate) stream: TcpStream,
    pub(crate) address: IpAddr,
    /// No other connection has it.
    pub(crate) number: u64,
    /// When the last whole message came.
    pub(crate) active: Instant,
    /// Whether the host answers its last message; nothing further is answered meanwhile.
    pub(crate) deferred: bool,
    /// What it is waited for.
    pub(crate) watched: EventFlags,
    /// Where in the inbox there are octets not answered yet.
    unread: Range<usize>,
    /// Where in the outbox there are octets not sent yet.
    unsent: Range<usize>,
}

impl Connection {
    pub(crate) fn new(stream: TcpStream, address: IpAddr, number: u64) -> Self {
        Self {
            stream,
            address,
            number,
            active: Instant::now(),
            deferred: false,
            watched: EventFlags::IN,
            unread: 0..0,
            unsent: 0..0,
        }
    }

    /// Take what has come in.
    pub(crate) fn receive(&mut self, inbox: &mut [u8]) -> Result<(), Over> {
        inbox.copy_within(self.unread.clone(), 0);
        self.unread = 0..self.unread.len();
        let room = inbox.get_mut(self.unread.end..).unwrap_or_default();
        match (&self.stream).read(room) {
            Ok(0) => Err(Over),
            Ok(count) => {
                self.unread.end += count;
                Ok(())
            }
            Err(error) => wait_or(error.kind()),
        }
    }

    /// The next whole message, unless the host still answers the one before.
    pub(crate) fn next<'i>(&self, inbox: &'i [u8]) -> Option<&'i [u8]> {
        if self.deferred {
            return None;
        }
        let (length, rest) = inbox.get(self.unread.clone())?.split_first_chunk()?;
        rest.get(..usize::from(u16::from_be_bytes(*length)))
    }

    /// That message, of so many octets, is dealt with.
    pub(crate) fn consume(&mut self, size: usize) {
        self.unread.start += LENGTH_OCTETS + size;
        self.active = Instant::now();
    }

    /// Room for a reply of any length; None while earlier ones wait for a slow reader.
    pub(crate) fn room<'o>(&mut self, outbox: &'o mut [u8]) -> Result<Option<&'o mut [u8]>, Over> {
        if self.unsent.start > 0 || self.unsent.end >= BUNCH {
            self.send(outbox)?;
        }
        if self.unsent.start > 0 || self.unsent.end >= BUNCH {
            return Ok(None);
        }
        Ok(outbox.get_mut(self.unsent.end + LENGTH_OCTETS..))
    }

    /// A reply of so many octets stands in the room.
    pub(crate) fn put(&mut self, size: usize, outbox: &mut [u8]) {
        let length = u16::try_from(size).unwrap_or(0).to_be_bytes();
        let place = outbox.get_mut(self.unsent.end..).unwrap_or_default();
        for (to, from) in place.iter_mut().zip(length) {
            *to = from;
        }
        self.unsent.end += LENGTH_OCTETS + size;
    }

    /// Send what the system takes; whether that was all.
    pub(crate) fn send(&mut self, outbox: &[u8]) -> Result<bool, Over> {
        let octets = outbox.get(self.unsent.clone()).unwrap_or_default();
        if !octets.is_empty() {
            match (&self.stream).write(octets) {
                Ok(count) => self.unsent.start += count,
                Err(error) => wait_or(error.kind())?,
            }
        }
        if self.unsent.is_empty() {
            self.unsent = 0..0;
        }
        Ok(self.unsent.is_empty())
    }

    pub(crate) fn has_next(&self, inbox: &[u8]) -> bool {
        self.next(inbox).is_some()
    }

    /// What to wait for: while replies wait to be sent, or one is being made, nothing further is
    /// read. The client slows itself.
    pub(crate) fn wanted(&self) -> EventFlags {
        if !self.unsent.is_empty() {
            EventFlags::OUT
        } else if self.deferred {
            EventFlags::empty()
        } else {
            EventFlags::IN
        }
    }
}

fn wait_or(kind: ErrorKind) -> Result<(), Over> {
    match kind {
        ErrorKind::WouldBlock | ErrorKind::Interrupted => Ok(()),
        _ => Err(Over),
    }
}
