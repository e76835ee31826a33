//! The few system calls that the standard library does not offer.

use std::io;
use std::os::fd::{AsRawFd, FromRawFd, OwnedFd, RawFd};

/// A duplicate of a descriptor that somebody else owns.
///
/// # Errors
/// When there is no such descriptor, or no room for another.
pub fn duplicate(descriptor: RawFd) -> io::Result<OwnedFd> {
    // SAFETY: the system checks the number; the new one is nobody else's.
    unsafe { owned(libc::fcntl(descriptor, libc::F_DUPFD_CLOEXEC, 0)) }
}

pub(crate) fn event() -> io::Result<OwnedFd> {
    // SAFETY: the new descriptor is nobody else's.
    unsafe { owned(libc::eventfd(0, libc::EFD_CLOEXEC | libc::EFD_NONBLOCK)) }
}

/// # Safety
/// `descriptor` is -1, or nobody else's.
unsafe fn owned(descriptor: RawFd) -> io::Result<OwnedFd> {
    if descriptor < 0 {
        return Err(io::Error::last_os_error());
    }
    // SAFETY: the caller's promise.
    Ok(unsafe { OwnedFd::from_raw_fd(descriptor) })
}

pub(crate) fn signal(event: &OwnedFd) {
    let one = 1_u64.to_ne_bytes();
    // SAFETY: eight octets are there to be read.
    unsafe { libc::write(event.as_raw_fd(), one.as_ptr().cast(), one.len()) };
}

pub(crate) fn drain(event: &OwnedFd) {
    let mut count = [0_u8; 8];
    // SAFETY: there is room for eight octets.
    unsafe { libc::read(event.as_raw_fd(), count.as_mut_ptr().cast(), count.len()) };
}

pub(crate) fn readable(descriptor: RawFd) -> libc::pollfd {
    libc::pollfd {
        fd: descriptor,
        events: libc::POLLIN,
        revents: 0,
    }
}

/// Wait until something can be read, at most for so many milliseconds.
pub(crate) fn poll(polled: &mut [libc::pollfd], timeout_ms: i32) {
    for each in polled.iter_mut() {
        each.revents = 0;
    }
    // SAFETY: the slice is as long as the call is told.
    unsafe {
        libc::poll(
            polled.as_mut_ptr(),
            polled.len() as libc::nfds_t,
            timeout_ms,
        )
    };
}

/// Signals are for the host's main thread.
pub(crate) fn block_signals() {
    // SAFETY: the set is made before it is used.
    unsafe {
        let mut all = std::mem::zeroed();
        libc::sigfillset(&raw mut all);
        libc::pthread_sigmask(libc::SIG_SETMASK, &raw const all, std::ptr::null_mut());
    }
}
