//! User story: an operator hands dyno a control group, as systemd does for `Delegate=`. What a plugin and its copies take together is
//! then bounded by the kernel, and ends with the launch.

use std::{
    fs,
    path::{Path, PathBuf},
};

use dyno_core::model::{CaseStatus, RunRecord};
use rustix::fs::{XattrFlags, setxattr};

use crate::support::{arena::Arena, eventually::eventually, fixtures};

/// A control group that is handed over to whoever is started in it; removed with everything in it.
struct HandedOver {
    folder: PathBuf,
}

impl HandedOver {
    /// `None` where this machine has none to give.
    fn new(story: &str) -> Option<Self> {
        let has = |mount: &&Path| {
            let given = fs::read_to_string(mount.join("cgroup.controllers")).unwrap_or_default();
            ["memory", "pids"].iter().all(|name| given.split_whitespace().any(|it| it == *name))
        };
        let Some(mount) = ["/sys/fs/cgroup", "/sys/fs/cgroup/unified"].map(Path::new).into_iter().find(has)
        else {
            println!("skipped: no control groups of version 2 bound memory and processes on this machine");
            return None;
        };
        let folder = mount.join(format!("dyno-test-{}-{story}", std::process::id()));
        let made = fs::write(mount.join("cgroup.subtree_control"), "+memory +pids")
            .and_then(|()| fs::create_dir(&folder));
        if let Err(error) = made {
            println!("skipped: this user may not make control groups: {error}");
            return None;
        }
        let group = Self { folder };
        setxattr(&group.folder, "user.delegate", b"1", XattrFlags::empty())
            .expect("a group takes marks of its user");
        Some(group)
    }

    fn run(&self, arena: &Arena, arguments: &[&str]) -> RunRecord {
        let words =
            [arguments, &["--samples", "3", "--launches", "1", "--memory", "256MiB", "--json"]].concat();
        let output = arena.behind(&self.line(), &words).output().expect("the shell is there");
        serde_json::from_slice(&output.stdout)
            .unwrap_or_else(|error| panic!("{error}: {}", String::from_utf8_lossy(&output.stderr)))
    }

    /// A line of the shell that starts dyno in it.
    fn line(&self) -> String {
        // Once it is divided, processes are started in a part of it, as containers do.
        let folder = self.folder.display();
        format!(
            "cd {folder}/dyno 2>/dev/null || cd {folder}; echo $$ > cgroup.procs; cd - >/dev/null; exec \"$@\""
        )
    }

    /// Names of the groups of workers in it.
    fn workers(&self) -> Vec<String> {
        let parts = fs::read_dir(&self.folder).into_iter().flatten().flatten();
        let names = parts.filter_map(|part| part.file_name().into_string().ok());
        names.filter(|name| name.starts_with("dyno-worker-")).collect()
    }
}

impl Drop for HandedOver {
    fn drop(&mut self) {
        let _ = fs::write(self.folder.join("cgroup.kill"), "1");
        // A second panic would end all tests.
        if std::thread::panicking() {
            return;
        }
        let parts = fs::read_dir(&self.folder).into_iter().flatten().flatten();
        for part in parts.filter(|part| part.path().is_dir()) {
            eventually("the group is empty", || fs::remove_dir(part.path()).is_ok());
        }
        eventually("the group is empty", || fs::remove_dir(&self.folder).is_ok());
    }
}

/// An arena with these plugins of the story of isolation in it; `None` where they cannot be built.
fn arena_with(names: &[&str]) -> Option<Arena> {
    if !fixtures::has_compiler("cc") {
        println!("skipped: there is no C compiler on this machine");
        return None;
    }
    let arena = Arena::new();
    arena.add(&fixtures::native("good", "good_a"), "good_a.so");
    for name in names {
        let file = format!("{name}.so");
        arena.add(&fixtures::asking(name, &arena.path(&file), &[]), &file);
    }
    Some(arena)
}

fn failure(record: &RunRecord) -> &str {
    match &record.cases[0].status {
        CaseStatus::Failed { reason, .. } => &reason.message,
        other => panic!("{other:?}"),
    }
}

#[test]
fn what_a_plugin_and_its_copies_take_together_is_bounded() {
    let Some(arena) = arena_with(&["copies_take_memory", "copies_multiply"]) else { return };
    let Some(group) = HandedOver::new("bounds") else { return };

    let record = group.run(&arena, &["run", "good_a", "--require-isolation", "control_group"]);
    assert_eq!(record.cases[0].status, CaseStatus::Completed);
    let launch = &record.cases[0].launches[0];
    assert!(launch.isolation.iter().any(|layer| layer == "control_group"), "{:?}", launch.isolation);
    assert_eq!(launch.missing.iter().filter(|why| why.contains("group")).count(), 0);

    let record = group.run(&arena, &["run", "copies_take_memory"]);
    let why = failure(&record);
    assert!(
        why.starts_with("the worker and all that it started used ")
            && why.ends_with("of memory, more than its limit of 256.0 MiB; raise it with --memory"),
        "{why}"
    );

    let record = group.run(&arena, &["run", "copies_multiply"]);
    let why = failure(&record);
    let copies: u32 = why.strip_prefix("there are ").unwrap().split_once(' ').unwrap().0.parse().unwrap();
    // The worker itself is one of 1024.
    assert_eq!(copies, 1023);

    assert_eq!(group.workers(), Vec::<String>::new(), "a group ends with its launch");
    let record = group.run(&arena, &["run", "good_a"]);
    assert_eq!(record.cases[0].status, CaseStatus::Completed);
}

#[test]
fn what_a_killed_dyno_left_in_its_groups_is_ended_by_the_next() {
    let Some(arena) = arena_with(&["copies_stay"]) else { return };
    let Some(group) = HandedOver::new("ends") else { return };
    let mut killed =
        arena.behind(&group.line(), &["run", "copies_stay", "--timeout", "10min"]).spawn().unwrap();
    // The worker and its copy.
    let lives =
        |name: &str| fs::read_to_string(group.folder.join(name).join("cgroup.procs")).unwrap_or_default();
    let with = |processes: usize| move |name: &String| lives(name).lines().count() == processes;
    eventually("the copy lives", || group.workers().iter().any(with(2)));
    killed.kill().unwrap();
    killed.wait().unwrap();
    eventually("the worker dies with its host", || group.workers().iter().any(with(1)));

    let record = group.run(&arena, &["run", "good_a"]);
    assert_eq!(record.cases[0].status, CaseStatus::Completed);
    assert_eq!(group.workers(), Vec::<String>::new());
}

#[test]
fn a_group_that_was_not_handed_over_is_left_alone_and_that_is_said_where_it_is_demanded() {
    let Some(arena) = arena_with(&[]) else { return };
    let outcome = arena.dyno(&[
        "run",
        "good_a",
        "--samples",
        "3",
        "--launches",
        "1",
        "--require-isolation",
        "control_group",
        "--json",
    ]);
    let record = outcome.record();
    if record.cases[0].status == CaseStatus::Completed {
        return println!("skipped: the tests themselves were handed a control group");
    }
    assert_eq!(outcome.code, Some(4));
    let why = failure(&record);
    assert!(
        why.starts_with("the layer of isolation `control_group` is required, and is not in force here: ")
            && why.contains("control group")
            && why.ends_with("; nothing of the plugin was run"),
        "{why}"
    );
    let doctor = arena.dyno(&["doctor"]);
    assert!(doctor.stdout.contains("note     groups:"), "{}", doctor.shown());
}
