//! The pools section: who stands where, at which addresses (FORMAT.md, "Kind 4: POOLS").

use std::collections::HashMap;
use std::ops::Range;

use crate::fault::LoadFault;
use crate::link::Away;
use crate::pool::{Family, Pool, Spread};
use crate::section::Section;
use crate::words::Words;

const PARAMS: usize = 8;

/// All pools of a generation.
#[derive(Debug)]
pub(crate) struct Pools<'a> {
    all: Vec<Pool>,
    number_of: HashMap<u64, u32>,
    member_at: &'a [u32],
    x: &'a [u32],
    y: &'a [u32],
    z: &'a [u32],
    node_key: &'a [u64],
    weight: &'a [u32],
    shed: &'a [u8],
    v4: Targets<'a>,
    v4_address: &'a [u32],
    v6: Targets<'a>,
    v6_high: &'a [u64],
    v6_low: &'a [u64],
    names: Targets<'a>,
    name_end: &'a [u32],
    name_octets: &'a [u8],
}

/// The targets of one family: whose they are, and where their words stand.
#[derive(Debug)]
struct Targets<'a> {
    at: &'a [u32],
    slot: &'a [u32],
    tag: &'a [u32],
}

impl<'a> Pools<'a> {
    pub(crate) fn new(section: &Section<'a>) -> Result<Self, LoadFault> {
        let weight: &[u32] = section.column("weight")?;
        let targets = |at, slot, tag| -> Result<Targets<'a>, LoadFault> {
            let slot: &[u32] = section.column(slot)?;
            Ok(Targets {
                at: section.bounds(at, weight.len(), slot.len())?,
                slot,
                tag: section.column(tag)?,
            })
        };
        let keys = section.column::<u64>("key")?;
        let places = section.column::<u32>("member_at")?.len().saturating_sub(1);
        let names = targets("cname_at", "cname_slot", "cname_tag")?;
        let name_octets = section.column("cname_octets")?;
        let mut made = Self {
            all: Vec::with_capacity(keys.len()),
            number_of: (0..)
                .zip(keys)
                .map(|(number, key)| (*key, number))
                .collect(),
            member_at: section.bounds("member_at", places, weight.len())?,
            x: section.column_of("x", places)?,
            y: section.column_of("y", places)?,
            z: section.column_of("z", places)?,
            node_key: section.column_of("node_key", weight.len())?,
            shed: section.column_of("shed", weight.len())?,
            weight,
            v4: targets("v4_at", "v4_slot", "v4_tag")?,
            v4_address: section.column("v4_address")?,
            v6: targets("v6_at", "v6_slot", "v6_tag")?,
            v6_high: section.column("v6_high")?,
            v6_low: section.column("v6_low")?,
            name_end: section.bounds("cname_end", names.slot.len(), name_octets.len())?,
            names,
            name_octets,
        };
        let param = section.column("param")?;
        let place_at = section.bounds("place_at", keys.len(), places)?;
        for number in 0..keys.len() {
            let fault = LoadFault::Contradiction("a pool points nowhere");
            let pool = made.read(number, param, place_at).ok_or(fault)?;
            made.all.push(pool);
        }
        Ok(made)
    }

    fn read(&self, number: usize, param: &[u32], place_at: &[u32]) -> Option<Pool> {
        let [_, spread, answers, min_answers, min_up, near, open, sticky] =
            *param.get(PARAMS * number..)?.first_chunk::<PARAMS>()?;
        let [first, end] = *place_at.get(number..)?.first_chunk::<2>()?;
        end.checked_sub(first)?;
        let members = *self.member_at.get(first as usize)?..*self.member_at.get(end as usize)?;
        members.end.checked_sub(members.start)?;
        let shed = self
            .shed
            .get(members.start as usize..members.end as usize)?;
        let has = |targets: &Targets| -> Option<bool> {
            let from = targets.at.get(members.start as usize)?;
            Some(from != targets.at.get(members.end as usize)?)
        };
        Some(Pool {
            spread: match spread {
                0 => Spread::First,
                1 => Spread::Weighted,
                _ => Spread::Sticky,
            },
            answers: answers as usize,
            min_answers: min_answers as usize,
            min_up: min_up as usize,
            near: near != 0,
            open: open != 0,
            sticky: (sticky & 255, sticky >> 8 & 255),
            sheds: shed.iter().any(|may| *may != 0),
            places: first..end,
            families: [has(&self.v4)?, has(&self.v6)?, has(&self.names)?],
            members,
        })
    }

    /// The number of a pool by its key.
    pub(crate) fn number(&self, key: u64) -> Option<u32> {
        self.number_of.get(&key).copied()
    }

    pub(crate) fn pool(&self, number: u32) -> Option<&Pool> {
        self.all.get(number as usize)
    }

    /// How many members the greatest pool has: no tier is larger.
    pub(crate) fn members_max(&self) -> usize {
        self.all
            .iter()
            .map(|pool| pool.members.len())
            .max()
            .unwrap_or(0)
    }

    /// The members at one place of a pool.
    pub(crate) fn at_place(&self, pool: &Pool, place: u32) -> Range<u32> {
        let at = pool.places.start.saturating_add(place) as usize;
        let bounds = self.member_at.get(at..).and_then(<[u32]>::first_chunk);
        bounds.map_or(0..0, |[from, to]: &[u32; 2]| *from..*to)
    }

    /// All places of a pool and how far they are from one of them: the sum of the squared
    /// differences of their coordinates.
    pub(crate) fn away(&self, pool: &Pool, from: u32) -> impl Iterator<Item = Away> + use<'a> {
        let range = pool.places.start as usize..pool.places.end as usize;
        let [x, y, z] = [self.x, self.y, self.z].map(|all| all.get(range.clone()).unwrap_or(&[]));
        let here = [x, y, z].map(|all| all.get(from as usize).copied().unwrap_or(0));
        let points = x.iter().zip(y).zip(z).zip(0..);
        points.map(move |(((x, y), z), place)| {
            let squares = [*x, *y, *z].into_iter().zip(here);
            let squares = squares.map(|(one, other)| u64::from(one.abs_diff(other)).pow(2));
            (squares.fold(0, u64::saturating_add), place)
        })
    }

    /// Whether users may be sent away from any member at all.
    pub(crate) fn shed_anywhere(&self) -> bool {
        self.all.iter().any(|pool| pool.sheds)
    }

    /// What draws know a member by, if users may be sent away from it.
    pub(crate) fn shed_key(&self, member: u32) -> Option<u64> {
        let may = *self.shed.get(member as usize)? != 0;
        may.then(|| self.node_key(member))
    }

    /// What draws know a member by.
    pub(crate) fn node_key(&self, member: u32) -> u64 {
        self.node_key.get(member as usize).copied().unwrap_or(0)
    }

    pub(crate) fn weight(&self, member: u32) -> u32 {
        self.weight.get(member as usize).copied().unwrap_or(0)
    }

    /// The status words of a member's targets, by position; another target's word is None.
    pub(crate) fn words<'w, W: Words + ?Sized>(
        &self,
        member: u32,
        family: Family,
        words: &'w W,
    ) -> impl Iterator<Item = Option<u64>> + use<'w, 'a, W> {
        let targets = self.targets(family);
        let range = targets.range(member);
        let slots = targets.slot.get(range.clone()).unwrap_or(&[]);
        let tags = targets.tag.get(range).unwrap_or(&[]);
        slots.iter().zip(tags).map(|(slot, tag)| {
            let word = words.word(*slot);
            (word >> 32 == u64::from(*tag)).then_some(word)
        })
    }

    /// The slot of a member's target by its position.
    pub(crate) fn slot(&self, member: u32, family: Family, position: u32) -> u32 {
        let targets = self.targets(family);
        let at = targets.range(member).start + position as usize;
        targets.slot.get(at).copied().unwrap_or(u32::MAX)
    }

    /// Hand out the addresses of a member that a mask of positions names.
    pub(crate) fn addresses(
        &self,
        member: u32,
        family: Family,
        usable: u64,
        mut give: impl FnMut(&[u8]),
    ) {
        let range = self.targets(family).range(member);
        for (position, at) in range.enumerate() {
            if usable >> position & 1 == 0 {
                continue;
            }
            match family {
                Family::V4 => {
                    if let Some(address) = self.v4_address.get(at) {
                        give(&address.to_be_bytes());
                    }
                }
                Family::V6 => {
                    if let (Some(high), Some(low)) = (self.v6_high.get(at), self.v6_low.get(at)) {
                        let address = u128::from(*high) << 64 | u128::from(*low);
                        give(&address.to_be_bytes());
                    }
                }
                Family::Name => {
                    if let Some(name) = self.name(at) {
                        give(name);
                    }
                }
            }
        }
    }

    fn name(&self, at: usize) -> Option<&'a [u8]> {
        let [from, to] = *self.name_end.get(at..)?.first_chunk::<2>()?;
        self.name_octets.get(from as usize..to as usize)
    }

    fn targets(&self, family: Family) -> &Targets<'a> {
        match family {
            Family::V4 => &self.v4,
            Family::V6 => &self.v6,
            Family::Name => &self.names,
        }
    }
}

impl Targets<'_> {
    fn range(&self, member: u32) -> Range<usize> {
        let bounds = self
            .at
            .get(member as usize..)
            .and_then(<[u32]>::first_chunk);
        bounds.map_or(0..0, |[from, to]: &[u32; 2]| {
            *from as usize..(*to).min(from.saturating_add(TARGETS_MAX)) as usize
        })
    }
}

/// Targets of one member and family that count. Source: a node has at most 16 addresses.
const TARGETS_MAX: u32 = 64;
