//! Names in wire form, uncompressed and lower case, held without allocation.

use crate::wire::{HEADER_OCTETS, LABEL_MAX_OCTETS, NAME_MAX_OCTETS, u16_at};

/// A canonical name of at most 255 octets.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Name {
    octets: [u8; NAME_MAX_OCTETS + 1],
    len: usize,
}

impl Name {
    /// No name at all: that of a query without a question.
    pub(crate) const fn empty() -> Self {
        Self {
            octets: [0; NAME_MAX_OCTETS + 1],
            len: 0,
        }
    }

    /// The concatenation of two pieces of wire form, in lower case; None if it is too long.
    pub(crate) fn joined(head: &[u8], tail: &[u8]) -> Option<Self> {
        let len = head.len() + tail.len();
        if len > NAME_MAX_OCTETS {
            return None;
        }
        let mut name = Self::empty();
        name.octets.get_mut(..head.len())?.copy_from_slice(head);
        name.octets.get_mut(head.len()..len)?.copy_from_slice(tail);
        name.len = len;
        // Octets of length are below 64 and so not letters.
        name.octets.get_mut(..len)?.make_ascii_lowercase();
        Some(name)
    }

    /// Become a name in wire form, made lower case; None if it is too long.
    pub(crate) fn set(&mut self, wire: &[u8]) -> Option<()> {
        let place = self.octets.get_mut(..wire.len())?;
        for (to, from) in place.iter_mut().zip(wire) {
            *to = from.to_ascii_lowercase(); // octets of length are below 64 and so not letters
        }
        self.len = wire.len();
        Some(())
    }

    /// A name in wire form, made lower case; None if it is too long.
    pub(crate) fn lower(wire: &[u8]) -> Option<Self> {
        Self::joined(wire, &[])
    }

    /// The name that starts at an offset of a message, in its own case, and where it ends; None
    /// if there is none that RFC 1035 section 4.1.4 allows. A pointer leads to a prior place, so
    /// the way ends.
    pub(crate) fn read(message: &[u8], at: usize) -> Option<(Self, usize)> {
        let (mut name, mut end, mut start, mut at) = (Self::empty(), None, at, at);
        loop {
            match *message.get(at)? {
                0 => {
                    name.push(&[0])?;
                    return Some((name, end.unwrap_or(at + 1)));
                }
                0xC0.. => {
                    let target = usize::from(u16_at(message, at)? & 0x3FFF);
                    if !(HEADER_OCTETS..start).contains(&target) {
                        return None;
                    }
                    end = end.or(Some(at + 2));
                    (at, start) = (target, target);
                }
                size if size > LABEL_MAX_OCTETS => return None,
                size => {
                    let next = at + 1 + usize::from(size);
                    name.push(message.get(at..next)?)?;
                    at = next;
                }
            }
        }
    }

    fn push(&mut self, octets: &[u8]) -> Option<()> {
        let end = self.len + octets.len();
        let place = self.octets.get_mut(self.len..end.min(NAME_MAX_OCTETS))?;
        if place.len() != octets.len() {
            return None;
        }
        place.copy_from_slice(octets);
        self.len = end;
        Some(())
    }

    pub(crate) fn octets(&self) -> &[u8] {
        self.octets.get(..self.len).unwrap_or(&[])
    }
}

/// The name without its leftmost label; None for the root and for what is no name.
pub(crate) fn parent(name: &[u8]) -> Option<&[u8]> {
    match name.first() {
        None | Some(0) => None,
        Some(length) => name.get(1 + usize::from(*length)..),
    }
}

/// The suffixes of a name from itself to the root.
pub(crate) fn ancestors(name: &[u8]) -> impl Iterator<Item = &[u8]> {
    std::iter::successors(Some(name), |name| parent(name))
}

/// Where in `qname` the name `suffix` starts, if it is `qname` or above it.
pub(crate) fn suffix_at(qname: &[u8], suffix: &[u8]) -> Option<usize> {
    let start = qname.len().checked_sub(suffix.len())?;
    if qname.get(start..)? != suffix {
        return None;
    }
    let mut at = 0;
    while at < start {
        at += 1 + usize::from(*qname.get(at)?);
    }
    (at == start).then_some(start)
}

#[cfg(test)]
mod tests {
    use super::{Name, ancestors, suffix_at};

    const WWW: &[u8] = b"\x03www\x04test\0";

    #[test]
    fn ancestors_run_from_the_name_to_the_root() {
        let all: Vec<&[u8]> = ancestors(WWW).collect();
        assert_eq!(all, [WWW, b"\x04test\0", b"\0"]);
    }

    #[test]
    fn a_suffix_counts_only_where_a_label_starts() {
        assert_eq!(suffix_at(WWW, b"\x04test\0"), Some(4));
        assert_eq!(suffix_at(b"\x06x\x04test\0", b"\x04test\0"), None);
    }

    #[test]
    fn a_pointer_leads_back_and_never_into_the_header_or_round_in_circles() {
        let message = [&[0; 12], &b"\x04Test\0\x01a\xc0\x0c\xc0\x18\xc0\x01"[..]].concat();
        let (name, end) = Name::read(&message, 18).unwrap();
        assert_eq!((name.octets(), end), (&b"\x01a\x04Test\0"[..], 22));
        assert!(Name::read(&message, 22).is_none());
        assert!(Name::read(&message, 24).is_none());
        assert!(Name::read(&message, 40).is_none());
    }

    #[test]
    fn names_are_made_lower_case_and_bounded() {
        let name = Name::joined(b"\x03WwW", b"\x04TEST\0").map(|name| name.octets().to_vec());
        assert_eq!(name.as_deref(), Some(WWW));
        assert!(Name::joined(&[0; 200], &[0; 56]).is_none());
    }
}
