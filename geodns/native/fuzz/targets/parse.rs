//! Any octets as a packet to a server that has no zones: all that reads, nothing that answers.
#![no_main]

mod common;

use common::budget::in_time;
use common::world::refuse;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|octets: &[u8]| {
    let mut out = [0; 4096];
    in_time(|| refuse(octets, &mut out));
});
