//! The words on the wire: offsets, flags, types, codes, and reading numbers from octets.

pub(crate) const HEADER_OCTETS: usize = 12; // RFC 1035 section 4.1.1
pub(crate) const NAME_MAX_OCTETS: usize = 255; // RFC 1035 section 2.3.4
pub(crate) const LABEL_MAX_OCTETS: u8 = 63;
/// RFC 1035 section 4.2.2: over TCP the length has 16 bits.
pub const MESSAGE_MAX_OCTETS: usize = 0xFFFF;
/// DNS Flag Day 2020; with IPv6 and UDP headers within the least MTU of IPv6, 1280.
pub const UDP_PAYLOAD_OCTETS: u16 = 1232;
pub(crate) const UDP_PLAIN_OCTETS: u16 = 512; // RFC 1035 section 4.2.1: without EDNS

pub(crate) const QR: u16 = 0x8000;
pub(crate) const AA: u16 = 0x0400;
pub(crate) const TC: u16 = 0x0200;
pub(crate) const RD: u16 = 0x0100;
pub(crate) const OPCODE_MASK: u16 = 0x7800;
pub(crate) const DO: u16 = 0x8000; // RFC 3225 section 3: in the flags of OPT

pub(crate) const NOERROR: u16 = 0;
pub(crate) const FORMERR: u16 = 1;
pub(crate) const SERVFAIL: u16 = 2;
pub(crate) const NXDOMAIN: u16 = 3;
pub(crate) const NOTIMP: u16 = 4;
pub(crate) const REFUSED: u16 = 5;
pub(crate) const YXDOMAIN: u16 = 6; // RFC 6672 section 2.2
pub(crate) const NOTAUTH: u16 = 9; // RFC 8945 section 5.2
pub(crate) const BADVERS: u16 = 16; // RFC 6891 section 9
pub(crate) const BADKEY: u16 = 17; // RFC 8945 section 3

pub(crate) const CLASS_IN: u16 = 1;
pub(crate) const CLASS_CH: u16 = 3;
pub(crate) const CLASS_ANY: u16 = 255;

pub(crate) const TYPE_A: u16 = 1;
pub(crate) const TYPE_NS: u16 = 2;
pub(crate) const TYPE_CNAME: u16 = 5;
pub(crate) const TYPE_SOA: u16 = 6;
pub(crate) const TYPE_TXT: u16 = 16;
pub(crate) const TYPE_AAAA: u16 = 28;
pub(crate) const TYPE_DNAME: u16 = 39;
pub(crate) const TYPE_OPT: u16 = 41;
pub(crate) const TYPE_DS: u16 = 43;
pub(crate) const TYPE_SVCB: u16 = 64;
pub(crate) const TYPE_HTTPS: u16 = 65;
pub(crate) const TYPE_TSIG: u16 = 250; // RFC 8945 section 4.2
pub(crate) const TYPE_IXFR: u16 = 251;
pub(crate) const TYPE_AXFR: u16 = 252;
pub(crate) const TYPE_ANY: u16 = 255;

pub(crate) const OPTION_NSID: u16 = 3; // RFC 5001 section 4
pub(crate) const OPTION_ECS: u16 = 8; // RFC 7871 section 6
pub(crate) const OPTION_COOKIE: u16 = 10; // RFC 7873 section 4
pub(crate) const OPTION_KEEPALIVE: u16 = 11; // RFC 7828 section 3.1
pub(crate) const OPTION_EDE: u16 = 15; // RFC 8914 section 2

/// The 16-bit number at an offset.
pub(crate) fn u16_at(octets: &[u8], at: usize) -> Option<u16> {
    let bytes = octets.get(at..)?.first_chunk::<2>()?;
    Some(u16::from_be_bytes(*bytes))
}
