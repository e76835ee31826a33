//! Steered answers: whom, by which decision, drawn how.

use crate::choose::{Chain, Decision};
use crate::draw::{Drawn, Scratch, pick};
use crate::fault::Broken;
use crate::generation::Generation;
use crate::key::Key;
use crate::memo::Kept;
use crate::mix::{Address, SHED, SPLIT};
use crate::pool::Family;
use crate::query::Query;
use crate::reply::{Ede, Reply};
use crate::seen::Why;
use crate::source::Source;
use crate::subject::{Locator, Subject};
use crate::wire::{TYPE_A, TYPE_AAAA, TYPE_CNAME};
use crate::words::Words;
use crate::zone::Steer;

const EDE_OTHER: u16 = 0; // RFC 8914 section 4.1
const EDE_NOTHING_LEFT: Ede = Ede(EDE_OTHER, "no usable node");
const EDE_LOCATION_UNKNOWN: Ede = Ede(EDE_OTHER, "location unknown");
const EDE_FAILING_OPEN: Ede = Ede(EDE_OTHER, "failing open: no healthy node");

/// Who asks.
#[derive(Clone, Copy)]
pub(crate) struct Asker {
    pub(crate) source: Source,
    /// Whether the client subnets of this resolver count.
    pub(crate) trusted: bool,
}

/// Decides for one generation under the words of the moment.
pub(crate) struct Steering<'g, 'a, W: ?Sized> {
    pub(crate) generation: &'g Generation<'a>,
    pub(crate) words: &'g W,
}

/// What `answer` found; the chosen nodes stand in the scratch.
pub(crate) struct Steered {
    pub(crate) family: Family,
    pub(crate) ttl: u32,
    pub(crate) ede: Option<Ede>,
    pub(crate) why: Why,
}

impl<'g, 'a, W: Words + ?Sized> Steering<'g, 'a, W> {
    /// Whom a query is steered by; the reply's scope follows.
    pub(crate) fn subject(
        &self,
        steer: &Steer,
        reply: &mut Reply,
        asker: Asker,
    ) -> Result<Subject, Broken> {
        let locator = Locator {
            generation: self.generation,
            view: self.generation.views.get(steer.view).ok_or(Broken)?,
        };
        let subnet = reply.query.edns.as_ref().and_then(|edns| edns.subnet);
        let subnet = subnet.filter(|_| steer.ecs && asker.trusted);
        let subject = locator.subject(subnet, asker.source)?;
        // RFC 7871 section 7.2.1: of several decisions the narrowest holds for the reply.
        reply.scope = reply.scope.max(subject.scope);
        if !subject.placed {
            reply.ede = Some(EDE_LOCATION_UNKNOWN);
        }
        Ok(subject)
    }

    /// Choose the nodes of one answer.
    pub(crate) fn answer(
        &self,
        steer: &Steer,
        rtype: u16,
        subject: Subject,
        query: &Query,
        scratch: &mut Scratch,
    ) -> Result<Steered, Broken> {
        let family = match rtype {
            TYPE_A => Family::V4,
            TYPE_AAAA => Family::V6,
            TYPE_CNAME => Family::Name,
            _ => return Err(Broken),
        };
        let chain = self.chain(steer, subject)?;
        let kept = self.decided(steer, &chain, (family, subject.address), scratch)?;
        let decision = kept.decision;
        scratch.choose_none();
        if let Some(number) = decision.pool {
            let pool = self.generation.pools.pool(number).ok_or(Broken)?;
            let drawn = Drawn {
                salt: steer.salt,
                address: subject.address,
                message_id: crate::wire::u16_at(query.packet, 0).unwrap_or(0),
            };
            pick(&self.generation.pools, pool, &kept, drawn, scratch);
        }
        let is_empty = scratch.chosen().next().is_none();
        Ok(Steered {
            family,
            ttl: if decision.settled {
                steer.ttl
            } else {
                steer.ttl_min
            },
            ede: ede(&decision, is_empty, || chain.has(family)),
            why: decision.why,
        })
    }

    /// The decision for a user: that for a class and arm, unless load sends the user away from
    /// somebody who would answer.
    fn decided(
        &self,
        steer: &Steer,
        chain: &Chain<'g, 'a, W>,
        (family, user): (Family, Address),
        scratch: &mut Scratch,
    ) -> Result<Kept, Broken> {
        let key = Key::new(steer.view, chain.rows(), family);
        let kept = self.kept(key, chain, (family, None), scratch)?;
        let sheds = scratch.memo.sheds(&kept);
        if sheds.is_empty() {
            return Ok(kept);
        }
        let load = user.base(steer.salt, SHED);
        if !sheds.iter().any(|shed| shed.sends_away(load)) {
            return Ok(kept);
        }
        self.unloaded(key.with_load(load), chain, (family, load), scratch)
    }

    /// The decision for a user whom somebody sends away.
    #[inline(never)]
    fn unloaded(
        &self,
        key: Key,
        chain: &Chain<'g, 'a, W>,
        (family, load): (Family, u64),
        scratch: &mut Scratch,
    ) -> Result<Kept, Broken> {
        self.kept(key, chain, (family, Some(load)), scratch)
    }

    /// A decision: made once while no word changes.
    #[inline]
    fn kept(
        &self,
        key: Key,
        chain: &Chain<'g, 'a, W>,
        (family, load): (Family, Option<u64>),
        scratch: &mut Scratch,
    ) -> Result<Kept, Broken> {
        // The epoch is read before the words (FORMAT.md, "Status table").
        if let Some(kept) = scratch.memo.find(key, self.words.epoch()) {
            return Ok(kept);
        }
        Self::make(key, chain, (family, load), scratch)
    }

    #[cold]
    fn make(
        key: Key,
        chain: &Chain<'g, 'a, W>,
        (family, load): (Family, Option<u64>),
        scratch: &mut Scratch,
    ) -> Result<Kept, Broken> {
        let decision = chain.decide(family, load, &mut scratch.found)?;
        Ok(scratch.keep(key, decision))
    }

    /// The chain of a user: that of the class, or of the arm that is the user's.
    fn chain(&self, steer: &Steer, subject: Subject) -> Result<Chain<'g, 'a, W>, Broken> {
        let view = self.generation.views.get(steer.view).ok_or(Broken)?;
        let destination = view.destination(subject.class)?;
        let arm = destination.arm(|| subject.address.base(steer.salt, SPLIT));
        Ok(Chain {
            pools: &self.generation.pools,
            view,
            class: subject.class,
            arm: arm.ok_or(Broken)?,
            words: self.words,
        })
    }
}

fn ede(decision: &Decision, is_empty: bool, has_family: impl Fn() -> bool) -> Option<Ede> {
    match decision.pool {
        None => has_family().then_some(EDE_NOTHING_LEFT),
        Some(_) => (decision.failing_open && !is_empty).then_some(EDE_FAILING_OPEN),
    }
}
