//! What decisions are kept by.

use crate::pool::Family;

/// What a decision depends on beside the words: view, class and arm, family, and the user from
/// whom loads are drawn.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Key {
    /// View, where the rows of the arm begin in the class's record, family, and whether loads
    /// count: 0 is nobody's.
    at: u64,
    load: u64,
}

impl Key {
    pub(crate) const NOBODYS: Self = Self { at: 0, load: 0 };

    pub(crate) fn new(view: usize, rows: usize, family: Family) -> Self {
        Self {
            at: (view as u64) << 36 | (rows as u64) << 3 | (family as u64) << 1,
            load: 0,
        }
    }

    /// The same for a user whose loads are drawn by `load`.
    pub(crate) fn with_load(self, load: u64) -> Self {
        Self {
            at: self.at | 1,
            load,
        }
    }

    /// Fibonacci hashing: neighbouring classes fall far apart.
    pub(crate) fn place(self, places: usize) -> usize {
        let spread = (self.at ^ self.load).wrapping_mul(0x9e37_79b9_7f4a_7c15);
        usize::try_from(spread >> 32).unwrap_or(0) & places.wrapping_sub(1)
    }
}
