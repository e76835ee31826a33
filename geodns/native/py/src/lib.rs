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

    /// What faults of the serving threads have to say that was not taken yet, for the log.
    #[pyfunction]
    fn faults() -> Vec<String> {
        geodns_sys::faults()
    }

    #[pymodule_init]
    fn init(module: &Bound<'_, PyModule>) -> PyResult<()> {
        module.add("SNAPSHOT_VERSION", geodns_core::SNAPSHOT_VERSION)?;
        module.add("__version__", env!("CARGO_PKG_VERSION"))
    }
}
