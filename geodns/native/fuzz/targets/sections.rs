//! The small generation that the targets ask, as `seeds.py` compiled it.

use geodns_core::Entry;

/// Octets at an address that a mapping would have.
#[repr(C, align(64))]
struct Aligned<T: ?Sized>(T);

macro_rules! section {
    ($kind:expr, $name:expr, $file:expr) => {{
        static OCTETS: &Aligned<[u8]> = &Aligned(*include_bytes!(concat!("../world/", $file)));
        Entry {
            kind: $kind,
            name: $name,
            octets: &OCTETS.0,
        }
    }};
}

/// Its sections.
pub fn sections() -> Vec<Entry<'static>> {
    vec![
        section!(1, "example.test", "zone"),
        section!(2, "geo", "geo"),
        section!(3, include_str!("../world/view.name"), "view"),
        section!(4, "pools", "pools"),
    ]
}
