//! User story: an operator's server, used by curl, by a browser, by clients of the original suite and by the command line;
//! killed, restarted, attacked.

mod abuse;

use std::{
    collections::BTreeSet,
    os::unix::fs::PermissionsExt,
    time::{Duration, Instant},
};

use dyno_core::model::{CaseStatus, DeviceInfo, DeviceKind, RunRecord, RunStatus, SkipCause};
use nix::sys::{
    resource::{Resource, getrlimit, setrlimit},
    signal::Signal,
};
use serde_json::{Value, json};

use crate::support::{
    arena::{Arena, hang_ups_are_ignored},
    eventually::eventually,
    fixtures,
    served::{Served, word},
};

/// An arena with two quick benchmarks and one that never ends.
fn arena() -> Arena {
    let arena = Arena::new();
    arena.add(&fixtures::native("good", "good_a"), "good_a.so");
    arena.add(&fixtures::native("good", "good_b"), "good_b.so");
    arena.add(&fixtures::native("loop_forever", "loop_forever"), "loop_forever.so");
    arena
}

/// A run that is over soon.
fn quick(benchmark: &str) -> Value {
    json!({"benchmarks": [benchmark], "stop": {"rule": "samples", "launches": 2, "per_launch": 3}})
}

#[test]
fn a_run_is_started_by_post_watched_by_websocket_and_seen_alike_by_everybody() {
    let arena = arena();
    let server = Served::start(&arena, &[]);
    // As a client of the original suite does it.
    let accepted = server.post("/api/benchmark/run", &json!({"models": ["good_a"], "priority": "high"}));
    assert_eq!(word(&accepted, "status"), "initializing");
    assert_eq!(word(&accepted, "message"), "Benchmark run started");
    let id = word(&accepted, "run_id").to_owned();
    let mut socket = server.websocket(&format!("/api/benchmark/ws/{id}"));
    let mut seen: Vec<Value> = Vec::new();
    while seen.last().is_none_or(|status| !["completed", "failed"].contains(&word(status, "status"))) {
        seen.push(socket.next_json());
    }
    let last = seen.last().unwrap();
    assert_eq!(word(last, "status"), "completed", "{last}");
    assert_eq!(
        (&last["progress"], &last["completed_models"], &last["total_models"]),
        (&json!(1.0), &json!(1), &json!(1))
    );
    socket.say("ping");
    assert_eq!(socket.next_json(), json!({"pong": true}));
    socket.say("status");
    assert_eq!(word(&socket.next_json(), "status"), "completed");
    // The time stops at the end.
    let status = server.get(&format!("/api/benchmark/status/{id}"));
    std::thread::sleep(Duration::from_millis(50));
    assert_eq!(status["elapsed_time"], server.get(&format!("/api/benchmark/status/{id}"))["elapsed_time"]);

    let results = server.get(&format!("/api/benchmark/results/{id}"));
    assert_eq!(results["config"]["models"], json!(["good_a"]));
    let case = &results["results"][0];
    assert_eq!((word(case, "model"), &case["success"]), ("good_a", &json!(true)));
    let stored = server.get(&format!("/api/runs/{id}"));
    let median = stored["cases"][0]["metrics"][0]["median"].as_f64().unwrap();
    assert_eq!(case["metrics"]["time"].as_f64().unwrap(), median);
    let by_cli = arena.dyno(&["results", &id, "--json"]).record();
    assert_eq!(by_cli.cases[0].metrics[0].median, median);
    let sql = format!("SELECT average_latency_ms FROM performance_results_view WHERE run_id = '{id}'");
    let by_sql = server.post("/api/sql", &json!({"sql": sql}));
    let row = &server.get("/api/benchmark/query?model=good_a")[0];
    assert_eq!(by_sql["rows"][0][0], row["average_latency_ms"]);
    assert_eq!(case["average_latency_ms"], row["average_latency_ms"]);
    assert_eq!(arena.dyno(&["sql", &sql, "--json"]).json()["rows"], by_sql["rows"]);

    // Once more, and there is nothing left to do: that is said, case by case.
    let again = server.post("/api/benchmark/run", &json!({"models": ["good_a"]}));
    let again = server.wait(word(&again, "run_id"));
    assert!(
        matches!(&again.cases[0].status, CaseStatus::Skipped { reason, cause: Some(SkipCause::KnownResult) } if reason.contains(&id)),
        "{:?}",
        again.cases[0].status
    );
    let reports = server.get("/api/benchmark/reports");
    let of_run = reports.as_array().unwrap().iter().find(|it| it["run_id"] == json!(id)).unwrap();
    assert_eq!(of_run["reports"], json!(["report.html", "report.md", "result.json"]));
    let markdown = of_run["urls"][1].as_str().unwrap();
    assert!(server.text(markdown).contains("## Results"));
    assert!(server.text(&format!("/api/reports/{id}/report.html")).contains("<svg"));
    // By another name of the run, as everywhere.
    assert_eq!(
        server.text("/api/reports/last~1/report.md"),
        server.text(&format!("/api/reports/{id}/report.md"))
    );
    assert!(arena.path("out").join(&id).join("report.md").is_file());
    assert!(server.get("/api/benchmark/hardware").as_array().unwrap().len() >= 8);
    assert!(server.get("/api/benchmark/models").as_array().unwrap().iter().any(|it| it["name"] == "good_b"));
}

#[test]
fn what_is_unknown_or_wrong_is_a_sentence() {
    let arena = arena();
    let server = Served::start(&arena, &[]);
    let detail = |answer: (u16, String)| -> (u16, String) {
        let body: Value = serde_json::from_str(&answer.1).unwrap_or_else(|_| panic!("no JSON: {answer:?}"));
        (answer.0, word(&body, "detail").to_owned())
    };
    for (method, path, body, status, said) in [
        ("GET", "/api/benchmark/status/nonsense", json!(null), 404, "Benchmark run nonsense not found"),
        ("GET", "/api/benchmark/results/nonsense", json!(null), 404, "Benchmark run nonsense not found"),
        ("GET", "/api/runs/nonsense", json!(null), 404, "there is no run `nonsense`"),
        ("GET", "/api/runs?limit=0", json!(null), 422, "limit is 0"),
        ("GET", "/api/runs?limit=many", json!(null), 422, "limit"),
        ("GET", "/api/runs?colour=red", json!(null), 422, "unknown field `colour`"),
        ("GET", "/api/benchmark/query?limit=1001", json!(null), 422, "1 to 1000"),
        ("GET", "/api/audit?limit=0", json!(null), 422, "limit is 0"),
        ("GET", "/api/events/ws", json!(null), 400, "WebSocket"),
        ("GET", "/api/benchmark/ws/nonsense", json!(null), 400, "WebSocket"),
        ("GET", "/api/nowhere", json!(null), 404, "/docs"),
        ("GET", "/api/baselines/none", json!(null), 404, "there is no baseline `none`"),
        ("GET", "/api/reports/summry", json!(null), 400, "summry"),
        ("GET", "/api/reports/..%2f..%2fetc/passwd", json!(null), 404, "there is no report"),
        ("GET", "/api/reports/..%2f..%2fetc/x.json", json!(null), 404, "there is no run"),
        ("GET", "/api/reports/nonsense/report.html", json!(null), 404, "there is no run `nonsense`"),
        ("POST", "/api/benchmark/run", json!({"hardware": "cpu"}), 422, "sequence"),
        ("POST", "/api/benchmark/run", json!({"models": ["bert"]}), 422, "no model or benchmark `bert`"),
        ("POST", "/api/benchmark/run", json!({"priority": "asap"}), 422, "critical, high, medium or all"),
        ("POST", "/api/benchmark/run", json!({"hardware": ["tpu"]}), 422, "tpu"),
        ("POST", "/api/runs", json!({}), 422, "no benchmark is named"),
        ("POST", "/api/runs", json!({"benchmarks": ["goood_a"]}), 422, "good_a"),
        (
            "POST",
            "/api/runs",
            json!({"benchmarks": ["good_a"], "stop": {"rule": "samples", "launches": 1, "per_launch": 4_000_000_000u32}}),
            422,
            "`stop.per_launch` is 4000000000; give 1 to 1000000",
        ),
        ("POST", "/api/runs", json!({"benchmark": "x"}), 422, "unknown field `benchmark`"),
        ("POST", "/api/plugins/none/disable", json!({}), 404, "good_a"),
        ("DELETE", "/api/runs/nonsense", json!(null), 404, "there is no run"),
        ("PUT", "/api/runs", json!({}), 405, "/docs"),
    ] {
        let (found, text) = detail(server.call(method, path, &body));
        assert!(found == status && text.contains(said), "{method} {path}: {found} {text}");
        assert!(!text.contains("panicked") && !text.contains("src/"), "{text}");
    }
    let (status, text) = server.raw("POST", "/api/runs", "{not json");
    assert_eq!(status, 400, "{text}");
    let mut socket = server.websocket("/api/benchmark/ws/nonsense");
    assert_eq!(socket.next_json(), json!({"error": "Benchmark run nonsense not found"}));
    assert!(socket.is_closed());
}

#[test]
fn sql_of_strangers_sees_the_database_and_nothing_else() {
    let arena = arena();
    let server = Served::start(&arena, &[]);
    server.wait(word(&server.post("/api/runs", &quick("good_a")), "id"));
    for sql in [
        "COPY runs TO '/tmp/stolen.csv'",
        "ATTACH '/tmp/other.duckdb'",
        "INSTALL httpfs",
        "PRAGMA database_list",
        "SET memory_limit = '100GB'",
        "SELECT * FROM read_text('/etc/passwd')",
        "SELECT 1; SELECT 2",
        "DROP TABLE runs",
        "DELETE FROM samples",
    ] {
        let (status, body) = server.call("POST", "/api/sql", &json!({"sql": sql}));
        assert!(status == 422 && !body.contains("root:"), "{sql}: {status} {body}");
    }
    let begin = Instant::now();
    // It needs more memory than there is for it, or more time.
    let sql = "SELECT count(*) FROM range(1000000000) a, range(1000000000) b WHERE a.range + b.range = 7";
    let (status, body) = server.call("POST", "/api/sql", &json!({"sql": sql}));
    assert!(status == 408 || status == 422 && body.to_lowercase().contains("memory"), "{status} {body}");
    let sql = "SELECT count(*) FROM range(1000) a, range(1000000000) b WHERE hash(a.range * b.range) = 7";
    let (status, body) = server.call("POST", "/api/sql", &json!({"sql": sql}));
    assert!(status == 408 && body.contains("took longer"), "{status} {body}");
    assert!(begin.elapsed() < Duration::from_secs(60), "it was stopped");
    // Who leaves is not worked for any longer: both places for queries are free again at once.
    for _ in 0..2 {
        server.leave("/api/sql", &json!({"sql": sql}), Duration::from_millis(300));
    }
    let begin = Instant::now();
    let count = server.post("/api/sql", &json!({"sql": "SELECT count(*)::INTEGER FROM runs"}));
    assert_eq!(count["rows"], json!([[1]]));
    assert!(begin.elapsed() < Duration::from_secs(4), "{:?}", begin.elapsed());
    // Reading goes on while a query takes its time.
    let all = server.post("/api/sql", &json!({"sql": "FROM range(5000)", "limit": 10}));
    assert_eq!((all["rows"].as_array().unwrap().len(), &all["truncated"]), (10, &json!(true)));
}

#[test]
fn runs_are_cancelled_repeated_tagged_compared_exported_and_deleted() {
    let arena = arena();
    let server = Served::start(&arena, &[]);
    let first = server.wait(word(&server.post("/api/runs", &quick("good_a")), "id"));
    assert_eq!(first.status, RunStatus::Completed);
    let again = server.post(&format!("/api/runs/{}/rerun", first.id), &json!({}));
    let second = server.wait(word(&again, "id"));
    assert_eq!(second.spec, first.spec);
    let compared = server.get(&format!("/api/compare?baseline={}&candidate={}", first.id, second.id));
    assert_eq!(word(&compared["cases"][0]["metrics"][0], "name"), "time");

    server.call("PUT", "/api/baselines/main", &json!({"run_id": first.id}));
    assert_eq!(word(&server.get("/api/baselines/main"), "run_id"), first.id);
    let mut judged = quick("good_a");
    judged["baseline"] = json!("main");
    let judged = server.wait(word(&server.post("/api/runs", &judged), "id"));
    eventually("it is compared", || arena.path("out").join(&judged.id).join("comparison.md").is_file());
    judged_needs_a_baseline(&server);
    let tags =
        server.post(&format!("/api/runs/{}/tags", first.id), &json!({"tag": "gold", "note": "by hand"}));
    assert_eq!(
        (word(&tags[0], "tag"), word(&tags[0], "note"), word(&tags[0], "author")),
        ("gold", "by hand", "local")
    );
    assert_eq!(server.get("/api/runs?tag=gold").as_array().unwrap().len(), 1);
    assert_eq!(server.call("DELETE", &format!("/api/runs/{}/tags/gold", first.id), &json!(null)).1, "[]");

    for (format, begins) in [
        ("json", "{"),
        ("markdown", "# "),
        ("html", "<!DOCTYPE html>"),
        ("csv", ""),
        ("samples-csv", ""),
        ("bmf", "{"),
        ("gbench", "{"),
        ("github-benchmark", "["),
        ("openmetrics", "#"),
        ("junit", "<?xml"),
        ("github", ""),
    ] {
        let text = server.text(&format!("/api/runs/{}/export?format={format}", first.id));
        assert!(text.starts_with(begins) && text.len() > 50, "{format}: {text}");
    }
    let parquet = server.bytes(&format!("/api/runs/{}/export?format=parquet", first.id));
    assert!(parquet.starts_with(b"PAR1") && parquet.ends_with(b"PAR1"));
    let samples = server.get(&format!("/api/runs/{}/cases/0/samples", first.id));
    assert_eq!(samples.as_array().unwrap().len(), 2);
    assert_eq!(samples[0]["samples"].as_array().unwrap().len(), 3);

    // One runs for ever, and another waits behind it.
    let endless = word(&server.post("/api/runs", &json!({"benchmarks": ["loop_forever"]})), "id").to_owned();
    eventually("it runs", || server.get("/api/queue")["running"] == json!([endless]));
    let waiting = word(&server.post("/api/runs", &quick("good_b")), "id").to_owned();
    let queue = server.get("/api/queue");
    assert_eq!(word(&queue["waiting"][0], "run"), waiting);
    assert!(queue["waiting"][0]["estimated_start_s"].as_f64().is_some(), "{queue}");
    assert_eq!(server.call("DELETE", &format!("/api/runs/{endless}"), &json!(null)).0, 409);
    assert_eq!(
        word(&server.post(&format!("/api/runs/{endless}/cancel"), &json!({})), "status"),
        "cancelling"
    );
    assert_eq!(server.wait(&endless).status, RunStatus::Cancelled);
    assert_eq!(server.wait(&waiting).status, RunStatus::Completed);
    assert_eq!(server.call("POST", &format!("/api/runs/{endless}/cancel"), &json!({})).0, 409);
    assert_eq!(server.call("DELETE", &format!("/api/runs/{endless}"), &json!(null)).0, 200);
    assert_eq!(server.call("GET", &format!("/api/runs/{endless}"), &json!(null)).0, 404);

    // A plugin that is switched off is not run.
    assert_eq!(server.call("POST", "/api/plugins/good_b/disable", &json!({})).0, 200);
    let (status, body) = server.call("POST", "/api/runs", &quick("good_b"));
    assert!(status == 403 && body.contains("switched off"), "{status} {body}");
    server.post("/api/plugins/good_b/enable", &json!({}));
    assert_eq!(server.call("POST", "/api/runs", &quick("good_b")).0, 201);
    let audit = server.get("/api/audit");
    assert!(
        audit.as_array().unwrap().iter().any(|it| it["path"] == "/api/plugins/good_b/disable"),
        "{audit}"
    );
}

fn judged_needs_a_baseline(server: &Served) {
    let mut run = quick("good_a");
    run["baseline"] = json!("nowhere");
    let (status, body) = server.call("POST", "/api/runs", &run);
    assert!(status == 404 && body.contains("there is no baseline `nowhere`"), "{status} {body}");
}

#[test]
fn urgent_runs_go_first_and_a_queued_run_can_be_given_up() {
    let arena = arena();
    let server = Served::start(&arena, &[]);
    let endless = word(&server.post("/api/runs", &json!({"benchmarks": ["loop_forever"]})), "id").to_owned();
    eventually("it runs", || server.get("/api/queue")["running"] == json!([endless]));
    let with = |priority: &str| {
        let mut run = quick("good_a");
        run["priority"] = json!(priority);
        word(&server.post("/api/runs", &run), "id").to_owned()
    };
    let (low, given_up, critical) = (with("low"), with("high"), with("critical"));
    assert_eq!(
        word(&server.post(&format!("/api/runs/{given_up}/cancel"), &json!({})), "status"),
        "cancelled"
    );
    server.post(&format!("/api/runs/{endless}/cancel"), &json!({}));
    let (low, critical) = (server.wait(&low), server.wait(&critical));
    assert!(critical.finished_at < low.finished_at);
    assert_eq!(server.wait(&given_up).status, RunStatus::Cancelled);
}

#[test]
fn the_command_line_works_through_the_server_that_has_the_database() {
    let arena = arena();
    let alone = arena.dyno(&["run", "good_a", "--samples", "3", "--launches", "2"]);
    let server = Served::start(&arena, &[]);
    let through = arena.dyno(&["run", "good_a", "--samples", "3", "--launches", "2", "--tag", "through"]);
    assert_eq!(through.code, Some(0), "{}", through.shown());
    // Without the distances of its columns, which are as wide as what was measured.
    let heads =
        |text: &str| text.lines().next().unwrap_or_default().split_whitespace().collect::<Vec<_>>().join(" ");
    assert_eq!(heads(&through.stdout), heads(&alone.stdout), "the same table");
    let record = arena.dyno(&["run", "good_b", "--samples", "3", "--launches", "2", "--json"]).record();
    assert_eq!(record.cases[0].launches[1].samples.len(), 3);
    let listed = arena.dyno(&["results", "--list", "--json"]).json();
    assert_eq!(listed.as_array().unwrap().len(), 3);
    assert_eq!(listed[1]["tags"], json!(["through"]));
    for command in [
        &["history", "good_a"][..],
        &["compare", "last~2", "last~1"],
        &["report", "last"],
        &["run", "good_a", "--samples", "3", "--launches", "2", "--save-baseline=main"],
        &["run", "good_a", "--samples", "3", "--launches", "2", "--baseline=main", "--threshold", "100%"],
        &["sql", "SELECT count(*) FROM runs"],
        &["list"],
        &["doctor"],
    ] {
        let done = arena.dyno(command);
        assert_eq!(done.code, Some(0), "{command:?}: {}", done.shown());
    }
    let file = arena.path("out/samples.parquet").display().to_string();
    assert_eq!(arena.dyno(&["report", "last", "--format", "parquet", "--file", &file]).code, Some(0));
    let unknown = arena.dyno(&["results", "nonsense"]);
    assert!(
        unknown.code == Some(2) && unknown.stderr.contains("there is no run `nonsense`"),
        "{}",
        unknown.shown()
    );
    let unknown = arena.dyno(&["run", "goood_a"]);
    assert!(unknown.code == Some(2) && unknown.stderr.contains("good_a"), "{}", unknown.shown());
    let url = server.url.clone();
    let elsewhere = arena.path("tmp").display().to_string();
    let named = arena.dyno(&["list", "--server", &url, "--json", "--plugins", &elsewhere]).json();
    assert_eq!(named["plugins"].as_array().unwrap().len(), 3, "the server's plugins, not ours");
    let there = arena.dyno(&["run", "good_a", "--samples", "3", "--launches", "1", "--server", &url]);
    assert!(there.stdout.contains(&format!("database of the server {url}")), "{}", there.shown());
    let devices = arena.dyno(&["devices", "--server", &url, "--json"]).json();
    assert_eq!(devices["devices"][0]["name"], "cpu");
    server.end(Signal::SIGTERM);
    let gone = arena.dyno(&["results", "--server", &url]);
    assert!(gone.code == Some(5) && gone.stderr.contains("dyno serve"), "{}", gone.shown());
    assert_eq!(arena.dyno(&["results", "--list", "--json"]).json().as_array().unwrap().len(), 6);
}

#[test]
fn it_ends_cleanly_and_a_run_that_it_interrupts_can_be_resumed() {
    let arena = arena();
    let server = Served::start(&arena, &[]);
    let many = json!({"benchmarks": ["good_a", "good_b"],
                      "stop": {"rule": "time", "launches": 20, "budget_ns": 4_000_000_000u64}});
    let id = word(&server.post("/api/runs", &many), "id").to_owned();
    let queued = word(&server.post("/api/runs", &quick("good_b")), "id").to_owned();
    eventually("it measures", || {
        let stored: RunRecord = serde_json::from_value(server.get(&format!("/api/runs/{id}"))).unwrap();
        stored.cases[0].launches.len() > 2
    });
    assert!(arena.path("out/dyno.duckdb.server.json").is_file());
    assert_eq!(server.end(Signal::SIGTERM), Some(0));
    assert!(!arena.path("out/dyno.duckdb.server.json").exists());
    let stored = arena.dyno(&["results", &id, "--json"]).record();
    assert_eq!(stored.status, RunStatus::Interrupted);
    assert!(stored.cases[0].launches.iter().all(|launch| launch.status == CaseStatus::Completed));
    let server = Served::start(&arena, &[]);
    // What waited goes on by itself.
    assert_eq!(server.wait(&queued).status, RunStatus::Completed);
    let status = server.get(&format!("/api/benchmark/status/{id}"));
    assert!(word(&status, "error").contains("/resume"), "{status}");
    let resumed = server.post(&format!("/api/runs/{id}/resume"), &json!({}));
    let resumed = server.wait(word(&resumed, "id"));
    assert!(resumed.spec.tags.contains(&format!("resumes:{id}")));
    assert_eq!(resumed.cases.last().unwrap().benchmark, "good_b");
    assert!(resumed.cases.iter().all(|case| case.status == CaseStatus::Completed));
    assert_eq!(server.call("POST", &format!("/api/runs/{}/resume", resumed.id), &json!({})).0, 409);
}

#[test]
fn a_run_is_resumed_with_the_bytes_that_it_began_with_or_not_at_all() {
    let arena = arena();
    let server = Served::start(&arena, &[]);
    let id =
        word(&server.post("/api/runs", &json!({"benchmarks": ["loop_forever", "good_b"]})), "id").to_owned();
    eventually("it measures", || server.text("/api/queue").contains(&format!("\"running\":[\"{id}")));
    server.post(&format!("/api/runs/{id}/cancel"), &json!({}));
    server.wait(&id);
    // The plugins are rebuilt meanwhile: of the same names and versions.
    let (old, new) = (arena.path("plugins/good_b.so"), arena.path("good_b.so"));
    let mut rebuilt = std::fs::read(&old).unwrap();
    rebuilt.push(0);
    std::fs::rename(&old, &new).unwrap();
    std::fs::write(&old, rebuilt).unwrap();
    let (status, text) = server.call("POST", &format!("/api/runs/{id}/resume"), &json!({}));
    assert!(status == 422 && text.contains("has changed") && text.contains("good_b"), "{status} {text}");
    std::fs::rename(&new, &old).unwrap();
    let resumed = server.post(&format!("/api/runs/{id}/resume"), &json!({}));
    server.post(&format!("/api/runs/{}/cancel", word(&resumed, "id")), &json!({}));
    let resumed = server.wait(word(&resumed, "id"));
    let hashes: Vec<_> = resumed.spec.requests.iter().map(|request| request.sha256.clone()).collect();
    assert!(hashes.iter().all(Option::is_some), "{hashes:?}");
}

#[test]
fn killed_twenty_times_it_loses_no_finished_launch_and_its_queue_goes_on() {
    let arena = arena();
    let mut asked: BTreeSet<String> = BTreeSet::new();
    // Launches of which somebody was told that they are finished.
    let mut finished: BTreeSet<(String, u64, u64)> = BTreeSet::new();
    for round in 0..20u64 {
        let server = Served::start(&arena, &[]);
        let run = json!({"benchmarks": ["good_a", "good_b"], "stop": {"rule": "samples", "launches": 6, "per_launch": 2}});
        let mut events = server.events("/api/events");
        asked.insert(word(&server.post("/api/runs", &run), "id").to_owned());
        // Moments that differ from round to round, from the first launch to several runs later.
        let until = Instant::now() + Duration::from_millis(20 + 37 * (round * 7 % 20));
        while Instant::now() < until {
            let Some(told) = events.next(until) else { break };
            if word(&told["event"], "event") == "launch_finished" {
                let number = |name: &str| told["event"][name].as_u64().unwrap();
                finished.insert((word(&told, "run").to_owned(), number("case"), number("launch")));
            }
        }
        if round == 19 {
            // However slow the machine is, the second of these still waits when the server is killed.
            for _ in 0..2 {
                asked.insert(word(&server.post("/api/runs", &run), "id").to_owned());
            }
        }
        server.end(Signal::SIGKILL);
    }
    let server = Served::start(&arena, &[]);
    eventually("the queue is empty", || {
        let queue = server.get("/api/queue");
        queue["waiting"] == json!([]) && queue["running"] == json!([])
    });
    let mut completed = 0;
    for id in &asked {
        let stored: RunRecord = serde_json::from_value(server.get(&format!("/api/runs/{id}"))).unwrap();
        match stored.status {
            RunStatus::Completed => completed += 1,
            RunStatus::Interrupted => {}
            other => panic!("run {id} is {other:?}"),
        }
        for (_, case, launch) in finished.iter().filter(|(run, ..)| run == id) {
            let launches = &stored.cases[*case as usize].launches;
            assert!(
                launches.iter().any(|it| u64::from(it.index) == *launch),
                "{id}: launch {launch} of case {case}"
            );
        }
    }
    assert!(!finished.is_empty() && completed > 0, "{} launches, {completed} runs", finished.len());
}

#[test]
fn a_thousand_watch_at_the_same_time() {
    // A thousand sockets are a thousand files of this process as well.
    let (_, most) = getrlimit(Resource::RLIMIT_NOFILE).unwrap();
    setrlimit(Resource::RLIMIT_NOFILE, most, most).unwrap();
    let arena = arena();
    let server = Served::start(&arena, &[]);
    let endless = word(&server.post("/api/runs", &json!({"benchmarks": ["loop_forever"]})), "id").to_owned();
    let mut sockets: Vec<_> =
        (0..1_000).map(|_| server.websocket(&format!("/api/benchmark/ws/{endless}"))).collect();
    for socket in &mut sockets {
        assert_eq!(word(&socket.next_json(), "run_id"), endless);
    }
    server.post(&format!("/api/runs/{endless}/cancel"), &json!({}));
    for socket in &mut sockets {
        let ended = loop {
            let status = socket.next_json();
            if word(&status, "status") == "failed" {
                break status;
            }
        };
        assert!(word(&ended, "error").contains("cancelled"));
    }
    assert_eq!(server.call("GET", "/healthz", &json!(null)).0, 200);
}

#[test]
fn strangers_are_kept_out() {
    let arena = arena();
    // Beyond this machine nobody is served without a token.
    let refused = arena.dyno(&["serve", "--host", "0.0.0.0", "--port", "0"]);
    assert!(refused.code == Some(2) && refused.stderr.contains("--token-file"), "{}", refused.shown());
    let tokens = arena.path("work/tokens.toml");
    let text = "[[token]]\nname = \"ci\"\nscope = \"run\"\ntoken = \"run-token-0123456789\"\n\
                [[token]]\nname = \"eve\"\nscope = \"read\"\ntoken = \"read-token-0123456789\"\n";
    std::fs::write(&tokens, text).unwrap();
    std::fs::set_permissions(&tokens, std::fs::Permissions::from_mode(0o600)).unwrap();
    let tokens = tokens.display().to_string();
    let mut server = Served::start(&arena, &["--token-file", &tokens]);
    assert_eq!(server.call("GET", "/api/runs", &json!(null)).0, 401);
    assert_eq!(server.call("GET", "/healthz", &json!(null)).0, 200);
    server.token = Some("read-token-0123456789".to_owned());
    assert_eq!(server.call("GET", "/api/runs", &json!(null)).0, 200);
    assert_eq!(server.call("POST", "/api/runs", &quick("good_a")).0, 403);
    assert_eq!(server.call("GET", "/api/audit", &json!(null)).0, 403);
    server.token = Some("run-token-0123456789".to_owned());
    assert_eq!(server.call("POST", "/api/runs", &quick("good_a")).0, 201);
    assert_eq!(server.call("DELETE", "/api/runs/last", &json!(null)).0, 403);
    let mut arena_with_token = arena;
    let bare = arena_with_token.dyno(&["results", "--list"]);
    assert!(bare.code == Some(2) && bare.stderr.contains("DYNO_TOKEN"), "{}", bare.shown());
    arena_with_token.set("DYNO_TOKEN", "read-token-0123456789");
    assert_eq!(arena_with_token.dyno(&["results", "--list"]).code, Some(0));
    drop(server);

    let arena = self::arena();
    let server = Served::start(&arena, &[]);
    for (header, value) in [("host", "evil.example.org"), ("origin", "http://evil.example.org")] {
        let (status, body) = server.with_header("GET", "/api/runs", header, value);
        assert!(status == 403 && body.contains("evil.example.org"), "{header}: {status} {body}");
    }
    // Who begins a request and never ends it is not waited for.
    assert!(server.dawdle(Duration::from_secs(30)), "the connection was closed");
    // The port and the database are taken: who wants them is told by whom.
    let second = arena.dyno(&["serve", "--port", &server.port().to_string()]);
    assert!(second.code == Some(2) && second.stderr.contains("cannot listen on"), "{}", second.shown());
    let second = arena.dyno(&["serve", "--port", "0"]);
    assert!(second.stderr.contains(&format!("process {}", server.pid())), "{}", second.shown());
}

#[test]
fn the_interface_describes_itself() {
    let arena = arena();
    let server = Served::start(&arena, &["--log-format", "json"]);
    let document = server.get("/openapi.json");
    assert!(word(&document, "openapi").starts_with("3.1"));
    for path in ["/api/benchmark/run", "/api/runs/{run}", "/api/sql", "/healthz"] {
        assert!(document["paths"][path].is_object(), "{path}");
    }
    let page = server.text("/docs");
    assert!(
        page.contains("/openapi.json") && !page.contains("<script src"),
        "nothing is fetched from elsewhere"
    );
    let metrics = server.text("/metrics");
    for name in ["dyno_requests_total ", "dyno_runs_queued ", "dyno_resident_bytes "] {
        assert!(metrics.contains(name), "{metrics}");
    }
    assert_eq!(word(&server.get("/readyz"), "status"), "ok");
    let run = word(&server.post("/api/runs", &quick("good_a")), "id").to_owned();
    server.wait(&run);
    eventually("its reports are written", || {
        server.call("GET", &format!("/api/reports/{run}/report.html"), &json!(null)).0 == 200
    });
    for (path, described) in [
        ("/metrics", "/metrics"),
        ("/api/runs/last/export?format=parquet", "/api/runs/{run}/export"),
        ("/api/runs/last/export?format=junit", "/api/runs/{run}/export"),
        ("/api/runs/last/export?format=openmetrics", "/api/runs/{run}/export"),
        ("/api/runs/last/events", "/api/runs/{run}/events"),
        ("/api/reports/last/report.html", "/api/reports/{run}/{file}"),
        ("/api/reports/last/report.md", "/api/reports/{run}/{file}"),
        ("/api/reports/summary?format=markdown", "/api/reports/{kind}"),
        ("/api/reports/summary", "/api/reports/{kind}"),
        ("/api/devices", "/api/devices"),
    ] {
        let kind = server.media_type(path);
        let content = &document["paths"][described]["get"]["responses"]["200"]["content"];
        assert!(content[&kind].is_object(), "{path}: {kind} is not in {content}");
    }
    for kind in ["summary", "hardware-comparison", "model-comparison", "compatibility-matrix"] {
        assert!(server.get(&format!("/api/reports/{kind}"))["rows"].is_object());
        assert!(server.text(&format!("/api/reports/{kind}?format=markdown")).starts_with("# "));
    }
    assert_eq!(server.get("/api/devices")["devices"][0]["name"], "cpu");
    assert_eq!(server.get("/api/leases"), json!([]), "nobody has anything");
    assert_eq!(server.get("/api/plugins")["plugins"].as_array().unwrap().len(), 3);
}

#[test]
fn an_idle_websocket_is_given_a_sign_of_life() {
    let mut arena = arena();
    arena.set("DYNO_HEARTBEAT", "50ms");
    let server = Served::start(&arena, &[]);
    let id = word(&server.post("/api/runs", &quick("loop_forever")), "id").to_owned();
    for path in ["/api/events/ws".to_owned(), format!("/api/benchmark/ws/{id}")] {
        let mut socket = server.websocket(&path);
        // Events and a status may come before.
        while !socket.next().is_ping() {}
        // And it goes on.
        while !socket.next().is_ping() {}
    }
    server.post(&format!("/api/runs/{id}/cancel"), &json!({}));
}

#[test]
fn a_proxy_in_the_environment_has_no_part_in_loopback() {
    let mut arena = arena();
    let server = Served::start(&arena, &[]);
    for name in ["http_proxy", "HTTP_PROXY", "https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY"] {
        arena.set(name, "http://127.0.0.1:9");
    }
    let run = arena.dyno(&["run", "good_a", "--samples", "3", "--launches", "1", "--json"]);
    assert_eq!(run.code, Some(0), "{}", run.shown());
    assert_eq!(server.get(&format!("/api/runs/{}", run.record().id))["status"], "completed");
    let url = server.url.replace("127.0.0.1", "localhost");
    let listed = arena.dyno(&["results", "--list", "--server", &url]);
    assert_eq!(listed.code, Some(0), "{}", listed.shown());
}

#[test]
fn a_hang_up_ends_a_server_like_a_friendly_kill() {
    if hang_ups_are_ignored() {
        return;
    }
    let arena = arena();
    let server = Served::start(&arena, &[]);
    assert_eq!(server.end(Signal::SIGHUP), Some(0));
}

#[test]
fn a_fault_of_the_host_is_not_charged_to_a_benchmark_and_the_run_can_be_resumed() {
    let mut arena = arena();
    // A worker that cannot be started while a file is there.
    let real = std::path::Path::new(env!("CARGO_BIN_EXE_dyno")).with_file_name("dyno-worker");
    let (worker, broken) = (arena.path("worker"), arena.path("broken"));
    let script =
        format!("#!/bin/sh\n[ -e '{}' ] && exit 3\nexec '{}' \"$@\"\n", broken.display(), real.display());
    std::fs::write(&worker, script).unwrap();
    std::fs::set_permissions(&worker, std::fs::Permissions::from_mode(0o755)).unwrap();
    std::fs::write(&broken, "").unwrap();
    arena.set("DYNO_WORKER", worker.as_os_str());
    let server = Served::start(&arena, &[]);
    let id = word(&server.post("/api/runs", &quick("good_a")), "id").to_owned();
    let record = server.wait(&id);
    assert_eq!(record.status, RunStatus::Interrupted);
    assert!(record.cases.iter().all(|case| !case.status.is_failure()), "{:?}", record.cases[0].status);
    std::fs::remove_file(&broken).unwrap();
    let resumed = server.post(&format!("/api/runs/{id}/resume"), &json!({}));
    let resumed = server.wait(word(&resumed, "id"));
    assert_eq!(resumed.cases[0].status, CaseStatus::Completed);
}

#[test]
fn a_notification_outlives_the_end_of_a_worker_on_another_device() {
    let mut arena = Arena::new();
    arena.add(&fixtures::of_story("server/fast.c"), "paced.so");
    arena.add(&fixtures::of_story("server/on_gpu.c"), "on_gpu.so");
    let gpu = DeviceInfo { model: "A GPU".to_owned(), ..DeviceInfo::new(DeviceKind::Cuda, 0) };
    let (text, probe) = (arena.path("probe.sh"), arena.path("probe"));
    let answer = serde_json::to_string(&[gpu]).unwrap();
    std::fs::write(&text, format!("#!/bin/sh\necho '{answer}'\n")).unwrap();
    // Copied by another process: a file that this one has open for writing could not be run.
    assert!(std::process::Command::new("cp").args([&text, &probe]).status().unwrap().success());
    std::fs::set_permissions(&probe, std::fs::Permissions::from_mode(0o755)).unwrap();
    arena.set("DYNO_PROBE", probe);
    let [began, goes_on, note] = ["began", "goes-on", "note"].map(|name| arena.path(name));
    let command = format!(
        "touch '{}'; until [ -e '{}' ]; do sleep 0.02; done; cat > '{}'",
        began.display(),
        goes_on.display(),
        note.display()
    );
    arena.set("DYNO_NOTIFY_COMMAND", command);
    let server = Served::start(&arena, &[]);
    let run = |benchmark: &str| json!({"benchmarks": [benchmark], "stop": {"rule": "samples", "launches": 5, "per_launch": 5}});
    let fast = server.wait(word(&server.post("/api/runs", &run("paced")), "id"));
    assert_eq!(fast.status, RunStatus::Completed);
    server.call("PUT", "/api/baselines/main", &json!({"run_id": fast.id}));
    arena.add(&fixtures::of_story("server/slow.c"), "paced.so");
    let mut slow = run("paced");
    slow["baseline"] = json!("main");
    server.post("/api/runs", &slow);
    eventually("a regression is told", || began.exists());
    let mut other = run("on_gpu");
    other["hardware"] = json!(["cuda:0"]);
    let other = server.wait(word(&server.post("/api/runs", &other), "id"));
    assert_eq!(other.cases[0].status, CaseStatus::Completed, "it is charged with nothing");
    std::fs::write(&goes_on, "").unwrap();
    eventually("the notification goes on", || {
        let text = std::fs::read_to_string(&note).unwrap_or_default();
        serde_json::from_str::<Value>(&text).is_ok_and(|body| body["event"] == "regression")
    });
}
