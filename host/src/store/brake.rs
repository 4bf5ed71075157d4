//! Stops a query when its time is over, when it takes too much memory, or when its caller leaves. A brake can be pulled
//! before the query begins, and keeps interrupting until the query has ended.

use std::{
    io, process,
    sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError},
    thread,
    time::{Duration, Instant},
};

use duckdb::InterruptHandle;

use crate::proc::resident_bytes;

/// Interval at which time and memory are checked, and at which a query is told to stop. Once is not enough: DuckDB forgets an
/// interruption that arrives between two statements.
const LOOK: Duration = Duration::from_millis(20);

/// Why a brake was pulled.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Pulled {
    Time,
    /// This process gained more memory than the query may take.
    Memory,
    /// The caller disconnected, or cancelled the query.
    Caller,
}

/// Stops one query from another thread.
#[derive(Debug, Clone, Default)]
pub struct SqlBrake(Arc<Shared>);

#[derive(Debug, Default)]
struct Shared {
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Debug, Default)]
struct State {
    pulled: Option<Pulled>,
    over: bool,
}

impl SqlBrake {
    /// Stops the query, or prevents it from beginning. Returns at once, before the query has ended.
    pub fn pull(&self) {
        self.lock().pulled.get_or_insert(Pulled::Caller);
        self.0.changed.notify_all();
    }

    pub(super) fn pulled(&self) -> Option<Pulled> {
        self.lock().pulled
    }

    /// Runs the query while another thread watches its time limit and the memory that this process gains.
    ///
    /// # Errors
    /// When that thread cannot be started.
    pub(super) fn watched<T>(
        &self,
        stop: &InterruptHandle,
        time: Duration,
        memory_bytes: u64,
        work: impl FnOnce() -> T,
    ) -> io::Result<T> {
        thread::scope(|scope| {
            let watch = || self.watch(stop, time, memory_bytes);
            thread::Builder::new().name("sql-brake".to_owned()).spawn_scoped(scope, watch)?;
            let over = Over(self);
            let done = work();
            drop(over);
            Ok(done)
        })
    }

    fn watch(&self, stop: &InterruptHandle, time: Duration, memory_bytes: u64) {
        let begin = Instant::now();
        let resident = || resident_bytes(process::id()).unwrap_or(0);
        let most = resident().saturating_add(memory_bytes);
        let mut state = self.lock();
        while !state.over {
            if state.pulled.is_none() && begin.elapsed() >= time {
                state.pulled = Some(Pulled::Time);
            } else if state.pulled.is_none() && resident() > most {
                state.pulled = Some(Pulled::Memory);
            }
            if state.pulled.is_some() {
                stop.interrupt();
            }
            state = self.0.changed.wait_timeout(state, LOOK).unwrap_or_else(PoisonError::into_inner).0;
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.0.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Ends the watching thread when dropped, even if the query panics.
struct Over<'a>(&'a SqlBrake);

impl Drop for Over<'_> {
    fn drop(&mut self) {
        self.0.lock().over = true;
        self.0.0.changed.notify_all();
    }
}
