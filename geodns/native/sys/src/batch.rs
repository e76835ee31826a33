//! Many datagrams in one system call, and the address each reply must leave from.

use std::io;
use std::mem::zeroed;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::os::fd::{AsRawFd, BorrowedFd};
use std::ptr::{self, null_mut};

use libc::{c_int, c_uint, c_void, iovec, mmsghdr, msghdr, sockaddr_in, sockaddr_in6, socklen_t};

/// Datagrams of one system call. Source: measured, more than 32 save nothing.
pub(crate) const BATCH: usize = 32;

/// Octets read of a datagram. Source: `geodns.engine.worker`.
const PACKET_MAX: usize = 4096;

/// Room for a reply: 1232 octets of records, or a question with every option.
const REPLY_MAX: usize = 2048;

/// One line of cache more than a power of two, else all buffers compete for the same few lines.
const STAGGER: usize = 64;

const CONTROL_OCTETS: usize = 128;

/// An address as the system writes it: the larger of the two kinds, told apart by family.
pub(crate) type Name = sockaddr_in6;

#[repr(C, align(8))]
#[derive(Clone, Copy)]
struct Control([u8; CONTROL_OCTETS]);

/// Who sent a datagram, and which of our addresses it was sent to.
#[derive(Clone, Copy)]
pub(crate) struct Envelope {
    name: Name,
    name_size: socklen_t,
    control: Control,
    control_size: usize,
}

/// Buffers and headers for one batch. What points into what is set anew for each call.
pub(crate) struct Batch {
    input: Box<[u8]>,
    output: Box<[u8]>,
    envelopes: Box<[Envelope]>,
    receive: Box<[mmsghdr]>,
    send: Box<[mmsghdr]>,
    vectors: Box<[iovec]>,
    /// Octets of each datagram's reply; 0 for none.
    sizes: Box<[usize]>,
    received: usize,
}

impl Batch {
    pub(crate) fn new() -> Self {
        // SAFETY: plain structs of numbers and pointers, for which zero is a valid value.
        let (envelope, header, vector) = unsafe { zeroed::<(Envelope, mmsghdr, iovec)>() };
        Self {
            input: vec![0; BATCH * (PACKET_MAX + STAGGER)].into(),
            output: vec![0; BATCH * (REPLY_MAX + STAGGER)].into(),
            envelopes: vec![envelope; BATCH].into(),
            receive: vec![header; BATCH].into(),
            send: vec![header; BATCH].into(),
            vectors: vec![vector; BATCH].into(),
            sizes: vec![0; BATCH].into(),
            received: 0,
        }
    }

    /// Receive what has come in; how many datagrams.
    pub(crate) fn receive(&mut self, socket: BorrowedFd, with_address: bool) -> io::Result<usize> {
        let buffers = self.input.chunks_exact_mut(PACKET_MAX + STAGGER);
        let parts = self.receive.iter_mut().zip(&mut self.envelopes);
        for ((message, envelope), (vector, buffer)) in
            parts.zip(self.vectors.iter_mut().zip(buffers))
        {
            vector.iov_base = buffer.as_mut_ptr().cast();
            vector.iov_len = PACKET_MAX;
            let header = &mut message.msg_hdr;
            header.msg_iov = vector;
            header.msg_iovlen = 1;
            header.msg_name = ptr::from_mut(&mut envelope.name).cast();
            header.msg_namelen = size_of_u32::<Name>();
            header.msg_control = null_mut();
            header.msg_controllen = 0;
            if with_address {
                header.msg_control = envelope.control.0.as_mut_ptr().cast();
                header.msg_controllen = CONTROL_OCTETS as _;
            }
        }
        self.received = 0;
        let (first, count) = (self.receive.as_mut_ptr(), capped(self.receive.len()));
        // SAFETY: `count` headers, whose pointers were set above, each to its own part of `self`,
        // as long as the header says; `self` is borrowed mutably until the call has written.
        let got = unsafe { libc::recvmmsg(socket.as_raw_fd(), first, count, 0, null_mut()) };
        self.received = usize::try_from(got).map_err(|_| io::Error::last_os_error())?;
        Ok(self.received)
    }

    /// Datagram number `at` of those received, its sender, and room for the reply.
    pub(crate) fn datagram(&mut self, at: usize) -> Option<(&[u8], Sender, &mut [u8])> {
        let message = self.receive.get(at).filter(|_| at < self.received)?;
        let input = self.input.chunks_exact(PACKET_MAX + STAGGER).nth(at)?;
        let mut output = self.output.chunks_exact_mut(REPLY_MAX + STAGGER);
        let envelope = self.envelopes.get(at)?;
        let octets = input.get(..message.msg_len as usize)?;
        let sender = Sender::read(&envelope.name);
        Some((octets, sender, output.nth(at)?.get_mut(..REPLY_MAX)?))
    }

    /// All datagrams received.
    pub(crate) fn datagrams(&self) -> impl Iterator<Item = &[u8]> {
        let inputs = self.input.chunks_exact(PACKET_MAX + STAGGER);
        let received = self.receive.iter().take(self.received);
        received
            .zip(inputs)
            .filter_map(|(message, octets)| octets.get(..message.msg_len as usize))
    }

    /// What is needed to answer datagram number `at` later.
    pub(crate) fn envelope(&mut self, at: usize) -> Option<Envelope> {
        let header = self.receive.get(at)?.msg_hdr;
        let envelope = self.envelopes.get_mut(at)?;
        envelope.name_size = header.msg_namelen;
        let found = reply_control(&header, &envelope.control);
        if let Some((control, size)) = found {
            envelope.control = control;
            envelope.control_size = size;
        } else {
            envelope.control_size = 0;
        }
        Some(*envelope)
    }

    /// Let the reply to datagram number `at`, of so many octets, be sent with the next `send`.
    pub(crate) fn queue(&mut self, at: usize, size: usize) {
        if let Some(place) = self.sizes.get_mut(at) {
            *place = size.min(REPLY_MAX);
        }
    }

    /// Send all queued replies; one that the system refuses is passed over: the client asks again.
    pub(crate) fn send(&mut self, socket: BorrowedFd) {
        let queued = self.gather();
        let mut done = 0;
        while let Some(rest) = self
            .send
            .get_mut(done..queued)
            .filter(|rest| !rest.is_empty())
        {
            let (first, count) = (rest.as_mut_ptr(), capped(rest.len()));
            // SAFETY: `count` headers, whose pointers `gather` has set to buffers of `self`, none
            // of which was reached otherwise since; the call reads them, and writes lengths.
            let sent = unsafe { libc::sendmmsg(socket.as_raw_fd(), first, count, 0) };
            done += usize::try_from(sent).unwrap_or(1).max(1);
        }
    }

    /// Make the headers of all queued replies; how many.
    fn gather(&mut self) -> usize {
        let mut queued = 0;
        let mut slots = self.send.iter_mut().zip(&mut self.vectors);
        let sizes = self.sizes.iter_mut().map(std::mem::take);
        let buffers = self.output.chunks_exact_mut(REPLY_MAX + STAGGER);
        let received = self.receive.iter().zip(&mut self.envelopes);
        let all = received.zip(sizes.zip(buffers)).take(self.received);
        for ((message, envelope), (size, buffer)) in all.filter(|(_, (size, _))| *size > 0) {
            let Some((slot, vector)) = slots.next() else {
                break;
            };
            vector.iov_base = buffer.as_mut_ptr().cast();
            vector.iov_len = size;
            let header = &mut slot.msg_hdr;
            header.msg_iov = vector;
            header.msg_iovlen = 1;
            header.msg_name = ptr::from_mut(&mut envelope.name).cast();
            header.msg_namelen = message.msg_hdr.msg_namelen;
            header.msg_control = null_mut();
            header.msg_controllen = 0;
            if let Some((control, size)) = reply_control(&message.msg_hdr, &envelope.control) {
                envelope.control = control;
                header.msg_control = envelope.control.0.as_mut_ptr().cast();
                header.msg_controllen = size as _;
            }
            queued += 1;
        }
        queued
    }
}

/// Who sent a datagram.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Sender {
    pub(crate) address: IpAddr,
    pub(crate) port: u16,
}

impl Sender {
    fn read(name: &Name) -> Self {
        if c_int::from(name.sin6_family) == libc::AF_INET {
            // SAFETY: both kinds are plain, this one is the smaller, and the family names it.
            let name = unsafe { &*ptr::from_ref(name).cast::<sockaddr_in>() };
            return Self {
                address: IpAddr::V4(Ipv4Addr::from(u32::from_be(name.sin_addr.s_addr))),
                port: u16::from_be(name.sin_port),
            };
        }
        Self {
            address: IpAddr::V6(Ipv6Addr::from(name.sin6_addr.s6_addr)),
            port: u16::from_be(name.sin6_port),
        }
    }
}

impl Envelope {
    /// Send one reply. Errors of the system are passed over: the client asks again.
    pub(crate) fn send(&self, socket: BorrowedFd, reply: &[u8]) {
        // SAFETY: a plain struct of the C library, for which zero is a valid value.
        let mut header = unsafe { zeroed::<msghdr>() };
        let mut vector = iovec {
            iov_base: reply.as_ptr().cast_mut().cast(),
            iov_len: reply.len(),
        };
        header.msg_iov = &raw mut vector;
        header.msg_iovlen = 1;
        header.msg_name = ptr::from_ref(&self.name).cast_mut().cast();
        header.msg_namelen = self.name_size;
        if self.control_size > 0 {
            header.msg_control = self.control.0.as_ptr().cast_mut().cast::<c_void>();
            header.msg_controllen = self.control_size as _;
        }
        // SAFETY: all pointers lead to what lives until the call ends, of the sizes that stand
        // beside them; it only reads.
        unsafe { libc::sendmsg(socket.as_raw_fd(), &raw const header, 0) };
    }
}

/// The control message that makes a reply leave from where the query arrived, and its size.
fn reply_control(received: &msghdr, written: &Control) -> Option<(Control, usize)> {
    if received.msg_control.is_null() {
        return None;
    }
    let mut header = *received;
    // The same buffer again: the pointer that was set for receiving is older than other uses.
    header.msg_control = ptr::from_ref(&written.0).cast_mut().cast();
    let received = &raw const header;
    // SAFETY: `recvmmsg` filled in the header's sizes, so the macros, which only read, stay within
    // the control buffer, which is aligned for them. The system has written each message whole:
    // there is room for both kinds at once, and no others are asked for.
    unsafe {
        let mut at = libc::CMSG_FIRSTHDR(received);
        while let Some(found) = at.as_ref() {
            let data = libc::CMSG_DATA(at);
            match (found.cmsg_level, found.cmsg_type) {
                (libc::IPPROTO_IPV6, libc::IPV6_PKTINFO) => {
                    let info = data.cast::<libc::in6_pktinfo>().read_unaligned();
                    return Some(control(libc::IPPROTO_IPV6, libc::IPV6_PKTINFO, info));
                }
                (libc::IPPROTO_IP, libc::IP_PKTINFO) => {
                    // ip(7): the reply needs the local address; the kernel chooses the interface.
                    let mut info = data.cast::<libc::in_pktinfo>().read_unaligned();
                    info.ipi_ifindex = 0;
                    info.ipi_addr.s_addr = 0;
                    return Some(control(libc::IPPROTO_IP, libc::IP_PKTINFO, info));
                }
                _ => at = libc::CMSG_NXTHDR(received, at),
            }
        }
    }
    None
}

fn control<T: Copy>(level: c_int, kind: c_int, data: T) -> (Control, usize) {
    let mut made = Control([0; CONTROL_OCTETS]);
    let size = size_of_u32::<T>();
    // SAFETY: the buffer is aligned for the header, and longer than CMSG_SPACE of either data.
    unsafe {
        let header = (&raw mut made).cast::<libc::cmsghdr>();
        (*header).cmsg_level = level;
        (*header).cmsg_type = kind;
        (*header).cmsg_len = libc::CMSG_LEN(size) as _;
        libc::CMSG_DATA(header).cast::<T>().write_unaligned(data);
        (made, libc::CMSG_SPACE(size) as usize)
    }
}

/// A number of messages as the C library counts them.
fn capped(count: usize) -> c_uint {
    c_uint::try_from(count).unwrap_or(0)
}

/// A size that the C library wants in 32 bits.
#[expect(
    clippy::cast_possible_truncation,
    reason = "of structs of a few octets"
)]
const fn size_of_u32<T>() -> u32 {
    size_of::<T>() as u32
}

#[cfg(test)]
#[path = "batch_tests.rs"]
mod tests;
