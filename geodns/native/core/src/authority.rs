//! The authority section: referrals and negative answers.

use crate::fault::Broken;
use crate::name::Name;
use crate::reply::{Pointed, Reply};
use crate::wire::{TYPE_A, TYPE_AAAA, TYPE_NS, TYPE_SOA};
use crate::zone::{Owner, Zone};

/// RFC 1034 section 4.3.2 step 3b: below a cut the child's servers answer, not we.
pub(crate) fn refer(zone: &Zone, cut: Owner, reply: &mut Reply) -> Result<(), Broken> {
    let qname = reply.query.qname.octets();
    let servers = zone.rrset(cut, TYPE_NS).ok_or(Broken)?;
    if reply.answers == 0 {
        reply.authoritative = false; // after a CNAME of ours, AA speaks of that (RFC 1035 §4.1.1)
    }
    let written = Pointed::new(zone.name_of(cut)?, qname);
    for rdata in zone.records(&servers) {
        reply.put_record(written.octets(), TYPE_NS, servers.ttl, rdata);
    }
    reply.authorities = servers.count();
    for server in zone.records(&servers) {
        // RFC 9471 section 3: all glue, or TC
        let server = Name::lower(server).ok_or(Broken)?;
        let Some(host) = zone.glued(server.octets()) else {
            continue;
        };
        let written = Pointed::new(server.octets(), qname);
        for rtype in [TYPE_A, TYPE_AAAA] {
            let glue = zone.rrset(host, rtype).filter(|glue| glue.steer.is_none());
            let Some(glue) = glue else { continue };
            for rdata in zone.records(&glue) {
                reply.put_record(written.octets(), rtype, glue.ttl, rdata);
            }
            reply.additionals += glue.count();
        }
    }
    Ok(())
}

/// RFC 2308 section 2: the SOA in the authority section says how long.
pub(crate) fn negative(zone: &Zone, reply: &mut Reply) {
    let written = Pointed::new(zone.apex, reply.query.qname.octets());
    reply.put_record(written.octets(), TYPE_SOA, zone.negative_ttl, zone.soa);
    reply.authorities = 1;
}
