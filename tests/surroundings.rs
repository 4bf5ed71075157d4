//! User story: the machine is not as it should be. Its faults are told as its own, with what to do, and are never the result
//! of a benchmark; what was measured before is kept, and nothing is left behind.

use std::{
    fs::{self, File},
    io::{BufRead, BufReader},
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
    process::{Child, Command, Output, Stdio},
};

use dyno_core::model::{CaseStatus, RunRecord, RunStatus};
use nix::{
    sys::signal::{Signal, kill},
    unistd::Pid,
};

use crate::support::{
    arena::{Arena, can_mount, hang_ups_are_ignored, workers},
    eventually::eventually,
    fixtures,
};

/// A user without a home and without an entry in the list of users.
const NOBODY: &str = "54321";
/// Quick, and enough to see a case end.
const QUICK: [&str; 4] = ["--samples", "3", "--launches", "2"];

fn arena() -> Arena {
    let arena = Arena::new();
    arena.add(&fixtures::native("good", "good_a"), "good_a.so");
    arena.add(&fixtures::native("good", "good_b"), "good_b.so");
    arena.add(&fixtures::native("loop_forever", "loop_forever"), "loop_forever.so");
    arena
}

fn run(arena: &Arena, line: &str, benchmarks: &[&str]) -> Output {
    let mut arguments = vec!["run"];
    arguments.extend(benchmarks);
    arguments.extend(QUICK);
    arena.behind(line, &arguments).output().expect("there is a shell")
}

fn said(output: &Output) -> String {
    format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr))
}

/// It ended as a fault of the host that names this, and no benchmark has failed.
#[track_caller]
fn host_fault(arena: &Arena, output: &Output, fragments: &[&str]) {
    let said = said(output);
    assert_eq!(output.status.code(), Some(5), "{said}");
    for fragment in fragments {
        assert!(said.contains(fragment), "`{fragment}` is not in {said}");
    }
    assert!(!said.contains("panicked"), "{said}");
    nothing_failed(arena);
}

/// No stored case has failed, and no run is left as if it went on.
#[track_caller]
fn nothing_failed(arena: &Arena) {
    if !arena.path("out/dyno.duckdb").exists() {
        return;
    }
    let listed = arena.dyno(&["results", "--list", "--json"]);
    if listed.stderr.contains("not made by dyno") || listed.stderr.contains("no stored run") {
        return;
    }
    assert_eq!(listed.code, Some(0), "{}", listed.shown());
    for entry in listed.json().as_array().expect("a list of runs") {
        assert_eq!(entry["failed"], 0, "{entry}");
        assert_ne!(entry["status"], "running", "{entry}");
    }
}

fn is_root() -> bool {
    nix::unistd::geteuid().is_root()
}

fn pid(child: &Child) -> Pid {
    Pid::from_raw(i32::try_from(child.id()).expect("a process number fits"))
}

/// Starts a run of `loop_forever` and waits until its worker is there.
fn endless(arena: &Arena) -> Child {
    let child = arena
        .behind("exec \"$@\"", &["run", "good_a", "loop_forever", "--samples", "3", "--launches", "2"])
        .stdout(Stdio::null())
        .spawn()
        .expect("there is a shell");
    let host = child.id();
    // The first case is over when its result is told.
    let mut child = child;
    let mut lines = BufReader::new(child.stderr.take().expect("it is piped")).lines();
    assert!(lines.by_ref().map_while(Result::ok).any(|line| line.contains("[1/2] good_a")));
    std::thread::spawn(move || lines.for_each(drop));
    eventually("no worker was started", || workers(host) > 0);
    child
}

fn last_run(arena: &Arena) -> RunRecord {
    arena.dyno(&["results", "--samples", "--json"]).record()
}

#[test]
fn a_temporary_folder_that_cannot_be_used_is_named() {
    let arena = arena();
    fs::write(arena.path("file"), "").unwrap();
    for (folder, why) in [
        (arena.path("nowhere"), "does not exist"),
        (arena.path("file"), "not a folder"),
        (PathBuf::from("/dev/null"), "not a folder"),
        (PathBuf::from("/proc"), "temporary folder in `/proc`"),
        (PathBuf::from("rel"), "work/rel"),
    ] {
        let line = format!("TMPDIR='{}' exec \"$@\"", folder.display());
        host_fault(&arena, &run(&arena, &line, &["good_a"]), &[why, "TMPDIR"]);
    }
    // What is empty counts as not set.
    let output = run(&arena, "TMPDIR= exec \"$@\"", &["good_a"]);
    assert_eq!(output.status.code(), Some(0), "{}", said(&output));
}

#[test]
fn too_few_descriptors_are_the_hosts() {
    let arena = arena();
    let mut codes = Vec::new();
    for most in [6, 8, 10, 12, 14, 16, 18, 20, 22, 24, 28, 32, 64] {
        let output = run(&arena, &format!("ulimit -n {most}; exec \"$@\""), &["good_a"]);
        let said = said(&output);
        codes.push((most, output.status.code()));
        match output.status.code() {
            Some(0) => {}
            // Below what the program itself needs to be loaded, the linker of the system says so.
            Some(127) => assert!(most < 10, "{most}: {said}"),
            code => {
                assert_eq!(code, Some(5), "{most}: {said}");
                assert!(said.contains("descriptors") || said.contains("open files"), "{most}: {said}");
            }
        }
        assert!(!said.contains("panicked"), "{said}");
        nothing_failed(&arena);
    }
    assert!(codes.iter().any(|(_, code)| *code == Some(5)), "{codes:?}");
    assert_eq!(codes.last(), Some(&(64, Some(0))), "{codes:?}");
}

#[test]
fn a_list_that_lacks_files_for_want_of_descriptors_is_not_a_good_end() {
    let arena = arena();
    // However deep a file is, one descriptor is enough to find it.
    let deep = arena.path("plugins/a/b/c/d/e/f");
    fs::create_dir_all(&deep).unwrap();
    fs::rename(arena.path("plugins/good_b.so"), deep.join("good_b.so")).unwrap();
    let mut codes = Vec::new();
    for most in 3..=24 {
        // Without the cache every file is read.
        fs::remove_dir_all(arena.path("cache")).ok();
        let line = format!("ulimit -n {most}; exec \"$@\"");
        let output = arena.behind(&line, &["list"]).output().expect("there is a shell");
        let said = said(&output);
        let code = output.status.code();
        match code {
            Some(0) => assert!(said.contains("good_a") && said.contains("good_b"), "{most}: {said}"),
            Some(5) => assert!(said.contains("descriptors") || said.contains("open files"), "{most}: {said}"),
            // Below what the program itself needs to be loaded, the linker of the system says so.
            code => assert!(code == Some(127) && most < 10, "{most}: {code:?} {said}"),
        }
        codes.push(code);
    }
    assert_eq!(codes.last(), Some(&Some(0)), "{codes:?}");
}

#[test]
fn too_few_processes_are_the_hosts() {
    if !is_root() {
        println!(
            "skipped: the limit on processes counts all of a user's, and only root can become one that has none"
        );
        return;
    }
    let arena = arena();
    give_to_nobody(&arena);
    let mut codes = Vec::new();
    for most in 1..=8 {
        let line = format!("exec {} prlimit --nproc={most} \"$@\"", as_nobody());
        let output = run(&arena, &line, &["good_a"]);
        let said = said(&output);
        codes.push(output.status.code());
        match output.status.code() {
            Some(0) => {}
            code => {
                assert_eq!(code, Some(5), "{most}: {said}");
                assert!(said.contains("no more processes or threads"), "{most}: {said}");
            }
        }
        nothing_failed(&arena);
        give_to_nobody(&arena);
    }
    assert!(codes.contains(&Some(5)) && codes.last() == Some(&Some(0)), "{codes:?}");
}

/// A run with its result in a file, `r.json`.
fn result_file(arena: &Arena) -> String {
    let result = arena.path("r.json").display().to_string();
    let quick = ["run", "good_a", "--samples", "3", "--launches", "5", "--format", "json", "-o"];
    let made = arena.dyno(&[&quick[..], &[&result]].concat());
    assert_eq!(made.code, Some(0), "{}", made.shown());
    result
}

/// The beginning of a line that continues as a user with no other process. That user may search the folders of root, because
/// the binaries under test may lie in one.
fn as_nobody() -> String {
    let look = "--inh-caps +dac_read_search --ambient-caps +dac_read_search";
    format!("setpriv --reuid {NOBODY} --regid {NOBODY} --clear-groups {look}")
}

/// Gives everything in an arena to a user that has no other process.
fn give_to_nobody(arena: &Arena) {
    let root = arena.path("");
    let given = Command::new("chown").arg("-R").arg(format!("{NOBODY}:{NOBODY}")).arg(&root).status();
    assert!(given.is_ok_and(|status| status.success()));
}

#[test]
fn a_limit_on_the_size_of_files_is_the_hosts_and_no_signal() {
    let arena = arena();
    let output = run(&arena, "ulimit -f 4; exec \"$@\"", &["good_a"]);
    let said = said(&output);
    assert_eq!(output.status.code(), Some(5), "{said}");
    assert!(said.contains("space") || said.contains("File too large"), "{said}");
}

#[test]
fn a_full_disk_is_named_wherever_it_is() {
    if !can_mount() {
        return;
    }
    let arena = arena();
    let small = arena.path("small");
    fs::create_dir(&small).unwrap();
    let small = small.display();
    let line = |size: &str, then: &str| {
        format!(
            "unshare -m sh -c 'mount -t tmpfs -o size={size} none {small} && {then} exec \"$@\"' sh \"$@\""
        )
    };
    let fill = format!("head -c 2000000 /dev/zero > {small}/fill 2>/dev/null;");
    // The cache: the plugin does not fit.
    let output = run(&arena, &line("1m", &format!("{fill} export DYNO_CACHE={small}/cache;")), &["good_a"]);
    host_fault(&arena, &output, &["no space is left", "DYNO_CACHE"]);
    // The temporary folder: not even an empty folder fits.
    let output = run(&arena, &line("1m,nr_inodes=1", &format!("export TMPDIR={small};")), &["good_a"]);
    host_fault(&arena, &output, &["no space is left", "TMPDIR"]);
    // The folder of results is looked at before anything is measured.
    let before = runs(&arena);
    let out = format!("{small}/out");
    let output =
        arena.behind(&line("1m", &fill), &["run", "good_a", "--samples", "3", "--output", &out]).output();
    let output = output.expect("there is a shell");
    host_fault(&arena, &output, &["no space is left", "--output"]);
    assert_eq!(runs(&arena), before, "nothing was measured");
}

/// How many runs are stored.
fn runs(arena: &Arena) -> usize {
    if !arena.path("out/dyno.duckdb").exists() {
        return 0;
    }
    let listed = arena.dyno(&["results", "--list", "--json"]);
    listed.json().as_array().map_or(0, Vec::len)
}

#[test]
fn a_disk_that_fills_while_measuring_keeps_what_was_stored() {
    if !can_mount() {
        return;
    }
    let arena = arena();
    let small = arena.path("small");
    fs::create_dir(&small).unwrap();
    let small = small.display();
    // Enough for the database and the first launches; then something else takes what is left.
    let script = format!(
        "mount -t tmpfs -o size=8m none {small} || exit 77
         \"$@\" --db-path {small}/d.duckdb & dyno=$!
         until [ -s {small}/d.duckdb ]; do kill -0 $dyno || exit 78; sleep 0.1; done
         head -c 20000000 /dev/zero > {small}/fill
         wait $dyno; echo \"ended with $?\"
         rm {small}/fill
         \"$1\" results --list --json --db-path {small}/d.duckdb; echo \"listed with $?\""
    );
    let line = format!("unshare -m sh -c '{script}' sh \"$@\"");
    let arguments = ["run", "good_a", "--samples", "3", "--launches", "10000"];
    let output = arena.behind(&line, &arguments).output().unwrap();
    let said = said(&output);
    assert!(said.contains("ended with 5") && said.contains("listed with 0"), "{said}");
    assert!(said.contains("no space is left") && said.contains("--db-path"), "{said}");
    assert!(!said.contains("\"failed\": 1"), "{said}");
}

#[test]
fn a_host_fault_in_the_middle_keeps_the_launches_and_can_be_resumed() {
    let mut arena = arena();
    // A worker that cannot be started any more after three launches.
    let real = Path::new(env!("CARGO_BIN_EXE_dyno")).with_file_name("dyno-worker");
    let (worker, count) = (arena.path("worker"), arena.path("count"));
    let script = format!(
        "#!/bin/sh\necho x >> '{count}'\n[ \"$(/usr/bin/wc -l < '{count}')\" -le 3 ] || exit 3\nexec '{real}' \"$@\"\n",
        count = count.display(),
        real = real.display()
    );
    fs::write(&worker, script).unwrap();
    fs::set_permissions(&worker, fs::Permissions::from_mode(0o755)).unwrap();
    arena.set("DYNO_WORKER", worker.as_os_str());
    let output = run(&arena, "exec \"$@\"", &["good_a", "good_b"]);
    host_fault(&arena, &output, &["ended before it was given a plugin", "exit code 3", "DYNO_WORKER"]);
    let record = last_run(&arena);
    assert_eq!(record.status, RunStatus::Interrupted);
    assert_eq!(record.cases[0].status, CaseStatus::Completed);
    assert_eq!(record.cases[0].launches.len(), 2);
    assert!(!record.cases[1].status.is_failure(), "{:?}", record.cases[1].status);
    assert_eq!(record.cases[1].launches.len(), 1, "the launch that had ended is kept");
    // A comparison does not charge either side.
    let build = arena.path("plugins/good_a.so").display().to_string();
    let output = arena.behind("exec \"$@\"", &["ab", &build, &build]).output().unwrap();
    host_fault(&arena, &output, &["exit code 3", "DYNO_WORKER"]);
}

#[test]
fn a_worker_that_is_not_there_is_the_hosts() {
    let mut arena = arena();
    arena.set("DYNO_WORKER", "/nowhere/dyno-worker");
    let output = run(&arena, "exec \"$@\"", &["good_a"]);
    host_fault(&arena, &output, &["/nowhere/dyno-worker", "does not exist", "DYNO_WORKER"]);
}

#[test]
fn a_hang_up_ends_like_a_friendly_kill_and_leaves_nothing() {
    if hang_ups_are_ignored() {
        return;
    }
    for signal in [Signal::SIGHUP, Signal::SIGTERM] {
        let arena = arena();
        let mut child = endless(&arena);
        kill(pid(&child), signal).unwrap();
        assert_eq!(child.wait().unwrap().code(), Some(130), "{signal}");
        let record = last_run(&arena);
        assert_eq!(record.status, RunStatus::Interrupted, "{signal}");
        assert_eq!(record.cases[0].status, CaseStatus::Completed);
        assert_eq!(fs::read_dir(arena.path("tmp")).unwrap().count(), 0, "{signal} left a folder");
    }
}

#[test]
fn a_hang_up_that_is_ignored_stays_ignored() {
    let arena = arena();
    let child = arena.behind("trap '' HUP; exec \"$@\"", &["run", "loop_forever", "--samples", "3"]);
    let mut child = { child }.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
    eventually("no worker was started", || workers(child.id()) > 0);
    kill(pid(&child), Signal::SIGHUP).unwrap();
    kill(pid(&child), Signal::SIGINT).unwrap();
    assert_eq!(child.wait().unwrap().code(), Some(130));
    assert_eq!(last_run(&arena).status, RunStatus::Cancelled, "by Ctrl-C, not by the hang-up");
}

#[test]
fn a_second_signal_ends_at_once() {
    let arena = arena();
    let mut child = endless(&arena);
    // Both are there before it goes on.
    kill(pid(&child), Signal::SIGSTOP).unwrap();
    kill(pid(&child), Signal::SIGINT).unwrap();
    kill(pid(&child), Signal::SIGTERM).unwrap();
    kill(pid(&child), Signal::SIGCONT).unwrap();
    assert_eq!(child.wait().unwrap().code(), Some(130));
    // It had no time to say that it was given up.
    assert_eq!(last_run(&arena).status, RunStatus::Interrupted);
}

#[test]
fn ctrl_c_while_waiting_for_the_database_or_the_device_is_130() {
    let arena = arena();
    let mut first = endless(&arena);
    let wait = |arguments: &[&str], for_what: &str| {
        let mut second = arena.behind("exec \"$@\"", arguments).stdout(Stdio::null()).spawn().unwrap();
        let mut lines = BufReader::new(second.stderr.take().unwrap()).lines();
        assert!(lines.by_ref().map_while(Result::ok).any(|line| line.contains(for_what)), "{for_what}");
        std::thread::spawn(move || lines.for_each(drop));
        kill(pid(&second), Signal::SIGINT).unwrap();
        assert_eq!(second.wait().unwrap().code(), Some(130), "{for_what}");
    };
    wait(&["run", "good_a"], "waiting for the database");
    let other = arena.path("out/other.duckdb").display().to_string();
    wait(&["run", "good_a", "--db-path", &other], "leased by");
    let build = arena.path("plugins/good_a.so").display().to_string();
    wait(&["ab", &build, &build, "--db-path", &other], "leased by");
    kill(pid(&first), Signal::SIGINT).unwrap();
    first.wait().unwrap();
}

#[test]
fn children_that_dyno_did_not_start_are_left_alone() {
    let arena = arena();
    arena.add(&fixtures::native("daemon_lingers", "daemon_lingers"), "daemon_lingers.so");
    arena.add(&fixtures::native("child_lingers", "child_lingers"), "child_lingers.so");
    let line =
        format!("sleep 600 > /dev/null 2>&1 & echo $! > {}; exec \"$@\"", arena.path("service").display());
    let service =
        || Pid::from_raw(fs::read_to_string(arena.path("service")).unwrap().trim().parse().unwrap());
    let output = run(&arena, &line, &["good_a"]);
    assert_eq!(output.status.code(), Some(0), "{}", said(&output));
    assert!(kill(service(), None).is_ok(), "the service was killed");
    kill(service(), Signal::SIGKILL).unwrap();
    // And what a plugin starts is found all the same.
    let output = arena
        .behind(
            &line,
            &[
                "run",
                "daemon_lingers",
                "child_lingers",
                "--timeout",
                "3s",
                "--samples",
                "3",
                "--launches",
                "1",
            ],
        )
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(4), "{}", said(&output));
    assert!(kill(service(), None).is_ok(), "the service was killed");
    kill(service(), Signal::SIGKILL).unwrap();
    let root = arena.path("").canonicalize().unwrap();
    eventually("a process of a plugin lives on", || {
        let processes = fs::read_dir("/proc").into_iter().flatten().flatten();
        !processes
            .filter_map(|entry| fs::read_link(entry.path().join("cwd")).ok())
            .any(|cwd| cwd.starts_with(root.join("tmp")))
    });
}

#[test]
fn as_process_1_only_what_a_worker_started_is_ended() {
    let can = Command::new("unshare").args(["-pf", "--mount-proc", "true"]).output();
    if !can.is_ok_and(|output| output.status.success()) {
        println!("skipped: this user may not make a namespace of processes (`unshare -pf --mount-proc`)");
        return;
    }
    let arena = arena();
    let inside = format!(
        "setsid sleep 600 > /dev/null 2>&1 & echo ready > {}; exec \"$@\"",
        arena.path("ready").display()
    );
    let line = format!("exec unshare -pf --mount-proc sh -c '{inside}' sh \"$@\"");
    let output = run(&arena, &line, &["good_a", "good_b"]);
    let said = said(&output);
    assert_eq!(output.status.code(), Some(0), "{said}");
    assert!(!said.contains("left 1 running"), "{said}");
}

#[test]
fn what_cannot_be_written_is_refused_before_anything_is_measured() {
    let arena = arena();
    fs::create_dir(arena.path("folder")).unwrap();
    fs::write(arena.path("file"), "precious").unwrap();
    let path = |name: &str| arena.path(name).display().to_string();
    for (arguments, code, fragment) in [
        (vec!["--format", "json", "-o", &path("none/x.json")], 2, "there is no folder"),
        (vec!["--format", "parquet", "-o", &path("none/x.parquet")], 2, "there is no folder"),
        (vec!["--format", "csv", "-o", &path("folder")], 2, "it is a folder"),
        (vec!["--format", "csv", "-o", &path("file/x")], 2, "is not a folder"),
        (vec!["--format", "csv", "-o", ""], 2, "a value is required"),
        (vec!["--output", "/proc/nowhere"], 5, "--output"),
        (vec!["--output", &path("file")], 5, "--output"),
        (vec!["--db-path", &path("folder")], 2, "it is a folder"),
        (vec!["--db-path", "/proc/nowhere/d.duckdb"], 5, "--db-path"),
    ] {
        let mut all = vec!["run", "good_a", "--samples", "3", "--launches", "1"];
        all.extend(&arguments);
        let output = arena.behind("exec \"$@\"", &all).output().unwrap();
        let said = said(&output);
        assert_eq!(output.status.code(), Some(code), "{arguments:?}: {said}");
        assert!(said.contains(fragment), "{arguments:?}: {said}");
        assert!(!said.contains("[1/1]"), "{arguments:?} was measured: {said}");
    }
    assert_eq!(fs::read_to_string(arena.path("file")).unwrap(), "precious");
    let output = arena.dyno(&["doctor", "--save", &path("none/doctor.json")]);
    assert_eq!(output.code, Some(2), "{}", output.shown());
    // What is no plain file is written as it is.
    let output = run(&arena, "set -- \"$@\" --format csv -o /dev/stdout; exec \"$@\"", &["good_a"]);
    assert_eq!(output.status.code(), Some(0), "{}", said(&output));
    assert!(said(&output).contains("good_a"), "{}", said(&output));
}

#[test]
fn output_that_cannot_be_written_is_a_fault_and_a_reader_that_left_is_none() {
    let arena = arena();
    for arguments in
        [&["list"][..], &["--help"], &["run", "--help"], &["--version"], &["completions", "bash"]]
    {
        let full = File::options().write(true).open("/dev/full").unwrap();
        let mut command = Command::new(env!("CARGO_BIN_EXE_dyno"));
        command
            .args(arguments)
            .env("DYNO_PLUGIN_PATH", arena.path("plugins"))
            .env("HOME", arena.path("home"));
        let output = command.stdout(full).stderr(Stdio::piped()).output().unwrap();
        let text = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(5), "{arguments:?}: {text}");
        assert!(text.contains("no space is left"), "{arguments:?}: {text}");
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        drop(child.stdout.take());
        let output = child.wait_with_output().unwrap();
        let text = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(0), "{arguments:?}: {text}");
    }
}

#[test]
fn without_a_home_only_what_needs_one_asks_for_it() {
    if !is_root() {
        println!("skipped: only root can become a user without a home");
        return;
    }
    let arena = arena();
    let result = result_file(&arena);
    give_to_nobody(&arena);
    let user = format!("{} \"$@\"", as_nobody());
    let bare = format!("unset HOME XDG_CACHE_HOME DYNO_CACHE; exec {user}");
    for home in [
        bare.clone(),
        format!("HOME=rel; unset DYNO_CACHE; exec {user}"),
        format!("HOME=; unset DYNO_CACHE; exec {user}"),
    ] {
        for arguments in [&["list"][..], &["compare", &result, &result], &["config"]] {
            let output = arena.behind(&home, arguments).output().unwrap();
            assert_eq!(output.status.code(), Some(0), "{home} {arguments:?}: {}", said(&output));
        }
        let output = arena.behind(&home, &["run", "good_a"]).output().unwrap();
        assert_eq!(output.status.code(), Some(2), "{}", said(&output));
        assert!(said(&output).contains("DYNO_CACHE"), "{}", said(&output));
    }
    let output = run(&arena, &format!("unset HOME XDG_CACHE_HOME; exec {user}"), &["good_a"]);
    assert_eq!(output.status.code(), Some(0), "{}", said(&output));
    assert!(!arena.path("work/rel").exists(), "a relative HOME is no place");
}

#[test]
fn files_of_windows_are_read() {
    let arena = arena();
    let path = |name: &str| arena.path(name).display().to_string();
    result_file(&arena);
    let doctor = arena.dyno(&["doctor", "--save", &path("doctor.json")]);
    assert_eq!(doctor.code, Some(0), "{}", doctor.shown());
    let result = fs::read_to_string(arena.path("r.json")).unwrap();
    let doctor = fs::read_to_string(arena.path("doctor.json")).unwrap();
    let toml = "name = \"s\"\n[[benchmarks]]\nname = \"good_a\"\n";
    let json = "{\"name\": \"s\", \"benchmarks\": [{\"name\": \"good_a\"}]}";
    let tool = "{\"context\": {}, \"benchmarks\": [{\"name\": \"a\", \"run_type\": \"iteration\", \"iterations\": 1, \
                \"real_time\": 1.0, \"cpu_time\": 1.0, \"time_unit\": \"ns\"}]}";
    let utf16 = |text: &str, big: bool| -> Vec<u8> {
        let unit = |unit: u16| if big { unit.to_be_bytes() } else { unit.to_le_bytes() };
        std::iter::once(0xFEFF).chain(text.encode_utf16()).flat_map(unit).collect()
    };
    let variants = |text: &str| {
        let windows = text.replace('\n', "\r\n");
        [
            [&b"\xEF\xBB\xBF"[..], text.as_bytes()].concat(),
            windows.clone().into_bytes(),
            utf16(&windows, false),
            utf16(text, true),
        ]
    };
    let check = |name: &str, text: &str, arguments: &dyn Fn(&str) -> Vec<String>| {
        for bytes in variants(text) {
            fs::write(arena.path(name), &bytes).unwrap();
            let arguments = arguments(&path(name));
            let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
            let outcome = arena.dyno(&arguments);
            assert!(matches!(outcome.code, Some(0 | 3)), "{name} {:?}: {}", &bytes[..4], outcome.shown());
        }
        fs::write(arena.path(name), b"na\xEFve").unwrap();
        let arguments = arguments(&path(name));
        let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
        let outcome = arena.dyno(&arguments);
        assert_eq!(outcome.code, Some(2), "{name}: {}", outcome.shown());
        assert!(outcome.stderr.contains("save it as UTF-8"), "{name}: {}", outcome.shown());
    };
    let words = |words: &[&str]| words.iter().map(|word| (*word).to_owned()).collect::<Vec<_>>();
    check("suite.toml", toml, &|file| words(&["run", "--dry-run", "--suite", file]));
    check("suite.json", json, &|file| words(&["run", "--dry-run", "--suite", file]));
    check("result.json", &result, &|file| words(&["compare", file, file]));
    check("tool.json", tool, &|file| words(&["compare", file, file]));
    check("saved.json", &doctor, &|file| words(&["doctor", "--compare", file, "--compare", file]));
    check("dyno.toml", "timeout = \"7s\"\n", &|file| words(&["config", "--config", file]));
}

/// The program that runs another one to which a system call is refused; `None` where it cannot be built.
pub(crate) fn deny(arena: &Arena) -> Option<PathBuf> {
    built(arena, "deny")
}

/// A program of this story; `None` where it cannot be built.
fn built(arena: &Arena, name: &str) -> Option<PathBuf> {
    let program = arena.path(name);
    let source = fixtures::root().join(format!("tests/surroundings/{name}.c"));
    let built =
        Command::new("cc").args(["-O1", "-Wall", "-Werror"]).arg(source).arg("-o").arg(&program).status();
    if !built.is_ok_and(|status| status.success()) {
        println!("skipped: there is no C compiler on this machine");
        return None;
    }
    Some(program)
}

#[test]
fn what_the_kernel_refuses_is_recorded_and_compared() {
    let arena = arena();
    let Some(deny) = deny(&arena) else { return };
    let baseline = arena.dyno(&["run", "good_a", "--samples", "3", "--launches", "2", "--json"]).record();
    for errno in [1, 38] {
        for (call, sentence) in [
            ("personality", "refused a fixed layout of memory (personality)"),
            ("memfd_create", "loaded from a file"),
            ("prctl", "parent of orphans (prctl"),
            ("madvise", ""),
        ] {
            let line = format!("exec {} {errno} {call} \"$@\"", deny.display());
            let output = arena
                .behind(&line, &["run", "good_a", "--samples", "3", "--launches", "2", "--json"])
                .output()
                .unwrap();
            if output.status.code() == Some(77) {
                println!("skipped: this kernel has no seccomp filters");
                return;
            }
            assert_eq!(output.status.code(), Some(0), "{call} {errno}: {}", said(&output));
            let record: RunRecord = serde_json::from_slice(&output.stdout).unwrap();
            for launch in &record.cases[0].launches {
                let missing = launch.missing.join("; ");
                assert!(missing.contains(sentence), "{call} {errno}: {missing}");
            }
            let compared = arena.dyno(&["compare", &baseline.id, &record.id]);
            let differs =
                compared.stdout.contains("address layout") || compared.stderr.contains("address layout");
            let is_fixed =
                baseline.cases[0].launches[0].isolation.iter().any(|layer| layer == "fixed_layout");
            assert_eq!(differs, call == "personality" && is_fixed, "{call} {errno}: {}", compared.shown());
        }
    }
}

#[test]
fn a_comparison_says_what_the_kernel_refused_and_what_a_build_leaves() {
    let arena = arena();
    let Some(deny) = deny(&arena) else { return };
    let printing = arena.add(&fixtures::native("prints_each_call", "prints_each_call"), "prints.so");
    let plugin = printing.display().to_string();
    let line = format!("exec {} 1 personality \"$@\"", deny.display());
    let output = arena.behind(&line, &["ab", &plugin, &plugin, "--budget", "500ms"]).output().unwrap();
    if output.status.code() == Some(77) {
        println!("skipped: this kernel has no seccomp filters");
        return;
    }
    let said = said(&output);
    for sentence in
        ["refused a fixed layout of memory (personality)", "while it was measured: writing is part of"]
    {
        assert_eq!(said.matches(sentence).count(), 1, "{sentence}: {said}");
    }
}

#[test]
fn a_worker_that_does_not_end_when_it_is_killed_stops_nothing_else() {
    let mut arena = arena();
    let Some(hold) = built(&arena, "hold") else { return };
    let real = Path::new(env!("CARGO_BIN_EXE_dyno")).with_file_name("dyno-worker");
    let (text, worker, flag) = (arena.path("worker.sh"), arena.path("worker"), arena.path("held-by"));
    let script =
        format!("#!/bin/sh\nexec '{}' '{}' '{}' \"$@\"\n", hold.display(), flag.display(), real.display());
    fs::write(&text, script).unwrap();
    // Copied by another process: a file that this one has open for writing could not be run.
    assert!(Command::new("cp").args([&text, &worker]).status().unwrap().success());
    fs::set_permissions(&worker, fs::Permissions::from_mode(0o755)).unwrap();
    arena.set("DYNO_WORKER", worker.as_os_str());
    // With a child that dyno did not start, the process that holds the worker is not taken for one that a plugin left.
    let service = arena.path("service");
    let line = format!("sleep 600 > /dev/null 2>&1 & echo $! > {}; exec \"$@\"", service.display());
    let arguments = ["run", "loop_forever", "good_b", "--timeout", "3s", "--samples", "3", "--launches", "1"];
    let output = arena.behind(&line, &[&arguments[..], &["--json"]].concat()).output().unwrap();
    let number = |file: &Path| fs::read_to_string(file).ok().and_then(|text| text.trim().parse().ok());
    let holder: i32 = number(&flag).expect("the worker was started");
    for process in [holder, number(&service).unwrap_or(0)].into_iter().filter(|process| *process > 0) {
        let _ = kill(Pid::from_raw(process), Signal::SIGKILL);
    }
    if holder == 0 {
        println!("skipped: no process may be traced here");
        return;
    }
    assert_eq!(output.status.code(), Some(4), "{}", said(&output));
    let record: RunRecord = serde_json::from_slice(&output.stdout).unwrap();
    let [stuck, next] = &record.cases[..] else { panic!("{record:?}") };
    assert!(matches!(stuck.status, CaseStatus::TimedOut { .. }), "{:?}", stuck.status);
    let missing = stuck.launches[0].missing.join("; ");
    assert!(missing.contains("stuck in the kernel"), "{missing}");
    assert_eq!(next.status, CaseStatus::Completed);
    assert!(!next.launches[0].missing.iter().any(|sentence| sentence.contains("stuck")));
}
