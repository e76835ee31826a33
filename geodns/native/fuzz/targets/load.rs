//! Sections with octets changed: they are refused, or answer; they never end the process.
#![no_main]

mod common;

use std::cell::RefCell;

use common::budget::in_time;
use common::lawful::check;
use common::sections::{State, sections};
use geodns_core::{
    Entry, Generation, Outcome, Packet, Scratch, Section, Source, Surroundings, respond,
};
use libfuzzer_sys::fuzz_target;

/// A column's place in a section: what changes are counted from.
type Place = (usize, usize);

struct Loaded {
    direct: bool,
    /// Each section in memory of its own, aligned as a mapping is to what columns need.
    owned: Vec<Vec<u64>>,
    places: Vec<Vec<Place>>,
    state: State,
    out: Vec<u8>,
    undo: Vec<(usize, usize, u8)>,
}

thread_local! {
    static LOADED: RefCell<[Loaded; 2]> = RefCell::new([false, true].map(Loaded::new));
}

const QUERIES: [&[u8]; 7] = [
    b"\x03www\x07example\x04test\0\0\x01",
    b"\x04none\x07example\x04test\0\0\x1c",
    b"\x05alias\x07example\x04test\0\0\x1c",
    b"\x03www\x07example\x04test\0\0\x41",
    b"\x01a\x03cut\x07example\x04test\0\0\x01",
    b"\x01a\x05moved\x07example\x04test\0\0\x01",
    b"\x03cdn\x07example\x04test\0\0\x01",
];
const FOUR: &[u8] = b"\0\0\x29\x04\xd0\0\0\0\0\0\x0b\0\x08\0\x07\0\x01\x18\0\x01\x02\x03";
const SIX: &[u8] = b"\0\0\x29\x04\xd0\0\0\0\0\0\x0e\0\x08\0\x0a\0\x02\x30\0\x2a\0\x14\x50\0\0";

/// Five octets: section and column, a place in the column, the new octet.
const CHANGE_OCTETS: usize = 5;
const CHANGES_MAX: usize = 40;
/// A first octet that says: what follows is a section of its own.
const RAW: u8 = 0xFF;

fuzz_target!(|input: &[u8]| {
    let Some((first, rest)) = input.split_first() else {
        return;
    };
    if *first == RAW {
        let copy = words(rest);
        return in_time(|| drop(Section::new(octets_of(&copy))));
    }
    LOADED.with_borrow_mut(|both| in_time(|| both[usize::from(first & 1)].run(rest)));
});

impl Loaded {
    fn new(direct: bool) -> Self {
        let entries = sections(direct);
        Self {
            direct,
            owned: entries.iter().map(|entry| words(entry.octets)).collect(),
            places: entries.iter().map(|entry| places(entry.octets)).collect(),
            state: State::new(0),
            out: vec![0; 66_000],
            undo: Vec::new(),
        }
    }

    fn run(&mut self, input: &[u8]) {
        for change in input.chunks_exact(CHANGE_OCTETS).take(CHANGES_MAX) {
            self.change(change);
        }
        self.ask();
        while let Some((section, at, octet)) = self.undo.pop() {
            self.put(section, at, octet);
        }
    }

    fn change(&mut self, change: &[u8]) {
        let section = usize::from(change[0]) % self.owned.len();
        let columns = &self.places[section];
        let (start, size) = columns[usize::from(change[1]) % columns.len()];
        let at = usize::from(u16::from_be_bytes([change[2], change[3]]));
        // From the end as well as from the start: both are where tables are bounded.
        let at = if at & 0x8000 == 0 {
            at
        } else {
            size.wrapping_sub(at & 0x7FFF)
        };
        if size > 0 {
            let before = self.put(section, start + at % size, change[4]);
            self.undo.push((section, start + at % size, before));
        }
    }

    /// Returns what was there before.
    fn put(&mut self, section: usize, at: usize, octet: u8) -> u8 {
        let (word, shift) = (&mut self.owned[section][at / 8], at % 8 * 8);
        let before = (*word >> shift & 0xFF) as u8;
        *word = *word & !(0xFF << shift) | u64::from(octet) << shift;
        before
    }

    fn ask(&mut self) {
        let mut entries = sections(self.direct);
        for (entry, owned) in entries.iter_mut().zip(&self.owned) {
            *entry = Entry {
                octets: octets_of(owned),
                ..*entry
            };
        }
        let Ok(generation) = Generation::new(&entries) else {
            return;
        };
        let (mut scratch, around) = (Scratch::new(&generation), Surroundings::default());
        for question in QUERIES {
            for (opt, tcp) in [(FOUR, false), (SIX, true)] {
                let head = b"\x12\x34\x01\0\0\x01\0\0\0\0\0\x01";
                let octets = &[head, question, b"\0\x01", opt].concat();
                let packet = Packet {
                    octets,
                    source: Source::V4(0x0808_0808),
                    tcp,
                    now_s: 0,
                };
                let (words, out) = (&self.state, &mut self.out[..]);
                let outcome = respond(&generation, words, &around, packet, &mut scratch, out);
                if let Outcome::Reply(size) = outcome {
                    check_head(octets, &self.out[..size]);
                }
            }
        }
    }
}

/// Of spoilt sections the records may be spoilt, too, but not the message around them.
fn check_head(packet: &[u8], reply: &[u8]) {
    assert!(reply.len() >= 12);
    if reply[3] & 15 == 2 {
        check(packet, reply, true);
    }
}

/// The header with the directory, then each column.
fn places(octets: &[u8]) -> Vec<Place> {
    let number = |at: usize, size: usize| {
        let octets = octets[at..at + size].iter().rev();
        octets.fold(0, |sum, octet| sum << 8 | usize::from(*octet))
    };
    let count = number(16, 4);
    let columns = (0..count).map(|column| 32 + 40 * column);
    let columns = columns.map(|at| (number(at + 32, 8), number(at + 24, 8) * number(at + 16, 4)));
    std::iter::once((0, 32 + 40 * count))
        .chain(columns)
        .collect()
}

fn words(octets: &[u8]) -> Vec<u64> {
    let words = octets.chunks_exact(8);
    words
        .map(|word| u64::from_le_bytes(word.try_into().unwrap()))
        .collect()
}

fn octets_of(words: &[u64]) -> &[u8] {
    // SAFETY: octets have no alignment, and eight of them are a word.
    unsafe { std::slice::from_raw_parts(words.as_ptr().cast(), words.len() * 8) }
}
