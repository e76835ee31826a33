//! Any octets as a packet; the first says what it comes in.
#![no_main]

mod common;

use std::cell::RefCell;

use common::budget::in_time;
use common::world::World;
use libfuzzer_sys::fuzz_target;

thread_local!(static WORLD: RefCell<World> = RefCell::new(World::new()));

fuzz_target!(|input: &[u8]| {
    let Some((how, packet)) = input.split_first() else {
        return;
    };
    WORLD.with_borrow_mut(|world| in_time(|| _ = world.ask(packet, (*how).into())));
});
