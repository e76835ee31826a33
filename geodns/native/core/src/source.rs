//! Addresses: who sent a packet, and networks that an operator names.

use std::net::IpAddr;

/// Where a packet came from. An IPv4 client of a dual-stack socket is an IPv4 client.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Source {
    /// An IPv4 address.
    V4(u32),
    /// An IPv6 address that is not an IPv4-mapped one.
    V6(u128),
}

impl From<IpAddr> for Source {
    fn from(address: IpAddr) -> Self {
        match address.to_canonical() {
            IpAddr::V4(address) => Self::V4(address.into()),
            IpAddr::V6(address) => Self::V6(address.into()),
        }
    }
}

impl Source {
    pub(crate) fn is_loopback(self) -> bool {
        match self {
            Self::V4(address) => address >> 24 == 127,
            Self::V6(address) => address == 1,
        }
    }
}

/// An address prefix.
#[derive(Debug, Clone, Copy)]
pub struct Network {
    address: Source,
    prefix_len: u8,
}

impl Network {
    /// The network of `prefix_len` bits around an address; longer than the address is all of it.
    #[must_use]
    pub fn new(address: IpAddr, prefix_len: u8) -> Self {
        let address = match address {
            IpAddr::V4(address) => Source::V4(address.into()),
            IpAddr::V6(address) => Source::V6(address.into()),
        };
        Self {
            address,
            prefix_len,
        }
    }

    /// Whether an address lies within.
    #[must_use]
    pub fn contains(&self, source: Source) -> bool {
        let bits = u32::from(self.prefix_len);
        match (self.address, source) {
            (Source::V4(ours), Source::V4(theirs)) => (ours ^ theirs).leading_zeros() >= bits,
            (Source::V6(ours), Source::V6(theirs)) => (ours ^ theirs).leading_zeros() >= bits,
            _ => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Network, Source};

    fn source(text: &str) -> Source {
        Source::from(text.parse::<std::net::IpAddr>().unwrap())
    }

    #[test]
    fn a_network_holds_the_addresses_of_its_prefix_and_family() {
        let network = Network::new("192.0.2.0".parse().unwrap(), 24);
        assert!(network.contains(source("192.0.2.255")));
        assert!(!network.contains(source("192.0.3.0")));
        assert!(!network.contains(source("2001:db8::1")));
        assert!(Network::new("::".parse().unwrap(), 0).contains(source("2001:db8::1")));
    }

    #[test]
    fn a_mapped_client_is_an_ipv4_client() {
        assert_eq!(source("::ffff:127.0.0.1"), Source::V4(0x7f00_0001));
        assert!(source("::ffff:127.0.0.1").is_loopback());
        assert!(source("::1").is_loopback());
    }
}
