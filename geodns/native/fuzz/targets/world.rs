//! A world to ask: whatever the octets are, the reply is one.

use geodns_core::{Generation, Network, Packet, Scratch, Source, Surroundings, respond};

#[path = "sections.rs"]
mod sections;

use sections::sections;

/// Answers packets, with everything that surrounds the lookup.
pub struct World {
    generation: Generation<'static>,
    around: Surroundings,
    scratch: Scratch,
    words: [u64; 64],
}

impl World {
    /// A world in good health.
    pub fn new() -> Self {
        let generation = Generation::new(&sections()).expect("the seeds are whole");
        Self {
            scratch: Scratch::new(&generation),
            generation,
            words: [0; 64],
            around: Surroundings {
                nsid: b"fuzz".to_vec(),
                cookie_secrets: vec![[7; 16]],
                debug: None,
                trusted: Some(vec![Network::new([0, 0, 0, 0].into(), 0)]),
                keepalive: 100,
            },
        }
    }

    /// Ask; whatever the octets are, the reply is one.
    pub fn ask(&mut self, octets: &[u8], source: Source, tcp: bool) {
        let packet = Packet {
            octets,
            source,
            tcp,
            now_s: 1_800_000_000,
        };
        let mut out = [0; 4096];
        let (generation, words) = (&self.generation, &self.words[..]);
        let scratch = &mut self.scratch;
        let outcome = respond(generation, words, &self.around, packet, scratch, &mut out);
        if let geodns_core::Outcome::Reply(size) = outcome {
            assert!((12..=out.len()).contains(&size));
            assert_eq!(out[..2], octets[..2]);
            assert!(out[2] & 0x80 != 0, "a reply says that it is one");
        }
    }
}
