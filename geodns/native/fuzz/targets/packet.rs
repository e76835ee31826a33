//! Any octets as a packet.
#![no_main]

mod world;

use std::cell::RefCell;

use geodns_core::Source;
use libfuzzer_sys::fuzz_target;
use world::World;

thread_local!(static WORLD: RefCell<World> = RefCell::new(World::new()));

fuzz_target!(|octets: &[u8]| {
    WORLD.with_borrow_mut(|world| {
        world.ask(octets, Source::V4(0x0808_0808), false);
        world.ask(octets, Source::V6(0x2001_0db8 << 96), true);
    });
});
