//! The clocks: wall time around the timed call, processor time and context switches around that.
//!
//! Wall time is `CLOCK_MONOTONIC` through `Instant`: on x86-64 Linux a read of the invariant time-stamp counter in user
//! space, scaled, so reading the counter ourselves would save some twenty nanoseconds of five milliseconds and lose the
//! kernel's care for machines whose counter cannot be trusted.

use std::{cell::RefCell, time::Instant};

use nix::{
    sys::resource::{UsageWho, getrusage},
    time::{ClockId, clock_gettime},
};

use super::{Counters, Counts};

/// The readings around a timed call.
pub(crate) trait Clock {
    /// Monotonic time from an arbitrary start [ns].
    fn now_ns(&self) -> u64;
    /// Processor time of this thread [ns].
    fn cpu_ns(&self) -> u64;
    /// Involuntary context switches of this thread so far.
    fn preemptions(&self) -> u64;
    /// Hardware counters so far, if requested.
    fn counts(&self) -> Counts {
        Counts::default()
    }
}

/// The clocks of the system.
#[derive(Debug)]
pub(crate) struct SystemClock {
    start: Instant,
    counters: Option<RefCell<Counters>>,
}

impl SystemClock {
    pub(crate) fn new(counters: Option<Counters>) -> Self {
        Self { start: Instant::now(), counters: counters.map(RefCell::new) }
    }
}

impl Clock for SystemClock {
    #[inline]
    fn now_ns(&self) -> u64 {
        // 584 years fit.
        self.start.elapsed().as_nanos() as u64
    }

    fn cpu_ns(&self) -> u64 {
        clock_gettime(ClockId::CLOCK_THREAD_CPUTIME_ID)
            .map_or(0, |time| time.tv_sec() as u64 * 1_000_000_000 + time.tv_nsec() as u64)
    }

    fn preemptions(&self) -> u64 {
        getrusage(UsageWho::RUSAGE_THREAD).map_or(0, |usage| usage.involuntary_context_switches() as u64)
    }

    fn counts(&self) -> Counts {
        self.counters.as_ref().map_or_else(Counts::default, |counters| counters.borrow_mut().read())
    }
}

/// The smallest difference that the clock shows [ns].
pub(crate) fn resolution(clock: &impl Clock) -> f64 {
    let mut smallest = u64::MAX;
    for _ in 0..100 {
        let start = clock.now_ns();
        // A clock that never moves must not hang the worker.
        let step = (0..10_000).map(|_| clock.now_ns() - start).find(|step| *step > 0);
        smallest = smallest.min(step.unwrap_or(u64::MAX));
    }
    if smallest == u64::MAX { 1e6 } else { smallest as f64 }
}
