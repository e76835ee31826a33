//! From a question to a reply: the algorithm of RFC 1034 section 4.3.2 on one generation.

use crate::authority::{negative, refer};
use crate::draw::Scratch;
use crate::fault::Broken;
use crate::generation::Generation;
use crate::hints::{fill, is_hinted};
use crate::name::{Name, parent};
use crate::query::Query;
use crate::reply::{Pointed, QNAME_POINTER, Reply};
use crate::steered::{Asker, Steering};
use crate::wire::{
    CLASS_ANY, CLASS_IN, NXDOMAIN, REFUSED, TYPE_A, TYPE_AAAA, TYPE_ANY, TYPE_AXFR, TYPE_CNAME,
    TYPE_DS, TYPE_HTTPS, TYPE_IXFR, TYPE_SVCB, YXDOMAIN,
};
use crate::words::Words;
use crate::zone::{Owner, RRset, Zone};

/// Owners one answer walks through by CNAME. Source: `geodns.engine.lookup`.
pub(crate) const CHAIN_MAX: usize = 9;

/// One query on its way: what it asks, where its answer goes.
pub(crate) struct Lookup<'g, 'a, 's, W: ?Sized> {
    pub(crate) steering: Steering<'g, 'a, W>,
    pub(crate) asker: Asker,
    pub(crate) scratch: &'s mut Scratch,
}

/// A name in its zone; `asked` says that it is the question's.
struct Here<'z, 'a> {
    zone: &'z Zone<'a>,
    name: &'z [u8],
    asked: bool,
}

impl Here<'_, '_> {
    /// The owner of records at this name, as it is written, with room for it.
    fn owner<'r>(&self, query: &Query, room: &'r mut Option<Pointed>) -> &'r [u8] {
        if self.asked {
            return &QNAME_POINTER;
        }
        let pointed = Pointed::new(self.name, query.qname.octets());
        room.insert(pointed).octets()
    }
}

impl<W: Words + ?Sized> Lookup<'_, '_, '_, W> {
    /// Fill in the reply.
    pub(crate) fn search(&mut self, reply: &mut Reply) -> Result<(), Broken> {
        let generation = self.steering.generation;
        let query = reply.query;
        let zone = zone_asked(generation, query);
        self.scratch.seen.zone = zone.map_or(0, |zone| zone.row);
        let is_known = matches!(query.qclass, CLASS_IN | CLASS_ANY);
        let is_transfer = matches!(query.qtype, TYPE_AXFR | TYPE_IXFR);
        let Some(mut zone) = zone.filter(|_| is_known && !is_transfer) else {
            reply.rcode = REFUSED;
            reply.authoritative = false;
            return Ok(());
        };
        // RFC 1035 section 6.2: one class of several is not the whole truth.
        reply.authoritative = query.qclass == CLASS_IN;
        self.scratch.followed.clear();
        self.scratch.redirected.clear();
        let mut target = None;
        loop {
            let name = target.as_ref().map_or(query.qname.octets(), Name::octets);
            let asked = target.is_none();
            let Some(next) = self.at(&Here { zone, name, asked }, reply)? else {
                return Ok(());
            };
            match self
                .follow(&next, query)
                .then(|| generation.zone_of(next.octets()))
                .flatten()
            {
                Some(found) => zone = found,
                None => return Ok(()),
            }
            target = Some(next);
        }
    }

    /// RFC 1034 section 4.3.2 step 3 for one name: out by a cut or DNAME, found, or not.
    /// Returns the name to go on at.
    fn at(&mut self, here: &Here, reply: &mut Reply) -> Result<Option<Name>, Broken> {
        let zone = here.zone;
        let barrier = zone
            .has_barriers
            .then(|| zone.barrier_above(here.name))
            .flatten();
        if let Some(barrier) = barrier {
            let is_here = zone.name_of(barrier)? == here.name;
            if let Some(dname) = zone.dname(barrier).filter(|_| !is_here) {
                return self.redirect(here, barrier, &dname, reply);
            }
            // RFC 4035 section 3.1.4.1: at the cut itself, DS is the parent's to answer.
            if !(is_here && reply.query.qtype == TYPE_DS) {
                refer(zone, barrier, reply)?;
                return Ok(None);
            }
        }
        let owner = match zone.owner(here.name) {
            None => zone.wildcard(here.name)?,
            found => found,
        };
        if let Some(owner) = owner {
            return self.answer(here, owner, reply);
        }
        reply.rcode = NXDOMAIN; // RFC 6604 section 3: the rcode speaks of a chain's end
        negative(zone, reply);
        Ok(None)
    }

    /// Step 3a, the whole of the name matched.
    fn answer(
        &mut self,
        here: &Here,
        owner: Owner,
        reply: &mut Reply,
    ) -> Result<Option<Name>, Broken> {
        let (zone, qtype) = (here.zone, reply.query.qtype);
        let Some(rrset) = zone
            .rrset(owner, qtype)
            .or_else(|| stand_in(zone, owner, qtype))
        else {
            negative(zone, reply);
            return Ok(None);
        };
        if let Some(number) = rrset.steer {
            self.steer(here, number, &rrset, reply)?;
            return Ok(None);
        }
        let can_hint = matches!(rrset.rtype, TYPE_SVCB | TYPE_HTTPS);
        if can_hint && zone.records(&rrset).any(is_hinted) {
            self.hint(here, owner, &rrset, reply)?;
        } else {
            let mut room = None;
            let written = here.owner(reply.query, &mut room);
            for rdata in zone.records(&rrset) {
                reply.put_record(written, rrset.rtype, rrset.ttl, rdata);
            }
        }
        reply.answers += rrset.count();
        let is_alias = rrset.rtype == TYPE_CNAME && !matches!(qtype, TYPE_CNAME | TYPE_ANY);
        if !is_alias {
            return Ok(None);
        }
        let target = zone.records(&rrset).next().ok_or(Broken)?;
        Name::lower(target).map(Some).ok_or(Broken)
    }

    fn steer(
        &mut self,
        here: &Here,
        number: u32,
        rrset: &RRset,
        reply: &mut Reply,
    ) -> Result<(), Broken> {
        let steer = here.zone.steer(number, rrset.ttl)?;
        let subject = self.steering.subject(&steer, reply, self.asker)?;
        self.scratch.last_view = steer.view;
        let query = reply.query;
        let found = self
            .steering
            .answer(&steer, rrset.rtype, subject, query, self.scratch)?;
        reply.ede = found.ede.or(reply.ede);
        let mut room = None;
        let written = here.owner(query, &mut room);
        let before = reply.answers;
        for chosen in self.scratch.chosen() {
            let pools = &self.steering.generation.pools;
            pools.addresses(chosen.member, found.family, chosen.usable, |address| {
                reply.put_record(written, rrset.rtype, found.ttl, address);
                reply.answers += 1;
            });
        }
        self.scratch.answer(found.why);
        if reply.answers == before {
            negative(here.zone, reply);
        }
        Ok(())
    }

    /// SVCB and HTTPS records whose address hints follow the steer at their own name.
    fn hint(
        &mut self,
        here: &Here,
        owner: Owner,
        rrset: &RRset,
        reply: &mut Reply,
    ) -> Result<(), Broken> {
        let zone = here.zone;
        let addresses = zone.rrset(owner, TYPE_A).ok_or(Broken)?;
        let steer = zone.steer(addresses.steer.ok_or(Broken)?, addresses.ttl)?;
        let subject = self.steering.subject(&steer, reply, self.asker)?;
        for (place, rtype) in [TYPE_A, TYPE_AAAA].into_iter().enumerate() {
            let query = reply.query;
            let found = self
                .steering
                .answer(&steer, rtype, subject, query, self.scratch)?;
            let mut hints = std::mem::take(self.scratch.hints.get_mut(place).ok_or(Broken)?);
            hints.clear();
            for chosen in self.scratch.chosen() {
                let pools = &self.steering.generation.pools;
                pools.addresses(chosen.member, found.family, chosen.usable, |address| {
                    hints.extend_from_slice(address);
                });
            }
            *self.scratch.hints.get_mut(place).ok_or(Broken)? = hints;
        }
        let [four, six] = &self.scratch.hints;
        let written = Pointed::new(here.name, reply.query.qname.octets());
        for rdata in zone.records(rrset) {
            reply.put_record(written.octets(), rrset.rtype, rrset.ttl.min(steer.ttl), &[]);
            let start = reply.writer.size();
            fill(rdata, four, six, &mut reply.writer);
            let size = reply.writer.size().saturating_sub(start);
            reply.writer.patch_size(start.saturating_sub(2), size);
        }
        Ok(())
    }

    /// Step 3a, CNAME: go on at the target while it is ours, and was not met before: RFC 2181
    /// section 5, no record twice.
    fn follow(&mut self, target: &Name, query: &Query) -> bool {
        let followed = &mut self.scratch.followed;
        let is_target = |name: &Name| name.octets() == target.octets();
        if is_target(&query.qname) || followed.iter().any(is_target) || followed.len() >= CHAIN_MAX
        {
            return false;
        }
        followed.push(*target);
        true
    }

    /// RFC 6672 section 3.2: the DNAME itself, and a CNAME made for this one name.
    fn redirect(
        &mut self,
        here: &Here,
        barrier: Owner,
        dname: &RRset,
        reply: &mut Reply,
    ) -> Result<Option<Name>, Broken> {
        let (zone, query) = (here.zone, reply.query);
        let owner = zone.name_of(barrier)?;
        let rdata = zone.records(dname).next().ok_or(Broken)?;
        let redirected = &mut self.scratch.redirected;
        if redirected.iter().all(|name| name.octets() != owner) {
            redirected.push(Name::lower(owner).ok_or(Broken)?);
            let written = Pointed::new(owner, query.qname.octets());
            for rdata in zone.records(dname) {
                reply.put_record(written.octets(), dname.rtype, dname.ttl, rdata);
            }
            reply.answers += 1;
        }
        let kept = here.name.len().checked_sub(owner.len()).ok_or(Broken)?;
        let from = if here.asked {
            query.question()
        } else {
            here.name
        };
        let prefix = from.get(..kept).ok_or(Broken)?;
        let Some(target) = Name::joined(prefix, rdata) else {
            reply.rcode = YXDOMAIN; // RFC 6672 section 2.2
            return Ok(None);
        };
        let written = Pointed::new(here.name, query.qname.octets());
        // RFC 6672 section 3.1: the CNAME lives as long as its DNAME.
        reply.put_record(written.octets(), TYPE_CNAME, dname.ttl, &[]);
        reply.writer.patch_size(
            reply.writer.size().saturating_sub(2),
            prefix.len() + rdata.len(),
        );
        reply.writer.put(prefix);
        reply.writer.put(rdata);
        reply.answers += 1;
        let goes_on = !matches!(query.qtype, TYPE_CNAME | TYPE_ANY);
        Ok(goes_on.then_some(target))
    }
}

/// The zone to ask: DS is the parent's, if we serve the parent too (RFC 4035 section 3.1.4.1).
fn zone_asked<'g, 'a>(generation: &'g Generation<'a>, query: &Query) -> Option<&'g Zone<'a>> {
    let qname = query.qname.octets();
    let zone = generation.zone_of(qname)?;
    if query.qtype == TYPE_DS && qname == zone.apex {
        let above = parent(qname).and_then(|above| generation.zone_of(above));
        return above
            .filter(|above| above.owner(qname).is_some())
            .or(Some(zone));
    }
    Some(zone)
}

/// What answers where the type itself is not there: a CNAME, or one RRset for ANY.
fn stand_in(zone: &Zone, owner: Owner, qtype: u16) -> Option<RRset> {
    if qtype == TYPE_ANY {
        return zone.first_rrset(owner); // RFC 8482 section 4.1: a subset is enough
    }
    zone.rrset(owner, TYPE_CNAME)
}
