//! What is held in memory, and what can be answered from it.

use std::{collections::BTreeMap, ops::RangeInclusive, sync::Arc};

use crate::store::{
    result_list::{PerformanceFilter, PerformanceRow, Placed},
    run_list::{Listed, RunFilter, RunSummary},
};

/// How much is held in memory; older runs and results are read from the tables.
#[derive(Debug, Clone, Copy)]
pub(in crate::store) struct Bounds {
    /// Maximum number of runs.
    pub(in crate::store) runs: usize,
    /// Maximum number of results.
    pub(in crate::store) results: usize,
}

/// About 10 MB.
impl Default for Bounds {
    fn default() -> Self {
        Self { runs: 10_000, results: 20_000 }
    }
}

/// What was read anew.
#[derive(Debug)]
pub(in crate::store) struct Fresh {
    /// The number of changes that it contains.
    pub(in crate::store) changes: u64,
    pub(in crate::store) what: FreshWhat,
}

/// Whether it replaces parts of what is held, or all of it.
#[derive(Debug)]
pub(in crate::store) enum FreshWhat {
    All { runs: Vec<Listed>, results: Vec<Placed> },
    Parts(Vec<Part>),
}

/// A run and the results of some of its cases.
#[derive(Debug)]
pub(in crate::store) struct Part {
    pub(in crate::store) run_no: i32,
    /// Absent if the run was deleted.
    pub(in crate::store) run: Option<Listed>,
    /// The cases whose results were read.
    pub(in crate::store) cases: RangeInclusive<u32>,
    pub(in crate::store) results: Vec<Placed>,
}

/// The newest runs, and the results of the newest of them.
#[derive(Debug, Default)]
pub(in crate::store) struct Held {
    /// Number of changes that were seen; `None` before the first reading.
    seen: Option<u64>,
    /// By number.
    runs: BTreeMap<i32, Run>,
    /// From here on, all runs are held.
    runs_from: Horizon,
    /// From here on, all results of runs are held.
    results_from: Horizon,
}

/// The oldest run that is held together with all that are newer.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord)]
enum Horizon {
    /// The tables have nothing older.
    #[default]
    Beginning,
    Run(i32),
}

#[derive(Debug)]
struct Run {
    summary: RunSummary,
    /// Most runs have the benchmarks of their neighbour.
    benchmarks: Arc<[String]>,
    /// By number of the case.
    results: BTreeMap<u32, Placed>,
}

impl Held {
    /// Number of changes that are contained; `None` before the first reading.
    pub(super) fn seen(&self) -> Option<u64> {
        self.seen
    }

    /// Number of the newest run; 0 if there is none.
    pub(super) fn newest(&self) -> i32 {
        self.runs.last_key_value().map_or(0, |(run_no, _)| *run_no)
    }

    /// The selected runs; `None` if some of them may be older than all that is held.
    pub(in crate::store) fn runs(&self, filter: &RunFilter) -> Option<Vec<RunSummary>> {
        let is_whole = self.runs_from == Horizon::Beginning;
        let selected = |run: &&Run| {
            filter.tag.as_ref().is_none_or(|tag| run.summary.tags.contains(tag))
                && filter.status.is_none_or(|status| run.summary.status == status)
                && filter.benchmark.as_ref().is_none_or(|name| run.benchmarks.contains(name))
        };
        let (offset, limit) = (filter.offset as usize, filter.limit as usize);
        let found: Vec<RunSummary> = if !filter.oldest_first {
            let newest_first = self.runs.values().rev().filter(selected);
            newest_first.skip(offset).take(limit).map(|run| run.summary.clone()).collect()
        } else if is_whole {
            let oldest_first = self.runs.values().filter(selected);
            oldest_first.skip(offset).take(limit).map(|run| run.summary.clone()).collect()
        } else {
            return None;
        };
        (is_whole || found.len() == limit).then_some(found)
    }

    /// The selected results, newest first; `None` if some of them may be older than all that is held.
    pub(in crate::store) fn performance(
        &self,
        filter: &PerformanceFilter,
    ) -> Option<Vec<Arc<PerformanceRow>>> {
        let selected = |placed: &&Placed| {
            let row = &placed.row;
            filter.model.as_ref().is_none_or(|model| row.model_name == *model)
                && filter.hardware.as_ref().is_none_or(|hardware| row.hardware_type == *hardware)
                && filter.batch_size.is_none_or(|batch| row.batch_size == Some(batch))
        };
        let limit = filter.limit as usize;
        let newest_first = self.runs.values().rev().flat_map(|run| run.results.values().rev());
        let found: Vec<&Placed> = newest_first.filter(selected).take(limit).collect();
        let is_complete = self.results_from == Horizon::Beginning || found.len() == limit;
        is_complete.then(|| {
            let timed = found.into_iter().filter(|placed| placed.is_timed);
            timed.map(|placed| Arc::clone(&placed.row)).collect()
        })
    }

    /// Takes what was read anew, and lets go of what is too much.
    pub(super) fn take(&mut self, fresh: Fresh, bounds: Bounds) {
        match fresh.what {
            FreshWhat::All { runs, results } => *self = Self::all(runs, results, bounds),
            FreshWhat::Parts(parts) => {
                for part in parts {
                    self.replace(part);
                }
            }
        }
        self.trim(bounds);
        self.seen = Some(fresh.changes);
    }

    /// From lists that are newest first, and have one entry too many if the tables have more.
    fn all(runs: Vec<Listed>, results: Vec<Placed>, bounds: Bounds) -> Self {
        let mut held = Self::default();
        // What comes last may be a part of its run.
        if let Some(last) = results.last().filter(|_| results.len() > bounds.results) {
            held.results_from = Horizon::Run(last.run_no + 1);
        }
        for listed in runs {
            let neighbour = held.runs.first_key_value().map(|(_, run)| &run.benchmarks);
            let run = Run::new(listed.summary, listed.benchmarks, neighbour);
            held.runs.insert(listed.run_no, run);
        }
        for placed in results {
            // Its run may have been stored after the runs were read: that is a change which is yet to be seen.
            if let Some(run) = held.runs.get_mut(&placed.run_no) {
                run.results.insert(placed.case_no, placed);
            }
        }
        held
    }

    fn replace(&mut self, part: Part) {
        let number = part.run_no;
        if Horizon::Run(number) < self.runs_from {
            return;
        }
        let before = self.runs.remove(&number);
        let Some(listed) = part.run else { return };
        let neighbour = self.runs.last_key_value().map(|(_, run)| &run.benchmarks);
        let mut run = Run::new(listed.summary, listed.benchmarks, neighbour);
        if Horizon::Run(number) >= self.results_from {
            run.results = before.map(|run| run.results).unwrap_or_default();
            run.results.retain(|case, _| !part.cases.contains(case));
            run.results.extend(part.results.into_iter().map(|placed| (placed.case_no, placed)));
        }
        self.runs.insert(number, run);
    }

    /// Lets go of the oldest runs, and of all results of the oldest runs that still have some.
    fn trim(&mut self, bounds: Bounds) {
        while self.runs.len() > bounds.runs {
            let Some((number, _)) = self.runs.pop_first() else { break };
            self.runs_from = Horizon::Run(number + 1);
        }
        let mut results = 0;
        let first_too_many = self.runs.iter().rev().find(|(_, run)| {
            results += run.results.len();
            results > bounds.results
        });
        let too_old = first_too_many.map_or(Horizon::Beginning, |(number, _)| Horizon::Run(number + 1));
        self.results_from = self.results_from.max(self.runs_from).max(too_old);
        if let Horizon::Run(first) = self.results_from {
            for (_, run) in self.runs.range_mut(..first) {
                run.results = BTreeMap::new();
            }
        }
    }
}

impl Run {
    fn new(summary: RunSummary, benchmarks: Vec<String>, neighbour: Option<&Arc<[String]>>) -> Self {
        let shared = neighbour.filter(|neighbour| neighbour[..] == benchmarks[..]).map(Arc::clone);
        let benchmarks = shared.unwrap_or_else(|| benchmarks.into());
        Self { summary, benchmarks, results: BTreeMap::new() }
    }
}
