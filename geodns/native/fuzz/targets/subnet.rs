//! Any client subnet, and any resolver, in an otherwise whole query for a steered name.
#![no_main]

mod world;

use std::cell::RefCell;

use geodns_core::Source;
use libfuzzer_sys::fuzz_target;
use world::World;

thread_local!(static WORLD: RefCell<World> = RefCell::new(World::new()));

const HEAD: &[u8] = b"\x12\x34\x01\0\0\x01\0\0\0\0\0\x01\x03www\x07example\x04test\0\0";

fuzz_target!(|input: (bool, u128, Vec<u8>)| {
    let (six, resolver, mut option) = input;
    option.truncate(64);
    let size = u8::try_from(option.len()).unwrap();
    let mut packet = HEAD.to_vec();
    packet.extend([
        if six { 28 } else { 1 },
        0,
        1,
        0,
        0,
        41,
        4,
        208,
        0,
        0,
        0,
        0,
        0,
        size + 4,
    ]);
    packet.extend([0, 8, 0, size]);
    packet.extend(option);
    WORLD.with_borrow_mut(|world| world.ask(&packet, Source::V6(resolver), false));
});
