//! Words in memory that other processes write.

use std::sync::atomic::{AtomicU64, Ordering};

use geodns_core::Words;

/// Words of 64 bits, read and written whole.
///
/// Invariant: `start` points to `count` aligned words that stay mapped as long as `keeper` lives.
struct Region {
    start: *const AtomicU64,
    count: usize,
    _keeper: Box<dyn Send + Sync>,
}

// SAFETY: the words are only reached as atomics, and what keeps them mapped may be sent.
unsafe impl Send for Region {}
// SAFETY: as above; atomics may be shared.
unsafe impl Sync for Region {}

impl Region {
    /// # Safety
    /// `start` must point to `count` aligned words that stay mapped as long as `keeper` lives.
    unsafe fn new(start: *const u64, count: usize, keeper: Box<dyn Send + Sync>) -> Self {
        Self {
            start: start.cast(),
            count,
            _keeper: keeper,
        }
    }

    #[inline]
    fn words(&self) -> &[AtomicU64] {
        if self.count == 0 {
            return &[];
        }
        // SAFETY: the invariant; AtomicU64 has the layout of u64, and nobody reaches these words
        // but by whole aligned loads and stores.
        unsafe { std::slice::from_raw_parts(self.start, self.count) }
    }
}

/// The status table's head and words: one writer in another process, any number of readers.
pub struct SharedWords(Region);

/// Words of the head (FORMAT.md, "Status table"), and which of them is the epoch.
const HEAD: usize = 8;
const EPOCH: usize = 2;

impl SharedWords {
    /// Take a table that is mapped, from its start to its last word.
    ///
    /// # Safety
    /// `start` must point to `count` aligned words that stay mapped, readable, as long as
    /// `keeper` lives, and that are written by whole aligned stores only.
    #[must_use]
    pub unsafe fn new(start: *const u64, count: usize, keeper: Box<dyn Send + Sync>) -> Self {
        // SAFETY: the caller's promise.
        Self(unsafe { Region::new(start, count, keeper) })
    }
}

impl Words for SharedWords {
    fn word(&self, slot: u32) -> u64 {
        let word = self.0.words().get(HEAD + slot as usize);
        word.map_or(0, |word| word.load(Ordering::Relaxed))
    }

    fn epoch(&self) -> Option<u64> {
        let epoch = self.0.words().get(EPOCH)?;
        Some(epoch.load(Ordering::Acquire)) // no word is read before it
    }
}

/// Counters that others read and one thread raises.
pub struct Counters(Region);

impl Counters {
    /// Take counters that are mapped.
    ///
    /// # Safety
    /// As [`SharedWords::new`]; the words must be writable, too.
    #[must_use]
    pub unsafe fn new(start: *mut u64, count: usize, keeper: Box<dyn Send + Sync>) -> Self {
        // SAFETY: the caller's promise.
        Self(unsafe { Region::new(start, count, keeper) })
    }

    /// No counters: nothing is counted.
    #[must_use]
    pub fn none() -> Self {
        Self(Region {
            start: std::ptr::null(),
            count: 0,
            _keeper: Box::new(()),
        })
    }

    /// All of them.
    #[inline]
    pub(crate) fn words(&self) -> &[AtomicU64] {
        self.0.words()
    }

    /// Raise a counter.
    pub fn add(&self, number: usize, count: u64) {
        if let Some(word) = self.0.words().get(number) {
            // One writer: no need to lock the bus.
            word.store(word.load(Ordering::Relaxed) + count, Ordering::Relaxed);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use geodns_core::Words;

    use super::{Counters, SharedWords};

    #[test]
    fn words_are_read_where_they_stand_and_none_beyond() {
        let memory: Arc<[u64]> = Arc::from([0, 0, 5, 0, 0, 0, 0, 0, 7, 8]);
        let (start, keeper) = (memory.as_ptr(), Box::new(Arc::clone(&memory)));
        // SAFETY: the keeper holds the memory.
        let words = unsafe { SharedWords::new(start, 10, keeper) };
        drop(memory);
        assert_eq!([0, 1, 2].map(|slot| words.word(slot)), [7, 8, 0]);
        assert_eq!(words.epoch(), Some(5));
    }

    #[test]
    fn counters_go_up() {
        let memory: Box<[u64]> = Box::new([0; 2]);
        let start = Box::leak(memory).as_mut_ptr();
        // SAFETY: the memory is leaked, so it stays.
        let counters = unsafe { Counters::new(start, 2, Box::new(())) };
        counters.add(1, 3);
        counters.add(1, 4);
        counters.add(9, 1);
        // SAFETY: nobody writes any more.
        assert_eq!(unsafe { *start.add(1) }, 7);
    }
}
