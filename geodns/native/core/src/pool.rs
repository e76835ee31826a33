//! What is known of one pool before anybody asks (FORMAT.md, "Kind 4: POOLS").

use std::ops::Range;

/// What is answered with: an IP version, or the name of a service elsewhere (CNAME).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Family {
    V4,
    V6,
    Name,
}

/// How the nodes of an answer are taken from a tier.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Spread {
    First,
    Weighted,
    Sticky,
}

/// How one pool is steered by, and where its places stand.
#[derive(Debug, Clone)]
pub(crate) struct Pool {
    pub(crate) spread: Spread,
    pub(crate) answers: usize,
    pub(crate) min_answers: usize,
    pub(crate) min_up: usize,
    pub(crate) near: bool,
    pub(crate) open: bool,
    /// Leading bits of an IPv4 address, and of an IPv6 one, that a sticky choice depends on.
    pub(crate) sticky: (u32, u32),
    /// Whether users may be sent away from any of its members.
    pub(crate) sheds: bool,
    pub(crate) places: Range<u32>,
    pub(crate) members: Range<u32>,
    pub(crate) families: [bool; 3],
}

impl Pool {
    /// How many places the pool has.
    pub(crate) fn place_count(&self) -> u32 {
        self.places.end - self.places.start
    }

    /// Its members, place by place.
    pub(crate) fn members(&self) -> Range<u32> {
        self.members.clone()
    }

    /// Whether any member has a target of this family at all.
    pub(crate) fn has(&self, family: Family) -> bool {
        let [v4, v6, name] = self.families;
        match family {
            Family::V4 => v4,
            Family::V6 => v6,
            Family::Name => name,
        }
    }
}
