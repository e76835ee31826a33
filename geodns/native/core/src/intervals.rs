//! A sorted table of the whole address space, searched in place (FORMAT.md, "Kind 2: GEO").

use std::hint::black_box;

use crate::fault::LoadFault;
use crate::section::Section;

const INDEX_ITEMS: usize = 65_537;

/// The columns of a table, by family.
const OWN: [[&str; 3]; 2] = [
    ["start4", "value4", "index4"],
    ["start6", "value6", "index6"],
];
const OVER: [[&str; 3]; 2] = [
    ["over_start4", "over_value4", "over_index4"],
    ["over_start6", "over_value6", "over_index6"],
];

/// What an address falls into.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Place {
    pub(crate) value: u32,
    pub(crate) scope: u8,
}

impl Place {
    /// What another table says, for as few addresses as both tell apart.
    pub(crate) fn with(self, below: Self) -> Self {
        Self {
            value: below.value,
            scope: self.scope.max(below.scope),
        }
    }
}

/// The intervals of both families.
#[derive(Debug)]
pub(crate) struct Intervals<'a> {
    four: Table<'a, u32>,
    six: Table<'a, u64>,
}

#[derive(Debug)]
struct Table<'a, T> {
    start: &'a [T],
    value: &'a [u32],
    index: &'a [u32],
}

impl<'a> Intervals<'a> {
    /// The tables of a section. `LoadFault` when they do not cover the space from 0 on.
    pub(crate) fn new(section: &Section<'a>) -> Result<Self, LoadFault> {
        Self::named(section, OWN)
    }

    /// The tables that a view lays over those of the geo section.
    pub(crate) fn over(section: &Section<'a>) -> Result<Self, LoadFault> {
        Self::named(section, OVER)
    }

    fn named(section: &Section<'a>, [of4, of6]: [[&'static str; 3]; 2]) -> Result<Self, LoadFault> {
        let ([start4, value4, index4], [start6, value6, index6]) = (of4, of6);
        let columns4 = (section.column(value4)?, section.column(index4)?);
        let columns6 = (section.column(value6)?, section.column(index6)?);
        Ok(Self {
            four: Table::new(section.column(start4)?, columns4)?,
            six: Table::new(section.column(start6)?, columns6)?,
        })
    }

    /// Value and scope of an IPv4 address.
    pub(crate) fn find4(&self, address: u32) -> Option<Place> {
        let table = &self.four;
        let at = table.position(address, (address >> 16) as usize)?;
        let below = table.start.get(at).copied().filter(|low| *low > 0);
        let below = below.map(|low| (address ^ (low - 1)).leading_zeros());
        let above = table.start.get(at + 1);
        let above = above.map(|high| (address ^ high).leading_zeros());
        table.place(at, below, above)
    }

    /// Bring what `find4` will read into the cache: a step for all addresses at a time, so that
    /// the memory answers them all at once. The values go where the addresses were.
    pub(crate) fn warm4(&self, addresses: &mut [u32]) {
        let table = &self.four;
        for address in addresses.iter() {
            black_box(table.index.get((address >> 16) as usize).copied());
        }
        for address in addresses.iter_mut() {
            let at = table.position(*address, (*address >> 16) as usize);
            *address = at.and_then(|at| u32::try_from(at).ok()).unwrap_or(0);
        }
        for at in addresses.iter_mut() {
            *at = table.value.get(*at as usize).copied().unwrap_or(0);
        }
    }

    /// Value and scope of the upper half of an IPv6 address.
    pub(crate) fn find6(&self, upper: u64) -> Option<Place> {
        let table = &self.six;
        let at = table.position(upper, usize::from(u16::try_from(upper >> 48).ok()?))?;
        let below = table.start.get(at).copied().filter(|low| *low > 0);
        let below = below.map(|low| (upper ^ (low - 1)).leading_zeros());
        let above = table.start.get(at + 1);
        let above = above.map(|high| (upper ^ high).leading_zeros());
        table.place(at, below, above)
    }
}

impl<'a, T: Copy + PartialOrd + Default> Table<'a, T> {
    fn new(start: &'a [T], (value, index): (&'a [u32], &'a [u32])) -> Result<Self, LoadFault> {
        let count = start.len();
        let covered = index.last().is_some_and(|last| *last as usize == count);
        let from_zero = start.first().is_some_and(|first| *first == T::default());
        if covered && from_zero && value.len() == count && index.len() == INDEX_ITEMS {
            let table = Self {
                start,
                value,
                index,
            };
            return Ok(table);
        }
        let what = "a table of intervals does not cover the address space";
        Err(LoadFault::Contradiction(what))
    }

    /// The number of the interval that holds an address of block `h`.
    fn position(&self, address: T, h: usize) -> Option<usize> {
        let [from, to] = *self.index.get(h..)?.first_chunk::<2>()?;
        let (from, to) = (from as usize, to as usize);
        let inside = self.start.get(from..to)?;
        (from + inside.partition_point(|start| *start <= address)).checked_sub(1)
    }

    /// The scope is the shortest prefix that holds neither neighbour of the interval: it must be
    /// longer than what the address shares with each of them (RFC 7871 section 7.2.1).
    fn place(&self, at: usize, below: Option<u32>, above: Option<u32>) -> Option<Place> {
        let longer = |shared: Option<u32>| shared.map_or(0, |bits| bits + 1);
        let scope = longer(below).max(longer(above));
        Some(Place {
            value: *self.value.get(at)?,
            scope: u8::try_from(scope).ok()?,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::{INDEX_ITEMS, Intervals, Place, Table};

    fn index<T: Copy + Into<u64>>(start: &[T], shift: u32) -> Vec<u32> {
        let up_to = |h: u64| start.iter().filter(|s| (**s).into() >> shift <= h).count();
        let exact = |h: u64| {
            let first = u128::from(h) << shift;
            let count = start.iter().filter(|s| u128::from((**s).into()) <= first);
            u32::try_from(count.count().min(up_to(h))).unwrap()
        };
        (0..INDEX_ITEMS as u64).map(exact).collect()
    }

    #[test]
    fn an_address_finds_its_interval_and_the_widest_true_scope() {
        let (start4, value4) = ([0_u32, 0x0a00_0000, 0x0a00_0100], [7, 8, 9]);
        let (start6, value6) = ([0_u64, 0x2001_0db8_0000_0000], [1, 2]);
        let (index4, index6) = (index(&start4, 16), index(&start6, 48));
        let intervals = Intervals {
            four: Table::new(&start4, (&value4, &index4)).unwrap(),
            six: Table::new(&start6, (&value6, &index6)).unwrap(),
        };
        let four = |value, scope| Some(Place { value, scope });
        assert_eq!(intervals.find4(0), four(7, 5));
        assert_eq!(intervals.find4(0x0a00_00ff), four(8, 24));
        assert_eq!(intervals.find4(0x0a00_0100), four(9, 24));
        assert_eq!(intervals.find4(u32::MAX), four(9, 1));
        assert_eq!(intervals.find6(u64::MAX), four(2, 1));
        assert_eq!(intervals.find6(0x2001_0db8_0000_0000), four(2, 29));
    }

    #[test]
    fn a_table_that_leaves_a_gap_is_refused() {
        let index = vec![1; INDEX_ITEMS];
        assert!(Table::new(&[1_u32], (&[0], &index)).is_err());
        assert!(Table::new(&[0_u32], (&[0, 1], &index)).is_err());
        assert!(Table::new(&[0_u32], (&[0], &index[1..])).is_err());
    }
}
