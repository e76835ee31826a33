//! Which of a thread's sockets have something to do.

use std::io;
use std::net::{IpAddr, TcpListener, TcpStream};
use std::os::fd::{AsFd, OwnedFd};

use rustix::buffer::spare_capacity;
use rustix::event::epoll::{self, CreateFlags, Event, EventData, EventFlags};

use crate::system::milliseconds;

/// Events of one system call. Source: no reference; more come with the next.
const EVENTS: usize = 64;

const WAKE: u64 = u64::MAX;
/// Numbers below are slots of connections.
const LISTENERS: u64 = 1 << 32;

/// What has something to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Ready {
    /// Somebody wants the thread's attention.
    Wake,
    /// The listener of this number has connections.
    Listener(usize),
    /// The connection in a slot has octets or room for some, or is broken.
    Slot(usize),
}

/// The sockets that are waited for, listeners included.
pub(crate) struct Poller {
    epoll: OwnedFd,
    listeners: Vec<TcpListener>,
}

/// What one wait has found. Each thread has its own.
pub(crate) struct Events(Vec<Event>);

impl Events {
    pub(crate) fn new() -> Self {
        Self(Vec::with_capacity(EVENTS))
    }

    /// One after the other, by number.
    pub(crate) fn ready(&self, at: usize) -> Option<Ready> {
        let data = self.0.get(at)?.data;
        let number = |key| usize::try_from(key).unwrap_or(usize::MAX);
        Some(match data.u64() {
            WAKE => Ready::Wake,
            key @ LISTENERS.. => Ready::Listener(number(key - LISTENERS)),
            key => Ready::Slot(number(key)),
        })
    }
}

impl Poller {
    /// Wait for connections, and for somebody who wakes the thread.
    pub(crate) fn new(listeners: Vec<OwnedFd>, wake: &OwnedFd) -> io::Result<Self> {
        let epoll = epoll::create(CreateFlags::CLOEXEC)?;
        let listeners: Vec<_> = listeners.into_iter().map(TcpListener::from).collect();
        epoll::add(&epoll, wake, EventData::new_u64(WAKE), EventFlags::IN)?;
        for (key, listener) in (LISTENERS..).zip(&listeners) {
            epoll::add(&epoll, listener, EventData::new_u64(key), EventFlags::IN)?;
        }
        Ok(Self { epoll, listeners })
    }

    /// Wait until there is something to do, or a time is over.
    pub(crate) fn wait(&self, events: &mut Events, timeout_ms: u32) {
        events.0.clear();
        let timeout = milliseconds(timeout_ms);
        // It fails for a signal only, and those are for the host.
        let _ = epoll::wait(&self.epoll, spare_capacity(&mut events.0), Some(&timeout));
    }

    /// One more connection of a listener, which does not block, and where it comes from.
    pub(crate) fn accept(&self, listener: usize) -> io::Result<(TcpStream, IpAddr)> {
        let listener = self.listeners.get(listener);
        let (stream, address) = listener.ok_or(io::ErrorKind::NotFound)?.accept()?;
        stream.set_nonblocking(true)?;
        Ok((stream, address.ip()))
    }

    /// Take connections, or let them wait for a while.
    pub(crate) fn listen(&self, wanted: bool) {
        let flags = if wanted {
            EventFlags::IN
        } else {
            EventFlags::empty()
        };
        for (key, listener) in (LISTENERS..).zip(&self.listeners) {
            let _ = epoll::modify(&self.epoll, listener, EventData::new_u64(key), flags);
        }
    }

    /// Wait for a connection from now on; what is closed is waited for no longer.
    pub(crate) fn add(&self, stream: impl AsFd, slot: usize) -> io::Result<()> {
        let key = EventData::new_u64(slot as u64);
        Ok(epoll::add(&self.epoll, stream, key, EventFlags::IN)?)
    }

    /// Wait for something else of a connection.
    pub(crate) fn watch(
        &self,
        stream: impl AsFd,
        slot: usize,
        flags: EventFlags,
    ) -> io::Result<()> {
        let key = EventData::new_u64(slot as u64);
        Ok(epoll::modify(&self.epoll, stream, key, flags)?)
    }
}
