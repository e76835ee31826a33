//! A record on the wire.

use crate::writer::Writer;

/// What a record says beside its data.
pub(crate) struct Records {
    pub(crate) rtype: u16,
    pub(crate) ttl: u32,
}

impl Records {
    /// Write one record of class IN with this owner (RFC 1035 section 4.1.3).
    pub(crate) fn put(&self, writer: &mut Writer, owner: &[u8], rdata: &[u8]) {
        let [type1, type2] = self.rtype.to_be_bytes();
        let [class1, class2] = crate::wire::CLASS_IN.to_be_bytes();
        let [ttl1, ttl2, ttl3, ttl4] = self.ttl.to_be_bytes();
        writer.put(owner);
        let size = u16::try_from(rdata.len()); // a longer one makes the message too long anyway
        let [len1, len2] = size.unwrap_or(u16::MAX).to_be_bytes();
        writer.put(&[
            type1, type2, class1, class2, ttl1, ttl2, ttl3, ttl4, len1, len2,
        ]);
        writer.put(rdata);
    }
}
