//! A section with octets changed: it is refused, or answers; it never ends the process.
#![no_main]

mod sections;

use geodns_core::{Generation, Packet, Scratch, Source, Surroundings, respond};
use libfuzzer_sys::fuzz_target;

const QUERIES: [&[u8]; 3] = [
    b"\0\x01\x01\0\0\x01\0\0\0\0\0\0\x03www\x07example\x04test\0\0\x01\0\x01",
    b"\0\x02\x01\0\0\x01\0\0\0\0\0\0\x04none\x07example\x04test\0\0\x1c\0\x01",
    b"\0\x03\x01\0\0\x01\0\0\0\0\0\0\x05alias\x07example\x04test\0\0\x01\0\x01",
];

/// Which section, and which octets of its beginning become which.
type Changes = (u8, Vec<(u16, u8)>);

fuzz_target!(|changes: Changes| {
    let (which, changes) = changes;
    let mut sections = sections::sections();
    let at = usize::from(which) % sections.len();
    let mut words: Vec<u64> = vec![0; sections[at].octets.len() / 8];
    for (word, octets) in words.iter_mut().zip(sections[at].octets.chunks_exact(8)) {
        *word = u64::from_le_bytes(octets.try_into().unwrap());
    }
    for (place, value) in changes {
        let (word, shift) = (usize::from(place) / 8, usize::from(place) % 8 * 8);
        if let Some(word) = words.get_mut(word) {
            *word = *word & !(0xFF << shift) | u64::from(value) << shift;
        }
    }
    let octets: Vec<u8> = words.iter().flat_map(|word| word.to_le_bytes()).collect();
    // Aligned to 8, which is what a section needs.
    let start = octets.as_ptr().align_offset(8);
    if start != 0 {
        return;
    }
    sections[at].octets = &octets;
    let Ok(generation) = Generation::new(&sections) else {
        return;
    };
    let (mut scratch, mut out) = (Scratch::new(&generation), [0; 2048]);
    for octets in QUERIES {
        let packet = Packet {
            octets,
            source: Source::V4(0x0808_0808),
            tcp: false,
            now_s: 0,
        };
        let around = Surroundings::default();
        respond(
            &generation,
            &[0_u64][..],
            &around,
            packet,
            &mut scratch,
            &mut out,
        );
    }
});
