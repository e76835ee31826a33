//! Whoever takes more than 10 ms of the processor has crashed.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

/// What one input may take. Source: issue 4.
const ALLOWED: Duration = Duration::from_millis(10);

/// Times that a slow input is tried again; the fastest counts, for others use the machine, too.
const TRIES: usize = 5;

static SLOWEST_NS: AtomicU64 = AtomicU64::new(0);

/// Run one input, which must end in time. What seems slow is timed again, without what other
/// threads and processes take; a new maximum is told on stderr.
pub fn in_time(mut run: impl FnMut()) {
    let start = Instant::now();
    run();
    let took = start.elapsed();
    if took.as_nanos() <= u128::from(SLOWEST_NS.load(Ordering::Relaxed)) {
        return;
    }
    let own = (0..TRIES)
        .map(|_| timed(&mut run))
        .min()
        .unwrap_or(took)
        .min(took);
    assert!(own <= ALLOWED, "took {own:?}, {ALLOWED:?} are allowed");
    let own_ns = u64::try_from(own.as_nanos()).unwrap_or(u64::MAX);
    if own_ns > SLOWEST_NS.fetch_max(own_ns, Ordering::Relaxed) {
        eprintln!("slowest: {} us", own_ns.div_ceil(1000));
    }
}

fn timed(run: &mut impl FnMut()) -> Duration {
    let start = cpu_time();
    run();
    cpu_time().saturating_sub(start)
}

/// What this thread has used of the processor.
fn cpu_time() -> Duration {
    let mut time = libc::timespec {
        tv_sec: 0,
        tv_nsec: 0,
    };
    // SAFETY: there is room for the time.
    let status = unsafe { libc::clock_gettime(libc::CLOCK_THREAD_CPUTIME_ID, &raw mut time) };
    assert_eq!(status, 0, "the system has no such clock");
    Duration::new(
        time.tv_sec.unsigned_abs(),
        u32::try_from(time.tv_nsec).unwrap(),
    )
}
