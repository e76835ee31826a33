//! The small generation that the targets ask, and states of its health, as
//! `tests/soak/world.py` made them.

use geodns_core::Entry;

/// Octets at an address that a mapping would have.
#[repr(C, align(64))]
struct Aligned<T: ?Sized>(T);

macro_rules! world {
    ($file:expr) => {{
        static OCTETS: &Aligned<[u8]> = &Aligned(*include_bytes!(concat!(
            env!("CARGO_MANIFEST_DIR"),
            "/world/",
            $file
        )));
        &OCTETS.0
    }};
}

macro_rules! section {
    ($kind:expr, $name:expr, $file:expr) => {
        Entry {
            kind: $kind,
            name: $name,
            octets: world!($file),
        }
    };
}

/// Its sections, with views of either form.
pub fn sections(direct: bool) -> Vec<Entry<'static>> {
    if direct {
        include!("../../world/direct.rs")
    } else {
        include!("../../world/indirect.rs")
    }
}

/// How many states of health there are.
pub const STATES: usize = 8;

/// The status words of one.
pub fn state(number: usize) -> Vec<u64> {
    let octets: &[u8] = world!("words");
    let size = octets.len() / STATES;
    let words = octets[size * number..][..size].chunks_exact(8);
    words
        .map(|word| u64::from_le_bytes(word.try_into().unwrap()))
        .collect()
}
