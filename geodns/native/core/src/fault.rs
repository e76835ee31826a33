//! What can be wrong with a generation: at loading in words, at a query as a sign.

use thiserror::Error;

/// Why a generation is not served. The texts are those of the reference engine where it has them.
#[derive(Debug, Error, PartialEq, Eq)]
pub enum LoadFault {
    /// Not the octets of a section.
    #[error("Not a section.")]
    NotASection,
    /// A section whose columns mean something else.
    #[error("Section of kind {kind} is of version {found}; this geodns reads version {read}.")]
    Version {
        /// The section's kind.
        kind: u64,
        /// What the header says.
        found: u64,
        /// What is read.
        read: u64,
    },
    /// The header's size, or number of columns, is not the file's.
    #[error("Section says {stated} octets and has {found}.")]
    Size {
        /// What the header says.
        stated: u64,
        /// What there is.
        found: usize,
    },
    /// A column outside the file, misaligned, or of an impossible width.
    #[error("Section's column {0} lies outside the file.")]
    Column(usize),
    /// A column that must be there is not, or its items have another width.
    #[error("Section of kind {kind} has no column {name}.")]
    NoColumn {
        /// The section's kind.
        kind: u16,
        /// The column's name.
        name: &'static str,
    },
    /// A section that must be there is not.
    #[error("The generation has no section {0}.")]
    NoSection(&'static str),
    /// Columns, or sections, that do not fit one another.
    #[error("A section of the generation contradicts itself: {0}.")]
    Contradiction(&'static str),
}

/// A table of the generation points nowhere: the query is answered with SERVFAIL.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Broken;
