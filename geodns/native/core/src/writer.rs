//! Octets put one behind the other into a buffer that somebody else owns.

/// Writes into a buffer; once it is full, nothing more is written and `finish` gives None.
pub(crate) struct Writer<'o> {
    out: &'o mut [u8],
    at: usize,
    full: bool,
}

impl<'o> Writer<'o> {
    pub(crate) fn new(out: &'o mut [u8]) -> Self {
        let full = false;
        Self { out, at: 0, full }
    }

    pub(crate) fn put(&mut self, octets: &[u8]) {
        let end = self.at + octets.len();
        match self.out.get_mut(self.at..end) {
            Some(place) if !self.full => {
                place.copy_from_slice(octets);
                self.at = end;
            }
            _ => self.full = true,
        }
    }

    pub(crate) fn put_u16(&mut self, value: u16) {
        self.put(&value.to_be_bytes());
    }

    pub(crate) fn put_u32(&mut self, value: u32) {
        self.put(&value.to_be_bytes());
    }

    /// A length of 16 bits; a longer one makes the message too long anyway.
    pub(crate) fn put_size(&mut self, size: usize) {
        match u16::try_from(size) {
            Ok(size) => self.put_u16(size),
            Err(_) => self.full = true,
        }
    }

    /// Write over what stands at an offset.
    pub(crate) fn patch(&mut self, at: usize, octets: &[u8]) {
        match self.out.get_mut(at..at + octets.len()) {
            Some(place) if at + octets.len() <= self.at => place.copy_from_slice(octets),
            _ => self.full = true,
        }
    }

    /// Write a length of 16 bits over what stands at an offset.
    pub(crate) fn patch_size(&mut self, at: usize, size: usize) {
        match u16::try_from(size) {
            Ok(size) => self.patch(at, &size.to_be_bytes()),
            Err(_) => self.full = true,
        }
    }

    /// Forget what was written behind an offset.
    pub(crate) fn rewind(&mut self, at: usize) {
        self.full = at > self.out.len();
        self.at = at;
    }

    /// How many octets stand there.
    pub(crate) fn size(&self) -> usize {
        self.at
    }

    /// The size, if everything has found room.
    pub(crate) fn finish(&self) -> Option<usize> {
        (!self.full).then_some(self.at)
    }
}
