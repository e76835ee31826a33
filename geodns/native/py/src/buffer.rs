//! Memory that Python owns, taken through the buffer protocol.
#![expect(
    unsafe_code,
    reason = "a buffer outlives the borrow that pyo3 can vouch for"
)]

use pyo3::buffer::{Element, PyBuffer};
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;

use geodns_sys::{Counters, Octets, SharedWords};

/// Octets of an immutable buffer.
struct Immutable(PyBuffer<u8>);

impl AsRef<[u8]> for Immutable {
    fn as_ref(&self) -> &[u8] {
        // SAFETY: the export keeps the memory where it is as long as it lives, and it is
        // contiguous and read-only (`octets` has looked). Sections are sealed or immutable by
        // contract of the stub.
        unsafe { std::slice::from_raw_parts(self.0.buf_ptr().cast(), self.0.len_bytes()) }
    }
}

/// The octets of a section. Errors: ValueError for a buffer that may change or has gaps.
pub(crate) fn octets(object: &Bound<'_, PyAny>) -> PyResult<Octets> {
    let buffer = contiguous::<u8>(object)?;
    if !buffer.readonly() {
        return Err(PyValueError::new_err(
            "a section's memory must be read-only",
        ));
    }
    if buffer.len_bytes() == 0 {
        return Ok(Box::new([0_u8; 0]));
    }
    if buffer.buf_ptr().align_offset(size_of::<u64>()) != 0 {
        return Err(PyValueError::new_err(
            "a section's memory must be aligned to 8 octets",
        ));
    }
    Ok(Box::new(Immutable(buffer)))
}

/// The status words.
pub(crate) fn words(object: &Bound<'_, PyAny>) -> PyResult<SharedWords> {
    let buffer = contiguous::<u64>(object)?;
    let (start, count) = (buffer.buf_ptr().cast_const().cast(), buffer.item_count());
    // SAFETY: the export keeps the memory mapped; pyo3 has looked at size and alignment of its
    // items; `memoryview.cast('Q')` writes whole words (measured, `geodns.snapshot.status`).
    Ok(unsafe { SharedWords::new(start, count, Box::new(buffer)) })
}

/// A page of counters.
pub(crate) fn counters(object: &Bound<'_, PyAny>) -> PyResult<Counters> {
    let buffer = contiguous::<u64>(object)?;
    if buffer.readonly() {
        return Err(PyValueError::new_err("a page of counters must be writable"));
    }
    let (start, count) = (buffer.buf_ptr().cast(), buffer.item_count());
    // SAFETY: as for the words, and writable.
    Ok(unsafe { Counters::new(start, count, Box::new(buffer)) })
}

fn contiguous<T: Element>(object: &Bound<'_, PyAny>) -> PyResult<PyBuffer<T>> {
    let buffer = PyBuffer::<T>::get(object)?;
    if buffer.is_c_contiguous() {
        return Ok(buffer);
    }
    Err(PyValueError::new_err("a buffer must be contiguous"))
}
