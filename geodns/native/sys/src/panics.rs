//! What happens when a query meets a fault of ours: it is lost, and nothing else is.
//!
//! `core` forbids what panics (clippy), so this is for the case that it does so all the same. An
//! abort would be mended too, by the supervisor; but who knows the packet could then keep a server
//! down by repeating it.

use std::io::{Write, stderr};
use std::panic::{AssertUnwindSafe, PanicHookInfo, catch_unwind, set_hook, take_hook};
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Mutex, Once, PoisonError};
use std::{process, thread};

/// How the threads that serve are named; it tells their panics from others.
pub(crate) const THREADS: &str = "geodns-";

/// Panics that are told of. Source: no reference; who can cause one can cause a million.
const TOLD_MAX: u32 = 20;

/// What is to be told of, for the host's log.
static TOLD: Mutex<Vec<String>> = Mutex::new(Vec::new());

/// A loop over queries.
pub(crate) trait Turns {
    /// Serve until told to stop.
    fn turns(&mut self);
    /// How many queries were begun.
    fn begun(&self) -> u64;
    /// Count the query that was begun last as lost, and put right what it may have left behind.
    fn recover(&mut self);
}

/// Serve until told to stop, whatever a query does.
pub(crate) fn guarded(serving: &mut impl Turns) {
    // Nothing but the end may come after a panic that no query caused: it would come again.
    let abort = AbortOnPanic;
    let mut begun = 0;
    // What is broken off is one query, and `recover` renews what it worked with.
    while catch_unwind(AssertUnwindSafe(|| serving.turns())).is_err() {
        if serving.begun() == begun {
            return;
        }
        begun = serving.begun();
        serving.recover();
    }
    std::mem::forget(abort);
}

struct AbortOnPanic;

impl Drop for AbortOnPanic {
    fn drop(&mut self) {
        for fault in faults() {
            // The host's log comes too late. Not eprintln, which would panic itself where there
            // is no stderr.
            let _ = writeln!(stderr(), "geodns.native: {}", fault.escape_debug());
        }
        process::abort(); // the supervisor starts another worker at once
    }
}

/// What panics of our threads have to say that was not taken yet, for a log.
pub fn faults() -> Vec<String> {
    let mut told = TOLD.lock().unwrap_or_else(PoisonError::into_inner);
    std::mem::take(&mut *told)
}

/// Let panics of our threads be one line in the host's log each, without a trace.
pub(crate) fn keep_panics() {
    static ONCE: Once = Once::new();
    static COUNT: AtomicU32 = AtomicU32::new(0);
    ONCE.call_once(|| {
        let others = take_hook();
        set_hook(Box::new(move |info| {
            if !is_ours() {
                others(info);
            } else if COUNT.fetch_add(1, Ordering::Relaxed) < TOLD_MAX {
                let mut all = TOLD.lock().unwrap_or_else(PoisonError::into_inner);
                all.push(told(info));
            }
        }));
    });
}

fn is_ours() -> bool {
    let thread = thread::current();
    thread.name().is_some_and(|name| name.starts_with(THREADS))
}

fn told(info: &PanicHookInfo<'_>) -> String {
    let place = info.location().map(ToString::to_string);
    let payload = info.payload();
    let owned = payload.downcast_ref::<String>().map(String::as_str);
    let text = owned.or(payload.downcast_ref::<&str>().copied());
    let text = text.unwrap_or("panic");
    let place = place.as_deref().unwrap_or("an unknown place");
    format!("a query could not be answered: {text} at {place}")
}
