//! A section: one immutable file of named columns, read in place (FORMAT.md, "Section").

use bytemuck::AnyBitPattern;

use crate::fault::LoadFault;

const MAGIC: &[u8; 8] = b"GEODNSS1";
const HEADER_SIZE: usize = 32;
const ENTRY_SIZE: usize = 40;
const ALIGNMENT: u64 = 64;
const COLUMNS_MAX: usize = 64;
const NAME_SIZE: usize = 16;

/// The kinds that an engine reads.
pub(crate) mod kind {
    pub(crate) const ZONE: u16 = 1;
    pub(crate) const GEO: u16 = 2;
    pub(crate) const VIEW: u16 = 3;
    pub(crate) const POOLS: u16 = 4;
}

/// The version of a kind's columns that is read; None of kinds that are not.
const fn version(kind: u64) -> Option<u64> {
    match kind {
        1 | 5 => Some(1),
        2..=4 => Some(SNAPSHOT_VERSION),
        _ => None,
    }
}

/// The version of geo, views and pools.
pub const SNAPSHOT_VERSION: u64 = 2;

/// Columns that only the reference engine reads, and without which it refuses a section.
const ALSO: [(u16, &str); 5] = [
    (kind::GEO, "latitude"),
    (kind::GEO, "longitude"),
    (kind::GEO, "label"),
    (kind::GEO, "coarse"),
    (kind::POOLS, "node"),
];

#[derive(Debug)]
struct Column<'a> {
    name: [u8; NAME_SIZE],
    width: usize,
    octets: &'a [u8],
}

/// A checked section: all its columns lie within it.
#[derive(Debug)]
pub struct Section<'a> {
    kind: u16,
    columns: Vec<Column<'a>>,
}

impl<'a> Section<'a> {
    /// Read the header and the directory.
    ///
    /// # Errors
    /// `LoadFault` when the octets are not a whole section of this version.
    pub fn new(octets: &'a [u8]) -> Result<Self, LoadFault> {
        let header = octets.get(..HEADER_SIZE).ok_or(LoadFault::NotASection)?;
        if !header.starts_with(MAGIC) {
            return Err(LoadFault::NotASection);
        }
        let (kind, found) = (number(header, 8, 2), number(header, 10, 2));
        if let Some(read) = version(kind).filter(|read| *read != found) {
            return Err(LoadFault::Version { kind, found, read });
        }
        let stated = number(header, 24, 8);
        let count = usize::try_from(number(header, 16, 4)).unwrap_or(usize::MAX);
        if stated != octets.len() as u64 || count > COLUMNS_MAX {
            let found = octets.len();
            return Err(LoadFault::Size { stated, found });
        }
        let columns = (0..count).map(|at| read_column(octets, at).ok_or(LoadFault::Column(at)));
        let made = Self {
            kind: u16::try_from(kind).unwrap_or(0),
            columns: columns.collect::<Result<_, _>>()?,
        };
        let also = ALSO.iter().filter(|(kind, _)| *kind == made.kind);
        for (kind, name) in also.copied() {
            made.find(name).ok_or(LoadFault::NoColumn { kind, name })?;
        }
        Ok(made)
    }

    /// A column that must be there.
    pub(crate) fn column<T: AnyBitPattern>(
        &self,
        name: &'static str,
    ) -> Result<&'a [T], LoadFault> {
        let kind = self.kind;
        self.optional(name)?
            .ok_or(LoadFault::NoColumn { kind, name })
    }

    /// A column of so many items.
    pub(crate) fn column_of<T: AnyBitPattern>(
        &self,
        name: &'static str,
        items: usize,
    ) -> Result<&'a [T], LoadFault> {
        let column = self.column(name)?;
        if column.len() == items {
            return Ok(column);
        }
        Err(LoadFault::Contradiction(
            "a column is longer or shorter than those beside it",
        ))
    }

    pub(crate) fn has(&self, name: &str) -> bool {
        self.find(name).is_some()
    }

    /// A column that may be absent; a fault if it is there in another width.
    pub(crate) fn optional<T: AnyBitPattern>(
        &self,
        name: &'static str,
    ) -> Result<Option<&'a [T]>, LoadFault> {
        let Some(found) = self.find(name) else {
            return Ok(None);
        };
        let kind = self.kind;
        let items = bytemuck::try_cast_slice(found.octets);
        if found.width != size_of::<T>() {
            return Err(LoadFault::NoColumn { kind, name });
        }
        items
            .map(Some)
            .map_err(|_| LoadFault::NoColumn { kind, name })
    }

    /// The last column of a name counts, as in the reference engine.
    fn find(&self, name: &str) -> Option<&Column<'a>> {
        let mut padded = [0; NAME_SIZE];
        for (to, from) in padded.iter_mut().zip(name.bytes()) {
            *to = from;
        }
        self.columns.iter().rfind(|column| column.name == padded)
    }

    /// A column of bounds of so many things in another column of `end` items: it starts with 0,
    /// never falls, and ends where the other does.
    pub(crate) fn bounds(
        &self,
        name: &'static str,
        things: usize,
        end: usize,
    ) -> Result<&'a [u32], LoadFault> {
        let column = self.column::<u32>(name)?;
        let ends =
            column.first() == Some(&0) && column.last().map(|last| *last as usize) == Some(end);
        if ends && column.len() == things + 1 && column.is_sorted() {
            return Ok(column);
        }
        Err(LoadFault::Contradiction(
            "a column of bounds does not fit what it bounds",
        ))
    }

    /// The first item of a column.
    pub(crate) fn scalar(&self, name: &'static str) -> Result<u32, LoadFault> {
        let column = self.column::<u32>(name)?;
        let empty = LoadFault::Contradiction("a column that must have an item is empty");
        column.first().copied().ok_or(empty)
    }
}

fn read_column(octets: &[u8], at: usize) -> Option<Column<'_>> {
    let entry = octets.get(HEADER_SIZE + ENTRY_SIZE * at..)?;
    let entry = entry.get(..ENTRY_SIZE)?;
    let name = *entry.first_chunk::<NAME_SIZE>()?;
    let width = number(entry, 16, 4);
    let (items, offset) = (number(entry, 24, 8), number(entry, 32, 8));
    if !matches!(width, 1 | 2 | 4 | 8) || offset % ALIGNMENT != 0 {
        return None;
    }
    let end = offset.checked_add(items.checked_mul(width)?)?;
    let range = usize::try_from(offset).ok()?..usize::try_from(end).ok()?;
    Some(Column {
        name,
        width: usize::try_from(width).ok()?,
        octets: octets.get(range)?,
    })
}

/// A little-endian number of some octets; what lies outside reads as zero.
fn number(octets: &[u8], at: usize, size: usize) -> u64 {
    let bytes = octets.get(at..at + size).unwrap_or(&[]);
    let fold = |sum, byte: &u8| sum << 8 | u64::from(*byte);
    bytes.iter().rev().fold(0, fold)
}

// Columns are read in place.
#[cfg(target_endian = "big")]
compile_error!("geodns reads its snapshots in place and needs a little-endian machine");

#[cfg(test)]
mod tests {
    use super::Section;
    use crate::fault::LoadFault;

    /// A section with one column of four `u32`, aligned as a mapping would be.
    fn whole() -> Vec<u64> {
        let mut octets = Vec::new();
        octets.extend(b"GEODNSS1");
        octets.extend([3, 0, 2, 0]);
        octets.extend([0; 4]);
        octets.extend(1_u32.to_le_bytes());
        octets.extend([0; 4]);
        octets.extend(192_u64.to_le_bytes());
        octets.extend(b"row\0\0\0\0\0\0\0\0\0\0\0\0\0");
        octets.extend(4_u32.to_le_bytes());
        octets.extend([0; 4]);
        octets.extend(4_u64.to_le_bytes());
        octets.extend(128_u64.to_le_bytes());
        octets.resize(128, 0);
        octets.extend([1_u32, 2, 3, 4].iter().flat_map(|item| item.to_le_bytes()));
        octets.resize(192, 0);
        let words = octets.chunks_exact(8);
        words
            .map(|word| u64::from_le_bytes(word.try_into().unwrap()))
            .collect()
    }

    #[test]
    fn a_column_is_read_in_place() {
        let words = whole();
        let section = Section::new(bytemuck::cast_slice(&words)).unwrap();
        assert_eq!(section.column::<u32>("row").unwrap(), [1, 2, 3, 4]);
        assert_eq!(section.optional::<u32>("other").unwrap(), None);
    }

    #[test]
    fn another_version_is_refused_but_of_kinds_that_are_not_known() {
        let mut words = whole();
        words[1] = words[1] >> 32 << 32 | 1 << 16 | 3;
        let (kind, found, read) = (3, 1, 2);
        let fault = LoadFault::Version { kind, found, read };
        let found = Section::new(bytemuck::cast_slice(&words));
        assert_eq!(found.err(), Some(fault));
        words[1] = words[1] >> 32 << 32 | 9 << 16 | 9;
        assert!(Section::new(bytemuck::cast_slice(&words)).is_ok());
    }

    #[test]
    fn a_column_of_another_width_is_refused() {
        let words = whole();
        let section = Section::new(bytemuck::cast_slice(&words)).unwrap();
        let fault = LoadFault::NoColumn {
            kind: 3,
            name: "row",
        };
        assert_eq!(section.column::<u64>("row"), Err(fault));
    }

    #[test]
    fn bounds_that_do_not_fit_are_refused() {
        let mut words = whole();
        let fits = |words: &[u64], things, end| {
            let section = Section::new(bytemuck::cast_slice(words)).unwrap();
            section.bounds("row", things, end).is_ok()
        };
        assert!(!fits(&words, 3, 4), "they start with 1");
        words[16] = 2 << 32;
        assert!(fits(&words, 3, 4));
        assert!(!fits(&words, 2, 4), "one thing too many");
        assert!(!fits(&words, 3, 5), "they end too early");
        words[16] = 5 << 32;
        assert!(!fits(&words, 3, 4), "they fall");
    }

    #[test]
    fn a_section_that_is_cut_short_or_changed_is_a_fault_and_never_a_panic() {
        let words = whole();
        let octets: &[u8] = bytemuck::cast_slice(&words);
        for size in 0..octets.len() {
            assert!(Section::new(&octets[..size]).is_err(), "{size} octets");
        }
        for at in 0..128 {
            let mut spoilt = words.clone();
            bytemuck::cast_slice_mut::<u64, u8>(&mut spoilt)[at] ^= 0xFF;
            if let Ok(section) = Section::new(bytemuck::cast_slice(&spoilt)) {
                let _ = section.column::<u32>("row");
            }
        }
    }
}
