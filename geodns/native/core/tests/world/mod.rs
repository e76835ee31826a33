//! A small generation with every feature of steering, and states of its health: what the compiler
//! makes of `tests/soak/world.py` (`python -m tests.soak fixture` writes it anew).
#![allow(dead_code, reason = "no test needs all of it")]

use std::collections::BTreeMap;

use geodns_core::{Entry, Words};

const TEXT: &str = include_str!("world.txt");
const INDEX_ITEMS: u64 = 65_537;
const ALIGNMENT: usize = 64;

/// One section in memory of its own, aligned as columns need it.
#[derive(Clone)]
pub(crate) struct Section {
    pub(crate) kind: u16,
    pub(crate) name: String,
    words: Vec<u64>,
}

impl Section {
    fn new(kind: u16, name: &str, octets: &[u8]) -> Self {
        let words = octets.chunks_exact(8);
        let words = words.map(|word| u64::from_le_bytes(word.try_into().unwrap()));
        Self {
            kind,
            name: name.into(),
            words: words.collect(),
        }
    }

    pub(crate) fn octets(&self) -> &[u8] {
        bytemuck::cast_slice(&self.words)
    }

    pub(crate) fn octets_mut(&mut self) -> &mut [u8] {
        bytemuck::cast_slice_mut(&mut self.words)
    }

    pub(crate) fn entry(&self) -> Entry<'_> {
        Entry {
            kind: self.kind,
            name: &self.name,
            octets: self.octets(),
        }
    }
}

impl AsRef<[u8]> for Section {
    fn as_ref(&self) -> &[u8] {
        self.octets()
    }
}

/// All sections that an engine reads.
pub(crate) fn sections() -> Vec<Section> {
    let read = |rest: &str| {
        let [kind, name, hex] = words_of(rest);
        Section::new(kind.parse().unwrap(), name, &octets_of(hex))
    };
    let mut all: Vec<Section> = lines("section").map(read).collect();
    all.extend(with_indexes());
    all
}

/// The status words in one state of health; no two states have the same epoch.
pub(crate) struct State {
    words: Vec<u64>,
    epoch: u64,
}

impl Words for State {
    fn word(&self, slot: u32) -> u64 {
        self.words[..].word(slot)
    }

    fn epoch(&self) -> Option<u64> {
        Some(self.epoch)
    }
}

/// All states of health, the first with all targets unknown, the second with all down.
pub(crate) fn states() -> Vec<State> {
    let read = |(epoch, hex): (u64, &str)| State {
        words: numbers(&octets_of(hex), 8),
        epoch,
    };
    (0..).zip(lines("state")).map(read).collect()
}

fn lines(kind: &'static str) -> impl Iterator<Item = &'static str> {
    let rest = TEXT.lines().filter_map(move |line| line.strip_prefix(kind));
    rest.map(str::trim_start)
}

fn words_of<const N: usize>(line: &str) -> [&str; N] {
    let words: Vec<&str> = line.split(' ').collect();
    words.try_into().unwrap()
}

pub(crate) fn octets_of(hex: &str) -> Vec<u8> {
    let digits = hex.as_bytes().chunks_exact(2);
    let octet = |pair| u8::from_str_radix(std::str::from_utf8(pair).unwrap(), 16).unwrap();
    digits.map(octet).collect()
}

fn numbers(octets: &[u8], width: usize) -> Vec<u64> {
    let number = |item: &[u8]| {
        item.iter()
            .rev()
            .fold(0, |sum, octet| sum << 8 | u64::from(*octet))
    };
    octets.chunks_exact(width).map(number).collect()
}

/// The sections whose indexes are made here: FORMAT.md, "Kind 2: GEO".
fn with_indexes() -> Vec<Section> {
    let mut made: BTreeMap<(u16, &str), Vec<Column>> = BTreeMap::new();
    for line in lines("column") {
        let [kind, section, name, width, hex] = words_of(line);
        let columns = made.entry((kind.parse().unwrap(), section)).or_default();
        let (width, octets) = (width.parse().unwrap(), octets_of(hex));
        if let Some((before, family)) = name.split_once("start") {
            let shift = if family == "4" { 16 } else { 48 };
            let index = index(&numbers(&octets, width), shift);
            columns.push((format!("{before}index{family}"), 4, index));
        }
        columns.push((name.into(), width, octets));
    }
    let section = |((kind, name), columns): (_, Vec<_>)| {
        let octets = section(kind, &columns);
        Section::new(kind, name, &octets)
    };
    made.into_iter().map(section).collect()
}

fn index(starts: &[u64], shift: u32) -> Vec<u8> {
    let blocks = 0..INDEX_ITEMS;
    let up_to = |block: u64| {
        let end = u128::from(block) << shift;
        starts.partition_point(|start| u128::from(*start) <= end)
    };
    let items = blocks.map(|block| u32::try_from(up_to(block)).unwrap());
    items.flat_map(u32::to_le_bytes).collect()
}

/// Name, width of an item, octets.
type Column = (String, usize, Vec<u8>);

/// A section: FORMAT.md, "Section".
fn section(kind: u16, columns: &[Column]) -> Vec<u8> {
    let mut at = (32 + 40 * columns.len()).next_multiple_of(ALIGNMENT);
    let (mut directory, mut body) = (Vec::new(), Vec::new());
    for (name, width, octets) in columns {
        let mut padded = name.clone().into_bytes();
        padded.resize(16, 0);
        directory.extend(padded);
        directory.extend((*width as u64).to_le_bytes());
        directory.extend((octets.len() as u64 / *width as u64).to_le_bytes());
        directory.extend((at as u64).to_le_bytes());
        body.extend_from_slice(octets);
        body.resize(body.len().next_multiple_of(ALIGNMENT), 0);
        at += octets.len().next_multiple_of(ALIGNMENT);
    }
    let mut made = b"GEODNSS1".to_vec();
    made.extend(kind.to_le_bytes());
    made.extend([2, 0, 0, 0, 0, 0]);
    made.extend((columns.len() as u64).to_le_bytes());
    made.extend((at as u64).to_le_bytes());
    made.extend(directory);
    made.resize(made.len().next_multiple_of(ALIGNMENT), 0);
    made.extend(body);
    made
}
