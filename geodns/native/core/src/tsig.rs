//! Signed messages (RFC 8945), as a server reads them that shares no key with anybody.

use crate::name::Name;
use crate::wire::{BADKEY, CLASS_ANY, TYPE_TSIG, u16_at};
use crate::writer::Writer;

const FIXED_OCTETS: usize = 10; // type, class, TTL, length: RFC 1035 section 4.1.3
const TIME_AND_MAC_OCTETS: usize = 10; // RFC 8945 section 4.2: time, fudge, MAC size
const REST_OCTETS: usize = 6; // and behind the MAC: original ID, error, length of the rest

/// The TSIG that tells a sender that its key is not known here. It is unsigned: its MAC is empty
/// (RFC 8945 sections 5.2.1, 5.3.2).
#[derive(Debug, Clone, Copy)]
pub(crate) struct Unsigned<'p> {
    key: Name,
    algorithm: Name,
    time_and_fudge: &'p [u8],
    original_id: &'p [u8],
}

impl<'p> Unsigned<'p> {
    /// For a message that ends with the record that starts at `at`; None if that is not a well
    /// formed TSIG, which is FORMERR (section 5.2).
    pub(crate) fn read(message: &'p [u8], at: usize) -> Option<Self> {
        let (key, at) = Name::read(message, at)?;
        let is_plain =
            u16_at(message, at + 2)? == CLASS_ANY && message.get(at + 4..at + 8)? == [0; 4];
        let (algorithm, end) = Name::read(message, at + FIXED_OCTETS).filter(|_| is_plain)?;
        let octets = message.get(end..)?;
        let rest = octets.get(TIME_AND_MAC_OCTETS + usize::from(u16_at(octets, 8)?)..)?;
        let whole = rest.len() == REST_OCTETS + usize::from(u16_at(rest, 4)?);
        whole.then_some(Self {
            key,
            algorithm,
            time_and_fudge: octets.get(..8)?,
            original_id: rest.get(..2)?,
        })
    }

    /// Octets of the record.
    pub(crate) fn size(&self) -> usize {
        self.key.octets().len() + FIXED_OCTETS + self.rdata_size()
    }

    fn rdata_size(&self) -> usize {
        self.algorithm.octets().len() + TIME_AND_MAC_OCTETS + REST_OCTETS
    }

    /// Write the record.
    pub(crate) fn put(&self, writer: &mut Writer) {
        writer.put(self.key.octets());
        writer.put_u16(TYPE_TSIG);
        writer.put_u16(CLASS_ANY);
        writer.put_u32(0);
        writer.put_size(self.rdata_size());
        writer.put(self.algorithm.octets());
        writer.put(self.time_and_fudge);
        writer.put_u16(0);
        writer.put(self.original_id);
        writer.put_u16(BADKEY);
        writer.put_u16(0);
    }
}
