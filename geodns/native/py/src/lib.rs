//! The Python face of the native engine: converts arguments and results, decides nothing.

#![deny(unsafe_code)]

mod buffer;
mod engine;
mod server;

use pyo3::prelude::*;

/// The native engine of geodns.
#[pymodule]
mod _native {
    use pyo3::prelude::*;

    #[pymodule_export]
    use crate::engine::{Around, Engine};
    #[pymodule_export]
    use crate::server::{Question, Server};

    /// Spread ``value`` over 64 bits under ``key``.
    #[pyfunction]
    fn mix(key: u64, value: u64) -> u64 {
        geodns_core::mix::mix(key, value)
    }

    #[pymodule_init]
    fn init(module: &Bound<'_, PyModule>) -> PyResult<()> {
        module.add("SNAPSHOT_VERSION", geodns_core::SNAPSHOT_VERSION)?;
        module.add("__version__", env!("CARGO_PKG_VERSION"))
    }
}
