//! The small generation that the targets ask, and states of its health, as
//! `tests/soak/world.py` made them.

use geodns_core::{Entry, Words};

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

/// A state of health; its epoch is its own, so that what is remembered of another is void.
pub struct State {
    words: Vec<u64>,
    epoch: u64,
}

impl State {
    /// One of them by its number.
    pub fn new(number: usize) -> Self {
        let octets: &[u8] = world!("words");
        let size = octets.len() / STATES;
        let words = octets[size * number..][..size].chunks_exact(8);
        Self {
            words: words
                .map(|word| u64::from_le_bytes(word.try_into().unwrap()))
                .collect(),
            epoch: number as u64,
        }
    }
}

impl Words for State {
    fn word(&self, slot: u32) -> u64 {
        self.words[..].word(slot)
    }

    fn epoch(&self) -> Option<u64> {
        Some(self.epoch)
    }
}
