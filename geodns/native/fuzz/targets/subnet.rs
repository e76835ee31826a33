//! Any client subnet in an otherwise whole query for a steered name, and any resolver; what the
//! scope says is held against a second query.
#![no_main]

mod common;

use std::cell::RefCell;

use common::budget::in_time;
use common::lawful::Echo;
use common::world::{Circumstances, World};
use geodns_core::Source;
use libfuzzer_sys::fuzz_target;

thread_local! {
    static WORLD: RefCell<(World, Vec<u8>)> = RefCell::new((World::new(), Vec::new()));
}

/// Names whose answers depend on place and user alone: no node is drawn for one query.
const NAMES: [&[u8; 5]; 3] = [b"first", b"loyal", b"ruled"];
const HEAD: &[u8] = b"\x12\x34\x01\0\0\x01\0\0\0\0\0\x01\x05";
const TAIL: &[u8] = b"\x07example\x04test\0\0";
const OPT: &[u8] = &[0, 0, 41, 4, 208, 0, 0, 0, 0];
const RESOLVER_OCTETS: usize = 16;

fuzz_target!(|input: &[u8]| {
    let Some(([how, flags], rest)) = input.split_first_chunk() else {
        return;
    };
    let Some((resolver, option)) = rest.split_first_chunk::<RESOLVER_OCTETS>() else {
        return;
    };
    let mut how = Circumstances::from(*how);
    if flags & 2 != 0 {
        how.source = Source::V6(u128::from_be_bytes(*resolver));
    }
    let asked = Asked {
        name: NAMES[usize::from(flags >> 2) % NAMES.len()],
        six: flags & 1 != 0,
    };
    let option = &option[..option.len().min(64)];
    WORLD.with_borrow_mut(|(world, before)| in_time(|| both(world, before, asked, option, how)));
});

/// A steered name, and which family is asked for.
#[derive(Clone, Copy)]
struct Asked {
    name: &'static [u8; 5],
    six: bool,
}

/// The answer, and another from elsewhere under the same scope.
fn both(world: &mut World, before: &mut Vec<u8>, asked: Asked, option: &[u8], how: Circumstances) {
    let (packet, size) = query(asked, option);
    let Some((seen, reply)) = world.ask(&packet[..size], how) else {
        return;
    };
    let Some(echo) = seen.echo.filter(|echo| seen.rcode == 0 && echo.scope > 0) else {
        return;
    };
    before.clear();
    before.extend_from_slice(&reply[seen.records.0..seen.records.1]);
    let (other, size) = elsewhere(echo, &option[4..]);
    let (packet, size) = query(asked, &other[..size]);
    let (again, reply) = world
        .ask(&packet[..size], how)
        .expect("a reply like the first");
    let records = &reply[again.records.0..again.records.1];
    assert_eq!(
        records,
        &before[..],
        "one answer, wherever in its scope one asks from"
    );
}

fn query(asked: Asked, option: &[u8]) -> ([u8; 160], usize) {
    let mut packet = [0; 160];
    let size = u8::try_from(option.len()).unwrap();
    let parts: [&[u8]; 7] = [
        HEAD,
        asked.name,
        TAIL,
        &[if asked.six { 28 } else { 1 }, 0, 1],
        OPT,
        &[0, size + 4, 0, 8, 0, size],
        option,
    ];
    let mut at = 0;
    for part in parts {
        packet[at..at + part.len()].copy_from_slice(part);
        at += part.len();
    }
    (packet, at)
}

/// A subnet that agrees with another in the bits of the scope and in none behind them. In IPv6 it
/// is as long as the other: how much is shown of it decides whether an embedded address counts.
fn elsewhere(echo: Echo, address: &[u8]) -> ([u8; 20], usize) {
    let source = if echo.family == 1 {
        echo.source.max(echo.scope)
    } else {
        echo.source
    };
    let size = usize::from(source).div_ceil(8);
    let mut option = [0; 20];
    option[1] = if echo.family == 1 { 1 } else { 2 };
    option[2] = source;
    option[4..4 + address.len()].copy_from_slice(address);
    for bit in usize::from(echo.scope)..usize::from(source) {
        option[4 + bit / 8] ^= 0x80 >> (bit % 8);
    }
    (option, 4 + size)
}
