//! User story: an operator saves the database while it is in use, restores it, and lets old results go. Nothing is ever half
//! written, and no database is lost.

use std::{
    fs,
    io::{Read, Write},
    net::{TcpListener, TcpStream},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    thread,
    time::{Duration, Instant},
};

use dyno_core::model::{RunRecord, Sample};
use dyno_host::store::Store;
use nix::sys::signal::Signal;
use serde_json::{Value, json};

use crate::support::{
    arena::{Arena, Outcome, can_mount, workers},
    eventually::eventually,
    fixtures,
    served::Served,
};

/// Samples that make a database larger than what a connection holds in its buffers.
const MANY: u64 = 400_000;

fn arena() -> Arena {
    let arena = Arena::new();
    arena.add(&fixtures::native("good", "good_a"), "good_a.so");
    arena.add(&fixtures::native("loop_forever", "loop_forever"), "loop_forever.so");
    arena
}

fn record() -> RunRecord {
    serde_json::from_str(include_str!("../host/src/export/testdata/record.json")).expect("it is a record")
}

/// Stores a run of one case that began at a time, with so many samples that do not compress.
fn store_run(database: &Path, id: &str, created_at: &str, samples: u64) {
    let mut run = record();
    run.id = id.to_owned();
    run.created_at = created_at.to_owned();
    run.cases.truncate(1);
    let case = run.cases[0].clone();
    run.cases[0].launches.clear();
    run.cases[0].metrics.clear();
    let mut store = Store::open(database).expect("it can be opened");
    store.begin_run(&run).expect("it is stored");
    let mut launch = case.launches[0].clone();
    let one = launch.samples[0];
    let noise = |number: u64, factor: u64| (number + 1).wrapping_mul(factor);
    launch.samples = (0..samples)
        .map(|number| Sample {
            wall_ns: 1_000 + noise(number, 0x9e37_79b9_7f4a_7c15) % 1_000_000_007,
            checksum: noise(number, 0xbf58_476d_1ce4_e5b9),
            cpu_ns: noise(number, 0x94d0_49bb_1331_11eb),
            ..one
        })
        .collect();
    store.commit_launch(id, 0, &launch).expect("it is stored");
    store.finish_case(id, &case).expect("it is stored");
    store.finish_run(id, run.status, created_at).expect("it is stored");
}

const OLD_RUN: &str = "019a0000-0000-7000-8000-00000000000a";
const OLD_DAY: &str = "2020-01-02T03:04:05.678Z";

fn database(arena: &Arena) -> PathBuf {
    arena.path("out/dyno.duckdb")
}

/// `dyno` with a database other than the arena's.
fn dyno(arena: &Arena, database: &Path, arguments: &[&str]) -> Outcome {
    let mut words = arguments.to_vec();
    let folder = database.display().to_string();
    words.extend(["--db-path", &folder]);
    let mut command = arena.command(&words);
    let output = command.output().expect("dyno is built");
    Outcome::of(&output)
}

/// A file name of the arena as an argument.
fn name(arena: &Arena, file: &str) -> String {
    arena.path(file).display().to_string()
}

/// What lies beside the database, but for the file by which a server is found.
fn beside(arena: &Arena) -> Vec<String> {
    let entries = fs::read_dir(arena.path("out")).expect("the arena has it").flatten();
    let names = entries.map(|entry| entry.file_name().to_string_lossy().into_owned());
    let mut names: Vec<String> =
        names.filter(|name| name.contains("duckdb") && !name.ends_with(".json")).collect();
    names.sort();
    names
}

/// Whether a copy of the database lies beside it.
fn has_copy(arena: &Arena) -> bool {
    beside(arena).iter().any(|name| name.contains(".copy-"))
}

#[track_caller]
fn refused(outcome: &Outcome, code: i32, said: &[&str]) {
    assert_eq!(outcome.code, Some(code), "{}", outcome.shown());
    assert_eq!(outcome.stderr.trim().lines().count(), 1, "one sentence: {}", outcome.shown());
    for said in said {
        assert!(outcome.stderr.contains(said), "no `{said}`: {}", outcome.shown());
    }
}

/// A connection that asked a server for a backup, and reads only its beginning.
fn slow_client(server: &Served) -> TcpStream {
    let host = server.url.trim_start_matches("http://");
    let mut stream = TcpStream::connect(host).expect("it listens");
    write!(stream, "GET /api/backup HTTP/1.1\r\nhost: {host}\r\n\r\n").expect("it listens");
    let mut head = [0; 12];
    stream.read_exact(&mut head).expect("it answers");
    assert_eq!(&head, b"HTTP/1.1 200");
    stream
}

#[test]
fn a_backup_is_taken_while_a_run_writes_and_restored_elsewhere() {
    let arena = arena();
    let ended = arena.run(&["good_a"]).record();
    let server = Served::start(&arena, &[]);
    let body =
        json!({"benchmarks": ["good_a"], "stop": {"rule": "samples", "launches": 10_000, "per_launch": 3}});
    let id = server.post("/api/runs", &body)["id"].as_str().unwrap().to_owned();
    let launches = || {
        let run = server.get(&format!("/api/runs/{id}"));
        run["cases"][0]["launches"].as_array().map_or(0, Vec::len)
    };
    eventually("it measures", || launches() > 3);
    let before = launches();
    let file = name(&arena, "work/b.duckdb");
    let saved = arena.dyno(&["backup", &file, "--json"]);
    assert_eq!(saved.code, Some(0), "{}", saved.shown());
    let saved = saved.json();
    assert_eq!((&saved["runs"], saved["file"].as_str()), (&json!(2), Some(file.as_str())));
    assert_eq!(saved["bytes"].as_u64(), fs::metadata(&file).ok().map(|about| about.len()));
    eventually("the run goes on", || launches() > before + 3);
    eventually("the copy is gone", || !has_copy(&arena));

    // The server still has its database: reading the file has not given up the lock.
    let restore = arena.dyno(&["restore", &file]);
    refused(&restore, 5, &["is open in process", &server.pid().to_string(), &server.url, "end that process"]);
    let named = arena.dyno(&["restore", &file, "--server", &server.url]);
    refused(&named, 2, &["not through the server"]);
    assert_eq!(server.call("POST", &format!("/api/runs/{id}/cancel"), &json!({})).0, 200);
    server.wait(&id);

    let other = arena.path("other/d.duckdb");
    let restored = dyno(&arena, &other, &["restore", &file]);
    assert_eq!(restored.code, Some(0), "{}", restored.shown());
    assert!(restored.stdout.contains("restored 2 runs"), "{}", restored.shown());
    let read = dyno(&arena, &other, &["results", &ended.id, "--samples", "--json"]);
    assert_eq!(read.record(), ended);
    // Everything that was committed before is in it, and nothing by half.
    let cut = dyno(&arena, &other, &["results", &id, "--samples", "--json"]).record();
    assert_eq!(cut.status.word(), "interrupted");
    let launches = &cut.cases[0].launches;
    assert!(launches.len() >= before && launches.iter().all(|launch| launch.samples.len() == 3));
    let files: Vec<_> =
        fs::read_dir(arena.path("other")).unwrap().flatten().map(|it| it.file_name()).collect();
    assert_eq!(files, ["d.duckdb"]);
    assert_eq!(server.end(Signal::SIGTERM), Some(0));
}

#[test]
fn a_server_killed_while_it_sends_leaves_its_database_whole_and_the_next_cleans_up() {
    let arena = arena();
    store_run(&database(&arena), OLD_RUN, OLD_DAY, MANY);
    let server = Served::start(&arena, &[]);
    let client = slow_client(&server);
    assert!(has_copy(&arena), "the client does not read");
    let (status, text) = server.call("GET", "/api/backup", &Value::Null);
    assert!(status == 429 && text.contains("another backup"), "{status} {text}");
    server.end(Signal::SIGKILL);
    drop(client);
    assert!(has_copy(&arena));
    let server = Served::start(&arena, &[]);
    assert!(!has_copy(&arena), "the next server removes it");
    // A client that goes away holds nothing.
    drop(slow_client(&server));
    eventually("the copy is gone", || !has_copy(&arena));
    let file = name(&arena, "work/b.duckdb");
    let mut saved = arena.dyno(&["backup", &file]);
    eventually("the permit is free again", || {
        if saved.code != Some(0) {
            saved = arena.dyno(&["backup", &file]);
        }
        saved.code == Some(0)
    });
    let said = format!("saved 1 run with {MANY} samples");
    assert!(saved.stdout.contains(&said), "{}", saved.shown());
}

/// A server that says it sends a hundred bytes, and sends `content` and then nothing, or closes.
fn impostor(content: &'static [u8], closes: bool) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port is free");
    let url = format!("http://{}", listener.local_addr().expect("it listens"));
    thread::spawn(move || {
        for mut stream in listener.incoming().map_while(Result::ok) {
            thread::spawn(move || {
                let mut asked = [0; 4_096];
                let count = stream.read(&mut asked).unwrap_or(0);
                let head = if asked[..count].starts_with(b"GET /api/backup") {
                    format!("content-length: 100\r\nx-dyno-sha256: {}\r\n\r\n", "0".repeat(64))
                } else {
                    "content-length: 0\r\n\r\n".to_owned()
                };
                let _ = write!(stream, "HTTP/1.1 200 OK\r\nconnection: close\r\n{head}");
                if head.starts_with("content-length: 100") {
                    let _ = stream.write_all(content);
                    if !closes {
                        thread::sleep(Duration::from_secs(600));
                    }
                }
            });
        }
    });
    url
}

fn start(mut command: Command) -> Child {
    command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().expect("dyno is built")
}

#[test]
fn a_backup_that_does_not_arrive_whole_is_not_there() {
    let arena = arena();
    assert_eq!(arena.run(&["good_a"]).code, Some(0));
    let (file, partial) = (arena.path("work/b.duckdb"), arena.path("work/b.duckdb.partial"));
    let word = file.display().to_string();
    for (content, said) in [(&[7; 10][..], "broke off"), (&[7; 100][..], "incomplete or changed")] {
        let url = impostor(content, true);
        let broken = arena.dyno(&["backup", &word, "--server", &url]);
        refused(&broken, 5, &[&url, said, "try again"]);
        assert!(!file.exists() && !partial.exists());
    }
    let url = impostor(&[7; 10], false);
    let mut killed = start(arena.command(&["backup", &word, "--server", &url]));
    eventually("it writes", || fs::metadata(&partial).is_ok_and(|about| about.len() > 0));
    let other = arena.dyno(&["backup", &word]);
    refused(&other, 2, &["b.duckdb.partial", "another `dyno`"]);
    killed.kill().unwrap();
    killed.wait().unwrap();
    assert!(partial.exists() && !file.exists());
    let saved = arena.dyno(&["backup", &word]);
    assert_eq!(saved.code, Some(0), "{}", saved.shown());
    assert!(file.exists() && !partial.exists());
}

#[test]
fn a_backup_replaces_nothing_unasked() {
    let arena = arena();
    let file = name(&arena, "work/b.duckdb");
    refused(&arena.dyno(&["backup", &file]), 2, &["there is no database", "run a benchmark first"]);
    assert_eq!(arena.run(&["good_a"]).code, Some(0));
    fs::write(&file, "precious").unwrap();
    refused(&arena.dyno(&["backup", &file]), 2, &["b.duckdb", "exists already", "--force"]);
    assert_eq!(fs::read_to_string(&file).unwrap(), "precious");
    let own = database(&arena).display().to_string();
    refused(&arena.dyno(&["backup", &own, "--force"]), 2, &["is the database itself"]);
    refused(&arena.dyno(&["backup", &name(&arena, "work"), "--force"]), 2, &["is not a file"]);
    let nowhere = name(&arena, "work/nowhere/b.duckdb");
    refused(&arena.dyno(&["backup", &nowhere]), 5, &["nowhere", "does not exist", "name a file in a folder"]);
    // What belongs to another database would be added to the backup, or be lost.
    fs::write(arena.path("work/b.duckdb.wal"), "x").unwrap();
    refused(&arena.dyno(&["backup", &file, "--force"]), 2, &["b.duckdb.wal", "move it away"]);
    fs::remove_file(arena.path("work/b.duckdb.wal")).unwrap();
    let (other, other_file) = (arena.path("work/other.duckdb"), name(&arena, "work/other.duckdb"));
    let mut writes = start({
        let mut command = arena.command(&["run", "loop_forever", "--json"]);
        command.arg("--db-path").arg(&other);
        command
    });
    let host = writes.id();
    eventually("no worker was started", || workers(host) > 0);
    refused(&arena.dyno(&["backup", &other_file, "--force"]), 2, &["other.duckdb.wal"]);
    writes.kill().unwrap();
    writes.wait().unwrap();
    let saved = arena.dyno(&["backup", &file, "--force"]);
    assert_eq!(saved.code, Some(0), "{}", saved.shown());
    assert!(fs::metadata(&file).unwrap().len() > 1_000);
    assert_eq!(beside(&arena), ["dyno.duckdb"]);
}

#[test]
fn a_full_disk_refuses_a_backup_and_leaves_nothing() {
    if !can_mount() {
        return;
    }
    let arena = arena();
    store_run(&database(&arena), OLD_RUN, OLD_DAY, MANY);
    let disk = arena.path("disk");
    fs::create_dir(&disk).unwrap();
    let line = format!(
        "exec unshare -m sh -c 'mount -t tmpfs -o size=1m none {0} && \"$@\"; code=$?; ls -A {0}; exit $code' sh \"$@\"",
        disk.display()
    );
    let file = disk.join("b.duckdb").display().to_string();
    let output = arena.behind(&line, &["backup", &file]).output().unwrap();
    let outcome = Outcome::of(&output);
    refused(&outcome, 5, &["b.duckdb", "no space is left on the disk", "free some space"]);
    assert_eq!(outcome.stdout, "", "nothing is left there");

    // The disk of the database has no room for a copy.
    let small = disk.join("d.duckdb").display().to_string();
    let mount = format!("mount -t tmpfs -o size=48m none {} && exec \"$@\"", disk.display());
    let script = format!("exec unshare -m sh -c '{mount}' sh \"$@\"");
    let server = Served::of(arena.behind(&script, &["serve", "--port", "0", "--db-path", &small]));
    let (status, text) = server.call("GET", "/api/backup", &Value::Null);
    assert!(status == 507 && text.contains("no space is left on the disk"), "{status} {text}");
    assert_eq!(server.call("GET", "/api/runs", &Value::Null).0, 200, "reading goes on");
}

#[test]
fn what_is_no_backup_is_refused_and_the_database_stays() {
    let arena = arena();
    assert_eq!(arena.run(&["good_a"]).code, Some(0));
    let good = name(&arena, "work/good.duckdb");
    assert_eq!(arena.dyno(&["backup", &good]).code, Some(0));
    let bytes = fs::read(&good).unwrap();
    let mut flipped = bytes.clone();
    flipped.iter_mut().skip(12_288).for_each(|byte| *byte ^= 0x5a);
    let before = fs::read(database(&arena)).unwrap();
    let file = name(&arena, "work/bad.duckdb");
    for (content, said) in [
        (Vec::new(), "it is empty (0 bytes)"),
        (b"hello, I am not a database ".repeat(1_000), "it is not a database"),
        (bytes[..bytes.len() / 2].to_vec(), "it is damaged"),
        (flipped, "it is damaged"),
    ] {
        fs::write(&file, content).unwrap();
        refused(&arena.dyno(&["restore", &file]), 2, &["the backup", "bad.duckdb", said]);
    }
    refused(&arena.dyno(&["restore", &name(&arena, "work/none")]), 2, &["it does not exist"]);
    refused(&arena.dyno(&["restore", &name(&arena, "work")]), 2, &["it is not a file"]);
    let own = database(&arena).display().to_string();
    refused(&arena.dyno(&["restore", &own]), 2, &["it is the database itself"]);
    assert_eq!(fs::read(database(&arena)).unwrap(), before);
    assert_eq!(beside(&arena), ["dyno.duckdb"]);
}

/// Where in the blocks of a database there are so many zeros that DuckDB's checksum is the same if all of them are inverted.
fn zeros(database: &[u8]) -> impl Iterator<Item = usize> + '_ {
    const HEAD: usize = 12_288;
    let is_empty = |at: &usize| database[*at..*at + 64].iter().all(|byte| *byte == 0);
    (HEAD..database.len() - 64).step_by(64).filter(is_empty)
}

#[test]
fn a_file_that_crashes_the_database_is_refused_like_any_that_is_damaged() {
    let arena = arena();
    store_run(&database(&arena), OLD_RUN, OLD_DAY, 20_000);
    let (good, file) = (name(&arena, "work/good.duckdb"), name(&arena, "work/bad.duckdb"));
    assert_eq!(arena.dyno(&["backup", &good]).code, Some(0));
    let bytes = fs::read(&good).unwrap();
    let other = arena.path("other/d.duckdb");
    let places: Vec<usize> = zeros(&bytes).collect();
    let crashes: Vec<Vec<u8>> = places
        .iter()
        .step_by(places.len() / 40)
        .filter_map(|at| {
            let mut damaged = bytes.clone();
            damaged[*at..*at + 64].fill(0xff);
            fs::write(&file, &damaged).unwrap();
            let outcome = dyno(&arena, &other, &["restore", &file]);
            // Zeros that mean nothing can be anything.
            if outcome.code == Some(0) {
                return None;
            }
            refused(&outcome, 2, &["the backup", "bad.duckdb", "it is damaged"]);
            outcome.stderr.contains("SIGSEGV").then_some(damaged)
        })
        .collect();
    let damaged = crashes.first().expect("no place crashes DuckDB");

    fs::write(database(&arena), damaged).unwrap();
    refused(&arena.dyno(&["vacuum"]), 5, &["dyno.duckdb", "is damaged", "from a backup"]);
    let saved = arena.dyno(&["backup", &name(&arena, "work/again.duckdb")]);
    refused(&saved, 5, &["nothing was saved", "it is damaged", "keep your earlier backups"]);
    assert_eq!(fs::read(database(&arena)).unwrap(), *damaged);
    assert_eq!(beside(&arena), ["dyno.duckdb"]);
    assert!(!arena.path("work/again.duckdb").exists() && !arena.path("work/again.duckdb.partial").exists());
}

#[test]
fn a_damaged_database_is_replaced_and_kept() {
    let arena = arena();
    let first = arena.run(&["good_a"]).record();
    let file = name(&arena, "work/b.duckdb");
    assert_eq!(arena.dyno(&["backup", &file]).code, Some(0));
    let mut damaged = fs::read(database(&arena)).unwrap();
    damaged.iter_mut().skip(12_288).for_each(|byte| *byte ^= 0x5a);
    fs::write(database(&arena), &damaged).unwrap();
    fs::write(arena.path("out/dyno.duckdb.wal"), vec![0; 5_000]).unwrap();
    assert_eq!(arena.dyno(&["results"]).code, Some(5));
    let outcome = arena.dyno(&["restore", &file, "--json"]);
    assert_eq!(outcome.code, Some(0), "{}", outcome.shown());
    let previous = PathBuf::from(outcome.json()["previous"].as_str().expect("it was kept"));
    assert_eq!(fs::read(&previous).unwrap(), damaged);
    assert_eq!(beside(&arena).len(), 3, "the log as well: {:?}", beside(&arena));
    assert_eq!(arena.dyno(&["results", "--samples", "--json"]).record(), first);
    // A database that is not damaged is kept as one file.
    let outcome = arena.dyno(&["restore", &file]);
    assert!(outcome.stdout.contains("the previous database is now `"), "{}", outcome.shown());
    assert_eq!(beside(&arena).len(), 4, "{:?}", beside(&arena));
}

#[test]
fn a_run_that_writes_keeps_its_database() {
    let arena = arena();
    assert_eq!(arena.run(&["good_a"]).code, Some(0));
    let file = name(&arena, "work/b.duckdb");
    assert_eq!(arena.dyno(&["backup", &file]).code, Some(0));
    let mut writes = start(arena.command(&["run", "loop_forever", "--json"]));
    let host = writes.id();
    eventually("no worker was started", || workers(host) > 0);
    refused(&arena.dyno(&["restore", &file]), 5, &["is open in process", &host.to_string()]);
    writes.kill().unwrap();
    writes.wait().unwrap();
    assert_eq!(arena.dyno(&["restore", &file]).code, Some(0));
}

#[test]
fn a_restore_that_is_killed_leaves_the_old_database_or_the_new_one() {
    let arena = arena();
    store_run(&database(&arena), OLD_RUN, OLD_DAY, MANY);
    let file = name(&arena, "work/b.duckdb");
    let saved = arena.dyno(&["backup", &file]);
    assert_eq!(saved.code, Some(0), "{}", saved.shown());
    assert_eq!(arena.run(&["good_a"]).code, Some(0));
    let runs = || {
        let counted = arena.dyno(&["sql", "SELECT count(*) AS n FROM runs", "--json"]);
        assert_eq!(counted.code, Some(0), "{}", counted.shown());
        counted.json()["rows"].clone()
    };
    let (old, begin) = (runs(), Instant::now());
    assert_eq!(dyno(&arena, &arena.path("other/d.duckdb"), &["restore", &file]).code, Some(0));
    let whole = begin.elapsed();
    // From its beginning to after its usual end.
    let mut killed = 0;
    for part in 1..=16 {
        let mut restore = start(arena.command(&["restore", &file]));
        thread::sleep(whole * part / 14);
        let _ = restore.kill();
        killed += u32::from(restore.wait().unwrap().code().is_none());
        let now = runs();
        let left = beside(&arena);
        let is_replaced = left.iter().any(|name| name.contains(".before-restore-"));
        assert_eq!(
            now != old,
            is_replaced,
            "a database is under the other name only if it was replaced: {left:?}"
        );
        if is_replaced {
            let kept = left.iter().find(|name| name.contains(".before-restore-")).unwrap();
            fs::rename(arena.path("out").join(kept), database(&arena)).unwrap();
            assert_eq!(runs(), old, "nothing was lost");
        }
    }
    assert!(killed > 0, "none was killed");
    let restored = arena.dyno(&["restore", &file]);
    assert_eq!(restored.code, Some(0), "{}", restored.shown());
    assert!(!has_copy(&arena), "what the killed ones left is gone: {:?}", beside(&arena));
    assert_eq!(beside(&arena).len(), 2, "{:?}", beside(&arena));
}

#[test]
fn what_a_killed_backup_left_is_replaced_by_the_next() {
    let arena = arena();
    store_run(&database(&arena), OLD_RUN, OLD_DAY, MANY);
    let (file, partial) = (arena.path("work/b.duckdb"), arena.path("work/b.duckdb.partial"));
    let word = file.display().to_string();
    let mut killed = start(arena.command(&["backup", &word]));
    eventually("it writes", || partial.exists());
    killed.kill().unwrap();
    killed.wait().unwrap();
    assert!(partial.exists() && !file.exists());
    let saved = arena.dyno(&["backup", &word]);
    assert_eq!(saved.code, Some(0), "{}", saved.shown());
    assert!(file.exists() && !partial.exists() && !has_copy(&arena));
}

/// A database with an old run that is tagged, two old ones, and a new one; with these ages in `dyno.toml`.
fn with_old_runs(arena: &Arena, retention: &str) -> String {
    for (number, tag) in [(1, None), (2, Some("keep")), (3, None)] {
        let id = format!("{}{number}", &OLD_RUN[..35]);
        store_run(&database(arena), &id, OLD_DAY, 100_000);
        if let Some(tag) = tag {
            let mut store = Store::open(&database(arena)).expect("it can be opened");
            let annotation = json!({"tag": tag, "created_at": OLD_DAY});
            store
                .annotate(&id, &serde_json::from_value(annotation).expect("it is one"))
                .expect("it is stored");
        }
    }
    let new = arena.run(&["good_a"]).record().id;
    fs::write(arena.path("work/dyno.toml"), format!("[retention]\n{retention}\n"))
        .expect("the arena is writable");
    new
}

fn run_ids(arena: &Arena) -> Vec<String> {
    let list = arena.dyno(&["results", "--list", "--json"]).json();
    let ids = list.as_array().expect("it is a list").iter();
    ids.map(|run| run["id"].as_str().expect("a run has one").to_owned()).collect()
}

#[test]
fn old_runs_are_removed_old_samples_thinned_and_the_file_shrinks() {
    let arena = arena();
    let new = with_old_runs(&arena, "keep = \"90000d\"\nkeep-samples = \"30d\"");
    let size = || fs::metadata(database(&arena)).unwrap().len();
    let (before, old) = (size(), format!("{}1", &OLD_RUN[..35]));
    let estimate = arena.dyno(&["results", &old, "--json"]).record();
    let dry = arena.dyno(&["vacuum", "--dry-run"]);
    assert_eq!(dry.code, Some(0), "{}", dry.shown());
    assert!(
        dry.stdout.contains("thin 1 launch") && dry.stdout.contains("would be thinned: 2 runs"),
        "{}",
        dry.shown()
    );
    assert_eq!(
        arena.dyno(&["results", &old, "--samples", "--json"]).record().cases[0].launches[0].samples.len(),
        100_000
    );
    let done = arena.dyno(&["vacuum"]);
    assert_eq!(done.code, Some(0), "{}", done.shown());
    assert!(size() < before * 3 / 4, "{before} {}: {}", size(), done.shown());
    let thinned = arena.dyno(&["results", &old, "--samples", "--json"]).record();
    let launch = &thinned.cases[0].launches[0];
    assert_eq!((launch.samples.len(), launch.samples_taken), (100, Some(100_000)));
    assert_eq!(thinned.cases[0].metrics, estimate.cases[0].metrics);
    let csv = arena.dyno(&["report", &old, "--format", "samples-csv"]).stdout;
    assert!(
        csv.lines().next().unwrap().contains("samples_taken")
            && csv.lines().nth(1).unwrap().ends_with(",100000")
    );
    // What was thinned can still be compared with what was not.
    let kept = format!("{}2", &OLD_RUN[..35]);
    let compared = arena.dyno(&["compare", &old, &kept, "--threshold", "1000%"]);
    assert_eq!(compared.code, Some(0), "{}", compared.shown());

    fs::write(arena.path("work/dyno.toml"), "[retention]\nkeep = \"90d\"\n").unwrap();
    let done = arena.dyno(&["vacuum", "--json"]).json();
    assert_eq!(
        (done["runs"].as_array().map(Vec::len), &done["is_shrunk"]),
        (Some(2), &json!(true)),
        "{done}"
    );
    assert_eq!(run_ids(&arena), [new, kept]);
    let nothing = arena.dyno(&["vacuum"]);
    assert!(nothing.stdout.contains("nothing is older"), "{}", nothing.shown());
    assert_eq!(beside(&arena), ["dyno.duckdb"]);
}

#[test]
fn a_server_removes_what_is_old_and_says_so() {
    let arena = arena();
    let new = with_old_runs(&arena, "keep = \"90d\"");
    let reports = database(&arena).with_file_name(format!("{}1", &OLD_RUN[..35]));
    fs::create_dir_all(&reports).unwrap();
    fs::write(reports.join("report.html"), "of a run that is removed").unwrap();
    let server = Served::start(&arena, &[]);
    let kept = format!("{}2", &OLD_RUN[..35]);
    eventually("the old runs are gone", || server.get("/api/runs").as_array().unwrap().len() == 2);
    assert_eq!(run_ids(&arena), [new, kept]);
    eventually("its reports are gone", || !reports.exists());
    eventually("it is in the audit log", || {
        let log = server.get("/api/audit");
        log.as_array().unwrap().iter().any(|call| call["who"] == "retention")
    });
    let done = arena.dyno(&["vacuum"]);
    assert_eq!(done.code, Some(0), "{}", done.shown());
    assert!(done.stdout.contains("the server reuses the space"), "{}", done.shown());
    assert_eq!(server.end(Signal::SIGTERM), Some(0));
}

#[test]
fn only_an_operator_copies_and_removes() {
    use std::os::unix::fs::PermissionsExt;

    let arena = arena();
    let tokens = arena.path("work/tokens.toml");
    let text: String = ["read", "run", "admin"]
        .map(|it| {
            format!("[[token]]\nname = \"{it}\"\nscope = \"{it}\"\ntoken = \"{it}-token-0123456789\"\n")
        })
        .concat();
    fs::write(&tokens, text).unwrap();
    fs::set_permissions(&tokens, fs::Permissions::from_mode(0o600)).unwrap();
    let mut server = Served::start(&arena, &["--token-file", &tokens.display().to_string()]);
    for (scope, status) in [("read", 403), ("run", 403), ("admin", 200)] {
        server.token = Some(format!("{scope}-token-0123456789"));
        assert_eq!(server.call("GET", "/api/backup", &Value::Null).0, status, "{scope}");
        assert_eq!(server.call("POST", "/api/vacuum", &json!({"dry_run": true})).0, status, "{scope}");
    }
    eventually("who copied the database is in the audit log", || {
        let log = server.get("/api/audit");
        log.as_array().unwrap().iter().any(|call| call["path"] == "/api/backup" && call["who"] == "admin")
    });
    let mut arena = arena;
    arena.set("DYNO_TOKEN", "run-token-0123456789");
    refused(&arena.dyno(&["backup", &name(&arena, "work/b.duckdb")]), 2, &["needs admin"]);
    assert!(!arena.path("work/b.duckdb.partial").exists());
}
