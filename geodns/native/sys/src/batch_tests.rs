//! Datagrams on loopback sockets, received and answered in batches.
#![cfg(not(miri))] // it knows no sockets

use std::io::ErrorKind;
use std::net::{SocketAddr, UdpSocket};
use std::os::fd::{AsFd, AsRawFd};
use std::time::Duration;

use super::{BATCH, Batch, PACKET_MAX, REPLY_MAX};

const PATIENCE: Option<Duration> = Some(Duration::from_secs(10));
const ANY: [&str; 2] = ["0.0.0.0:0", "[::]:0"];

fn bound(address: &str) -> UdpSocket {
    let socket = UdpSocket::bind(address).unwrap();
    socket.set_nonblocking(true).unwrap();
    socket
}

fn client() -> UdpSocket {
    let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
    socket.set_read_timeout(PATIENCE).unwrap();
    socket
}

/// Let the system say which address a datagram was sent to.
fn tell_addresses(socket: &UdpSocket) {
    let (level, option) = match socket.local_addr().unwrap() {
        SocketAddr::V4(_) => (libc::IPPROTO_IP, libc::IP_PKTINFO),
        SocketAddr::V6(_) => (libc::IPPROTO_IPV6, libc::IPV6_RECVPKTINFO),
    };
    let on: libc::c_int = 1;
    // SAFETY: the option is an integer, and so many octets of one are there.
    let status = unsafe {
        let size = libc::socklen_t::try_from(size_of_val(&on)).unwrap();
        libc::setsockopt(
            socket.as_raw_fd(),
            level,
            option,
            (&raw const on).cast(),
            size,
        )
    };
    assert_eq!(status, 0);
}

/// Answer datagram `at` of a batch.
fn reply(batch: &mut Batch, at: usize, octets: &[u8]) {
    let (_, _, out) = batch.datagram(at).unwrap();
    out[..octets.len()].copy_from_slice(octets);
    batch.queue(at, octets.len());
}

fn received(client: &UdpSocket) -> (Vec<u8>, SocketAddr) {
    let mut buffer = [0; 8192];
    let (size, from) = client.recv_from(&mut buffer).unwrap();
    (buffer[..size].to_vec(), from)
}

#[test]
fn a_batch_holds_what_came_in_in_order_and_the_next_one_the_rest() {
    let (server, client, mut batch) = (bound("127.0.0.1:0"), client(), Batch::new());
    for number in 0..BATCH + 8 {
        let octets = vec![u8::try_from(number).unwrap(); number];
        client
            .send_to(&octets, server.local_addr().unwrap())
            .unwrap();
    }
    let mut next = 0;
    for expected in [BATCH, 8] {
        assert_eq!(batch.receive(server.as_fd(), false).unwrap(), expected);
        assert_eq!(batch.datagrams().count(), expected);
        for at in 0..expected {
            let (octets, sender, out) = batch.datagram(at).unwrap();
            assert_eq!(octets, vec![u8::try_from(next).unwrap(); next]);
            let from = SocketAddr::new(sender.address, sender.port);
            assert_eq!(from, client.local_addr().unwrap());
            assert_eq!(out.len(), REPLY_MAX);
            next += 1;
        }
        assert!(batch.datagram(expected).is_none());
    }
    let nothing = batch.receive(server.as_fd(), false).unwrap_err();
    assert_eq!(nothing.kind(), ErrorKind::WouldBlock);
    assert!(batch.datagram(0).is_none());
}

#[test]
fn a_datagram_beyond_the_buffer_is_cut() {
    let (server, client, mut batch) = (bound("127.0.0.1:0"), client(), Batch::new());
    client
        .send_to(&vec![7; 60_000], server.local_addr().unwrap())
        .unwrap();
    assert_eq!(batch.receive(server.as_fd(), false).unwrap(), 1);
    assert_eq!(batch.datagram(0).unwrap().0, [7; PACKET_MAX]);
}

#[test]
fn each_client_gets_its_own_reply_and_some_get_none() {
    let (server, mut batch) = (bound("127.0.0.1:0"), Batch::new());
    let clients: Vec<UdpSocket> = (0..9).map(|_| client()).collect();
    for (number, client) in (0_u8..).zip(&clients) {
        client
            .send_to(&[number], server.local_addr().unwrap())
            .unwrap();
    }
    assert_eq!(batch.receive(server.as_fd(), false).unwrap(), clients.len());
    for at in (0..clients.len()).filter(|at| at % 2 == 0) {
        let octet = batch.datagram(at).unwrap().0[0];
        reply(&mut batch, at, &vec![octet; 1 + usize::from(octet)]);
    }
    batch.send(server.as_fd());
    for (number, client) in (0_u8..).zip(&clients).filter(|(number, _)| number % 2 == 0) {
        assert_eq!(received(client).0, vec![number; 1 + usize::from(number)]);
    }
    for client in clients.iter().skip(1).step_by(2) {
        client.set_nonblocking(true).unwrap();
        assert_eq!(
            client.recv(&mut [0]).unwrap_err().kind(),
            ErrorKind::WouldBlock
        );
    }
    batch.send(server.as_fd()); // nothing is queued any more
    clients[0].set_nonblocking(true).unwrap();
    assert!(clients[0].recv(&mut [0]).is_err());
}

#[test]
fn a_reply_is_never_longer_than_its_room() {
    let (server, client, mut batch) = (bound("127.0.0.1:0"), client(), Batch::new());
    client.send_to(&[1], server.local_addr().unwrap()).unwrap();
    batch.receive(server.as_fd(), false).unwrap();
    batch.queue(0, usize::MAX);
    batch.queue(BATCH, 1); // there is none
    batch.send(server.as_fd());
    assert_eq!(received(&client).0.len(), REPLY_MAX);
}

#[test]
fn replies_leave_from_the_address_that_was_asked() {
    for any in ANY {
        let (server, client, mut batch) = (bound(any), client(), Batch::new());
        tell_addresses(&server);
        let port = server.local_addr().unwrap().port();
        for last in [3, 200] {
            let asked = SocketAddr::from(([127, 0, 0, last], port));
            client.send_to(b"?", asked).unwrap();
            assert_eq!(batch.receive(server.as_fd(), true).unwrap(), 1);
            reply(&mut batch, 0, b"!");
            batch.send(server.as_fd());
            assert_eq!(received(&client), (b"!".to_vec(), asked));
        }
    }
}

#[test]
fn an_envelope_is_good_after_its_batch() {
    for any in ANY {
        let (server, first, second, mut batch) = (bound(any), client(), client(), Batch::new());
        tell_addresses(&server);
        let port = server.local_addr().unwrap().port();
        let asked = SocketAddr::from(([127, 0, 0, 9], port));
        first.send_to(b"1", asked).unwrap();
        batch.receive(server.as_fd(), true).unwrap();
        let envelope = batch.envelope(0).unwrap();
        second.send_to(b"2", ("127.0.0.1", port)).unwrap();
        batch.receive(server.as_fd(), true).unwrap();
        drop(batch);
        envelope.send(server.as_fd(), b"late");
        assert_eq!(received(&first), (b"late".to_vec(), asked));
    }
}
