//! Whom we steer by: the client subnet or the resolver, and the class it falls into.

use crate::edns::Subnet;
use crate::fault::Broken;
use crate::generation::Generation;
use crate::intervals::Place;
use crate::mix::Address;
use crate::source::Source;
use crate::special::{beside_embedded, fold, special_prefix_len4, special_prefix_len6};
use crate::view::{SPECIAL_CLASS, View};

/// Who is steered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Subject {
    pub(crate) class: u32,
    /// What goes into the reply.
    pub(crate) scope: u8,
    /// Whose it is, for draws.
    pub(crate) address: Address,
    /// The place is known, or does not matter.
    pub(crate) placed: bool,
}

/// Locates subjects in one view.
pub(crate) struct Locator<'g, 'a> {
    pub(crate) generation: &'g Generation<'a>,
    pub(crate) view: &'g View<'a>,
}

impl Locator<'_, '_> {
    /// The class of a query, its scope, and what its draws depend on.
    ///
    /// RFC 7871 section 7.1.1: a source prefix length of 0 asks not to be steered by subnet;
    /// then and where no subnet counts, the resolver does and the scope is 0.
    pub(crate) fn subject(
        &self,
        subnet: Option<Subnet>,
        resolver: Source,
    ) -> Result<Subject, Broken> {
        match subnet.filter(|subnet| subnet.source_prefix_len > 0) {
            None => self.by_resolver(resolver, 0),
            Some(subnet) if subnet.family == 1 => self.by_subnet4(subnet, resolver),
            Some(subnet) => self.by_subnet6(subnet, resolver),
        }
    }

    fn by_subnet4(&self, subnet: Subnet, resolver: Source) -> Result<Subject, Broken> {
        let address = u32::from_be_bytes(padded(subnet.address));
        let found = self.find4(address)?;
        if found.value == SPECIAL_CLASS {
            // The block's own length (RFC 7871 section 10), or less of it beside a subnet rule.
            let own = special_prefix_len4(address).unwrap_or(0);
            return self.by_resolver(resolver, own.max(found.scope));
        }
        self.subject4(found, address, 0)
    }

    /// By an IPv4 address, whose bits start at `offset` in the subnet. The scope holds all that
    /// the answer depends on, and may be longer than the source.
    fn subject4(&self, found: Place, address: u32, offset: u8) -> Result<Subject, Broken> {
        let bits = self.view.destination(found.value)?.bits4;
        Ok(Subject {
            class: found.value,
            scope: found.scope.max(bits).saturating_add(offset),
            address: Address::V4(address),
            placed: self.knows4(found.value, address),
        })
    }

    fn by_subnet6(&self, subnet: Subnet, resolver: Source) -> Result<Subject, Broken> {
        let address = u128::from_be_bytes(padded(subnet.address));
        let value = upper(address);
        let found = self.find6(value)?;
        if found.value != SPECIAL_CLASS {
            let bits = self.view.destination(found.value)?.bits6;
            return Ok(Subject {
                class: found.value,
                scope: found.scope.max(bits),
                address: Address::V6(value),
                placed: self.knows6(found.value, value),
            });
        }
        let mut scope = found.scope;
        if let Some(folded) = fold(address, subnet.source_prefix_len) {
            let mut inner = self.find4(folded.address)?;
            if inner.value != SPECIAL_CLASS {
                inner.scope = inner.scope.max(scope.saturating_sub(folded.offset));
                return self.subject4(inner, folded.address, folded.offset);
            }
            scope = scope.max(inner.scope.saturating_add(folded.offset));
        }
        // A source too short to show an embedded address shows 0.0.0.0, which is special as well.
        let own = special_prefix_len6(address).unwrap_or_else(|| beside_embedded(address));
        self.by_resolver(resolver, own.max(scope))
    }

    /// The class of the packet's source; one without a place gets the unknown class.
    fn by_resolver(&self, resolver: Source, scope: u8) -> Result<Subject, Broken> {
        let (mut class, mut address) = match resolver {
            Source::V4(address) => (self.find4(address)?.value, Address::V4(address)),
            Source::V6(address) => {
                let upper = upper(address);
                (self.find6(upper)?.value, Address::V6(upper))
            }
        };
        if let (Source::V6(whole), SPECIAL_CLASS) = (resolver, class) {
            if let Some(folded) = fold(whole, 128) {
                class = self.find4(folded.address)?.value;
                address = Address::V4(folded.address);
            }
        }
        if class == SPECIAL_CLASS {
            class = self.view.unknown;
        }
        let placed = match address {
            Address::V4(address) => self.knows4(class, address),
            Address::V6(upper) => self.knows6(class, upper),
        };
        Ok(Subject {
            class,
            scope,
            address,
            placed,
        })
    }

    /// Whether the place of an IPv4 address of this class is known, or does not matter. Only one
    /// class holds those of no place, so most are told by their class.
    fn knows4(&self, class: u32, address: u32) -> bool {
        let is_told = class != self.view.unknown || self.view.is_one_class();
        is_told || is_somewhere(self.generation.geo.find4(address))
    }

    fn knows6(&self, class: u32, upper: u64) -> bool {
        let is_told = class != self.view.unknown || self.view.is_one_class();
        is_told || is_somewhere(self.generation.geo.find6(upper))
    }

    fn find4(&self, address: u32) -> Result<Place, Broken> {
        self.view.find4(&self.generation.geo, address).ok_or(Broken)
    }

    fn find6(&self, upper: u64) -> Result<Place, Broken> {
        self.view.find6(&self.generation.geo, upper).ok_or(Broken)
    }
}

/// Locations 0 and 1 are no place: unknown, and special-purpose.
fn is_somewhere(location: Option<Place>) -> bool {
    location.is_some_and(|location| location.value > 1)
}

/// The upper half of an IPv6 address.
fn upper(address: u128) -> u64 {
    u64::try_from(address >> 64).unwrap_or(0)
}

/// A prefix's octets, the rest zero.
fn padded<const N: usize>(prefix: &[u8]) -> [u8; N] {
    let mut octets = [0; N];
    for (to, from) in octets.iter_mut().zip(prefix) {
        *to = *from;
    }
    octets
}
