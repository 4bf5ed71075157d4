//! Queries of callers that are running. They share DuckDB's memory, which has one limit for the whole database, with the server's
//! own transactions; these come first.

use std::{
    sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

use super::brake::SqlBrake;

/// Longest wait for queries to end that were told to. One that computes a single huge value is not interrupted meanwhile.
const PATIENCE: Duration = Duration::from_secs(10);

/// The queries of callers, through all connections of this process.
#[derive(Debug, Clone, Default)]
pub(super) struct Strangers(Arc<Shared>);

#[derive(Debug, Default)]
struct Shared {
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Debug, Default)]
struct State {
    running: Vec<SqlBrake>,
    /// Number of transactions that wait for memory, or have been given it.
    before_them: usize,
}

/// A query that is running.
#[derive(Debug)]
pub(super) struct Entered<'a> {
    strangers: &'a Strangers,
    brake: &'a SqlBrake,
}

/// Time in which no query of a caller runs.
#[derive(Debug)]
pub(super) struct Quiet<'a>(&'a Strangers);

impl Strangers {
    /// Notes a query, when no transaction needs the memory.
    pub(super) fn enter<'a>(&'a self, brake: &'a SqlBrake) -> Entered<'a> {
        let deadline = Instant::now() + PATIENCE;
        let mut state = self.lock();
        while state.before_them > 0 && Instant::now() < deadline {
            state = self.wait(state, deadline);
        }
        state.running.push(brake.clone());
        Entered { strangers: self, brake }
    }

    /// Stops all queries, waits until they have ended, and lets none begin until the answer is dropped.
    pub(super) fn make_way(&self) -> Quiet<'_> {
        let deadline = Instant::now() + PATIENCE;
        let mut state = self.lock();
        state.before_them += 1;
        for brake in &state.running {
            brake.pull_for_memory();
        }
        while !state.running.is_empty() && Instant::now() < deadline {
            state = self.wait(state, deadline);
        }
        Quiet(self)
    }

    fn wait<'a>(&self, state: MutexGuard<'a, State>, deadline: Instant) -> MutexGuard<'a, State> {
        let rest = deadline.saturating_duration_since(Instant::now());
        self.0.changed.wait_timeout(state, rest).unwrap_or_else(PoisonError::into_inner).0
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.0.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Entered<'_> {
    fn drop(&mut self) {
        self.strangers.lock().running.retain(|brake| !brake.is(self.brake));
        self.strangers.0.changed.notify_all();
    }
}

impl Drop for Quiet<'_> {
    fn drop(&mut self) {
        self.0.lock().before_them -= 1;
        self.0.0.changed.notify_all();
    }
}

#[cfg(test)]
mod tests {
    use std::{sync::mpsc, thread};

    use super::*;

    #[test]
    fn who_needs_memory_goes_before_queries_of_callers() {
        let (strangers, brake) = (Strangers::default(), SqlBrake::default());
        let entered = strangers.enter(&brake);
        thread::scope(|scope| {
            let (said, hears) = mpsc::channel();
            let strangers = &strangers;
            scope.spawn(move || {
                let quiet = strangers.make_way();
                said.send("quiet").unwrap();
                thread::sleep(Duration::from_millis(50));
                said.send("done").unwrap();
                drop(quiet);
            });
            while brake.pulled().is_none() {
                thread::yield_now();
            }
            assert!(hears.try_recv().is_err(), "it waits for the query that runs");
            drop(entered);
            assert_eq!(hears.recv(), Ok("quiet"));
            let next = SqlBrake::default();
            let entered = strangers.enter(&next);
            assert_eq!(hears.try_recv(), Ok("done"), "the next one waits until it has what it needs");
            assert!(next.pulled().is_none());
            drop(entered);
        });
        assert!(strangers.lock().running.is_empty());
    }
}
