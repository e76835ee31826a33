//! Whether a query is one for a debug name, which the reference engine in the host answers.

use crate::generation::Generation;
use crate::query::Query;
use crate::source::{Network, Source};
use crate::wire::{CLASS_CH, CLASS_IN, TYPE_TXT};

/// Who may ask debug names, and what the server tells of itself.
#[derive(Debug, Clone, Default)]
pub struct DebugNames {
    /// The packet sources that are allowed.
    pub sources: Vec<Network>,
    /// Whether the server has an identity to tell (RFC 4892: public by nature).
    pub identity: bool,
}

const VERSION_NAMES: [&[u8]; 2] = [b"\x07version\x04bind\0", b"\x07version\x06server\0"];
const IDENTITY_NAMES: [&[u8]; 2] = [b"\x02id\x06server\0", b"\x08hostname\x04bind\0"];
const PREFIXES: [&[u8]; 3] = [b"\x05_aaaa\x08_explain", b"\x08_explain", b"\x07_status"];
const WHOAMI: &[u8] = b"\x07_whoami";

impl DebugNames {
    /// Whether the host must answer; it leaves to the zones what is none of these after all.
    pub(crate) fn claims(
        &self,
        generation: &Generation<'_>,
        query: &Query,
        source: Source,
        proven: bool,
    ) -> bool {
        let name = query.qname.octets();
        match (query.qclass, query.qtype) {
            (CLASS_CH, _) => {
                let version = VERSION_NAMES.contains(&name) && self.allows(source, proven);
                version || (self.identity && IDENTITY_NAMES.contains(&name))
            }
            (CLASS_IN, TYPE_TXT) if name.get(1) == Some(&b'_') => {
                self.claims_text(generation, name, source, proven)
            }
            _ => false,
        }
    }

    fn claims_text(
        &self,
        generation: &Generation<'_>,
        name: &[u8],
        source: Source,
        proven: bool,
    ) -> bool {
        // Where the zone has such an owner, it is an ordinary name.
        let zone = generation.zone_of(name);
        let Some(zone) = zone.filter(|zone| zone.owner(name).is_none()) else {
            return false;
        };
        let allowed = self.allows(source, proven);
        if name.strip_prefix(WHOAMI) == Some(zone.apex) && (zone.whoami || allowed) {
            return true;
        }
        allowed && PREFIXES.iter().any(|prefix| name.starts_with(prefix))
    }

    fn allows(&self, source: Source, proven: bool) -> bool {
        let known = self.sources.iter().any(|network| network.contains(source));
        known && (proven || source.is_loopback())
    }
}
