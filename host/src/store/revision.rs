//! What was committed so far: a count, by which cached answers are known to be current, and which runs the lists have to be
//! told of anew.

use std::{
    collections::VecDeque,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
};

/// Number of changes that are remembered for a reader of [`Revision::since`]. One that lags further behind reads everything anew.
const REMEMBERED: usize = 1_024;

/// What a commit changes of the lists of runs and results. Each commit has to say so, because those lists are kept in memory.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Touched {
    /// Nothing: no list tells of what it writes.
    NoList,
    /// It adds a run, whose number is higher than all others.
    NewRun,
    /// A run: its status, its tags, its cases, or whether it exists.
    Run(i32),
    /// One case of a run, with its metrics.
    Case(i32, u32),
}

/// The commits through all connections of this process, except those to the audit log. A cached answer is valid as long as
/// their number does not change.
#[derive(Debug, Clone, Default)]
pub struct Revision(Arc<Shared>);

#[derive(Debug, Default)]
struct Shared {
    commits: AtomicU64,
    changes: Mutex<Changes>,
}

/// The latest changes of the lists.
#[derive(Debug, Default)]
struct Changes {
    /// Number of all changes so far.
    count: u64,
    latest: VecDeque<Touched>,
}

impl Revision {
    /// Number of commits.
    #[must_use]
    pub fn get(&self) -> u64 {
        self.0.commits.load(Ordering::Acquire)
    }

    /// Counts a commit.
    pub(super) fn raise(&self, touched: Touched) {
        if touched != Touched::NoList {
            let mut changes = self.changes();
            changes.count += 1;
            changes.latest.push_back(touched);
            if changes.latest.len() > REMEMBERED {
                changes.latest.pop_front();
            }
        }
        self.0.commits.fetch_add(1, Ordering::Release);
    }

    /// Number of changes of the lists.
    pub(super) fn changes_so_far(&self) -> u64 {
        self.changes().count
    }

    /// The changes after the first `seen`, and their number with those; `None` in place of changes that are not remembered.
    pub(super) fn since(&self, seen: u64) -> (u64, Option<Vec<Touched>>) {
        let changes = self.changes();
        let missed = usize::try_from(changes.count.saturating_sub(seen)).unwrap_or(usize::MAX);
        let latest = &changes.latest;
        let found = latest.len().checked_sub(missed).map(|known| latest.range(known..).copied().collect());
        (changes.count, found)
    }

    fn changes(&self) -> MutexGuard<'_, Changes> {
        self.0.changes.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn changes_are_told_from_where_a_reader_was() {
        let revision = Revision::default();
        revision.raise(Touched::Run(7));
        revision.raise(Touched::NoList);
        revision.clone().raise(Touched::Case(7, 1));
        assert_eq!((revision.get(), revision.changes_so_far()), (3, 2));
        assert_eq!(revision.since(0), (2, Some(vec![Touched::Run(7), Touched::Case(7, 1)])));
        assert_eq!(revision.since(1), (2, Some(vec![Touched::Case(7, 1)])));
        assert_eq!(revision.since(2), (2, Some(Vec::new())));
        for _ in 0..REMEMBERED {
            revision.raise(Touched::NewRun);
        }
        let count = REMEMBERED as u64 + 2;
        assert_eq!(revision.since(1), (count, None), "one that is not remembered");
        assert_eq!(revision.since(2), (count, Some(vec![Touched::NewRun; REMEMBERED])));
    }
}
