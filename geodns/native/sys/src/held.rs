//! A generation together with the memory it is read from.

use std::fmt::{self, Debug, Formatter};

use geodns_core::{Entry, Generation, LoadFault};
use self_cell::self_cell;

/// Memory that does not change or move while it is held.
pub type Octets = Box<dyn AsRef<[u8]> + Send + Sync>;

/// One section and its memory.
pub struct Part {
    /// What it holds (FORMAT.md).
    pub kind: u16,
    /// Its name within its kind.
    pub name: String,
    /// Its octets.
    pub octets: Octets,
}

self_cell!(
    struct Cell {
        owner: Vec<Part>,
        #[covariant]
        dependent: Generation,
    }
);

/// A loaded generation; it lets go of its memory when it is dropped.
pub struct Held(Cell);

impl Held {
    /// Load a generation.
    ///
    /// # Errors
    /// `LoadFault` when it must not be served.
    pub fn new(parts: Vec<Part>) -> Result<Self, LoadFault> {
        Cell::try_new(parts, load).map(Self)
    }

    /// The tables.
    #[must_use]
    pub fn generation(&self) -> &Generation<'_> {
        self.0.borrow_dependent()
    }
}

/// The memory outlives the generation: both are in one cell.
#[expect(clippy::ptr_arg, reason = "the cell lends what it owns")]
fn load(parts: &Vec<Part>) -> Result<Generation<'_>, LoadFault> {
    let entries = parts.iter().map(|part| Entry {
        kind: part.kind,
        name: &part.name,
        octets: (*part.octets).as_ref(),
    });
    Generation::new(&entries.collect::<Vec<_>>())
}

impl Debug for Held {
    fn fmt(&self, formatter: &mut Formatter<'_>) -> fmt::Result {
        formatter.write_str("Held")
    }
}
