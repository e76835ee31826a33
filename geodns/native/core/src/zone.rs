//! Zones: from a name to its owner and RRsets (FORMAT.md, "Kind 1: ZONE").

use std::ops::Range;

use crate::fault::{Broken, LoadFault};
use crate::name::{ancestors, parent};
use crate::section::Section;
use crate::wire::{TYPE_DNAME, TYPE_SOA};

const NO_STEER: u32 = 0xFFFF_FFFF;
const CUT: u8 = 1;
const WILDCARD_CHILD: u8 = 2;
const REDIRECT: u8 = 4;
const ZONE_BARRIERS: u32 = 1;
const ZONE_WHOAMI: u32 = 2;
const STEER_ECS: u32 = 1;
const WILDCARD_LABEL: &[u8] = b"\x01*";

/// A name that exists in a zone, by its number.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Owner(usize);

/// Records of one type, or the sign that they are steered.
#[derive(Debug, Clone)]
pub(crate) struct RRset {
    pub(crate) rtype: u16,
    pub(crate) ttl: u32,
    pub(crate) steer: Option<u32>,
    records: Range<usize>,
}

impl RRset {
    pub(crate) fn count(&self) -> usize {
        self.records.len()
    }
}

/// How a steered name is steered.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Steer {
    pub(crate) view: usize,
    pub(crate) ttl: u32,
    pub(crate) ttl_min: u32,
    pub(crate) ecs: bool,
    pub(crate) salt: u64,
}

/// One zone's section, searched in place.
#[derive(Debug)]
pub(crate) struct Zone<'a> {
    pub(crate) apex: &'a [u8],
    pub(crate) has_barriers: bool,
    pub(crate) whoami: bool,
    pub(crate) negative_ttl: u32,
    pub(crate) soa: &'a [u8],
    /// Where its queries are counted.
    pub(crate) row: u32,
    apex_owner: Owner,
    bucket: &'a [u32],
    name_at: &'a [u32],
    name_octets: &'a [u8],
    flags: &'a [u8],
    rrset_at: &'a [u32],
    rtype: &'a [u16],
    ttl: &'a [u32],
    steer: &'a [u32],
    rdata_at: &'a [u32],
    rdata_end: &'a [u32],
    rdata_octets: &'a [u8],
    views: Vec<usize>,
    steer_ttl_min: &'a [u32],
    steer_flags: &'a [u32],
    salt: &'a [u64],
}

impl<'a> Zone<'a> {
    /// `view_of` gives the position of a view by its name.
    pub(crate) fn new(
        section: &Section<'a>,
        view_of: impl Fn(u64) -> Option<usize>,
    ) -> Result<Self, LoadFault> {
        let missing = LoadFault::Contradiction("a zone names a view that there is not");
        let views = section.column::<u64>("view")?.iter();
        let views: Option<Vec<usize>> = views.map(|name| view_of(*name)).collect();
        let flags = section.scalar("zone_flags")?;
        section.scalar("serial")?;
        let (name_octets, flags_of) = (section.column("name_octets")?, section.column("flags")?);
        let (rtype, rdata_octets) = (section.column("rtype")?, section.column("rdata_octets")?);
        let rdata_end = section.column::<u32>("rdata_end")?;
        let records = rdata_end.len().saturating_sub(1);
        let mut zone = Self {
            apex: section.column("apex")?,
            has_barriers: flags & ZONE_BARRIERS != 0,
            whoami: flags & ZONE_WHOAMI != 0,
            negative_ttl: 0,
            soa: &[],
            row: 0,
            apex_owner: Owner(0),
            bucket: section.column("bucket")?,
            name_at: section.bounds("name_at", flags_of.len(), name_octets.len())?,
            name_octets,
            flags: flags_of,
            rrset_at: section.bounds("rrset_at", flags_of.len(), rtype.len())?,
            rtype,
            ttl: section.column("ttl")?,
            steer: section.column("steer")?,
            rdata_at: section.bounds("rdata_at", rtype.len(), records)?,
            rdata_end: section.bounds("rdata_end", records, rdata_octets.len())?,
            rdata_octets,
            views: views.ok_or(missing)?,
            steer_ttl_min: section.column("steer_ttl_min")?,
            steer_flags: section.column("steer_flags")?,
            salt: section.column("salt")?,
        };
        let known = |steer: &u32| *steer == NO_STEER || (*steer as usize) < zone.views.len();
        if !zone.steer.iter().all(known) {
            return Err(LoadFault::Contradiction(
                "a zone names a steer that there is not",
            ));
        }
        let no_soa = LoadFault::Contradiction("a zone has no SOA");
        zone.read_soa().ok_or(no_soa)?;
        Ok(zone)
    }

    /// RFC 2308 section 5: a negative answer lives for the lesser of the SOA's TTL and MINIMUM.
    fn read_soa(&mut self) -> Option<()> {
        self.apex_owner = self.owner(self.apex)?;
        let rrset = self.rrset(self.apex_owner, TYPE_SOA)?;
        let soa = self.records(&rrset).next()?;
        let minimum = u32::from_be_bytes(*soa.last_chunk::<4>()?);
        self.negative_ttl = rrset.ttl.min(minimum);
        self.soa = soa;
        Some(())
    }

    /// The owner of a canonical name; None if it does not exist.
    pub(crate) fn owner(&self, name: &[u8]) -> Option<Owner> {
        let mask = self.bucket.len().checked_sub(1)?;
        let mut at = crc32fast::hash(name) as usize & mask;
        // At most half of the buckets are taken, so the walk ends; the bound is for spoilt files.
        for _ in 0..self.bucket.len() {
            let number = (*self.bucket.get(at)? as usize).checked_sub(1)?;
            if self.name(number) == Some(name) {
                return Some(Owner(number));
            }
            at = (at + 1) & mask;
        }
        None
    }

    fn name(&self, number: usize) -> Option<&'a [u8]> {
        slice(self.name_octets, self.name_at, number)
    }

    /// The name of an owner.
    pub(crate) fn name_of(&self, owner: Owner) -> Result<&'a [u8], Broken> {
        self.name(owner.0).ok_or(Broken)
    }

    /// The owner of a server's addresses here; what a DNAME hides is no address of it. RFC 6672
    /// section 2.4: data below a DNAME is occluded; below a cut it is glue.
    pub(crate) fn glued(&self, name: &[u8]) -> Option<Owner> {
        let host = self.owner(name)?;
        let barrier = self.barrier_above(name);
        let shows = |barrier| barrier == host || self.has_flag(barrier, CUT);
        barrier.is_none_or(shows).then_some(host)
    }

    fn has_flag(&self, owner: Owner, flags: u8) -> bool {
        self.flags
            .get(owner.0)
            .is_some_and(|found| found & flags != 0)
    }

    /// An owner's records of one type.
    pub(crate) fn rrset(&self, owner: Owner, rtype: u16) -> Option<RRset> {
        let range = pair(self.rrset_at, owner.0)?;
        let types = self.rtype.get(range.clone())?;
        let at = range.start + types.iter().position(|found| *found == rtype)?;
        self.read(at)
    }

    /// The first of an owner's RRsets.
    pub(crate) fn first_rrset(&self, owner: Owner) -> Option<RRset> {
        let range = pair(self.rrset_at, owner.0)?;
        (!range.is_empty()).then(|| self.read(range.start))?
    }

    fn read(&self, at: usize) -> Option<RRset> {
        let steer = *self.steer.get(at)?;
        Some(RRset {
            rtype: *self.rtype.get(at)?,
            ttl: *self.ttl.get(at)?,
            steer: (steer != NO_STEER).then_some(steer),
            records: pair(self.rdata_at, at)?,
        })
    }

    /// The data of an RRset's records.
    pub(crate) fn records(&self, rrset: &RRset) -> impl Iterator<Item = &'a [u8]> + use<'a> {
        let (octets, ends) = (self.rdata_octets, self.rdata_end);
        rrset
            .records
            .clone()
            .map_while(move |at| slice(octets, ends, at))
    }

    /// How an RRset is steered.
    pub(crate) fn steer(&self, number: u32, ttl: u32) -> Result<Steer, Broken> {
        let at = number as usize;
        let flags = self.steer_flags.get(at).ok_or(Broken)?;
        Ok(Steer {
            view: *self.views.get(at).ok_or(Broken)?,
            ttl,
            ttl_min: *self.steer_ttl_min.get(at).ok_or(Broken)?,
            ecs: flags & STEER_ECS != 0,
            salt: *self.salt.get(at).ok_or(Broken)?,
        })
    }

    /// The wildcard that stands in for a name that does not exist: only that of the closest
    /// encloser does (RFC 4592 section 3.3.1).
    pub(crate) fn wildcard(&self, name: &[u8]) -> Result<Option<Owner>, Broken> {
        if name == self.apex {
            return Ok(None);
        }
        let mut above = ancestors(name).skip(1);
        let encloser = above.find_map(|name| {
            if name.len() == self.apex.len() {
                return Some((self.apex_owner, name)); // spares a hash in floods of random names
            }
            Some((self.owner(name)?, name))
        });
        let (owner, encloser) = encloser.ok_or(Broken)?;
        if !self.has_flag(owner, WILDCARD_CHILD) {
            return Ok(None);
        }
        let name = crate::name::Name::joined(WILDCARD_LABEL, encloser);
        Ok(name.and_then(|name| self.owner(name.octets())))
    }

    /// The owner that keeps a name from being answered here, the topmost of several: a cut at
    /// the name or above it, or a DNAME above it. What lies below is occluded (RFC 6672 section
    /// 2.4, RFC 2181 section 6).
    pub(crate) fn barrier_above(&self, name: &[u8]) -> Option<Owner> {
        let (mut barrier, mut kinds, mut name) = (None, CUT, name);
        loop {
            if let Some(owner) = self
                .owner(name)
                .filter(|owner| self.has_flag(*owner, kinds))
            {
                barrier = Some(owner);
            }
            if name == self.apex {
                return barrier;
            }
            kinds = CUT | REDIRECT;
            name = parent(name)?;
        }
    }

    /// The DNAME of an owner.
    pub(crate) fn dname(&self, owner: Owner) -> Option<RRset> {
        self.rrset(owner, TYPE_DNAME)
    }
}

/// The bounds of thing number `at`.
fn pair(bounds: &[u32], at: usize) -> Option<Range<usize>> {
    let [from, to] = *bounds.get(at..)?.first_chunk::<2>()?;
    Some(from as usize..to as usize)
}

fn slice<'a>(octets: &'a [u8], bounds: &[u32], at: usize) -> Option<&'a [u8]> {
    octets.get(pair(bounds, at)?)
}
