//! Views: from an address to a class, from a class to its destination and to rows of places
//! (FORMAT.md, "Kind 3: VIEW").

use std::collections::{HashMap, HashSet};

use crate::destination::{Arm, Destination, destinations};
use crate::fault::{Broken, LoadFault};
use crate::intervals::{Intervals, Place};
use crate::link::{PLACE, Row};
use crate::pool::Pool;
use crate::pools::Pools;
use crate::section::Section;

/// The class of special-purpose blocks: who comes from there is steered by resolver.
pub(crate) const SPECIAL_CLASS: u32 = 0xFFFF_FFFF;

/// In an overlay: what the location's class says holds.
const LOOK_ON: u32 = 0xFFFF_FFFE;

/// In `row_group`: all places of the pool may answer.
const NO_GROUP: u32 = 0xFFFF_FFFF;

/// One view's section.
#[derive(Debug)]
pub(crate) struct View<'a> {
    locate: Locate<'a>,
    /// The class of who has no place.
    pub(crate) unknown: u32,
    classes: usize,
    destinations: Vec<Destination>,
    /// Numbers of the pools of all chains, one behind the other.
    steps: Vec<u32>,
    record: &'a [u32],
    row_at: &'a [u32],
    row: &'a [u32],
    groups: Option<Groups<'a>>,
}

#[derive(Debug)]
enum Locate<'a> {
    Direct(Intervals<'a>),
    /// The geo section's intervals, and a class for each location.
    Shared(&'a [u32]),
    /// The same with what locations cannot tell laid over it.
    Overlaid(Intervals<'a>, &'a [u32]),
}

/// Which places may answer whom.
#[derive(Debug)]
struct Groups<'a> {
    of_row: &'a [u32],
    at: &'a [u32],
    words: &'a [u32],
}

impl<'a> View<'a> {
    pub(crate) fn new(section: &Section<'a>, pools: &Pools<'a>) -> Result<Self, LoadFault> {
        let row = section.column("row")?;
        let rows = section.column::<u32>("row_at")?.len().saturating_sub(1);
        let (destinations, steps) = destinations(section, pools)?;
        let view = Self {
            locate: Locate::new(section)?,
            unknown: section.scalar("unknown")?,
            classes: section.scalar("classes")? as usize,
            destinations,
            steps,
            record: section.column("record")?,
            row_at: section.bounds("row_at", rows, row.len())?,
            row,
            groups: Groups::new(section, rows)?,
        };
        view.check(pools).map_err(LoadFault::Contradiction)?;
        Ok(view)
    }

    pub(crate) fn find4(&self, geo: &Intervals<'a>, address: u32) -> Option<Place> {
        match &self.locate {
            Locate::Direct(own) => own.find4(address),
            Locate::Shared(class_of) => classed(geo.find4(address)?, class_of),
            Locate::Overlaid(over, class_of) => match over.find4(address)? {
                over if over.value == LOOK_ON => classed(over.with(geo.find4(address)?), class_of),
                over => Some(over),
            },
        }
    }

    pub(crate) fn find6(&self, geo: &Intervals<'a>, upper: u64) -> Option<Place> {
        match &self.locate {
            Locate::Direct(own) => own.find6(upper),
            Locate::Shared(class_of) => classed(geo.find6(upper)?, class_of),
            Locate::Overlaid(over, class_of) => match over.find6(upper)? {
                over if over.value == LOOK_ON => classed(over.with(geo.find6(upper)?), class_of),
                over => Some(over),
            },
        }
    }

    /// Bring what `find4` will read of these addresses into the cache. Their classes go where the
    /// addresses were; `room` is for as many.
    pub(crate) fn warm4(&self, geo: &Intervals<'a>, addresses: &mut [u32], room: &mut Vec<u32>) {
        let class = |class_of: &[u32], place: u32| class_of.get(place as usize).copied();
        match &self.locate {
            Locate::Direct(own) => own.warm4(addresses),
            Locate::Shared(class_of) => {
                geo.warm4(addresses);
                for place in addresses.iter_mut() {
                    *place = class(class_of, *place).unwrap_or(0);
                }
            }
            Locate::Overlaid(over, class_of) => {
                room.clear();
                room.extend_from_slice(addresses);
                over.warm4(room);
                geo.warm4(addresses);
                for (place, over) in addresses.iter_mut().zip(room.iter()) {
                    let below = class(class_of, *place).unwrap_or(0);
                    *place = if *over == LOOK_ON { below } else { *over };
                }
            }
        }
    }

    /// Whether everybody is steered alike.
    pub(crate) fn is_one_class(&self) -> bool {
        self.classes == 1
    }

    /// In how many ways users are decided for.
    pub(crate) fn decisions(&self) -> usize {
        let arms = self.destinations.iter().map(|each| each.arms().len());
        self.classes.saturating_mul(arms.max().unwrap_or(0))
    }

    /// What a class leads to.
    pub(crate) fn destination(&self, class: u32) -> Result<&Destination, Broken> {
        if let [only] = self.destinations.as_slice() {
            return Ok(only); // spares to wait for the record
        }
        let number = self.record.get(class as usize).ok_or(Broken)?;
        self.destinations.get(*number as usize).ok_or(Broken)
    }

    /// Whether a rule sends a class where it is sent; the catch-all is the last destination.
    pub(crate) fn has_rule(&self, class: u32) -> bool {
        let number = self.record.get(class as usize);
        number.is_some_and(|number| (*number as usize) + 1 < self.destinations.len())
    }

    /// Where the rows of classes begin, but for splits.
    pub(crate) fn each_row(&self, classes: &[u32], mut give: impl FnMut(usize)) {
        let same = match self.destinations.as_slice() {
            [only] => only.only(), // spares to wait for the records
            _ => None,
        };
        for class in classes {
            let own = || self.destination(*class).ok().and_then(Destination::only);
            if let Some(arm) = same.or_else(own) {
                give((*class as usize).saturating_add(1 + arm.offset));
            }
        }
    }

    /// The chain of an arm: numbers of its pools.
    pub(crate) fn pools_of(&self, arm: &Arm) -> &[u32] {
        self.steps.get(arm.steps.clone()).unwrap_or(&[])
    }

    /// The row of places that a class has at one step of an arm.
    pub(crate) fn row(&self, class: u32, arm: &Arm, step: usize) -> Option<Row<'a>> {
        let at = (class as usize).checked_add(1 + arm.offset + step)?;
        let number = *self.record.get(at)? as usize;
        Some(Row {
            items: slice(self.row, self.row_at, number)?,
            group: self.group(number).ok()?,
        })
    }

    fn group(&self, row: usize) -> Result<Option<&'a [u32]>, Broken> {
        let groups = self.groups.as_ref();
        groups.map_or(Ok(None), |groups| groups.of(row))
    }

    /// Refuse records and rows that name what is not there.
    fn check(&self, pools: &Pools<'a>) -> Result<(), &'static str> {
        for (pool, rows) in self.rows_of()? {
            let places = pools.pool(pool).map_or(0, Pool::place_count);
            for row in rows {
                let items = slice(self.row, self.row_at, row as usize)
                    .ok_or("a view names a row that there is not")?;
                if items.iter().any(|item| item & PLACE >= places) {
                    return Err("a view names a place that its pool does not have");
                }
                let missing = "a view names a group that there is not";
                let group = self.group(row as usize).map_err(|Broken| missing)?;
                if group.is_some_and(|group| group.len() < places.div_ceil(32) as usize) {
                    return Err("a view's group leaves out places of its pool");
                }
            }
        }
        Ok(())
    }

    /// The rows that records name for each pool.
    fn rows_of(&self) -> Result<HashMap<u32, HashSet<u32>>, &'static str> {
        let mut rows_of: HashMap<u32, HashSet<u32>> = HashMap::new();
        let (mut rest, mut classes, mut has_unknown) = (self.record, 0, false);
        while let Some((number, behind)) = rest.split_first() {
            has_unknown |= self.record.len() - rest.len() == self.unknown as usize;
            let destination = self.destinations.get(*number as usize);
            let destination = destination.ok_or("a view's class leads nowhere")?;
            let cut = "a view's last record is cut short";
            let (rows, next) = behind.split_at_checked(destination.width()).ok_or(cut)?;
            let steps = destination.arms().iter().flat_map(|arm| self.pools_of(arm));
            for (pool, row) in steps.zip(rows) {
                rows_of.entry(*pool).or_default().insert(*row);
            }
            (rest, classes) = (next, classes + 1);
        }
        if classes != self.classes || !has_unknown {
            return Err("a view's classes and records do not match");
        }
        Ok(rows_of)
    }
}

impl<'a> Locate<'a> {
    fn new(section: &Section<'a>) -> Result<Self, LoadFault> {
        Ok(match section.optional("class_of")? {
            None => Self::Direct(Intervals::new(section)?),
            Some(class_of) if section.has("over_start4") => {
                Self::Overlaid(Intervals::over(section)?, class_of)
            }
            Some(class_of) => Self::Shared(class_of),
        })
    }
}

impl<'a> Groups<'a> {
    fn new(section: &Section<'a>, rows: usize) -> Result<Option<Self>, LoadFault> {
        if !section.has("row_group") {
            return Ok(None);
        }
        let words = section.column("group")?;
        let count = section.column::<u32>("group_at")?.len().saturating_sub(1);
        Ok(Some(Self {
            of_row: section.column_of("row_group", rows)?,
            at: section.bounds("group_at", count, words.len())?,
            words,
        }))
    }

    /// The group of a row, if it has one.
    fn of(&self, row: usize) -> Result<Option<&'a [u32]>, Broken> {
        match *self.of_row.get(row).ok_or(Broken)? {
            NO_GROUP => Ok(None),
            number => {
                let words = slice(self.words, self.at, number as usize);
                words.map(Some).ok_or(Broken)
            }
        }
    }
}

fn slice<'a>(items: &'a [u32], bounds: &[u32], number: usize) -> Option<&'a [u32]> {
    let [from, to] = *bounds.get(number..)?.first_chunk::<2>()?;
    items.get(from as usize..to as usize)
}

fn classed(place: Place, class_of: &[u32]) -> Option<Place> {
    Some(Place {
        value: *class_of.get(place.value as usize)?,
        scope: place.scope,
    })
}
