//! The thread that removes what is older than it is kept: at the start, and once an hour, a run at a time while nothing is measured.

use std::{
    io,
    panic::{self, AssertUnwindSafe},
    sync::{
        Arc,
        mpsc::{Receiver, RecvTimeoutError},
    },
    thread,
    time::{Duration, Instant},
};

use super::root::Service;
use crate::{
    app::{AppError, Audited, Removed, Vacuumed},
    timestamp::now,
};

/// Interval of looking for what is outdated.
const INTERVAL: Duration = Duration::from_secs(3600);
/// How long it waits for the end of running runs, before it goes on beside them.
const PATIENCE: Duration = Duration::from_secs(1800);
/// Interval of looking whether a run is still measured.
const LOOK: Duration = Duration::from_secs(2);

impl Service {
    /// Starts the thread, until [`Service::end`], if not everything is kept.
    ///
    /// # Errors
    /// When no thread can be started.
    pub(crate) fn keep_up(self: &Arc<Self>) -> io::Result<()> {
        if self.app().settings().retention.value.keeps_everything() {
            return Ok(());
        }
        let (service, ends) = (Arc::clone(self), self.upkeep.begun());
        let work = move || {
            loop {
                if panic::catch_unwind(AssertUnwindSafe(|| service.remove_outdated(&ends))).is_err() {
                    tracing::error!(
                        "removing outdated runs ended in a panic; the next attempt is in an hour"
                    );
                }
                if ends.recv_timeout(INTERVAL) != Err(RecvTimeoutError::Timeout) {
                    return;
                }
            }
        };
        thread::Builder::new().name("upkeep".to_owned()).spawn(work).map(drop)
    }

    /// Removes what is outdated, now; with `is_dry`, it only tells what is outdated.
    ///
    /// # Errors
    /// When the database refuses.
    pub(crate) fn vacuum(&self, is_dry: bool) -> Result<Vacuumed, AppError> {
        self.app().vacuum().run(is_dry, &mut |_| {}, &mut |run| self.remove_reports(run))
    }

    fn remove_outdated(&self, ends: &Receiver<()>) {
        let end = Instant::now() + PATIENCE;
        let mut goes_on = || loop {
            let is_idle = self.queue.running().is_empty() || Instant::now() > end;
            let pause = if is_idle { Duration::ZERO } else { LOOK };
            if ends.recv_timeout(pause) != Err(RecvTimeoutError::Timeout) {
                return false;
            }
            if is_idle {
                return true;
            }
        };
        let mut removed = |run: &str| self.remove_reports(run);
        match self.app().vacuum().remove_outdated(&mut goes_on, &mut removed) {
            Ok(Removed { runs: 0, thinned: 0, .. }) => {}
            Ok(Removed { runs, thinned, .. }) => {
                tracing::info!(runs, thinned, "runs older than they are kept were removed or thinned");
                self.note(&format!("/retention?runs={runs}&thinned={thinned}"));
            }
            Err(error) => tracing::error!(%error, "runs older than they are kept cannot be removed"),
        }
    }

    /// An entry in the audit log, as if the server had called itself.
    fn note(&self, path: &str) {
        let call = Audited {
            at: now(),
            request_id: uuid::Uuid::now_v7().simple().to_string(),
            who: "retention".to_owned(),
            peer: "127.0.0.1".to_owned(),
            method: "DELETE".to_owned(),
            path: path.to_owned(),
            status: 200,
        };
        if let Err(error) = self.serving.operator().audit(&[call]) {
            tracing::error!(%error, "a removal is missing from the audit log");
        }
    }
}
