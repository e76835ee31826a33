//! What happens when a query meets a fault of ours: it is lost, and nothing else is.
//!
//! `core` forbids what panics (clippy), so this is for the case that it does so all the same. An
//! abort would be mended too, by the supervisor; but who knows the packet could then keep a server
//! down by repeating it.

use std::io::{Write, stderr};
use std::panic::{AssertUnwindSafe, PanicHookInfo, catch_unwind, set_hook, take_hook};
use std::sync::Once;
use std::sync::atomic::{AtomicU32, Ordering};
use std::{process, thread};

/// How the threads that serve are named; it tells their panics from others.
pub(crate) const THREADS: &str = "geodns-";

/// Panics that are logged. Source: no reference; who can cause one can cause a million.
const LOGGED_MAX: u32 = 20;

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
        process::abort(); // the supervisor starts another worker at once
    }
}

/// Let panics of our threads be one line in the log each, without a trace.
pub(crate) fn log_panics() {
    static ONCE: Once = Once::new();
    static LOGGED: AtomicU32 = AtomicU32::new(0);
    ONCE.call_once(|| {
        let others = take_hook();
        set_hook(Box::new(move |info| {
            if !is_ours() {
                others(info);
            } else if LOGGED.fetch_add(1, Ordering::Relaxed) < LOGGED_MAX {
                // Not eprintln, which would panic itself where there is no stderr.
                let _ = writeln!(stderr(), "geodns.native: {}", told(info));
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
