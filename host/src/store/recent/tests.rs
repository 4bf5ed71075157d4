//! What is answered from memory equals what is read from the tables, whatever was written.

use std::sync::Arc;

use dyno_core::model::{CaseRecord, CaseStatus, Priority, RunRecord, RunStatus, SkipCause};
use proptest::prelude::*;
use serde_json::json;

use super::*;
use crate::store::{Annotation, PerformanceFilter, RunFilter, Store, Submitted, tests::record};

/// Something that is written. Numbers choose a run and a case among those that there are.
#[derive(Debug, Clone)]
enum Write {
    Begin {
        cases: u32,
    },
    Submit {
        cases: u32,
    },
    BeginQueued {
        run: usize,
        cases: u32,
    },
    GiveUp {
        run: usize,
    },
    Launch {
        run: usize,
        case: u32,
    },
    FinishCase {
        run: usize,
        case: u32,
        how: u8,
    },
    EndUnbegun {
        run: usize,
    },
    FinishRun {
        run: usize,
    },
    Tag {
        run: usize,
    },
    Untag {
        run: usize,
    },
    Delete {
        run: usize,
    },
    /// Nothing of these lists.
    Baseline {
        run: usize,
    },
}

fn write() -> impl Strategy<Value = Write> {
    let run = || 0_usize..6;
    let case = || 0_u32..4;
    prop_oneof![
        3 => (1_u32..5).prop_map(|cases| Write::Begin { cases }),
        1 => (1_u32..5).prop_map(|cases| Write::Submit { cases }),
        1 => (run(), 1_u32..5).prop_map(|(run, cases)| Write::BeginQueued { run, cases }),
        1 => run().prop_map(|run| Write::GiveUp { run }),
        1 => (run(), case()).prop_map(|(run, case)| Write::Launch { run, case }),
        8 => (run(), case(), 0_u8..5).prop_map(|(run, case, how)| Write::FinishCase { run, case, how }),
        1 => run().prop_map(|run| Write::EndUnbegun { run }),
        1 => run().prop_map(|run| Write::FinishRun { run }),
        1 => run().prop_map(|run| Write::Tag { run }),
        1 => run().prop_map(|run| Write::Untag { run }),
        1 => run().prop_map(|run| Write::Delete { run }),
        1 => run().prop_map(|run| Write::Baseline { run }),
    ]
}

/// A database and the runs in it.
struct Written {
    store: Store,
    runs: Vec<RunRecord>,
    count: u32,
}

impl Written {
    fn run(&self, chosen: usize) -> Option<RunRecord> {
        // The newest are chosen, for only those are in memory.
        self.runs.iter().rev().nth(chosen).cloned()
    }

    fn new_run(&mut self, cases: u32, status: RunStatus) -> RunRecord {
        let mut run = record();
        self.count += 1;
        run.id = format!("019a0000-0000-7000-8000-{:012x}", self.count);
        run.created_at = format!("2026-01-02T03:04:{:02}.000Z", self.count % 60);
        run.status = status;
        run.cases = self.cases(&run, cases);
        self.runs.push(run.clone());
        run
    }

    fn cases(&self, run: &RunRecord, count: u32) -> Vec<CaseRecord> {
        let case = |index: u32| {
            let mut case = run.cases[0].clone();
            case.index = index;
            case.benchmark = format!("kernel_{}", (self.count + index) % 3);
            case.device = ["cpu", "cuda:0"][index as usize % 2].to_owned();
            let params = json!({"batch_size": 1 << (index % 3), "n": self.count});
            case.params = Arc::new(serde_json::from_value(params).unwrap());
            (case.status, case.metrics, case.launches) = (CaseStatus::Queued, Vec::new(), Vec::new());
            case
        };
        (0..count).map(case).collect()
    }

    fn finished(&self, run: &RunRecord, case: u32, how: u8) -> Option<CaseRecord> {
        let mut case = run.cases.get(case as usize)?.clone();
        let known = record();
        let example = |status: fn(&CaseStatus) -> bool| known.cases.iter().find(|case| status(&case.status));
        (case.status, case.metrics) = match how {
            0 => (CaseStatus::Cancelled, Vec::new()),
            1 => (example(|it| matches!(it, CaseStatus::Failed { .. }))?.status.clone(), Vec::new()),
            2 => (
                CaseStatus::Skipped { cause: Some(SkipCause::KnownResult), reason: "known".to_owned() },
                Vec::new(),
            ),
            // Completed without a time.
            3 => (CaseStatus::Completed, known.cases[0].metrics[1..].to_vec()),
            _ => (CaseStatus::Completed, known.cases[0].metrics.clone()),
        };
        Some(case)
    }

    /// Does it, if there is such a run. What the database refuses in the state that it is in changes nothing.
    fn write(&mut self, write: &Write) -> Option<()> {
        let now = "2026-01-02T03:05:05.250Z";
        match *write {
            Write::Begin { cases } => {
                let run = self.new_run(cases, RunStatus::Running);
                self.store.begin_run(&run).unwrap();
            }
            Write::Submit { cases } => {
                let run = self.new_run(cases, RunStatus::Queued);
                let submitted = Submitted {
                    priority: Priority::High,
                    owner: "ci".to_owned(),
                    submitted_at: run.created_at.clone(),
                    begun_at: None,
                    request: "{}".to_owned(),
                    baseline: None,
                    incremental: false,
                };
                self.store.submit(&run, &submitted).unwrap();
            }
            Write::BeginQueued { run, cases } => {
                let mut run = self.run(run)?;
                run.cases = self.cases(&record(), cases);
                run.status = RunStatus::Running;
                self.store.begin_queued(&run, now).unwrap();
                let known = self.runs.iter_mut().find(|known| known.id == run.id)?;
                *known = run;
            }
            Write::GiveUp { run } => {
                let run = self.run(run)?;
                self.store.give_up_queued(&run.id, now).unwrap();
            }
            Write::Launch { run, case } => {
                let run = self.run(run)?;
                run.cases.get(case as usize)?;
                let launch = record().cases[0].launches[0].clone();
                self.store.commit_launch(&run.id, case, &launch).unwrap();
            }
            Write::FinishCase { run, case, how } => {
                let run = self.run(run)?;
                let case = self.finished(&run, case, how)?;
                self.store.finish_case(&run.id, &case).unwrap();
            }
            Write::EndUnbegun { run } => {
                let mut run = self.run(run)?;
                run.cases.iter_mut().for_each(|case| case.status = CaseStatus::Cancelled);
                self.store.end_unbegun(&run.id, &run.cases).unwrap();
            }
            Write::FinishRun { run } => {
                let run = self.run(run)?;
                self.store.finish_run(&run.id, RunStatus::Completed, now).unwrap();
            }
            Write::Tag { run } => {
                let run = self.run(run)?;
                let (tag, note, author) = ("keep".to_owned(), String::new(), String::new());
                let annotation = Annotation { tag, note, author, created_at: now.to_owned() };
                self.store.annotate(&run.id, &annotation).unwrap();
            }
            Write::Untag { run } => {
                let run = self.run(run)?;
                self.store.remove_tag(&run.id, "keep").unwrap();
            }
            Write::Delete { run } => {
                let run = self.run(run)?;
                self.store.delete_run(&run.id).unwrap();
                self.runs.retain(|known| known.id != run.id);
            }
            Write::Baseline { run } => {
                let run = self.run(run)?;
                self.store.save_baseline("main", &run.id, None, now).unwrap();
            }
        }
        Some(())
    }

    /// Asks every kind of question, and compares with the tables.
    fn compare(&self) {
        let word = |text: &str| Some(text.to_owned());
        for limit in [3, 50] {
            for (model, hardware, batch_size) in
                [(None, None, None), (word("kernel_1"), None, None), (word("kernel_2"), word("cpu"), Some(1))]
            {
                let filter = PerformanceFilter { model, hardware, batch_size, limit };
                let (kept, read) = (self.store.performance(&filter), self.store.read_performance(&filter));
                assert_eq!(kept.unwrap(), read.unwrap(), "{filter:?}");
            }
            for (tag, status, benchmark) in [
                (None, None, None),
                (word("keep"), None, None),
                (None, Some(RunStatus::Running), word("kernel_0")),
            ] {
                for (offset, oldest_first) in [(0, false), (1, true)] {
                    let (tag, benchmark) = (tag.clone(), benchmark.clone());
                    let filter = RunFilter { limit, offset, oldest_first, tag, status, benchmark };
                    let (kept, read) = (self.store.runs(&filter), self.store.read_runs(&filter));
                    assert_eq!(kept.unwrap(), read.unwrap(), "{filter:?}");
                }
            }
        }
    }
}

fn written(folder: &std::path::Path, bounds: Bounds) -> Written {
    let mut store = Store::open(&folder.join("dyno.duckdb")).unwrap();
    store.recent = Some(Arc::new(Recent::within(bounds)));
    Written { store, runs: Vec::new(), count: 0 }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 10, ..ProptestConfig::default() })]

    #[test]
    fn memory_and_tables_give_the_same_answers(
        writes in prop::collection::vec(write(), 1..24),
        runs in 1_usize..6,
        results in 1_usize..8,
        every in 3_usize..8,
    ) {
        let folder = tempfile::tempdir().unwrap();
        let mut written = written(folder.path(), Bounds { runs, results });
        for (number, write) in writes.iter().enumerate() {
            written.write(write);
            if number % every == 0 {
                written.compare();
            }
        }
        written.compare();
    }
}

#[test]
fn most_questions_are_answered_from_memory_and_others_from_the_tables() {
    let folder = tempfile::tempdir().unwrap();
    let mut written = written(folder.path(), Bounds { runs: 3, results: 5 });
    for _ in 0..5 {
        written.write(&Write::Begin { cases: 2 });
        for case in 0..2 {
            written.write(&Write::FinishCase { run: 0, case, how: 4 });
        }
    }
    let store = &written.store;
    let held = store.held().unwrap().unwrap();
    let results = |limit| held.performance(&PerformanceFilter { limit, ..PerformanceFilter::default() });
    assert_eq!(results(4).map(|rows| rows.len()), Some(4));
    assert_eq!(results(5), None, "of the third run only a part would fit");
    let runs = |limit| held.runs(&RunFilter { limit, ..RunFilter::default() });
    assert_eq!(runs(3).map(|runs| runs.len()), Some(3));
    assert_eq!(runs(4), None);
    drop(held);
    written.compare();
}

#[test]
fn a_launch_that_is_stored_late_leaves_its_case_ended() {
    let folder = tempfile::tempdir().unwrap();
    let mut written = written(folder.path(), Bounds::default());
    written.write(&Write::Begin { cases: 2 });
    for (case, how) in [(0, 2), (1, 4)] {
        written.write(&Write::FinishCase { run: 0, case, how });
    }
    written.compare();
    for case in 0..2 {
        written.write(&Write::Launch { run: 0, case });
    }
    let run = &written.runs[0].id;
    assert!(written.store.run(run, false).unwrap().cases.iter().all(|case| case.status.is_finished()));
    written.compare();
}

#[test]
fn a_connection_hears_of_what_another_wrote() {
    let folder = tempfile::tempdir().unwrap();
    let mut written = written(folder.path(), Bounds::default());
    let reader = written.store.another().unwrap();
    let any = RunFilter { limit: 10, ..RunFilter::default() };
    for expected in 1..4 {
        written.write(&Write::Begin { cases: 1 });
        assert_eq!(reader.runs(&any).unwrap().len(), expected);
    }
    // More changes than are remembered, or than are read one by one.
    for _ in 0..40 {
        written.write(&Write::Begin { cases: 1 });
    }
    assert_eq!(reader.runs(&RunFilter { limit: 50, ..any }).unwrap().len(), 43);
    written.compare();
}
