//! The connections there are, and their buffers. All room is taken at the start; the system gives
//! the memory page by page, to those who send or read much.

use std::net::{IpAddr, TcpStream};
use std::time::{Duration, Instant};

use super::connection::{Connection, INBOX_OCTETS, OUTBOX_OCTETS};

pub(crate) struct Table {
    slots: Box<[Option<Connection>]>,
    inboxes: Box<[u8]>,
    outboxes: Box<[u8]>,
    opened: u64,
}

/// A connection with its buffers.
pub(crate) struct Seat<'t> {
    pub(crate) connection: &'t mut Connection,
    pub(crate) inbox: &'t mut [u8],
    pub(crate) outbox: &'t mut [u8],
}

impl Table {
    pub(crate) fn new(connections: usize) -> Self {
        let connections = connections.max(1);
        Self {
            slots: (0..connections).map(|_| None).collect(),
            inboxes: vec![0; connections * INBOX_OCTETS].into(),
            outboxes: vec![0; connections * OUTBOX_OCTETS].into(),
            opened: 0,
        }
    }

    /// A slot for a new connection; None if all are taken.
    pub(crate) fn free(&self) -> Option<usize> {
        self.slots.iter().position(Option::is_none)
    }

    pub(crate) fn open(&mut self, slot: usize, stream: TcpStream, address: IpAddr) {
        self.opened += 1;
        if let Some(place) = self.slots.get_mut(slot) {
            *place = Some(Connection::new(stream, address, self.opened));
        }
    }

    /// Close a connection; false if there is none.
    pub(crate) fn close(&mut self, slot: usize) -> bool {
        self.slots.get_mut(slot).and_then(Option::take).is_some()
    }

    pub(crate) fn seat(&mut self, slot: usize) -> Option<Seat<'_>> {
        Some(Seat {
            connection: self.slots.get_mut(slot)?.as_mut()?,
            inbox: self.inboxes.chunks_exact_mut(INBOX_OCTETS).nth(slot)?,
            outbox: self.outboxes.chunks_exact_mut(OUTBOX_OCTETS).nth(slot)?,
        })
    }

    /// Whose last message is the longest ago.
    pub(crate) fn longest_idle(&self) -> Option<usize> {
        let all = self.slots.iter().enumerate();
        let open = all.filter_map(|(slot, open)| Some((open.as_ref()?.active, slot)));
        open.min().map(|(_, slot)| slot)
    }

    /// The first from a slot on whose last message is so long ago.
    pub(crate) fn idle_for(&self, time: Duration, from: usize) -> Option<usize> {
        let now = Instant::now();
        let all = self.slots.iter().enumerate().skip(from);
        let idle = |open: &Connection| now.duration_since(open.active) >= time;
        let mut found = all.filter(|(_, open)| open.as_ref().is_some_and(idle));
        found.next().map(|(slot, _)| slot)
    }
}
