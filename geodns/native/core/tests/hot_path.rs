//! On the way of a query nothing allocates and nothing waits.

#![allow(clippy::unwrap_used, reason = "these are tests, all of it")]

mod world;

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;

use geodns_core::{
    DebugNames, Generation, Network, Outcome, Packet, Scratch, Source, Surroundings, refuse_all,
    respond, warm,
};
use world::{octets_of, sections, states};

/// The system's allocator; it counts what each thread asks of it.
struct Counting;

thread_local!(static ASKED: Cell<usize> = const { Cell::new(0) });

// SAFETY: all is left to the system's allocator.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        ASKED.set(ASKED.get() + 1);
        // SAFETY: the caller's promise.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, start: *mut u8, layout: Layout) {
        ASKED.set(ASKED.get() + 1);
        // SAFETY: the caller's promise.
        unsafe { System.dealloc(start, layout) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

/// How often the allocator is asked for memory, or given some back.
fn asked_of_allocator(run: impl FnOnce()) -> usize {
    let before = ASKED.get();
    run();
    ASKED.get() - before
}

/// Questions that the host answers.
const DEBUG_NAMES: [&[u8]; 2] = [
    b"\0\x01\0\0\0\x01\0\0\0\0\0\0\x08_explain\x03www\x07example\x04test\0\0\x10\0\x01",
    b"\0\x01\0\0\0\x01\0\0\0\0\0\0\x02id\x06server\0\0\x10\0\x03",
];

/// Packets of every kind: those by which the fuzzer reached what there is to be reached, which
/// for `answer` have an octet of circumstances before them.
fn packets() -> Vec<Vec<u8>> {
    let parse = include_str!("../../fuzz/seeds/parse.txt").lines();
    let answer = include_str!("../../fuzz/seeds/answer.txt").lines();
    let answer = answer.map(|line| line.get(2..).unwrap());
    let all = parse.chain(answer).map(octets_of);
    let all = all.chain(DEBUG_NAMES.map(<[u8]>::to_vec));
    all.chain(steered()).collect()
}

/// Questions for names with rules, splits, stickiness, groups and tails, from users whom they
/// tell apart.
fn steered() -> Vec<Vec<u8>> {
    let names: [&[u8]; 3] = [b"\x05ruled", b"\x05loyal", b"\x04wide"];
    let fours = [
        [1, 2, 3],
        [1, 3, 0],
        [2, 1, 0],
        [2, 64, 0],
        [9, 1, 2],
        [10, 0, 0],
        [99, 0, 0],
    ];
    let fours = fours
        .iter()
        .map(|four| [&[0, 1, 24, 0], &four[..]].concat());
    let six = [0x2a, 0, 0x14, 0x50, 0x80, 0, 0];
    let subnets: Vec<_> = fours.chain([[&[0, 2, 56, 0], &six[..]].concat()]).collect();
    let mut all = Vec::new();
    for (name, subnet) in names
        .iter()
        .flat_map(|name| subnets.iter().map(move |s| (name, s)))
    {
        for rtype in [1, 28] {
            let size = u8::try_from(subnet.len()).unwrap();
            let question = [b"\x07example\x04test\0\0", &[rtype][..], b"\0\x01"].concat();
            let opt = [0, 0, 41, 4, 208, 0, 0, 0, 0, 0, size + 4, 0, 8, 0, size];
            let head = b"\x12\x34\x01\0\0\x01\0\0\0\0\0\x01";
            all.push([&head[..], name, &question, &opt, subnet].concat());
        }
    }
    all
}

fn surroundings() -> [Surroundings; 2] {
    let anyone = Network::new([0, 0, 0, 0].into(), 0);
    let full = Surroundings {
        nsid: b"lab-1".to_vec(),
        cookie_secrets: vec![[7; 16], [8; 16]],
        debug: Some(DebugNames {
            sources: vec![anyone],
            identity: true,
        }),
        trusted: Some(vec![anyone]),
        keepalive: 100,
    };
    [Surroundings::default(), full]
}

const SOURCES: [Source; 3] = [
    Source::V4(0x0808_0808),
    Source::V4(0x7f00_0001),
    Source::V6(0x2a00_1450 << 96),
];

#[test]
fn no_packet_makes_the_engine_allocate() {
    let (sections, states, packets) = (sections(), states(), packets());
    let entries: Vec<_> = sections.iter().map(world::Section::entry).collect();
    let generation = Generation::new(&entries).unwrap();
    let (around, mut out) = (surroundings(), vec![0; 66_000]);
    let (mut kinds, mut allocated) = ([0_usize; 18], 0);
    for around in &around {
        let mut scratch = Scratch::new(&generation);
        for (number, octets) in packets.iter().enumerate() {
            let source = SOURCES[number % SOURCES.len()];
            for (state, tcp) in states
                .iter()
                .flat_map(|state| [(state, false), (state, true)])
            {
                let (scratch, out) = (&mut scratch, &mut out[..]);
                let mut outcome = Outcome::Drop;
                let packet = Packet {
                    octets,
                    source,
                    tcp,
                    now_s: 1_800_000_000,
                };
                allocated += asked_of_allocator(|| {
                    outcome = respond(&generation, state, around, packet, scratch, out);
                });
                kinds[match outcome {
                    Outcome::Reply(_) => usize::from(out[3] & 15),
                    Outcome::Drop => 16,
                    Outcome::Defer => 17,
                }] += 1;
            }
        }
    }
    assert_eq!(allocated, 0);
    // NOERROR, FORMERR, NXDOMAIN, NOTIMP, REFUSED, YXDOMAIN, NOTAUTH; silence; for the host.
    for kind in [0, 1, 3, 4, 5, 6, 9, 16, 17] {
        assert_ne!(kinds[kind], 0, "no packet of kind {kind}");
    }
}

#[test]
fn reading_ahead_and_refusing_everything_allocate_nothing() {
    let (sections, packets) = (sections(), packets());
    let entries: Vec<_> = sections.iter().map(world::Section::entry).collect();
    let generation = Generation::new(&entries).unwrap();
    let (mut scratch, mut out) = (Scratch::new(&generation), vec![0; 4096]);
    let allocated = asked_of_allocator(|| {
        for batch in packets.chunks(100) {
            warm(&generation, batch.iter().map(Vec::as_slice), &mut scratch);
        }
        for packet in &packets {
            refuse_all(packet, &mut out);
        }
    });
    assert_eq!(allocated, 0);
}

#[test]
fn an_allocation_would_be_counted() {
    assert!(asked_of_allocator(|| drop(std::hint::black_box(vec![0]))) > 0);
}

/// What the standard library has to wait for other threads with.
const WAITING: [&str; 9] = [
    "Mutex", "RwLock", "Condvar", "Barrier", "OnceLock", "LazyLock", "mpsc", "thread", "park",
];

#[test]
fn the_core_has_nothing_to_wait_with() {
    let sources = concat!(env!("CARGO_MANIFEST_DIR"), "/src");
    let mut read = 0;
    for file in std::fs::read_dir(sources).unwrap() {
        let text = std::fs::read_to_string(file.unwrap().path()).unwrap();
        let code = text
            .lines()
            .filter(|line| !line.trim_start().starts_with("//"));
        for line in code {
            let word = WAITING.iter().find(|word| line.contains(*word));
            assert_eq!(word, None, "{line}");
        }
        read += 1;
    }
    assert!(read > 20);
}
