//! User story: several runs want the same device. One has it, the others wait in turn and are told for whom; however the
//! holder dies, the next one starts.

use std::{
    fs,
    io::{BufRead, BufReader},
    os::unix::fs::PermissionsExt,
    process::{Child, Command, Stdio},
};

use dyno_core::model::{CaseStatus, RunRecord, Stage};
use serde_json::Value;

use crate::support::{arena::Arena, eventually::eventually, fixtures};

fn arena() -> Arena {
    let arena = Arena::new();
    arena.add(&fixtures::native("good", "good_a"), "good_a.so");
    arena.add(&fixtures::native("loop_forever", "loop_forever"), "loop_forever.so");
    arena
}

/// `dyno run` in the background, with a database of its own: only the device is fought for.
fn start(arena: &Arena, number: u32, arguments: &[&str]) -> Child {
    let mut command = arena.command(&["run", "--time", "20ms", "--launches", "2", "--json"]);
    command.args(arguments).env("DYNO_DB_PATH", arena.path(&format!("out/{number}.duckdb")));
    command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("dyno is built")
}

/// Waits for a line on standard error that holds `fragment`; what comes after it is read away in the background.
#[track_caller]
fn wait_for_line(child: &mut Child, fragment: &str) -> String {
    let mut lines = BufReader::new(child.stderr.take().expect("it is piped")).lines();
    let found = lines.by_ref().map_while(Result::ok).find(|line| line.contains(fragment));
    std::thread::spawn(move || lines.for_each(drop));
    found.unwrap_or_else(|| panic!("`{fragment}` never came"))
}

/// Who holds and who waits, as `dyno devices` says.
fn standing(arena: &Arena) -> Value {
    arena.dyno(&["devices", "cpu", "--json"]).json()["leases"][0].clone()
}

fn pids(holders: &Value) -> Vec<u64> {
    holders.as_array().into_iter().flatten().filter_map(|holder| holder["pid"].as_u64()).collect()
}

#[track_caller]
fn wait_for_holder(arena: &Arena, holder: &Child) {
    eventually("nobody holds the device", || pids(&standing(arena)["holders"]) == [u64::from(holder.id())]);
}

#[track_caller]
fn record(child: Child) -> RunRecord {
    let output = child.wait_with_output().expect("it was started here");
    serde_json::from_slice(&output.stdout).expect("a result")
}

fn end(mut child: Child) {
    child.kill().expect("it was started here");
    child.wait().expect("it was started here");
}

#[test]
fn the_second_waits_and_is_told_for_whom_and_starts_when_the_first_is_killed() {
    let arena = arena();
    let first = start(&arena, 1, &["loop_forever"]);
    wait_for_holder(&arena, &first);
    let mut second = start(&arena, 2, &["good_a"]);
    let line = wait_for_line(&mut second, "waiting for cpu");
    let expected = format!("leased by process {} (dyno run of loop_forever, run ", first.id());
    assert!(line.contains(&expected) && line.contains(", for "), "{line}");
    // Whoever looks sees both.
    let seen = standing(&arena);
    assert_eq!(
        (pids(&seen["holders"]), pids(&seen["waiting"])),
        (vec![first.id().into()], vec![second.id().into()])
    );
    assert_eq!(seen["holders"][0]["purpose"], "dyno run of loop_forever");
    let table = arena.dyno(&["devices"]).stdout;
    assert!(table.contains("leased by") && table.contains("wanted by"), "{table}");
    end(first);
    assert_eq!(record(second).cases[0].status, CaseStatus::Completed);
    assert!(standing(&arena).is_null(), "nobody holds anything any more");
}

#[test]
fn a_comparison_that_gets_no_device_in_time_is_not_green() {
    let arena = arena();
    let first = start(&arena, 1, &["loop_forever"]);
    wait_for_holder(&arena, &first);
    fs::write(arena.path("work/dyno.toml"), "lease-timeout = \"50ms\"\n").expect("a file");
    let plugin = arena.path("plugins/good_a.so").display().to_string();
    let outcome = arena.dyno(&["ab", &plugin, &plugin, "--json"]);
    end(first);
    assert_eq!(outcome.code, Some(4), "{}", outcome.shown());
    assert_eq!(outcome.json()["unjudged"][0]["why"]["kind"], "lease", "{}", outcome.shown());
}

#[test]
fn a_plugin_that_is_rebuilt_while_it_is_compared_is_not_green() {
    for bytes_are_stored in [false, true] {
        let arena = arena();
        let plugin = arena.path("plugins/good_a.so");
        let given = plugin.display().to_string();
        if bytes_are_stored {
            let stored = arena.dyno(&["ab", &given, &given, "--budget", "100ms"]);
            assert_eq!(stored.code, Some(0), "{}", stored.shown());
        }
        let first = start(&arena, 1, &["loop_forever"]);
        wait_for_holder(&arena, &first);
        let mut command = arena.command(&["ab", &given, &given, "--budget", "500ms", "--json"]);
        command.env("DYNO_DB_PATH", arena.path("out/2.duckdb")).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut second = command.spawn().expect("dyno is built");
        wait_for_line(&mut second, "waiting for cpu");
        // As a linker does: a new file takes the place of the old one.
        let mut rebuilt = fs::read(&plugin).expect("the plugin");
        rebuilt.push(0);
        fs::write(arena.path("rebuilt.so"), rebuilt).expect("a file");
        fs::rename(arena.path("rebuilt.so"), &plugin).expect("one folder, one disk");
        end(first);
        let output = second.wait_with_output().expect("it was started here");
        assert_eq!(output.status.code(), Some(4), "{output:?}");
        let compared: Value = serde_json::from_slice(&output.stdout).expect("a comparison");
        let why = &compared["unjudged"][0]["why"];
        assert_eq!(why["kind"], "plugin_changed", "{compared}");
        assert!(
            why["message"].as_str().is_some_and(|it| it.contains("changed since it was scanned")),
            "{why}"
        );
    }
}

#[test]
fn a_comparison_says_whom_it_waits_for() {
    let arena = arena();
    let first = start(&arena, 1, &["loop_forever"]);
    wait_for_holder(&arena, &first);
    let plugin = arena.path("plugins/good_a.so").display().to_string();
    let mut command = arena.command(&["ab", &plugin, &plugin, "--budget", "500ms", "--json"]);
    command.env("DYNO_DB_PATH", arena.path("out/2.duckdb")).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut second = command.spawn().expect("dyno is built");
    let line = wait_for_line(&mut second, "waiting for cpu");
    assert!(line.contains(&format!("leased by process {}", first.id())), "{line}");
    end(first);
    let output = second.wait_with_output().expect("it was started here");
    let compared: Value = serde_json::from_slice(&output.stdout).expect("a comparison");
    assert!(compared["cases"][0]["pairs"]["effects"].as_array().is_some_and(|pairs| !pairs.is_empty()));
}

#[test]
fn who_came_first_is_served_first() {
    let arena = arena();
    let first = start(&arena, 1, &["loop_forever"]);
    wait_for_holder(&arena, &first);
    // The next in the queue would keep the device for ever; the last one must not get in before it.
    let second = start(&arena, 2, &["loop_forever"]);
    eventually("the second does not queue", || {
        pids(&standing(&arena)["waiting"]) == [u64::from(second.id())]
    });
    let third = start(&arena, 3, &["good_a"]);
    let both = [u64::from(second.id()), u64::from(third.id())];
    eventually("the third does not queue", || pids(&standing(&arena)["waiting"]) == both);
    end(first);
    wait_for_holder(&arena, &second);
    assert_eq!(pids(&standing(&arena)["waiting"]), [u64::from(third.id())]);
    end(second);
    assert_eq!(record(third).cases[0].status, CaseStatus::Completed);
}

#[test]
fn who_waits_too_long_fails_alone_and_names_the_holder() {
    let arena = arena();
    let first = start(&arena, 1, &["loop_forever"]);
    wait_for_holder(&arena, &first);
    let second = start(&arena, 2, &["good_a", "--lease-timeout", "50ms"]);
    let output = second.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(4));
    let record: RunRecord = serde_json::from_slice(&output.stdout).expect("a result");
    let CaseStatus::Failed { stage: Stage::Lease, reason } = &record.cases[0].status else {
        panic!("{:?}", record.cases[0].status)
    };
    assert!(reason.message.contains("waited 0.05 s for `cpu`"), "{reason}");
    assert!(reason.message.contains(&format!("process {}", first.id())), "{reason}");
    assert!(reason.message.contains("--lease-timeout"), "{reason}");
    end(first);
}

#[test]
fn cpu_cases_overlap_only_where_both_say_so() {
    let arena = arena();
    let first = start(&arena, 1, &["loop_forever", "--overlap"]);
    wait_for_holder(&arena, &first);
    let beside = start(&arena, 2, &["good_a", "--overlap"]);
    assert_eq!(record(beside).cases[0].status, CaseStatus::Completed);
    let alone = record(start(&arena, 3, &["good_a", "--lease-timeout", "50ms"]));
    assert!(matches!(alone.cases[0].status, CaseStatus::Failed { stage: Stage::Lease, .. }));
    end(first);
}

#[test]
fn ctrl_c_ends_the_wait() {
    let arena = arena();
    let first = start(&arena, 1, &["loop_forever"]);
    wait_for_holder(&arena, &first);
    let mut second = start(&arena, 2, &["good_a"]);
    wait_for_line(&mut second, "waiting for cpu");
    let pid = nix::unistd::Pid::from_raw(i32::try_from(second.id()).unwrap());
    nix::sys::signal::kill(pid, nix::sys::signal::Signal::SIGINT).unwrap();
    assert_eq!(second.wait().unwrap().code(), Some(130));
    eventually("a place in the queue is left behind", || pids(&standing(&arena)["waiting"]).is_empty());
    end(first);
}

/// Somebody else on the machine, another user where this test may act for one, may hold a device; no more than that.
#[test]
fn a_holder_that_does_not_say_who_it_is_is_waited_for_all_the_same() {
    let arena = arena();
    let leases = arena.path("leases");
    fs::set_permissions(&leases, fs::Permissions::from_mode(0o1777)).unwrap();
    fs::set_permissions(leases.parent().unwrap(), fs::Permissions::from_mode(0o755)).unwrap();
    // A run makes the file; the stranger then locks it.
    assert_eq!(arena.run(&["good_a"]).code, Some(0));
    let is_root = nix::unistd::geteuid().is_root();
    let mut stranger = if is_root { Command::new("setpriv") } else { Command::new("flock") };
    if is_root {
        stranger.args(["--reuid", "65534", "--regid", "65534", "--clear-groups", "flock"]);
    }
    // Without a fork, so that its end is the end of its lock.
    stranger.args(["--no-fork", "-x"]).arg(leases.join("cpu.lock")).args(["sleep", "1000"]);
    let Ok(stranger) = stranger.stdin(Stdio::null()).spawn() else {
        println!("skipped: `flock` or `setpriv` of util-linux is not on this machine");
        return;
    };
    let lock = fs::File::open(leases.join("cpu.lock")).unwrap();
    eventually("the stranger does not lock", || {
        let is_free = lock.try_lock().is_ok();
        let _ = lock.unlock();
        !is_free
    });
    // Nor can it, where it is another user, take the file away.
    if is_root {
        let removal = Command::new("setpriv")
            .args(["--reuid", "65534", "--regid", "65534", "--clear-groups", "rm", "-f"])
            .arg(leases.join("cpu.lock"))
            .status();
        assert!(removal.is_ok_and(|status| !status.success()));
    }
    let mut waiting = start(&arena, 1, &["good_a"]);
    wait_for_line(&mut waiting, "leased by an unidentified process");
    end(stranger);
    assert_eq!(record(waiting).cases[0].status, CaseStatus::Completed);
}
