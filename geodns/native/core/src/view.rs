//! Views: from an address to a class, from a class to rows of places (FORMAT.md, "Kind 3: VIEW").

use std::collections::HashSet;
use std::hint::black_box;

use crate::fault::LoadFault;
use crate::intervals::{Intervals, Place};
use crate::pools::{Pool, Pools};
use crate::section::Section;

/// The class of special-purpose blocks: who comes from there is steered by resolver.
pub(crate) const SPECIAL_CLASS: u32 = 0xFFFF_FFFF;

/// In a row's items: a tier starts here.
pub(crate) const TIER_START: u32 = 1 << 31;

/// One view's section.
#[derive(Debug)]
pub(crate) struct View<'a> {
    locate: Locate<'a>,
    /// The class of who has no place.
    pub(crate) unknown: u32,
    /// The chain's pools, by their number.
    pub(crate) pools: Vec<u32>,
    link: &'a [u32],
    row_at: &'a [u32],
    row: &'a [u32],
}

#[derive(Debug)]
enum Locate<'a> {
    Direct(Intervals<'a>),
    /// The geo section's intervals, and a class for each location.
    Indirect(&'a [u32]),
}

impl<'a> View<'a> {
    pub(crate) fn new(section: &Section<'a>, pools: &Pools<'a>) -> Result<Self, LoadFault> {
        let locate = match section.optional("class_of")? {
            Some(class_of) => Locate::Indirect(class_of),
            None => Locate::Direct(Intervals::new(section)?),
        };
        let keys = section.column::<u64>("pool")?.iter();
        let missing = LoadFault::Contradiction("a view names a pool that there is not");
        let numbers: Option<Vec<u32>> = keys.map(|key| pools.number(*key)).collect();
        let row = section.column("row")?;
        let row_at = section.column::<u32>("row_at")?;
        let view = Self {
            locate,
            unknown: section.scalar("unknown")?,
            pools: numbers.ok_or(missing)?,
            link: section.column("link")?,
            row_at: section.bounds("row_at", row_at.len().saturating_sub(1), row.len())?,
            row,
        };
        view.check(pools).map_err(LoadFault::Contradiction)?;
        Ok(view)
    }

    pub(crate) fn find4(&self, geo: &Intervals<'a>, address: u32) -> Option<Place> {
        match &self.locate {
            Locate::Direct(own) => own.find4(address),
            Locate::Indirect(class_of) => classed(geo.find4(address)?, class_of),
        }
    }

    /// Bring what `find4` will read of these addresses into the cache; spoils them.
    pub(crate) fn warm4(&self, geo: &Intervals<'a>, addresses: &mut [u32]) {
        match &self.locate {
            Locate::Direct(own) => own.warm4(addresses),
            Locate::Indirect(class_of) => {
                geo.warm4(addresses);
                for location in addresses {
                    black_box(class_of.get(*location as usize).copied());
                }
            }
        }
    }

    pub(crate) fn find6(&self, geo: &Intervals<'a>, upper: u64) -> Option<Place> {
        match &self.locate {
            Locate::Direct(own) => own.find6(upper),
            Locate::Indirect(class_of) => classed(geo.find6(upper)?, class_of),
        }
    }

    /// Whether everybody is steered alike.
    pub(crate) fn is_one_class(&self) -> bool {
        self.link.len() == self.pools.len()
    }

    pub(crate) fn classes(&self) -> usize {
        self.link.len() / self.pools.len().max(1)
    }

    /// The row of places that a class has in one pool of the chain.
    pub(crate) fn row(&self, class: u32, position: usize) -> Option<&'a [u32]> {
        let at = (class as usize).checked_mul(self.pools.len())? + position;
        self.items(*self.link.get(at)?)
    }

    fn items(&self, row: u32) -> Option<&'a [u32]> {
        let [from, to] = *self.row_at.get(row as usize..)?.first_chunk::<2>()?;
        self.row.get(from as usize..to as usize)
    }

    /// Refuse rows that name places the pools do not have.
    fn check(&self, pools: &Pools<'a>) -> Result<(), &'static str> {
        let width = self.pools.len();
        let classes = self.classes();
        if self.unknown as usize >= classes || self.link.len() != classes * width {
            return Err("a view's classes and links do not match");
        }
        for (position, number) in self.pools.iter().enumerate() {
            let places = pools.pool(*number).map_or(0, Pool::place_count);
            let links = self.link.iter().skip(position).step_by(width);
            let rows: HashSet<u32> = links.copied().collect();
            for row in rows {
                let items = self
                    .items(row)
                    .ok_or("a view names a row that there is not")?;
                if items.iter().any(|item| item & !TIER_START >= places) {
                    return Err("a view names a place that its pool does not have");
                }
            }
        }
        Ok(())
    }
}

fn classed(place: Place, class_of: &[u32]) -> Option<Place> {
    Some(Place {
        value: *class_of.get(place.value as usize)?,
        scope: place.scope,
    })
}
