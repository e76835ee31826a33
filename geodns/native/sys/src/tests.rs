//! The server from outside, on loopback sockets, without a generation: all is REFUSED.
#![cfg(not(miri))] // it knows no sockets

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream, UdpSocket};
use std::os::fd::OwnedFd;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use geodns_core::Surroundings;

use crate::answerer::tests::POISON;
use crate::{Counters, Counts, Endpoint, Page, Parts, Server, SharedWords, TcpLimits};

const QUERY: [u8; 17] = *b"\x07\x07\0\0\0\x01\0\0\0\0\0\0\0\0\x01\0\x01";
const REFUSED: [u8; 4] = *b"\x07\x07\x80\x05";
const PATIENCE: Option<Duration> = Some(Duration::from_secs(10));

/// A server, its counters, and where it listens.
struct Running {
    server: Server,
    udp: std::net::SocketAddr,
    tcp: std::net::SocketAddr,
    pages: [&'static [AtomicU64; 16]; 2],
}

fn run(connections: usize) -> Running {
    let udp = UdpSocket::bind("127.0.0.1:0").unwrap();
    let tcp = TcpListener::bind("127.0.0.1:0").unwrap();
    udp.set_nonblocking(true).unwrap();
    tcp.set_nonblocking(true).unwrap();
    let (udp_address, tcp_address) = (udp.local_addr().unwrap(), tcp.local_addr().unwrap());
    let pages = [(); 2].map(|()| &*Box::leak(Box::new([const { AtomicU64::new(0) }; 16])));
    let parts = Parts {
        udp: vec![Endpoint {
            socket: OwnedFd::from(udp),
            wildcard: false,
        }],
        tcp: vec![OwnedFd::from(tcp)],
        limits: TcpLimits {
            connections,
            idle: Duration::from_secs(60),
        },
        // SAFETY: no words at all.
        words: unsafe { SharedWords::new(std::ptr::null(), 0, Box::new(())) },
        // SAFETY: leaked, so they stay; atomics may be written through a shared pointer.
        pages: pages.map(|page| unsafe {
            Page(Counters::new(
                page.as_ptr().cast_mut().cast(),
                16,
                Box::new(()),
            ))
        }),
        counts: [(); 2].map(|()| Counts(Counters::none())),
        around: Surroundings::default(),
        held: None,
    };
    Running {
        server: Server::start(parts).unwrap(),
        udp: udp_address,
        tcp: tcp_address,
        pages,
    }
}

/// A counter of the UDP thread's page, or of the TCP thread's.
fn counter(running: &Running, page: usize, number: usize) -> u64 {
    running.pages[page][number].load(Ordering::Relaxed)
}

fn udp_client(running: &Running) -> UdpSocket {
    let client = UdpSocket::bind("127.0.0.1:0").unwrap();
    client.set_read_timeout(PATIENCE).unwrap();
    client.connect(running.udp).unwrap();
    client
}

fn tcp_client(running: &Running) -> TcpStream {
    let client = TcpStream::connect(running.tcp).unwrap();
    client.set_read_timeout(PATIENCE).unwrap();
    client
}

fn framed(message: &[u8]) -> Vec<u8> {
    let length = u16::try_from(message.len()).unwrap().to_be_bytes();
    [&length, message].concat()
}

fn read_reply(client: &mut TcpStream) -> Vec<u8> {
    let mut length = [0; 2];
    client.read_exact(&mut length).unwrap();
    let mut reply = vec![0; u16::from_be_bytes(length).into()];
    client.read_exact(&mut reply).unwrap();
    reply
}

#[test]
fn a_query_that_panics_is_lost_and_nothing_else_over_udp() {
    let mut running = run(4);
    let client = udp_client(&running);
    for packet in [&QUERY[..], POISON, POISON, &QUERY, POISON, &QUERY] {
        client.send(packet).unwrap();
    }
    let mut reply = [0; 512];
    for _ in 0..3 {
        client.recv(&mut reply).unwrap();
        assert_eq!(reply[..4], REFUSED);
    }
    running.server.stop();
    let [udp, dropped] = [0, 2].map(|number| counter(&running, 0, number));
    assert_eq!((udp, dropped), (6, 3));
}

#[test]
fn a_query_that_panics_ends_its_own_connection_only() {
    let mut running = run(4);
    let (mut other, mut client) = (tcp_client(&running), tcp_client(&running));
    client.write_all(&framed(&QUERY)).unwrap();
    assert_eq!(read_reply(&mut client)[..4], REFUSED);
    client.write_all(&framed(POISON)).unwrap();
    assert_eq!(client.read(&mut [0]).unwrap(), 0);
    other.write_all(&framed(&QUERY)).unwrap();
    assert_eq!(read_reply(&mut other)[..4], REFUSED);
    running.server.stop();
    let [tcp, dropped, open, closed] = [1, 2, 11, 12].map(|number| counter(&running, 1, number));
    assert_eq!((tcp, dropped, open, closed), (3, 1, 2, 1));
}

#[test]
fn a_thousand_pipelined_queries_are_answered_in_order() {
    let running = run(4);
    let mut client = tcp_client(&running);
    let mut sender = client.try_clone().unwrap();
    let sending = std::thread::spawn(move || {
        for number in 0..1000_u16 {
            let query = [&number.to_be_bytes(), &QUERY[2..]].concat();
            sender.write_all(&framed(&query)).unwrap();
        }
    });
    for number in 0..1000_u16 {
        assert_eq!(read_reply(&mut client)[..2], number.to_be_bytes());
    }
    sending.join().unwrap();
}

#[test]
fn beyond_the_limit_the_longest_idle_gives_way() {
    let running = run(2);
    let (mut first, mut second) = (tcp_client(&running), tcp_client(&running));
    for client in [&mut second, &mut first] {
        client.write_all(&framed(&QUERY)).unwrap();
        read_reply(client);
    }
    let mut third = tcp_client(&running);
    assert_eq!(second.read(&mut [0]).unwrap(), 0);
    for client in [&mut first, &mut third] {
        client.write_all(&framed(&QUERY)).unwrap();
        assert_eq!(read_reply(client)[..4], REFUSED);
    }
}
