//! What the options of OPT say. Total on any octets.

use crate::wire::{OPTION_COOKIE, OPTION_ECS, OPTION_KEEPALIVE, OPTION_NSID};

/// The client subnet as it was sent (RFC 7871 section 6).
#[derive(Debug, Clone, Copy)]
pub(crate) struct Subnet<'p> {
    pub(crate) family: u16,
    pub(crate) source_prefix_len: u8,
    pub(crate) address: &'p [u8],
}

/// What OPT said.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Edns<'p> {
    pub(crate) dnssec_ok: bool,
    pub(crate) nsid: bool,
    pub(crate) keepalive: bool,
    pub(crate) subnet: Option<Subnet<'p>>,
    pub(crate) cookie: Option<&'p [u8]>,
}

/// What the options say; None if they are not whole.
pub(crate) fn read_options(mut options: &[u8]) -> Option<Edns<'_>> {
    let mut edns = Edns::default();
    while !options.is_empty() {
        let (head, rest) = options.split_first_chunk::<4>()?;
        let [code1, code2, len1, len2] = *head;
        let length = usize::from(u16::from_be_bytes([len1, len2]));
        let (data, rest) = rest.split_at_checked(length)?;
        match u16::from_be_bytes([code1, code2]) {
            OPTION_ECS if edns.subnet.is_some() => return None,
            OPTION_ECS => edns.subnet = Some(read_subnet(data)?),
            // RFC 7873 section 5.2: the first counts.
            OPTION_COOKIE => edns.cookie = edns.cookie.or(Some(data)),
            OPTION_NSID => edns.nsid = true,
            OPTION_KEEPALIVE => edns.keepalive = true,
            _ => (),
        }
        options = rest;
    }
    Some(edns)
}

/// RFC 7871 section 7.1.2: what is not well formed is answered with FORMERR.
fn read_subnet(data: &[u8]) -> Option<Subnet<'_>> {
    let (head, address) = data.split_first_chunk::<4>()?;
    let [family1, family2, source_prefix_len, scope_prefix_len] = *head;
    let family = u16::from_be_bytes([family1, family2]);
    let bits = match family {
        0 => 0, // what `dig +subnet=0` sends
        1 => 32,
        2 => 128,
        _ => return None, // who sent another could not read its echo
    };
    let octets = usize::from(source_prefix_len).div_ceil(8);
    // RFC 7871 section 6: the scope MUST be 0 in a query, and no bits may follow the prefix.
    if source_prefix_len > bits || scope_prefix_len != 0 || address.len() != octets {
        return None;
    }
    let used = source_prefix_len & 7;
    if used != 0 && address.last().is_some_and(|last| last << used != 0) {
        return None;
    }
    Some(Subnet {
        family,
        source_prefix_len,
        address,
    })
}
