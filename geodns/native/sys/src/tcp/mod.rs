//! The thread that serves TCP sockets (RFC 7766): pipelined queries, bounded connections, nobody
//! holds a place for long. Replies of one connection keep the order of its queries, which
//! section 6.2.1.1 leaves open, also around one that the host answers.

mod connection;
mod poller;
mod table;

use std::io::ErrorKind;
use std::sync::mpsc::Receiver;
use std::time::{Duration, Instant};

use geodns_core::Outcome;
use rustix::event::epoll::EventFlags;

use self::connection::Over;
pub(crate) use self::poller::Poller;
use self::poller::{Events, Ready};
use self::table::{Seat, Table};
use crate::answerer::{Answerer, Asked, now_s};
use crate::counts::{Drop, Round};
use crate::host::{Asking, Deferred, Place, Ticket, Told};
use crate::panics::Turns;
use crate::server::{PULSE_MS, Shared};
use crate::system::drain;
use crate::tally::{TCP, Tally};

/// Connections accepted before those already open get their turn.
const ACCEPT_BURST: usize = 32;

/// How long no connection is accepted when the system has no room. Source: no reference.
const REST: Duration = Duration::from_millis(200);

/// What clients may take; the numbers and their sources are those of `geodns.engine.tcp`.
#[derive(Debug, Clone, Copy)]
pub struct TcpLimits {
    /// Connections; beyond it the longest idle one gives way.
    pub connections: usize,
    /// How long without a whole message before a connection is closed.
    pub idle: Duration,
}

/// The thread's own side.
pub(crate) struct Serving<'s> {
    shared: &'s Shared,
    answerer: Answerer<'s>,
    poller: Poller,
    events: Events,
    table: Table,
    limits: TcpLimits,
    tally: Tally,
    asking: Asking,
    told: Receiver<Told>,
    /// The slot that is being served.
    slot: usize,
    resting: Option<Instant>,
    round: Round,
}

impl<'s> Serving<'s> {
    pub(crate) fn new(
        shared: &'s Shared,
        poller: Poller,
        limits: TcpLimits,
        asking: Asking,
        told: Receiver<Told>,
    ) -> Self {
        Self {
            shared,
            answerer: Answerer::new(&shared.common, &shared.tcp.feed),
            poller,
            events: Events::new(),
            table: Table::new(limits.connections),
            limits,
            tally: Tally::new(TCP),
            asking,
            told,
            slot: 0,
            resting: None,
            round: Round::begin(),
        }
    }

    /// Take the connections that wait.
    fn accept(&mut self, listener: usize) {
        for _ in 0..ACCEPT_BURST {
            match self.poller.accept(listener) {
                Ok((stream, address)) => {
                    let slot = self.make_room();
                    if self.poller.add(&stream, slot).is_ok() {
                        self.table.open(slot, stream, address);
                        self.tally.opened();
                    }
                }
                Err(error) if error.kind() == ErrorKind::WouldBlock => return,
                Err(error) if error.kind() == ErrorKind::ConnectionAborted => (),
                Err(_) => {
                    // Out of descriptors or memory: those we have go on.
                    self.poller.listen(false);
                    self.resting = Some(Instant::now());
                    return;
                }
            }
        }
    }

    /// A free slot; beyond the limit the longest idle gives way (RFC 9210 section 4.2).
    fn make_room(&mut self) -> usize {
        if let Some(slot) = self.table.free() {
            return slot;
        }
        let slot = self.table.longest_idle().unwrap_or(0);
        self.close(slot);
        slot
    }

    fn close(&mut self, slot: usize) {
        if self.table.close(slot) {
            self.tally.closed();
        }
    }

    /// Close who has been idle too long, and listen again after a rest.
    fn expire(&mut self) {
        let mut from = 0;
        while let Some(slot) = self.table.idle_for(self.limits.idle, from) {
            self.close(slot);
            from = slot + 1;
        }
        if self.resting.is_some_and(|since| since.elapsed() >= REST) {
            self.poller.listen(true);
            self.resting = None;
        }
    }

    /// Send the replies that the host has made.
    fn deliver(&mut self) {
        while let Ok((ticket, reply)) = self.told.try_recv() {
            let seat = self.table.seat(ticket.slot);
            // A connection that is gone, or another in its place, is told nothing.
            let waiting = seat
                .filter(|seat| seat.connection.number == ticket.number && seat.connection.deferred);
            let Some(seat) = waiting else { continue };
            seat.connection.deferred = false;
            let served = seat.tell(reply).and_then(|()| self.pump(ticket.slot));
            self.close_if_over(ticket.slot, &served);
        }
    }

    /// Do what a connection wants.
    fn serve(&mut self, slot: usize) {
        let Some(seat) = self.table.seat(slot) else {
            return;
        };
        let received = seat.receive();
        let served = received.and_then(|()| self.pump(slot));
        self.close_if_over(slot, &served);
    }

    fn close_if_over(&mut self, slot: usize, served: &Result<(), Over>) {
        if served.is_err() {
            self.close(slot);
        }
    }

    /// Answer and send until one of both must wait.
    fn pump(&mut self, slot: usize) -> Result<(), Over> {
        self.slot = slot;
        self.round = Round::begin();
        let pumped = self.pump_now(slot);
        self.shared.tcp.counts.end(&self.round);
        pumped
    }

    fn pump_now(&mut self, slot: usize) -> Result<(), Over> {
        let now_s = now_s();
        loop {
            while self.answer(slot, now_s)? {}
            let Some(Seat {
                connection,
                inbox,
                outbox,
            }) = self.table.seat(slot)
            else {
                return Ok(());
            };
            if connection.send(outbox)? && connection.has_next(inbox) {
                continue;
            }
            let wanted = connection.wanted();
            if wanted != connection.watched {
                connection.watched = wanted;
                let watching = self.poller.watch(&connection.stream, slot, wanted);
                return watching.map_err(|_| Over);
            }
            return Ok(());
        }
    }

    /// Answer a connection's next message; whether there may be another to answer now.
    fn answer(&mut self, slot: usize, now_s: u64) -> Result<bool, Over> {
        let Some(Seat {
            connection,
            inbox,
            outbox,
        }) = self.table.seat(slot)
        else {
            return Ok(false);
        };
        let Some(octets) = connection.next(inbox) else {
            return Ok(false);
        };
        let Some(out) = connection.room(outbox)? else {
            return Ok(false);
        };
        let asked = Asked {
            octets,
            address: connection.address,
            tcp: true,
            now_s,
        };
        match self.answerer.answer(asked, out) {
            Outcome::Reply(size) => {
                self.tally.replied(out);
                let (scratch, reply) = (self.answerer.scratch(), out.get(..size).unwrap_or(&[]));
                let counts = &self.shared.tcp.counts;
                counts.answered(&mut self.round, scratch, octets.len(), reply);
                connection.put(size, outbox);
            }
            Outcome::Drop => {
                // What must not be answered must not hold a connection either.
                self.tally.dropped();
                self.shared.tcp.counts.dropped(Drop::Malformed);
                connection.send(outbox)?;
                return Err(Over);
            }
            Outcome::Defer => {
                // Its reply needs all the room: only once the earlier ones are sent.
                if !connection.send(outbox)? {
                    return Ok(false);
                }
                let ticket = Ticket {
                    slot,
                    number: connection.number,
                };
                let question = Deferred {
                    place: Place::Tcp(ticket),
                    packet: octets.to_vec(),
                    resolver: connection.address.to_canonical(),
                };
                if !self.asking.ask(question, &self.shared.asked) {
                    self.tally.dropped();
                    self.shared.tcp.counts.dropped(Drop::Busy);
                    return Err(Over);
                }
                connection.deferred = true;
            }
        }
        connection.consume(octets.len());
        Ok(true)
    }
}

impl Seat<'_> {
    /// Take what has come in, unless something else is waited for: then it is an end.
    fn receive(self) -> Result<(), Over> {
        match self.connection.watched {
            EventFlags::IN => self.connection.receive(self.inbox),
            EventFlags::OUT => Ok(()),
            _ => Err(Over), // nothing was waited for, so both directions are closed
        }
    }

    /// Put the host's reply; silence ends the connection.
    fn tell(self, reply: Option<Vec<u8>>) -> Result<(), Over> {
        let Seat {
            connection, outbox, ..
        } = self;
        let reply = reply.ok_or(Over)?;
        let room = connection.room(outbox)?.ok_or(Over)?;
        room.get_mut(..reply.len())
            .ok_or(Over)?
            .copy_from_slice(&reply);
        connection.put(reply.len(), outbox);
        Ok(())
    }
}

impl Turns for Serving<'_> {
    fn turns(&mut self) {
        while self.shared.tcp.goes_on() {
            self.poller.wait(&mut self.events, PULSE_MS);
            self.answerer.refresh();
            let mut at = 0;
            while let Some(ready) = self.events.ready(at) {
                at += 1;
                match ready {
                    Ready::Wake => drain(&self.shared.tcp.wake),
                    Ready::Listener(listener) => self.accept(listener),
                    Ready::Slot(slot) => self.serve(slot),
                }
            }
            self.deliver();
            self.expire();
            self.tally.flush(&self.shared.tcp.page);
        }
    }

    fn begun(&self) -> u64 {
        self.answerer.begun()
    }

    fn recover(&mut self) {
        self.tally.dropped();
        self.shared.tcp.counts.dropped(Drop::Fault);
        self.close(self.slot);
        self.answerer.recover();
    }
}
