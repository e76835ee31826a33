//! One pool of a chain, and the order of its places for one class: rows and their tails
//! (FORMAT.md, "Kind 3: VIEW").

use crate::pool::Pool;

/// In a row's items: a tier starts here.
pub(crate) const TIER_START: u32 = 1 << 31;

/// In a row's first item: no tail follows.
const WHOLE: u32 = 1 << 30;

/// The place's number in a row's item.
pub(crate) const PLACE: u32 = WHOLE - 1;

/// A pool with a row of its places.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Link<'g, 'a> {
    /// The pool's number.
    pub(crate) number: u32,
    pub(crate) pool: &'g Pool,
    pub(crate) row: Row<'a>,
}

/// The items of a row, and the places of its group; None: all of the pool's.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Row<'a> {
    pub(crate) items: &'a [u32],
    pub(crate) group: Option<&'a [u32]>,
}

/// A tier: items of the row, or one place of the tail.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Tier {
    Row(usize, usize),
    Tail(u32),
}

/// Where a place stands in the tail: by distance, equally far ones by number.
pub(crate) type Away = (u64, u32);

impl<'a> Link<'_, 'a> {
    /// The tiers of the row, in order.
    pub(crate) fn tiers(&self) -> impl Iterator<Item = Tier> + use<'a> {
        let row = self.row.items;
        let mut at = 0;
        std::iter::from_fn(move || {
            let start = at;
            let rest = row.get(start + 1..)?;
            let starts_tier = |item: &u32| item & TIER_START != 0;
            at = start + 1 + rest.iter().position(starts_tier).unwrap_or(rest.len());
            Some(Tier::Row(start, at))
        })
    }

    /// The places of a tier.
    pub(crate) fn places(&self, tier: Tier) -> impl Iterator<Item = u32> + use<'a> {
        let (items, tail): (&[u32], _) = match tier {
            Tier::Row(from, to) => (self.row.items.get(from..to).unwrap_or(&[]), None),
            Tier::Tail(place) => (&[], Some(place)),
        };
        items.iter().map(|item| item & PLACE).chain(tail)
    }

    /// The place from which the tail is measured; None where no tail follows.
    pub(crate) fn tail_from(&self) -> Option<u32> {
        let first = *self.row.items.first()?;
        let all = self.row.items.len() == self.pool.place_count() as usize;
        (first & WHOLE == 0 && !all).then_some(first & PLACE)
    }

    /// Whether the tail has a place: the row does not name it, and its group lets it answer.
    pub(crate) fn tail_has(&self, place: u32) -> bool {
        self.serves(place) && !self.row.items.iter().any(|item| item & PLACE == place)
    }

    /// Whether a place behind the row may answer.
    pub(crate) fn serves(&self, place: u32) -> bool {
        let Some(group) = self.row.group else {
            return true;
        };
        let word = group.get((place >> 5) as usize);
        word.is_some_and(|word| word >> (place & 31) & 1 == 1)
    }
}
