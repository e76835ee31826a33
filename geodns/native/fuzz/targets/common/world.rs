//! A world to ask, in several states of health.

use geodns_core::{
    Generation, Network, Outcome, Packet, Scratch, Source, Surroundings, refuse_all, respond, warm,
};

use super::lawful::{Seen, check};
use super::sections::{STATES, State, sections};

/// Room for replies, as the threads that serve have it. Source: `geodns-sys`.
const TCP_OCTETS: usize = 66_000;
const UDP_OCTETS: usize = 2048;

/// The time that all packets come at. Units: Unix seconds.
const NOW_S: u64 = 1_800_000_000;

/// Answers packets, with everything that surrounds the lookup or with nothing.
pub struct World {
    generations: [(Generation<'static>, Scratch); 2],
    around: [Surroundings; 2],
    states: Vec<State>,
    out: Vec<u8>,
}

/// What a packet comes in; drawn from one octet of the input.
#[derive(Debug, Clone, Copy)]
pub struct Circumstances {
    pub tcp: bool,
    pub source: Source,
    /// Which state of health.
    pub state: usize,
    /// Whether views have intervals of their own.
    pub direct: bool,
    /// With cookies, NSID and a list of trusted resolvers.
    pub surrounded: bool,
}

impl From<u8> for Circumstances {
    fn from(octet: u8) -> Self {
        let sources = [
            Source::V4(0x0808_0808),
            Source::V4(0x7f00_0001),
            Source::V6(0x2001_0db8 << 96),
            Source::V6(0x2a00_1450_4000_0800 << 64),
        ];
        Self {
            tcp: octet & 1 != 0,
            source: sources[usize::from(octet >> 1 & 3)],
            surrounded: octet & 8 != 0,
            direct: octet & 16 != 0,
            state: usize::from(octet >> 5) % STATES,
        }
    }
}

impl World {
    /// A world with its states of health.
    pub fn new() -> Self {
        let generations = [false, true].map(|direct| {
            let made = Generation::new(&sections(direct)).expect("the sections are whole");
            let scratch = Scratch::new(&made);
            (made, scratch)
        });
        let trusted = [([0, 0, 0, 0].into(), 0), ([0_u16; 8].into(), 1)];
        let full = Surroundings {
            nsid: b"fuzz".to_vec(),
            cookie_secrets: vec![[7; 16], [8; 16]],
            trusted: Some(
                trusted
                    .map(|(address, bits)| Network::new(address, bits))
                    .into(),
            ),
            keepalive: 100,
            ..Surroundings::default()
        };
        Self {
            generations,
            states: (0..STATES).map(State::new).collect(),
            around: [Surroundings::default(), full],
            out: vec![0; TCP_OCTETS],
        }
    }

    /// Ask; whatever the octets are, the reply is one.
    pub fn ask(&mut self, octets: &[u8], how: Circumstances) -> Option<(Seen, &[u8])> {
        let packet = Packet {
            octets,
            source: how.source,
            tcp: how.tcp,
            now_s: NOW_S,
        };
        let around = &self.around[usize::from(how.surrounded)];
        let words = &self.states[how.state];
        let (generation, scratch) = &mut self.generations[usize::from(how.direct)];
        warm(generation, std::iter::once(octets), scratch);
        let room = if how.tcp { TCP_OCTETS } else { UDP_OCTETS };
        let out = &mut self.out[..room];
        let outcome = respond(generation, words, around, packet, scratch, out);
        seen(octets, outcome, &self.out, how.tcp)
    }
}

/// Ask a server that has no zones yet.
pub fn refuse(octets: &[u8], out: &mut [u8]) {
    let outcome = refuse_all(octets, out);
    seen(octets, outcome, out, false);
}

fn seen<'o>(packet: &[u8], outcome: Outcome, out: &'o [u8], tcp: bool) -> Option<(Seen, &'o [u8])> {
    match outcome {
        Outcome::Reply(size) => Some((check(packet, &out[..size], tcp), &out[..size])),
        Outcome::Drop | Outcome::Defer => None,
    }
}
