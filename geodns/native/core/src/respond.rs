//! One packet in, one reply, silence, or a hand-over to the host out.

use crate::cookie::judge;
use crate::debug::DebugNames;
use crate::draw::Scratch;
use crate::generation::Generation;
use crate::lookup::Lookup;
use crate::query::{Malformed, Query};
use crate::refusal::{error_reply, refuse};
use crate::reply::{Options, Reply};
use crate::seen::Seen;
use crate::source::{Network, Source};
use crate::steered::{Asker, Steering};
use crate::wire::{FORMERR, MESSAGE_MAX_OCTETS, REFUSED, SERVFAIL};
use crate::words::Words;

/// What surrounds the lookup.
#[derive(Debug, Clone, Default)]
pub struct Surroundings {
    /// The server's identifier for NSID; empty tells none.
    pub nsid: Vec<u8>,
    /// The first secret signs cookies, all verify; without one, cookies are passed over.
    pub cookie_secrets: Vec<[u8; 16]>,
    /// Debug names that the host answers; None leaves them to the zones.
    pub debug: Option<DebugNames>,
    /// Resolvers whose client subnets count; None for everybody's.
    pub trusted: Option<Vec<Network>>,
    /// In 100 ms (RFC 7828 section 3.1).
    pub keepalive: u16,
}

/// A packet and the circumstances it came in.
#[derive(Debug, Clone, Copy)]
pub struct Packet<'p> {
    /// What was received.
    pub octets: &'p [u8],
    /// Who sent it.
    pub source: Source,
    /// Whether it came over TCP.
    pub tcp: bool,
    /// Unix seconds.
    pub now_s: u64,
}

/// What becomes of a packet.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// The reply has so many octets of the buffer.
    Reply(usize),
    /// It must not be answered.
    Drop,
    /// The reference engine in the host answers it.
    Defer,
}

impl From<Option<usize>> for Outcome {
    fn from(size: Option<usize>) -> Self {
        size.map_or(Self::Drop, Self::Reply)
    }
}

/// Answer a packet from one generation and the words of the moment. Total on any octets.
pub fn respond<W: Words + ?Sized>(
    generation: &Generation<'_>,
    words: &W,
    around: &Surroundings,
    packet: Packet<'_>,
    scratch: &mut Scratch,
    out: &mut [u8],
) -> Outcome {
    let mut query = Query::of(packet.octets);
    if let Err(fault) = query.read() {
        (scratch.seen, scratch.answered) = (Seen::of_none(packet.source), 0);
        return reply_to_fault(packet.octets, fault, out);
    }
    let query = query;
    scratch.seen = Seen::of(query.qtype, packet.source);
    scratch.answered = 0;
    let mut options = Options::default();
    let mut proven = packet.tcp;
    let cookie = query.edns.as_ref().and_then(|edns| edns.cookie);
    if let Some(cookie) = cookie.filter(|_| !around.cookie_secrets.is_empty()) {
        let Some(cookie) = judge(cookie, packet.source, &around.cookie_secrets, packet.now_s)
        else {
            // RFC 7873 section 5.2.2
            return error_reply(packet.octets, FORMERR, true, out).into();
        };
        proven |= cookie.is_valid;
        options.cookie = Some(cookie);
    }
    let limit = usize::from(query.limit);
    if query.qname.octets().is_empty() {
        // RFC 7873 section 5.4: it only wants a cookie
        let mut reply = Reply::new(&query, out);
        reply.authoritative = false;
        return reply.finish(limit, &options).into();
    }
    let debug = around.debug.as_ref();
    if debug.is_some_and(|debug| debug.claims(generation, &query, packet.source, proven)) {
        return Outcome::Defer;
    }
    options.nsid = &around.nsid;
    // RFC 7828 section 3.3.2: only over TCP, only to who sent it.
    options.keepalive = Some(around.keepalive).filter(|_| packet.tcp);
    let trusted = around.trusted.as_ref();
    let trusts = |networks: &Vec<Network>| networks.iter().any(|n| n.contains(packet.source));
    let mut reply = Reply::new(&query, out);
    let mut lookup = Lookup {
        steering: Steering { generation, words },
        asker: Asker {
            source: packet.source,
            trusted: trusted.is_none_or(trusts),
        },
        scratch,
    };
    if lookup.search(&mut reply).is_err() {
        return error_reply(packet.octets, SERVFAIL, query.edns.is_some(), out).into();
    }
    let limit = if packet.tcp {
        MESSAGE_MAX_OCTETS
    } else {
        limit
    };
    reply.finish(limit, &options).into()
}

/// The reply of a server that has no zones yet.
pub fn refuse_all(packet: &[u8], out: &mut [u8]) -> Outcome {
    let mut query = Query::of(packet);
    match query.read() {
        Ok(()) => error_reply(packet, REFUSED, query.edns.is_some(), out).into(),
        Err(fault) => reply_to_fault(packet, fault, out),
    }
}

fn reply_to_fault(packet: &[u8], fault: Malformed, out: &mut [u8]) -> Outcome {
    let reply = |rcode| refuse(packet, rcode, fault.edns, fault.tsig, out);
    fault.rcode.and_then(reply).into()
}
