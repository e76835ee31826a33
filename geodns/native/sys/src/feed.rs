//! How a new generation comes to a thread that must not wait for it.

use std::io;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use geodns_core::Scratch;

use crate::held::Held;

/// How long a new generation may wait for the thread to take it.
const TAKEN_WITHIN: Duration = Duration::from_secs(2);

/// The place where one thread finds the newest generation.
pub(crate) struct Feed {
    next: Mutex<Next>,
    /// The number of the generation in `next`, to look at without the lock.
    number: AtomicU64,
    taken: Condvar,
}

struct Next {
    held: Option<Arc<Held>>,
    scratch: Option<Scratch>,
    taken: u64,
}

/// What a thread has taken.
#[derive(Default)]
pub(crate) struct Taken {
    pub(crate) held: Option<Arc<Held>>,
    pub(crate) scratch: Scratch,
    number: u64,
}

/// What was offered: its number, and the generation before, which the thread may still use.
pub(crate) struct Offered {
    number: u64,
    _before: Option<Arc<Held>>,
}

impl Feed {
    pub(crate) fn new(held: Option<&Arc<Held>>) -> Self {
        Self {
            next: Mutex::new(Next {
                scratch: held.map(|held| Scratch::new(held.generation())),
                held: held.cloned(),
                taken: 0,
            }),
            number: AtomicU64::new(1),
            taken: Condvar::new(),
        }
    }

    /// Let the thread take a generation; somebody has to wake it.
    pub(crate) fn offer(&self, held: &Arc<Held>) -> Offered {
        let scratch = Scratch::new(held.generation());
        let mut next = self.lock();
        let before = next.held.replace(Arc::clone(held));
        next.scratch = Some(scratch);
        Offered {
            number: self.number.fetch_add(1, Ordering::Release) + 1,
            _before: before,
        }
    }

    /// Wait until the thread has taken it. What was before is let go of here, not by the thread.
    ///
    /// # Errors
    /// When the thread does not take it in time.
    pub(crate) fn settle(&self, offered: Offered) -> io::Result<()> {
        let untaken = |next: &mut Next| next.taken < offered.number;
        let waited = self
            .taken
            .wait_timeout_while(self.lock(), TAKEN_WITHIN, untaken);
        let (next, timeout) = waited.unwrap_or_else(PoisonError::into_inner);
        drop(next);
        drop(offered);
        if timeout.timed_out() {
            return Err(io::ErrorKind::TimedOut.into());
        }
        Ok(())
    }

    /// Whether there is a newer generation than the one taken.
    pub(crate) fn has_newer(&self, taken: &Taken) -> bool {
        self.number.load(Ordering::Acquire) != taken.number
    }

    /// Take the newest generation, if it is not taken yet.
    pub(crate) fn take(&self, into: &mut Taken) {
        if !self.has_newer(into) {
            return;
        }
        let mut next = self.lock();
        into.held.clone_from(&next.held);
        into.scratch = next.scratch.take().unwrap_or_default();
        into.number = self.number.load(Ordering::Acquire);
        next.taken = into.number;
        self.taken.notify_all();
    }

    fn lock(&self) -> MutexGuard<'_, Next> {
        self.next.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::{Feed, Taken};

    #[test]
    fn a_thread_that_has_the_newest_generation_waits_for_no_lock() {
        let (feed, mut taken) = (Feed::new(None), Taken::default());
        feed.take(&mut taken);
        let held = feed.lock();
        assert!(!feed.has_newer(&taken));
        feed.take(&mut taken); // it would wait here for ever
        drop(held);
    }
}
