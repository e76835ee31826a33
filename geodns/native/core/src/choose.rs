//! Which nodes may answer: the chain of pools, their tiers, and the status words of the moment.
//!
//! The twin of `geodns.steering.choose`, by the rules of FORMAT.md, "Choosing".

use std::ops::Range;

use crate::destination::Arm;
use crate::draw::Found;
use crate::fault::Broken;
use crate::link::{Link, Tier};
use crate::member::{Asked, Members};
use crate::pool::{Family, Pool};
use crate::pools::Pools;
use crate::seen::Why;
use crate::view::View;
use crate::words::Words;

/// What the words leave of a chain for one family; the tiers stand in `Found`.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Decision {
    /// The number of the pool that answers.
    pub(crate) pool: Option<u32>,
    pub(crate) settled: bool,
    pub(crate) failing_open: bool,
    pub(crate) why: Why,
}

/// The chain of pools that a class is steered by in one arm, under the words of the moment.
pub(crate) struct Chain<'g, 'a, W: ?Sized> {
    pub(crate) pools: &'g Pools<'a>,
    pub(crate) view: &'g View<'a>,
    pub(crate) class: u32,
    pub(crate) arm: &'g Arm,
    pub(crate) words: &'g W,
}

struct Deciding<'g, 'a> {
    link: Link<'g, 'a>,
    asked: Asked,
    settled: bool,
}

impl<'g, 'a, W: Words + ?Sized> Chain<'g, 'a, W> {
    /// The deciding tier.
    ///
    /// `load` is what a user's loads are drawn by: whoever would send the user away is passed
    /// over from the start. That finds what FORMAT.md finds by deciding again and again, for
    /// each time only those are added to *passed* who stand in the way of what is found.
    ///
    /// With `near`, AAAA is answered only from the tier that answers A, lest a far node with
    /// IPv6 capture users who have both; where no IPv4 is usable, AAAA stands alone.
    pub(crate) fn decide(
        &self,
        family: Family,
        load: Option<u64>,
        into: &mut Found,
    ) -> Result<Decision, Broken> {
        let led = family == Family::V6 && self.link(0)?.pool.near;
        let families = [Some(Family::V4).filter(|_| led), Some(family)];
        for leader in families.into_iter().flatten() {
            if let Some(found) = self.healthy(leader, load, into)? {
                return Ok(self.decision(&found, family, into));
            }
        }
        for leader in families.into_iter().flatten() {
            if let Some(found) = self.fail_open(leader, into)? {
                return Ok(self.decision(&found, family, into));
            }
        }
        into.clear();
        Ok(Decision {
            pool: None,
            settled: true,
            failing_open: false,
            why: Why::FailOpen,
        })
    }

    /// Whether the chain has a family at all; one that never had it is not degraded.
    pub(crate) fn has(&self, family: Family) -> bool {
        let mut pools = self.view.pools_of(self.arm).iter();
        pools.any(|number| {
            self.pools
                .pool(*number)
                .is_some_and(|pool| pool.has(family))
        })
    }

    /// Where the rows of the chain begin in the record of the class.
    pub(crate) fn rows(&self) -> usize {
        (self.class as usize).saturating_add(1 + self.arm.offset)
    }

    fn link(&self, position: usize) -> Result<Link<'g, 'a>, Broken> {
        let pools = self.view.pools_of(self.arm);
        let number = *pools.get(position).ok_or(Broken)?;
        Ok(Link {
            number,
            pool: self.pools.pool(number).ok_or(Broken)?,
            row: self
                .view
                .row(self.class, self.arm, position)
                .ok_or(Broken)?,
        })
    }

    /// The pools of the chain that may answer this class at all.
    fn reachable(&self) -> impl Iterator<Item = Result<Link<'g, 'a>, Broken>> {
        let links = (0..self.view.pools_of(self.arm).len()).map(|position| self.link(position));
        links.filter(|link| !matches!(link, Ok(link) if link.row.items.is_empty()))
    }

    /// The first usable pool; load alone never leaves a user with nothing, or a dead node.
    fn healthy(
        &self,
        family: Family,
        load: Option<u64>,
        into: &mut Found,
    ) -> Result<Option<Deciding<'g, 'a>>, Broken> {
        let asked = Asked {
            family,
            load,
            ignore: false,
        };
        match self.walk(asked, into)? {
            None if load.is_some() => self.walk(asked.whatever_load(), into),
            found => Ok(found),
        }
    }

    /// The first usable pool of the chain; asked again with `min_up` 1 if none has enough.
    ///
    /// A pool that is passed over decides too: while it is unsettled, users may soon come back.
    fn walk(&self, asked: Asked, into: &mut Found) -> Result<Option<Deciding<'g, 'a>>, Broken> {
        let mut settled = true;
        for relaxed in [false, true] {
            let mut strict = false;
            for link in self.reachable() {
                let link = link?;
                strict |= link.pool.min_up != 1;
                if relaxed || self.enough_up(link.pool) {
                    let found = self.in_pool(link, asked, settled, into);
                    if found.is_some() {
                        return Ok(found);
                    }
                }
                settled = settled && self.all_settled(link.pool.members());
            }
            if !strict {
                break;
            }
        }
        Ok(None)
    }

    /// The chain as if no probe had ever spoken, if its first pool says so; overrides hold.
    fn fail_open(
        &self,
        family: Family,
        into: &mut Found,
    ) -> Result<Option<Deciding<'g, 'a>>, Broken> {
        if !self.link(0)?.pool.open {
            return Ok(None);
        }
        let asked = Asked {
            family,
            load: None,
            ignore: true,
        };
        for link in self.reachable() {
            let found = self.in_pool(link?, asked, false, into);
            if found.is_some() {
                return Ok(found);
            }
        }
        Ok(None)
    }

    /// The first tier with a usable member, and those behind it that `min_answers` needs.
    fn in_pool(
        &self,
        link: Link<'g, 'a>,
        asked: Asked,
        mut settled: bool,
        into: &mut Found,
    ) -> Option<Deciding<'g, 'a>> {
        into.clear();
        let least = link.pool.min_answers;
        for tier in link.tiers() {
            if into.tiers.is_empty() {
                settled = settled && self.tier_settled(&link, tier);
            }
            self.take(&link, tier, asked, into);
            if into.has(least) {
                break;
            }
        }
        if let Some(from) = link.tail_from().filter(|_| !into.has(least)) {
            self.in_tail((&link, from), asked, &mut settled, into);
        }
        (!into.tiers.is_empty()).then_some(Deciding {
            link,
            asked,
            settled,
        })
    }

    /// Add a tier's candidates, if it has any.
    pub(crate) fn take(&self, link: &Link, tier: Tier, asked: Asked, into: &mut Found) {
        let start = into.candidates.len();
        let members = self.each(link, tier);
        self.members()
            .candidates(members, asked, &mut into.candidates);
        if into.mark(start) {
            into.places.push(tier);
        }
    }

    /// The usable members of the tiers found; perhaps none of the family that is asked for.
    fn decision(&self, found: &Deciding<'g, 'a>, family: Family, into: &mut Found) -> Decision {
        let (link, asked) = (&found.link, found.asked);
        if link.pool.sheds && asked.load.is_none() && !asked.ignore {
            for tier in &into.places {
                let members = self.each(link, *tier);
                let sheds = members.filter_map(|member| self.members().shed(member));
                into.sheds.extend(sheds);
            }
        }
        if family != asked.family {
            into.candidates.clear();
            into.tiers.clear();
            for at in 0..into.places.len() {
                let start = into.candidates.len();
                if let Some(tier) = into.places.get(at) {
                    let members = self.each(link, *tier);
                    let asked = Asked { family, ..asked };
                    self.members()
                        .candidates(members, asked, &mut into.candidates);
                }
                into.mark(start);
            }
        }
        Decision {
            pool: Some(link.number),
            settled: found.settled,
            failing_open: asked.ignore,
            why: self.why(found, into),
        }
    }

    /// Why the tiers found decide.
    fn why(&self, found: &Deciding<'g, 'a>, tiers: &Found) -> Why {
        if found.asked.ignore {
            Why::FailOpen
        } else if found.asked.load.is_some() {
            Why::Load
        } else if self.view.pools_of(self.arm).first() != Some(&found.link.number) {
            Why::Fallback
        } else if !matches!(tiers.places.first(), Some(Tier::Row(0, _))) {
            Why::NextTier
        } else if self.view.has_rule(self.class) {
            Why::Rule
        } else {
            Why::Preferred
        }
    }

    fn enough_up(&self, pool: &Pool) -> bool {
        if pool.min_up == 1 {
            return true; // finding one is what the walk does anyway
        }
        let is_up = |member: &u32| self.members().is_up(*member);
        pool.members().filter(is_up).take(pool.min_up).count() >= pool.min_up
    }

    pub(crate) fn all_settled(&self, mut members: Range<u32>) -> bool {
        members.all(|member| self.members().is_settled(member))
    }

    fn tier_settled(&self, link: &Link, tier: Tier) -> bool {
        let mut members = self.each(link, tier);
        members.all(|member| self.members().is_settled(member))
    }

    /// The members of a tier.
    fn each<'t>(
        &'t self,
        link: &Link<'t, 'a>,
        tier: Tier,
    ) -> impl Iterator<Item = u32> + use<'t, 'g, 'a, W> {
        let (pools, pool) = (self.pools, link.pool);
        link.places(tier)
            .flat_map(move |place| pools.at_place(pool, place))
    }

    pub(crate) fn members(&self) -> Members<'g, 'a, W> {
        Members {
            pools: self.pools,
            words: self.words,
        }
    }
}
