//! Stops a query when its time is over, when it takes too much memory, or when its caller leaves. A brake can be pulled
//! before the query begins, and keeps interrupting until the query has ended.

use std::{
    io,
    path::Path,
    process,
    sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError},
    thread,
    time::{Duration, Instant},
};

use duckdb::InterruptHandle;

use super::sql_limits::SqlLimits;
use crate::{fault::free_bytes, proc::resident_bytes};

/// Interval at which time and memory are checked, and at which a query is told to stop. Once is not enough: DuckDB forgets an
/// interruption that arrives between two statements.
const LOOK: Duration = Duration::from_millis(20);

/// Minimum free space on the disk [bytes]: what is stored comes first.
const LEAST_ROOM: u64 = 128 << 20;

/// Why a brake was pulled.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Pulled {
    Time,
    /// This process gained more memory than the query may take.
    Memory,
    /// Queries took the share of DuckDB's memory that they may take.
    Share,
    /// A transaction of the server needs the memory.
    MadeWay,
    /// The disk is nearly full.
    Disk,
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

    /// Stops the query, because a transaction needs the memory.
    pub(super) fn pull_for_memory(&self) {
        self.lock().pulled.get_or_insert(Pulled::MadeWay);
        self.0.changed.notify_all();
    }

    /// Whether both are the brake of one query.
    pub(super) fn is(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
    }

    pub(super) fn pulled(&self) -> Option<Pulled> {
        self.lock().pulled
    }

    /// Runs the query while another thread watches its time limit, the memory that this process gains, and the room on the disk
    /// of `folder`, where DuckDB puts what does not fit in memory.
    ///
    /// # Errors
    /// When that thread cannot be started.
    pub(super) fn watched<T>(
        &self,
        stop: &InterruptHandle,
        limits: SqlLimits,
        folder: &Path,
        share_is_used: impl Fn() -> bool + Send,
        work: impl FnOnce() -> T,
    ) -> io::Result<T> {
        thread::scope(|scope| {
            let watch = move || self.watch(stop, limits, folder, &share_is_used);
            thread::Builder::new().name("sql-brake".to_owned()).spawn_scoped(scope, watch)?;
            let over = Over(self);
            let done = work();
            drop(over);
            Ok(done)
        })
    }

    fn watch(
        &self,
        stop: &InterruptHandle,
        limits: SqlLimits,
        folder: &Path,
        share_is_used: &dyn Fn() -> bool,
    ) {
        let begin = Instant::now();
        let resident = || resident_bytes(process::id()).unwrap_or(0);
        let most = resident().saturating_add(limits.memory_bytes);
        let mut state = self.lock();
        while !state.over {
            if state.pulled.is_none() && begin.elapsed() >= limits.time {
                state.pulled = Some(Pulled::Time);
            } else if state.pulled.is_none() && resident() > most {
                state.pulled = Some(Pulled::Memory);
            } else if state.pulled.is_none() && share_is_used() {
                state.pulled = Some(Pulled::Share);
            } else if state.pulled.is_none() && free_bytes(folder).is_some_and(|free| free < LEAST_ROOM) {
                state.pulled = Some(Pulled::Disk);
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
