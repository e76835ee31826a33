//! A generation together with the memory it is read from.

use std::collections::HashMap;
use std::fmt::{self, Debug, Formatter};

use geodns_core::{Entry, Generation, LoadFault};
use self_cell::self_cell;

/// Memory that does not change or move while it is held.
pub type Octets = Box<dyn AsRef<[u8]> + Send + Sync>;

/// Where the queries of zones are counted, by apex.
pub type Rows = HashMap<Vec<u8>, u32>;

/// One section and its memory.
pub struct Part {
    /// What it holds (FORMAT.md).
    pub kind: u16,
    /// Its name within its kind.
    pub name: String,
    /// Its octets.
    pub octets: Octets,
}

struct Owner {
    parts: Vec<Part>,
    rows: Rows,
}

self_cell!(
    struct Cell {
        owner: Owner,
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
        Self::counting(parts, Rows::new())
    }

    /// Load a generation whose zones are counted in these rows.
    ///
    /// # Errors
    /// `LoadFault` when it must not be served.
    pub fn counting(parts: Vec<Part>, rows: Rows) -> Result<Self, LoadFault> {
        Cell::try_new(Owner { parts, rows }, load).map(Self)
    }

    /// The tables.
    #[must_use]
    pub fn generation(&self) -> &Generation<'_> {
        self.0.borrow_dependent()
    }
}

/// The memory outlives the generation: both are in one cell.
fn load(owner: &Owner) -> Result<Generation<'_>, LoadFault> {
    let entries = owner.parts.iter().map(|part| Entry {
        kind: part.kind,
        name: &part.name,
        octets: (*part.octets).as_ref(),
    });
    let mut generation = Generation::new(&entries.collect::<Vec<_>>())?;
    generation.count_zones(|apex| owner.rows.get(apex).copied().unwrap_or(0));
    Ok(generation)
}

impl Debug for Held {
    fn fmt(&self, formatter: &mut Formatter<'_>) -> fmt::Result {
        formatter.write_str("Held")
    }
}
