//! Use cases: removing what is older than it is kept, and giving the space back.

use std::time::{Duration, Instant};

use dyno_core::model::Event;

use super::{
    apart::examine_apart,
    backend::{Backend, Local},
    error::AppError,
    root::App,
    vacuumed::Vacuumed,
};
use crate::{
    store::{BackupFault, KeptSince, Outdated, Store, StoreError},
    timestamp::before,
};

/// How long a server removes outdated runs in one call: callers wait no longer than two minutes.
const LONGEST: Duration = Duration::from_secs(60);

/// The age up to which results are kept.
#[derive(Debug, Clone, Copy)]
pub struct Vacuum<'a>(&'a App);

impl App {
    /// The use cases of removing what is outdated.
    #[must_use]
    pub fn vacuum(&self) -> Vacuum<'_> {
        Vacuum(self)
    }
}

/// How many runs were removed or thinned.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Removed {
    /// Number of runs that were removed.
    pub runs: usize,
    /// Number of runs whose launches were thinned.
    pub thinned: usize,
    /// Whether nothing outdated is left.
    pub is_complete: bool,
}

impl Vacuum<'_> {
    /// Removes what is outdated. A database that no server has open is written anew without the space that became free. With
    /// `is_dry`, it only tells what is outdated. `removed` hears of each run that was removed.
    ///
    /// # Errors
    /// When there is no database, or it refuses.
    pub fn run(
        &self,
        is_dry: bool,
        announce: &mut dyn FnMut(&Event),
        removed: &mut dyn FnMut(&str),
    ) -> Result<Vacuumed, AppError> {
        let local = match &self.0.backend {
            Backend::Local(local) => local,
            Backend::Remote(server) => return server.vacuum(is_dry),
        };
        if let Local::File(path) = local
            && !path.exists()
        {
            return Err(AppError::NoDatabase(path.clone()));
        }
        let is_shrunk = !is_dry && matches!(local, Local::File(_));
        if is_shrunk {
            self.check_whole(local, announce)?;
        }
        let mut store = local.store(&self.0.cancel, announce)?;
        let bytes_before = store.size();
        let outdated = self.outdated(&store)?;
        let begin = Instant::now();
        let mut goes_on = || !self.0.cancel.is_set() && (is_shrunk || begin.elapsed() < LONGEST);
        let is_complete = is_dry || remove(&mut store, &outdated, &mut goes_on, removed)?.is_complete;
        if self.0.cancel.is_set() {
            return Err(AppError::Cancelled);
        }
        if !is_dry {
            store.fold()?;
        }
        let bytes_after = if is_shrunk { store.shrink()? } else { store.size() };
        Ok(Vacuumed { outdated, is_complete, bytes_before, bytes_after, is_shrunk })
    }

    /// Refuses a database that cannot be read to its last block, before this process does that.
    fn check_whole(&self, local: &Local, announce: &mut dyn FnMut(&Event)) -> Result<(), AppError> {
        let Local::File(path) = local else { return Ok(()) };
        loop {
            match examine_apart(path, &self.0.cancel) {
                // Waits for the process that has it open.
                Err(AppError::Store(StoreError::Locked { .. })) => {
                    drop(local.store_as_it_is(&self.0.cancel, announce)?);
                }
                Ok(Err(BackupFault::Damaged { message })) => {
                    return Err(StoreError::Damaged { path: path.clone(), message }.into());
                }
                // What else is wrong with it is said when it is opened.
                Ok(_) => return Ok(()),
                Err(error) => return Err(error),
            }
        }
    }

    /// Removes what is outdated, a run at a time, as long as `goes_on` says so before each. `removed` hears of each run
    /// that was removed.
    ///
    /// # Errors
    /// When the database refuses.
    pub fn remove_outdated(
        &self,
        goes_on: &mut dyn FnMut() -> bool,
        removed: &mut dyn FnMut(&str),
    ) -> Result<Removed, AppError> {
        let Backend::Local(local) = &self.0.backend else { return Ok(Removed::default()) };
        let mut store = local.store(&self.0.cancel, &mut |_| {})?;
        let outdated = self.outdated(&store)?;
        remove(&mut store, &outdated, goes_on, removed)
    }

    fn outdated(&self, store: &Store) -> Result<Outdated, AppError> {
        let retention = &self.0.settings.retention.value;
        let since =
            KeptSince { runs: retention.keep_ns.map(before), samples: retention.keep_samples_ns.map(before) };
        Ok(store.outdated(&since)?)
    }
}

fn remove(
    store: &mut Store,
    outdated: &Outdated,
    goes_on: &mut dyn FnMut() -> bool,
    told: &mut dyn FnMut(&str),
) -> Result<Removed, AppError> {
    let mut removed = Removed::default();
    for run in &outdated.runs {
        if !goes_on() {
            return Ok(removed);
        }
        // It may have been tagged, or become a baseline, meanwhile.
        if store.is_removable(&run.run)? {
            store.delete_run(&run.run)?;
            told(&run.run);
            removed.runs += 1;
        }
    }
    for run in &outdated.samples {
        if !goes_on() {
            return Ok(removed);
        }
        if store.is_removable(&run.run)? {
            store.thin(&run.run)?;
            removed.thinned += 1;
        }
    }
    Ok(Removed { is_complete: true, ..removed })
}
