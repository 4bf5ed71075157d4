//! User story: commands work through a server, one that is slow, breaks off or is gone; and a token goes to no stranger.

use std::{
    fs,
    net::TcpListener,
    process::{Child, Stdio},
    sync::atomic::{AtomicBool, AtomicUsize, Ordering::SeqCst},
    time::{Duration, Instant},
};

use nix::{
    sys::signal::{Signal, kill},
    unistd::Pid,
};
use serde_json::{Value, json};

use crate::support::{
    arena::Arena,
    eventually::eventually,
    fake::{Answer, Fake},
    fixtures,
    served::Served,
};

/// Identifier of the run of the record that a fake server gives.
const RUN: &str = "019a0000-0000-7000-8000-000000000001";

fn record() -> Value {
    serde_json::from_str(include_str!("../host/src/export/testdata/record.json")).expect("it is a record")
}

fn with_status(mut record: Value, word: &str) -> Value {
    record["status"] = json!(word);
    record
}

/// What a server says that has no plugins and no results, but for one run that `of_run` answers for.
fn fake(of_run: impl Fn(&str, usize) -> Option<Answer> + Send + Sync + 'static) -> Fake {
    Fake::start(move |line, before| {
        let known = of_run(line, before);
        known.unwrap_or_else(|| {
            Answer::Json(match line.split_once('?').map_or(line, |(line, _)| line) {
                "GET /api/catalog" => json!({"entries": [], "problems": []}),
                "POST /api/runs" => json!({"id": RUN, "status": "queued", "cases": 1}),
                line if line == format!("GET /api/runs/{RUN}") => record(),
                _ => json!({"status": "ok"}),
            })
        })
    })
}

#[test]
fn a_run_whose_stream_breaks_is_asked_after_lightly_and_fetched_once() {
    let arena = Arena::new();
    let status = format!("GET /api/benchmark/status/{RUN}");
    let events = format!("GET /api/runs/{RUN}/events");
    let (asked, looks) = (status.clone(), AtomicUsize::new(0));
    let server = fake(move |line, _| {
        if line == events {
            return Some(Answer::NoEvents);
        }
        let is_status = line == asked;
        if !is_status && !line.starts_with(&format!("GET /api/runs/{RUN}?")) {
            return None;
        }
        // However it is asked after, it runs for three looks.
        let word = if looks.fetch_add(1, SeqCst) < 3 { "running" } else { "completed" };
        let whole = json!({"status": word});
        Some(Answer::Json(if is_status { whole } else { with_status(record(), word) }))
    });
    let run = arena.dyno(&["run", "anything", "--server", &server.url, "--json"]);
    assert_eq!(run.record().id, RUN);
    let fetched =
        server.heard().iter().filter(|it| it.line.starts_with(&format!("GET /api/runs/{RUN}?"))).count();
    assert_eq!((fetched, server.count(&status)), (1, 4), "{:#?}", server.heard());
}

/// Ends when it is dropped.
struct Running(Child);

impl Running {
    /// Waits for its end; gives its exit code.
    #[track_caller]
    fn end(&mut self) -> Option<i32> {
        let mut code = None;
        eventually("it ends", || {
            let ended = self.0.try_wait().expect("a child can be waited for");
            code = ended.and_then(|status| status.code());
            ended.is_some()
        });
        code
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

#[test]
fn the_wish_to_stop_reaches_a_server_that_tells_nothing() {
    let arena = Arena::new();
    let cancel = format!("POST /api/runs/{RUN}/cancel");
    for is_silent in [true, false] {
        let (events, status) =
            (format!("GET /api/runs/{RUN}/events"), format!("GET /api/benchmark/status/{RUN}"));
        let (heard, stop) = (events.clone(), cancel.clone());
        let stopped = AtomicBool::new(false);
        let asked = status.clone();
        let server = fake(move |line, _| {
            if line == stop {
                stopped.store(true, SeqCst);
            }
            let word = if stopped.load(SeqCst) { "failed" } else { "running" };
            match line {
                line if line == heard && is_silent => Some(Answer::Silence),
                line if line == heard => Some(Answer::NoEvents),
                line if line == asked => Some(Answer::Json(json!({"status": word}))),
                _ => None,
            }
        });
        let mut command = arena.command(&["run", "anything", "--server", &server.url, "--json"]);
        let mut run =
            Running(command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().expect("dyno is built"));
        let awaited = if is_silent { &events } else { &status };
        eventually("it watches the run", || server.count(awaited) > 0);
        kill(Pid::from_raw(i32::try_from(run.0.id()).unwrap()), Signal::SIGINT).unwrap();
        // A process that does not follow the wish is ended by its signal handler, and then the server is never told.
        eventually("the server is told", || server.count(&cancel) == 1);
        run.end();
        assert_eq!(server.count(&cancel), 1);
    }
}

/// A listener on the port of a server that has ended.
fn on_port(port: u16) -> TcpListener {
    let deadline = Instant::now() + Duration::from_secs(30);
    loop {
        match TcpListener::bind(("127.0.0.1", port)) {
            Ok(listener) => return listener,
            Err(error) => assert!(Instant::now() < deadline, "{error}"),
        }
        std::thread::sleep(Duration::from_millis(20));
    }
}

#[test]
fn a_token_goes_to_no_process_but_the_server_that_wrote_the_file() {
    let mut arena = Arena::new();
    arena.add(&fixtures::native("good", "good_a"), "good_a.so");
    arena.set("DYNO_TOKEN", "a-token-that-nobody-else-may-see");
    let file = arena.path("out/dyno.duckdb.server.json");
    let everything = |_: &str, _: usize| Answer::Json(json!({"status": "ok", "entries": [], "problems": []}));
    let run = ["run", "good_a", "--samples", "2", "--launches", "1"];

    // Nor to the server of a `dyno.toml` that lies in the folder, and that nobody named.
    let stranger = Fake::start(everything);
    fs::write(arena.path("work/dyno.toml"), format!("server = \"{}\"\n", stranger.url)).unwrap();
    let said = arena.dyno(&["results", "--list"]);
    assert!(
        said.code == Some(2) && said.stderr.contains("your access token (`DYNO_TOKEN`)"),
        "{}",
        said.shown()
    );
    assert!(stranger.heard().is_empty(), "{:#?}", stranger.heard());
    fs::remove_file(arena.path("work/dyno.toml")).unwrap();

    // A server that is killed leaves its file, and another program gets its port.
    let server = Served::start(&arena, &[]);
    assert_eq!(arena.dyno(&run).code, Some(0));
    let port = server.port();
    server.end(Signal::SIGKILL);
    assert!(file.is_file());
    let stranger = Fake::on(on_port(port), everything);
    let listed = arena.dyno(&["results", "--list", "--json"]);
    assert_eq!(listed.json().as_array().map(Vec::len), Some(1), "{}", listed.shown());
    assert_eq!(arena.dyno(&run).code, Some(0));
    assert!(stranger.heard().is_empty(), "{:#?}", stranger.heard());

    // A server that lives, and a file that leads elsewhere.
    let server = Served::start(&arena, &[]);
    assert_eq!(arena.dyno(&["results", "--list"]).code, Some(0));
    let stranger = Fake::start(everything);
    let mut forged: Value = serde_json::from_slice(&fs::read(&file).unwrap()).unwrap();
    forged["url"] = json!(stranger.url);
    fs::write(&file, forged.to_string()).unwrap();
    arena.dyno(&["results", "--list"]);
    assert!(stranger.heard().is_empty(), "{:#?}", stranger.heard());
    // An address that the user names is the user's to choose.
    arena.dyno(&["list", "--server", &stranger.url]);
    let heard = stranger.heard();
    assert!(heard.iter().any(|it| it.head.contains("a-token-that-nobody-else-may-see")), "{heard:#?}");
    server.end(Signal::SIGTERM);
}
