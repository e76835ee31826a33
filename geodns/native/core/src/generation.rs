//! One generation: all its tables, checked when it is loaded.

use std::collections::HashMap;

use crate::fault::LoadFault;
use crate::intervals::Intervals;
use crate::mix::mix64;
use crate::name::ancestors;
use crate::pools::Pools;
use crate::section::{Section, kind};
use crate::view::View;
use crate::zone::Zone;

/// A section by the name that the manifest gives it.
#[derive(Debug, Clone, Copy)]
pub struct Entry<'a> {
    /// What it holds (FORMAT.md).
    pub kind: u16,
    /// Its name within its kind.
    pub name: &'a str,
    /// Its octets, aligned as a mapping is.
    pub octets: &'a [u8],
}

/// Immutable tables of one generation, read in place.
#[derive(Debug)]
pub struct Generation<'a> {
    pub(crate) geo: Intervals<'a>,
    pub(crate) pools: Pools<'a>,
    pub(crate) views: Vec<View<'a>>,
    zones: Vec<Zone<'a>>,
    index: ZoneIndex,
}

impl<'a> Generation<'a> {
    /// Load and check; sections of other kinds are passed over.
    ///
    /// # Errors
    /// `LoadFault` when a section is missing, spoilt, or contradicts another: such a generation
    /// must not be served.
    pub fn new(entries: &[Entry<'a>]) -> Result<Self, LoadFault> {
        let mut made = Sorted::default();
        for entry in entries {
            made.take(entry)?;
        }
        let geo = made.geo.ok_or(LoadFault::NoSection("geo"))?;
        let pools = made.pools.ok_or(LoadFault::NoSection("pools"))?;
        let (geo, pools) = (Intervals::new(&geo)?, Pools::new(&pools)?);
        let views = made
            .views
            .iter()
            .map(|(_, section)| View::new(section, &pools));
        let views = views.collect::<Result<_, _>>()?;
        let names = made.views.iter().zip(0..);
        let numbers: HashMap<u64, usize> = names.map(|((name, _), at)| (*name, at)).collect();
        let zones = made.zones.iter();
        let zones = zones.map(|section| Zone::new(section, |name| numbers.get(&name).copied()));
        let zones: Vec<Zone<'a>> = zones.collect::<Result<_, _>>()?;
        let index = ZoneIndex::new(&zones);
        Ok(Self {
            geo,
            pools,
            views,
            zones,
            index,
        })
    }

    /// Count the queries of each zone in the row that its apex is given; without this, in row 0.
    pub fn count_zones(&mut self, row_of: impl Fn(&[u8]) -> u32) {
        for zone in &mut self.zones {
            zone.row = row_of(zone.apex);
        }
    }

    /// The zone with the longest apex that a name lies under.
    pub(crate) fn zone_of(&self, name: &[u8]) -> Option<&Zone<'a>> {
        ancestors(name).find_map(|name| self.zone(name))
    }

    /// The zone of an apex.
    fn zone(&self, apex: &[u8]) -> Option<&Zone<'a>> {
        if !self.index.has_length(apex.len()) {
            return None;
        }
        let mut at = self.index.start(apex);
        loop {
            let number = (*self.index.bucket.get(at)?)?;
            let zone = self.zones.get(number)?;
            if zone.apex == apex {
                return Some(zone);
            }
            at = self.index.next(at);
        }
    }

    /// How many members the greatest pool has.
    pub(crate) fn members_max(&self) -> usize {
        self.pools.members_max()
    }
}

/// The sections by what they are for.
#[derive(Default)]
struct Sorted<'a> {
    geo: Option<Section<'a>>,
    pools: Option<Section<'a>>,
    views: Vec<(u64, Section<'a>)>,
    zones: Vec<Section<'a>>,
}

impl<'a> Sorted<'a> {
    fn take(&mut self, entry: &Entry<'a>) -> Result<(), LoadFault> {
        match entry.kind {
            kind::GEO => self.geo = Some(Section::new(entry.octets)?),
            kind::POOLS => self.pools = Some(Section::new(entry.octets)?),
            kind::ZONE => self.zones.push(Section::new(entry.octets)?),
            kind::VIEW => {
                let fault = LoadFault::Contradiction("a view's name is no number");
                let name = u64::from_str_radix(entry.name, 16).map_err(|_| fault)?;
                self.views.push((name, Section::new(entry.octets)?));
            }
            _ => (),
        }
        Ok(())
    }
}

/// Up to eight octets as one number.
fn number(octets: &[u8]) -> u64 {
    match octets.first_chunk() {
        Some(whole) => u64::from_le_bytes(*whole),
        None => octets
            .iter()
            .fold(0, |all, octet| all << 8 | u64::from(*octet)),
    }
}

/// Finds zones by apex: a hash table, behind a set of the lengths that apexes have, so that
/// most suffixes of a name are passed over unhashed.
#[derive(Debug)]
struct ZoneIndex {
    lengths: [u64; 4],
    bucket: Vec<Option<usize>>,
}

impl ZoneIndex {
    fn new(zones: &[Zone<'_>]) -> Self {
        let mut made = Self {
            lengths: [0; 4],
            bucket: vec![None; (2 * zones.len() + 1).next_power_of_two()],
        };
        for (number, zone) in zones.iter().enumerate() {
            if let Some(word) = made.lengths.get_mut(zone.apex.len() >> 6) {
                *word |= 1 << (zone.apex.len() & 63);
            }
            let mut at = made.start(zone.apex);
            while made.bucket.get(at).is_some_and(Option::is_some) {
                at = made.next(at);
            }
            if let Some(free) = made.bucket.get_mut(at) {
                *free = Some(number);
            }
        }
        made
    }

    fn has_length(&self, size: usize) -> bool {
        let word = self.lengths.get(size >> 6);
        word.is_some_and(|word| word >> (size & 63) & 1 == 1)
    }

    fn start(&self, apex: &[u8]) -> usize {
        let hash = apex
            .chunks(8)
            .fold(0, |hash, part| mix64(hash ^ number(part)));
        usize::try_from(hash >> 32).unwrap_or(0) & (self.bucket.len() - 1)
    }

    fn next(&self, at: usize) -> usize {
        (at + 1) & (self.bucket.len() - 1)
    }
}
