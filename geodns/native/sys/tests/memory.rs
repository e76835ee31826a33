//! Memory that others map too: sealed sections, the status words, the counters.
#![cfg(not(miri))] // it maps no files
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "these are tests, all of it"
)]

#[path = "../../core/tests/world/mod.rs"]
mod world;

use std::io;
use std::os::fd::{AsRawFd, FromRawFd, OwnedFd};
use std::ptr::{self, NonNull};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::thread;

use geodns_core::{Outcome, Packet, Scratch, Source, Surroundings, Words, respond};
use geodns_sys::{Counters, Held, Part, SharedWords};

const QUERY: &[u8] = b"\x12\x34\x01\0\0\x01\0\0\0\0\0\0\x05first\x07example\x04test\0\0\x01\0\x01";
const SEALS: libc::c_int =
    libc::F_SEAL_SHRINK | libc::F_SEAL_GROW | libc::F_SEAL_WRITE | libc::F_SEAL_SEAL;

/// A file in memory, as the supervisor makes them.
fn memory_file(octets: &[u8]) -> OwnedFd {
    // SAFETY: the name is one; the new descriptor is nobody else's.
    let file = unsafe {
        let descriptor = libc::memfd_create(c"section".as_ptr(), libc::MFD_ALLOW_SEALING);
        assert!(descriptor >= 0, "{}", io::Error::last_os_error());
        OwnedFd::from_raw_fd(descriptor)
    };
    let mut file = std::fs::File::from(file);
    io::Write::write_all(&mut file, octets).unwrap();
    file.into()
}

/// A mapping of a whole file; it counts when it goes.
struct Mapped {
    start: NonNull<libc::c_void>,
    size: usize,
    gone: Arc<AtomicUsize>,
}

// SAFETY: a mapping belongs to no thread.
unsafe impl Send for Mapped {}
// SAFETY: it is only read through this type.
unsafe impl Sync for Mapped {}

impl Mapped {
    fn new(file: &OwnedFd, size: usize, access: libc::c_int, gone: &Arc<AtomicUsize>) -> Self {
        let (shared, descriptor) = (libc::MAP_SHARED, file.as_raw_fd());
        // SAFETY: the system chooses where; nothing else is there.
        let start = unsafe { libc::mmap(ptr::null_mut(), size, access, shared, descriptor, 0) };
        assert_ne!(start, libc::MAP_FAILED, "{}", io::Error::last_os_error());
        Self {
            start: NonNull::new(start).unwrap(),
            size,
            gone: Arc::clone(gone),
        }
    }
}

impl AsRef<[u8]> for Mapped {
    fn as_ref(&self) -> &[u8] {
        // SAFETY: so much is mapped, and the file is sealed.
        unsafe { std::slice::from_raw_parts(self.start.as_ptr().cast(), self.size) }
    }
}

impl Drop for Mapped {
    fn drop(&mut self) {
        // SAFETY: it was mapped, and nobody else unmaps it.
        unsafe { libc::munmap(self.start.as_ptr(), self.size) };
        self.gone.fetch_add(1, Ordering::Relaxed);
    }
}

fn answer(held: &Held) -> Vec<u8> {
    let (mut scratch, mut out) = (Scratch::new(held.generation()), [0; 512]);
    let packet = Packet {
        octets: QUERY,
        source: Source::V4(0x0808_0808),
        tcp: false,
        now_s: 0,
    };
    let (words, around) = (&world::states()[0], Surroundings::default());
    let outcome = respond(
        held.generation(),
        words,
        &around,
        packet,
        &mut scratch,
        &mut out,
    );
    let Outcome::Reply(size) = outcome else {
        panic!("{outcome:?}");
    };
    out[..size].to_vec()
}

#[test]
fn sealed_sections_cannot_be_cut_and_go_with_their_generation() {
    let gone = Arc::new(AtomicUsize::new(0));
    let mut parts = Vec::new();
    for section in world::sections() {
        let file = memory_file(section.octets());
        // SAFETY: plain calls on a descriptor of ours.
        unsafe {
            assert_eq!(libc::fcntl(file.as_raw_fd(), libc::F_ADD_SEALS, SEALS), 0);
            for size in [0, 1 << 20] {
                assert_eq!(libc::ftruncate(file.as_raw_fd(), size), -1);
                assert_eq!(io::Error::last_os_error().raw_os_error(), Some(libc::EPERM));
            }
        }
        let mapped = Mapped::new(&file, section.octets().len(), libc::PROT_READ, &gone);
        parts.push(Part {
            kind: section.kind,
            name: section.name.clone(),
            octets: Box::new(mapped),
        });
    }
    let count = parts.len();
    let held = Held::new(parts).unwrap();
    let reply = answer(&held);
    assert_eq!(reply[3] & 15, 0);
    assert_eq!(reply[7], 1, "one answer");
    assert_eq!(gone.load(Ordering::Relaxed), 0);
    let theirs = thread::spawn(move || answer(&held)); // it may be let go of anywhere
    assert_eq!(theirs.join().unwrap(), reply);
    assert_eq!(gone.load(Ordering::Relaxed), count);
}

#[test]
fn a_generation_that_is_refused_lets_go_of_its_memory() {
    let gone = Arc::new(AtomicUsize::new(0));
    let section = &world::sections()[0];
    let file = memory_file(section.octets());
    let mapped = Mapped::new(&file, section.octets().len(), libc::PROT_READ, &gone);
    let part = Part {
        kind: section.kind,
        name: section.name.clone(),
        octets: Box::new(mapped),
    };
    assert!(Held::new(vec![part]).is_err());
    assert_eq!(gone.load(Ordering::Relaxed), 1);
}

const HEADER_WORDS: usize = 8;
const EPOCH: usize = 2;
const SLOTS: usize = 4;
const TABLE_OCTETS: usize = (HEADER_WORDS + SLOTS) * 8;

/// A status table that is mapped twice: by its writer, and by a reader.
fn table() -> (Mapped, SharedWords) {
    let gone = Arc::default();
    let file = memory_file(&[0; TABLE_OCTETS]);
    let both = libc::PROT_READ | libc::PROT_WRITE;
    let written = Mapped::new(&file, TABLE_OCTETS, both, &gone);
    let read = Mapped::new(&file, TABLE_OCTETS, libc::PROT_READ, &gone);
    let start = read.start.as_ptr().cast();
    // SAFETY: so many words are mapped as long as the keeper lives.
    let words = unsafe { SharedWords::new(start, TABLE_OCTETS / 8, Box::new(read)) };
    (written, words)
}

impl Mapped {
    fn word(&self, at: usize) -> &AtomicU64 {
        assert!(at < self.size / 8);
        // SAFETY: it is mapped, aligned, and reached as an atomic only.
        unsafe { &*self.start.as_ptr().cast::<AtomicU64>().add(at) }
    }
}

#[test]
fn a_word_is_seen_at_once_where_another_mapping_wrote_it() {
    let (written, words) = table();
    written.word(HEADER_WORDS + 3).store(7, Ordering::Relaxed);
    written.word(EPOCH).store(1, Ordering::Release);
    let slots: [u32; 6] = [0, 1, 2, 3, 4, u32::MAX];
    assert_eq!(words.epoch(), Some(1));
    assert_eq!(slots.map(|slot| words.word(slot)), [0, 0, 0, 7, 0, 0]);
}

#[test]
fn a_word_is_never_torn_nor_older_than_its_epoch() {
    const LAST: u64 = 200_000;
    let (written, words) = table();
    let writer = thread::spawn(move || {
        for number in 1..=LAST {
            // As the health process does it: the word, then the epoch.
            let word = written.word(HEADER_WORDS + 1);
            word.store(number << 32 | number, Ordering::Relaxed);
            written.word(EPOCH).store(number, Ordering::Release);
        }
    });
    let mut epoch = 0;
    while epoch < LAST {
        epoch = words.epoch().unwrap();
        let word = words.word(1);
        assert_eq!(word >> 32, word & 0xFFFF_FFFF, "torn");
        assert!(
            word >> 32 >= epoch,
            "word {} under epoch {epoch}",
            word >> 32
        );
    }
    writer.join().unwrap();
}

#[test]
fn counters_are_seen_in_another_mapping_and_never_fall() {
    const LAST: u64 = 100_000;
    let gone = Arc::default();
    let file = memory_file(&[0; 64]);
    let both = libc::PROT_READ | libc::PROT_WRITE;
    let read = Mapped::new(&file, 64, libc::PROT_READ, &gone);
    let written = Mapped::new(&file, 64, both, &gone);
    let start = written.start.as_ptr().cast();
    // SAFETY: eight words are mapped, writable, as long as the keeper lives.
    let counters = unsafe { Counters::new(start, 8, Box::new(written)) };
    let writer = thread::spawn(move || (0..LAST).for_each(|_| counters.add(7, 1)));
    let mut before = 0;
    while before < LAST {
        let now = read.word(7).load(Ordering::Relaxed);
        assert!(now >= before);
        before = now;
    }
    writer.join().unwrap();
}
