//! What other processes do to the database: one that is killed while it writes, one that has it open.

use std::{
    env,
    io::{BufRead, BufReader, Write},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
};

use dyno_core::model::{CaseStatus, LaunchRecord, RunRecord, RunStatus, Sample};

use super::{Store, StoreError, tests::record};

/// Samples of each launch that the child commits.
const SAMPLES: usize = 500;

/// Tells the child where the database is; without it, it does nothing.
const DATABASE: &str = "DYNO_TEST_CHILD_DATABASE";

/// This test binary once more, running [`a_writer_in_a_process_of_its_own`] only. Killed when dropped.
struct Writer {
    child: Child,
    lines: std::io::Lines<BufReader<std::process::ChildStdout>>,
}

impl Writer {
    fn start(database: &Path) -> Self {
        let mut child = Command::new(env::current_exe().unwrap())
            .args([
                "--exact",
                "store::process_tests::a_writer_in_a_process_of_its_own",
                "--ignored",
                "--nocapture",
            ])
            .env(DATABASE, database)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let lines = BufReader::new(child.stdout.take().unwrap()).lines();
        Self { child, lines }
    }

    /// Waits until the child says that so many launches are committed.
    fn wait_for(&mut self, launches: u32) {
        let awaited = format!("committed {launches}");
        assert!(
            self.lines.by_ref().map_while(Result::ok).any(|line| line.ends_with(&awaited)),
            "the child ended early"
        );
    }

    /// SIGKILL: no destructor runs, no buffer is flushed.
    fn kill(mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }
}

impl Drop for Writer {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn launch(record: &RunRecord, index: u32) -> LaunchRecord {
    let template = &record.cases[0].launches[0];
    let sample = template.samples[0];
    let samples = (0..SAMPLES as u64).map(|number| Sample { wall_ns: number + 1, ..sample }).collect();
    LaunchRecord { index, samples, ..template.clone() }
}

#[test]
#[ignore = "the tests below run it in a process of its own"]
fn a_writer_in_a_process_of_its_own() {
    let Some(path) = env::var_os(DATABASE).map(PathBuf::from) else { return };
    let mut store = Store::open(&path).unwrap();
    let mut record = record();
    record.status = RunStatus::Running;
    record.finished_at = None;
    record.cases.truncate(2);
    for case in &mut record.cases {
        case.status = CaseStatus::Queued;
        case.metrics.clear();
    }
    let template = record.clone();
    record.cases.iter_mut().for_each(|case| case.launches.clear());
    store.begin_run(&record).unwrap();
    // Until it is killed, or until nobody reads what it says.
    for index in 0.. {
        store.commit_launch(&record.id, 0, &launch(&template, index)).unwrap();
        writeln!(std::io::stdout(), "committed {}", index + 1).unwrap();
    }
}

#[test]
fn what_was_committed_survives_a_kill() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("dyno.duckdb");
    let mut writer = Writer::start(&path);
    writer.wait_for(3);
    writer.kill();
    let template = record();
    let whole = |found: &RunRecord| {
        assert_eq!(found.status, RunStatus::Interrupted);
        assert_eq!(found.cases[0].status, CaseStatus::Running, "it says that it was begun");
        assert_eq!(found.cases[1].status, CaseStatus::Queued);
        let launches = &found.cases[0].launches;
        assert!(launches.len() >= 3, "{} launches", launches.len());
        for (index, found) in (0..).zip(launches) {
            assert_eq!(*found, launch(&template, index), "a launch is there wholly or not at all");
        }
    };
    // Whoever only reads has to see the same as who repairs.
    let reader = Store::open_read_only(&path).unwrap();
    whole(&reader.run("last", true).unwrap());
    assert_eq!(
        reader.runs(&super::RunFilter { limit: 1, ..Default::default() }).unwrap()[0].status,
        RunStatus::Interrupted
    );
    drop(reader);
    let mut store = Store::open(&path).unwrap();
    whole(&store.run("last", true).unwrap());
    // And it goes on from there.
    let next = RunRecord { id: "next".to_owned(), ..record() };
    store.begin_run(&next).unwrap();
    assert_eq!(store.run("last", false).unwrap().id, "next");
    assert_eq!(store.run("last~1", false).unwrap().status, RunStatus::Interrupted);
}

#[test]
fn who_has_the_database_open_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("dyno.duckdb");
    let mut writer = Writer::start(&path);
    writer.wait_for(1);
    let pid = writer.child.id().to_string();
    for refused in [Store::open(&path), Store::open_read_only(&path)] {
        match refused {
            Err(StoreError::Locked { path: told, holder }) => {
                assert!(told == path && holder.contains(&pid), "{holder}");
            }
            other => panic!("opened beside a writer: {other:?}"),
        }
    }
    writer.kill();
    assert!(Store::open(&path).is_ok(), "the lock outlived its holder");
}
