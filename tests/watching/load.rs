//! Two hundred replacements while runs are submitted: no run fails, and nothing is left behind.

use std::{
    fs,
    sync::atomic::{AtomicBool, Ordering},
};

use dyno_core::model::{CaseStatus, RunRecord};

use super::{Story, can_build, good, hash, rename, submit};
use crate::support::{arena::workers, eventually::eventually, served::Served};

const REPLACEMENTS: u32 = 200;

/// What a process holds: descriptors, threads, and child processes that are workers.
#[derive(Debug)]
struct Held {
    descriptors: usize,
    threads: usize,
    workers: usize,
}

fn held(server: &Served) -> Held {
    let count =
        |what: &str| fs::read_dir(format!("/proc/{}/{what}", server.pid())).expect("it lives").count();
    Held { descriptors: count("fd"), threads: count("task"), workers: workers(server.pid()) }
}

/// Submits runs one after the other until it is told to stop.
fn keep_running(server: &Served, ends: &AtomicBool) -> Vec<RunRecord> {
    let mut records = Vec::new();
    while !ends.load(Ordering::Relaxed) {
        records.push(server.wait(&submit(server, &["good_a"])));
    }
    records
}

#[test]
fn two_hundred_replacements_under_load_fail_no_run_and_leave_nothing_behind() {
    if !can_build() {
        return;
    }
    let story = Story::begin(&["--watch"]);
    // What a server makes at its first run stays.
    rename(&story.plugin, &good(1));
    story.assert_served("good_a", &good(1));
    story.run(&["good_a"]);
    let before = held(&story.server);
    let ends = AtomicBool::new(false);
    let records = std::thread::scope(|scope| {
        let runs = scope.spawn(|| keep_running(&story.server, &ends));
        for number in 2..2 + REPLACEMENTS {
            let new = good(number);
            if number % 2 == 0 {
                rename(&story.plugin, &new);
            } else {
                fs::write(&story.plugin, &new).expect("the arena is writable");
            }
            let wanted = hash(&new);
            eventually("the new version is served", || story.served().get("good_a") == Some(&wanted));
        }
        ends.store(true, Ordering::Relaxed);
        runs.join().expect("no run was refused")
    });
    assert!(records.len() > 1, "there was no load");
    for record in &records {
        let [case] = &record.cases[..] else { panic!("{record:?}") };
        assert_eq!(case.status, CaseStatus::Completed, "run {}", record.id);
    }
    // Threads for requests end by themselves when there are none.
    eventually("nothing is left behind", || {
        let after = held(&story.server);
        after.descriptors <= before.descriptors && after.threads <= before.threads && after.workers == 0
    });
    assert_eq!(story.problems(&story.plugin), Vec::<String>::new());
}
