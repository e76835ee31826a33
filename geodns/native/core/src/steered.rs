//! Steered answers: whom, by which decision, drawn how.

use crate::choose::{Chain, Decision};
use crate::draw::{Scratch, pick};
use crate::fault::Broken;
use crate::generation::Generation;
use crate::memo::{Kept, Key};
use crate::pools::Family;
use crate::query::Query;
use crate::reply::{Ede, Reply};
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
        let chain = self.chain(steer, subject.class)?;
        let kept = self.decided(steer, &chain, family, scratch)?;
        let decision = kept.decision;
        scratch.choose_none();
        if let Some(number) = decision.pool {
            let pool = self.generation.pools.pool(number).ok_or(Broken)?;
            pick(
                pool,
                &kept,
                steer.salt,
                drawn_value(subject, query),
                scratch,
            );
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
        })
    }

    /// The decision for a class: made once while no word changes.
    fn decided(
        &self,
        steer: &Steer,
        chain: &Chain<'g, 'a, W>,
        family: Family,
        scratch: &mut Scratch,
    ) -> Result<Kept, Broken> {
        let key = Key::new(steer.view, chain.class, family);
        // The epoch is read before the words (FORMAT.md, "Status table").
        if let Some(kept) = scratch.memo.find(key, self.words.epoch()) {
            return Ok(kept);
        }
        let decision = chain.decide(family, scratch)?;
        Ok(scratch.keep(key, decision))
    }

    fn chain(&self, steer: &Steer, class: u32) -> Result<Chain<'g, 'a, W>, Broken> {
        Ok(Chain {
            pools: &self.generation.pools,
            view: self.generation.views.get(steer.view).ok_or(Broken)?,
            class,
            words: self.words,
        })
    }
}

/// What the draws of a query depend on: its subject and its message ID.
fn drawn_value(subject: Subject, query: &Query) -> u64 {
    let id = crate::wire::u16_at(query.packet, 0).unwrap_or(0);
    subject.value ^ u64::from(id) << 32
}

fn ede(decision: &Decision, is_empty: bool, has_family: impl Fn() -> bool) -> Option<Ede> {
    match decision.pool {
        None => has_family().then_some(EDE_NOTHING_LEFT),
        Some(_) => (decision.failing_open && !is_empty).then_some(EDE_FAILING_OPEN),
    }
}
