//! Which nodes answer: the chain of pools, their tiers, and the status words of the moment.
//!
//! The twin of `geodns.steering.choose`, whose rules are those of ARCHITECTURE.md, "Steering".

use std::ops::Range;

use crate::draw::{Candidate, Scratch};
use crate::fault::Broken;
use crate::pools::{Family, Pool, Pools};
use crate::view::{TIER_START, View};
use crate::words::{Said, Words};

/// A tier: items of the row, or one place of the tail.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Tier {
    Row(usize, usize),
    Tail(u32),
}

/// What the words leave of a chain for one family; the tiers stand in the scratch.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Decision {
    /// The number of the pool that answers.
    pub(crate) pool: Option<u32>,
    pub(crate) settled: bool,
    pub(crate) failing_open: bool,
}

/// The chain of pools that a class is steered by, under the words of the moment.
pub(crate) struct Chain<'g, 'a, W: ?Sized> {
    pub(crate) pools: &'g Pools<'a>,
    pub(crate) view: &'g View<'a>,
    pub(crate) class: u32,
    pub(crate) words: &'g W,
}

struct Link<'g, 'a> {
    number: u32,
    pool: &'g Pool,
    row: &'a [u32],
}

struct Found<'g, 'a> {
    link: Link<'g, 'a>,
    family: Family,
    settled: bool,
    ignore: bool,
}

impl<'g, 'a, W: Words + ?Sized> Chain<'g, 'a, W> {
    /// The deciding tier.
    ///
    /// With `near`, AAAA is answered only from the tier that answers A, lest a far node with
    /// IPv6 capture users who have both; where no IPv4 is usable, AAAA stands alone.
    pub(crate) fn decide(&self, family: Family, scratch: &mut Scratch) -> Result<Decision, Broken> {
        let led = family == Family::V6 && self.link(0)?.pool.near;
        let families = [Some(Family::V4).filter(|_| led), Some(family)];
        for family in families.into_iter().flatten() {
            if let Some(found) = self.healthy(family, scratch)? {
                return Ok(self.decision(&found, scratch, families));
            }
        }
        for family in families.into_iter().flatten() {
            if let Some(found) = self.fail_open(family, scratch)? {
                return Ok(self.decision(&found, scratch, families));
            }
        }
        scratch.clear();
        Ok(Decision {
            pool: None,
            settled: true,
            failing_open: false,
        })
    }

    /// Whether the chain has a family at all; one that never had it is not degraded.
    pub(crate) fn has(&self, family: Family) -> bool {
        let mut pools = self.view.pools.iter();
        pools.any(|number| {
            self.pools
                .pool(*number)
                .is_some_and(|pool| pool.has(family))
        })
    }

    fn link(&self, position: usize) -> Result<Link<'g, 'a>, Broken> {
        let number = *self.view.pools.get(position).ok_or(Broken)?;
        Ok(Link {
            number,
            pool: self.pools.pool(number).ok_or(Broken)?,
            row: self.view.row(self.class, position).ok_or(Broken)?,
        })
    }

    /// The first usable pool of the chain; asked again with `min_up` 1 if none has enough.
    ///
    /// A pool that is passed over decides too: while it is unsettled, users may soon come back.
    fn healthy(
        &self,
        family: Family,
        scratch: &mut Scratch,
    ) -> Result<Option<Found<'g, 'a>>, Broken> {
        let mut settled = true;
        for relaxed in [false, true] {
            let mut strict = false;
            for position in 0..self.view.pools.len() {
                let link = self.link(position)?;
                let members = link.pool.members();
                strict |= link.pool.min_up != 1;
                if relaxed || self.enough_up(link.pool) {
                    let found = self.in_pool(link, family, settled, false, scratch);
                    if found.is_some() {
                        return Ok(found);
                    }
                }
                settled = settled && self.all_settled(members);
            }
            if !strict {
                break;
            }
        }
        Ok(None)
    }

    /// The first pool as if no probe had ever spoken; overrides still hold.
    fn fail_open(
        &self,
        family: Family,
        scratch: &mut Scratch,
    ) -> Result<Option<Found<'g, 'a>>, Broken> {
        let link = self.link(0)?;
        if !link.pool.open {
            return Ok(None);
        }
        Ok(self.in_pool(link, family, false, true, scratch))
    }

    /// The first tier with a usable member, and those behind it that `min_answers` needs.
    fn in_pool(
        &self,
        link: Link<'g, 'a>,
        family: Family,
        mut settled: bool,
        ignore: bool,
        scratch: &mut Scratch,
    ) -> Option<Found<'g, 'a>> {
        scratch.clear();
        for tier in self.tiers(&link) {
            if scratch.tiers.is_empty() {
                settled = settled && self.tier_settled(&link, tier);
            }
            let start = scratch.candidates.len();
            self.candidates(&link, tier, family, ignore, &mut scratch.candidates);
            if scratch.candidates.len() > start {
                scratch.found.push(tier);
                scratch.mark(start);
            }
            if !scratch.tiers.is_empty() && scratch.candidates.len() >= link.pool.min_answers {
                break;
            }
        }
        (!scratch.tiers.is_empty()).then_some(Found {
            link,
            family,
            settled,
            ignore,
        })
    }

    /// The usable members of the deciding tiers; perhaps none of the family that is asked for.
    fn decision(
        &self,
        found: &Found<'g, 'a>,
        scratch: &mut Scratch,
        [_, family]: [Option<Family>; 2],
    ) -> Decision {
        if let Some(family) = family.filter(|family| *family != found.family) {
            scratch.candidates.clear();
            scratch.tiers.clear();
            for at in 0..scratch.found.len() {
                let start = scratch.candidates.len();
                if let Some(tier) = scratch.found.get(at) {
                    let into = &mut scratch.candidates;
                    self.candidates(&found.link, *tier, family, found.ignore, into);
                }
                if scratch.candidates.len() > start {
                    scratch.mark(start);
                }
            }
        }
        Decision {
            pool: Some(found.link.number),
            settled: found.settled,
            failing_open: found.ignore,
        }
    }

    /// The usable members. Weight 0 answers only where nothing of positive weight does.
    fn candidates(
        &self,
        link: &Link,
        tier: Tier,
        family: Family,
        ignore: bool,
        into: &mut Vec<Candidate>,
    ) {
        let start = into.len();
        self.each_member(link, tier, |member| {
            into.extend(self.candidate(member, family, ignore));
        });
        let Some(fresh) = into.get_mut(start..) else {
            return;
        };
        if fresh.iter().all(|candidate| candidate.weight == 0) {
            for candidate in fresh {
                candidate.weight = 1;
            }
            return;
        }
        let mut kept = 0;
        for at in 0..fresh.len() {
            if fresh.get(at).is_some_and(|candidate| candidate.weight > 0) {
                fresh.swap(kept, at);
                kept += 1;
            }
        }
        into.truncate(start + kept);
    }

    fn candidate(&self, member: u32, family: Family, ignore: bool) -> Option<Candidate> {
        let (mut usable, mut factor) = (0_u64, 0);
        for (position, word) in self.pools.words(member, family, self.words).enumerate() {
            let said = Said(word);
            if said.is_usable(ignore) {
                usable |= 1 << position;
                factor = said.weight_factor().max(factor);
            }
        }
        let weight = u64::from(self.pools.weight(member)) * factor;
        (usable != 0).then_some(Candidate {
            member,
            usable,
            weight,
        })
    }

    fn enough_up(&self, pool: &Pool) -> bool {
        if pool.min_up == 1 {
            return true; // finding one is what the walk does anyway
        }
        let families = [Family::V4, Family::V6, Family::Name];
        let is_up = |member: &u32| {
            let mut up = families.iter();
            up.any(|family| self.candidate(*member, *family, false).is_some())
        };
        pool.members().filter(is_up).take(pool.min_up).count() >= pool.min_up
    }

    fn all_settled(&self, mut members: Range<u32>) -> bool {
        members.all(|member| self.is_settled(member))
    }

    fn tier_settled(&self, link: &Link, tier: Tier) -> bool {
        let mut settled = true;
        self.each_member(link, tier, |member| settled &= self.is_settled(member));
        settled
    }

    fn is_settled(&self, member: u32) -> bool {
        [Family::V4, Family::V6, Family::Name].iter().all(|family| {
            let mut words = self.pools.words(member, *family, self.words);
            words.all(|word| Said(word).is_settled())
        })
    }

    fn each_member(&self, link: &Link, tier: Tier, mut give: impl FnMut(u32)) {
        let tail: [u32; 1];
        let items = match tier {
            Tier::Row(from, to) => link.row.get(from..to).unwrap_or(&[]),
            Tier::Tail(place) => {
                tail = [place];
                &tail
            }
        };
        for item in items {
            for member in self.pools.at_place(link.pool, item & !TIER_START) {
                give(member);
            }
        }
    }

    /// The tiers in order; places beyond the row are tiers of their own.
    fn tiers(&self, link: &Link<'g, 'a>) -> impl Iterator<Item = Tier> + use<'a, W> {
        let row = link.row;
        let mut at = 0;
        let whole = row.len() == link.pool.place_count() as usize;
        let tail = match row.first().filter(|_| !whole) {
            Some(item) => self.pools.tail(link.pool, item & !TIER_START),
            None => &[],
        };
        let named = move |place: u32| row.iter().any(|item| item & !TIER_START == place);
        let rows = std::iter::from_fn(move || {
            let start = at;
            let rest = row.get(start + 1..)?;
            let starts_tier = |item: &u32| item & TIER_START != 0;
            at = start + 1 + rest.iter().position(starts_tier).unwrap_or(rest.len());
            Some(Tier::Row(start, at))
        });
        let beyond = tail.iter().copied().filter(move |place| !named(*place));
        rows.chain(beyond.map(Tier::Tail))
    }
}
