//! The few system calls that the standard library does not offer.

use std::io;
use std::os::fd::{FromRawFd, OwnedFd, RawFd};

use rustix::event::{EventfdFlags, Timespec, eventfd};

/// A duplicate of a descriptor that somebody else owns.
///
/// # Errors
/// When there is no such descriptor, or no room for another.
pub fn duplicate(descriptor: RawFd) -> io::Result<OwnedFd> {
    // SAFETY: the call takes any number, and touches no memory of ours.
    let made = unsafe { libc::fcntl(descriptor, libc::F_DUPFD_CLOEXEC, 0) };
    if made < 0 {
        return Err(io::Error::last_os_error());
    }
    // SAFETY: the call has just made it, so it is open and nobody else's.
    Ok(unsafe { OwnedFd::from_raw_fd(made) })
}

pub(crate) fn event() -> io::Result<OwnedFd> {
    Ok(eventfd(0, EventfdFlags::CLOEXEC | EventfdFlags::NONBLOCK)?)
}

/// Make an event readable. It fails only when it is so already, 2^64 times over.
pub(crate) fn signal(event: &OwnedFd) {
    let _ = rustix::io::write(event, &1_u64.to_ne_bytes());
}

/// Make an event unreadable. It fails only when it is so already.
pub(crate) fn drain(event: &OwnedFd) {
    let _ = rustix::io::read(event, &mut [0_u8; 8]);
}

/// A time as the system takes it.
pub(crate) const fn milliseconds(count: u32) -> Timespec {
    Timespec {
        tv_sec: (count / 1000) as _,
        tv_nsec: (count % 1000 * 1_000_000) as _,
    }
}

/// Signals are for the host's main thread.
pub(crate) fn block_signals() {
    // SAFETY: a signal set is a plain struct, for which zero is a valid value; `sigfillset` and
    // `pthread_sigmask` read and write only what they are given, which lives here, or nothing.
    unsafe {
        let mut all = std::mem::zeroed();
        libc::sigfillset(&raw mut all);
        libc::pthread_sigmask(libc::SIG_SETMASK, &raw const all, std::ptr::null_mut());
    }
}
