//! User story: whoever comes from the original suite keeps its client and its dashboard: the fields that they read, the words
//! that they understand, the tables that they ask for.

use serde_json::{Value, json};

use crate::support::{
    arena::Arena,
    eventually::eventually,
    fixtures,
    served::{Served, Socket, word},
};

fn arena() -> Arena {
    let arena = Arena::new();
    for (source, name) in
        [("good", "good_a"), ("good", "good_b"), ("loop_forever", "loop_forever"), ("skips", "skips")]
    {
        arena.add(&fixtures::native(source, name), &format!("{name}.so"));
    }
    arena
}

fn start(server: &Served, request: &Value) -> String {
    word(&server.post("/api/benchmark/run", request), "run_id").to_owned()
}

/// What a client is told until the end of a run, and checks that hold for every run.
fn watched(server: &Served, id: &str) -> Vec<Value> {
    let mut seen = until_it_ends(&mut server.websocket(&format!("/api/benchmark/ws/{id}")), Vec::new());
    // A client that asks again is told no other story.
    seen.push(server.get(&format!("/api/benchmark/status/{id}")));
    let (mut progress, mut elapsed) = (0.0, 0.0);
    for status in &seen {
        let number = |name: &str| status[name].as_f64().unwrap_or_else(|| panic!("no `{name}` in {status}"));
        assert!(number("progress") >= progress, "from {progress} back to {status}");
        assert!(number("elapsed_time") >= elapsed, "from {elapsed} s back to {status}");
        (progress, elapsed) = (number("progress"), number("elapsed_time"));
        let has_failed = word(status, "status") == "failed";
        assert_eq!(status.get("error").is_some(), has_failed, "{status}");
    }
    seen
}

fn until_it_ends(socket: &mut Socket, mut seen: Vec<Value>) -> Vec<Value> {
    loop {
        let status = socket.next_json();
        let has_ended = ["completed", "failed"].contains(&word(&status, "status"));
        seen.push(status);
        if has_ended {
            return seen;
        }
    }
}

#[test]
fn a_client_sees_an_error_only_where_there_is_one_and_progress_only_forwards() {
    let arena = arena();
    let server = Served::start(&arena, &[]);
    let id = start(&server, &json!({"models": ["good_a", "good_b"]}));
    let seen = watched(&server, &id);
    assert_eq!(word(seen.last().unwrap(), "status"), "completed");
    let results = server.get(&format!("/api/benchmark/results/{id}"));
    assert!(
        results["results"].as_array().unwrap().iter().all(|case| case.get("error").is_none()),
        "{results}"
    );

    // Given up in the middle of its last case, after another one has ended.
    let id = start(&server, &json!({"models": ["good_a", "loop_forever"], "incremental": false}));
    let mut socket = server.websocket(&format!("/api/benchmark/ws/{id}"));
    let mut before = Vec::new();
    while before.last().is_none_or(|status: &Value| !word(status, "current_step").contains("loop_forever")) {
        before.push(socket.next_json());
    }
    server.post(&format!("/api/runs/{id}/cancel"), &json!({}));
    let told = until_it_ends(&mut socket, before);
    let progress: Vec<f64> = told.iter().map(|status| status["progress"].as_f64().unwrap()).collect();
    assert!(progress.is_sorted() && *progress.last().unwrap() < 1.0, "{progress:?}");
    let after = watched(&server, &id);
    assert!(after.iter().all(|status| status["progress"].as_f64() >= progress.last().copied()), "{after:?}");
    assert!(word(after.last().unwrap(), "error").contains("cancelled"));
}

#[test]
fn a_run_in_which_nothing_was_measured_has_failed_unless_everything_was_known() {
    let arena = arena();
    let server = Served::start(&arena, &[]);
    let id = start(&server, &json!({"models": ["skips"]}));
    let seen = watched(&server, &id);
    let last = seen.last().unwrap();
    assert_eq!(word(last, "status"), "failed");
    assert!(word(last, "error").contains("this machine has no abacus"), "{last}");
    assert_eq!(word(&server.get(&format!("/api/benchmark/results/{id}")), "status"), "failed");

    // What is known already need not be measured again.
    let first = start(&server, &json!({"models": ["good_a"]}));
    watched(&server, &first);
    let again = start(&server, &json!({"models": ["good_a"]}));
    assert_eq!(word(watched(&server, &again).last().unwrap(), "status"), "completed");
    let results = server.get(&format!("/api/benchmark/results/{again}"));
    assert_eq!(word(&results["results"][0], "status"), "skipped");
    let reports = server.get("/api/benchmark/reports");
    let of = |id: &str| reports.as_array().unwrap().iter().find(|it| it["run_id"] == json!(id)).unwrap();
    let words = [&id, &first, &again].map(|id| word(of(id), "status").to_owned());
    assert_eq!(words, ["failed", "completed", "completed"]);
    // And it says nothing about what runs where.
    let sql = "SELECT model_name, is_compatible FROM hardware_compatibility_view ORDER BY ALL";
    let rows = server.post("/api/sql", &json!({"sql": sql}))["rows"].clone();
    assert_eq!(rows, json!([["good_a", true], ["skips", false]]));
}

#[test]
fn the_statements_of_the_dashboard_are_answered_and_its_reports_are_pages() {
    let arena = arena();
    let server = Served::start(&arena, &[]);
    watched(&server, &start(&server, &json!({"models": ["good_a", "good_b"]})));
    let rows = |sql: &str| {
        let answer = server.post("/api/sql", &json!({"sql": sql}));
        answer["rows"].as_array().unwrap_or_else(|| panic!("{sql}: {answer}")).clone()
    };
    let joined = "performance_results pr JOIN models m ON pr.model_id = m.model_id
        JOIN hardware_platforms h ON pr.hardware_id = h.hardware_id";
    // The lists that its filters are made of.
    let families = rows("SELECT DISTINCT model_family FROM models WHERE model_family IS NOT NULL");
    assert_eq!(families.len(), 1);
    assert_eq!(rows("SELECT DISTINCT hardware_type FROM hardware_platforms"), [json!(["cpu"])]);
    assert!(
        rows("SELECT DISTINCT batch_size FROM performance_results WHERE batch_size IS NOT NULL").is_empty()
    );
    for metric in ["throughput_items_per_second", "average_latency_ms", "memory_peak_mb"] {
        let value = format!("avg(pr.{metric}) AS avg_{metric}");
        let family = families[0][0].as_str().unwrap();
        // By family and hardware, by batch size, the best models of a hardware, the hardware of a model.
        let by_family = rows(&format!(
            "SELECT m.model_family, h.hardware_type, {value} FROM {joined}
             WHERE m.model_family IN ('{family}') AND h.hardware_type IN ('cpu') AND pr.{metric} IS NOT NULL
             GROUP BY m.model_family, h.hardware_type ORDER BY m.model_family, h.hardware_type"
        ));
        let by_batch = rows(&format!(
            "SELECT pr.batch_size, {value} FROM {joined}
             WHERE m.model_family = '{family}' AND h.hardware_type = 'cpu' AND pr.{metric} IS NOT NULL
               AND pr.batch_size IS NOT NULL GROUP BY pr.batch_size ORDER BY pr.batch_size"
        ));
        let best = rows(&format!(
            "SELECT m.model_name, {value} FROM {joined} WHERE h.hardware_type = 'cpu' AND pr.{metric} IS NOT NULL
             GROUP BY m.model_name ORDER BY avg_{metric} DESC LIMIT 10"
        ));
        let of_model = rows(&format!(
            "SELECT h.hardware_type, {value} FROM {joined} WHERE m.model_name = 'good_a' AND pr.{metric} IS NOT NULL
             GROUP BY h.hardware_type ORDER BY avg_{metric} DESC"
        ));
        assert!(by_batch.is_empty());
        if metric == "average_latency_ms" {
            assert_eq!((by_family.len(), best.len(), of_model.len()), (1, 2, 1));
        }
    }
    let runs = rows("SELECT success, execution_time_seconds > 0, test_name FROM test_runs");
    assert_eq!(runs, [json!([true, true, "good_a, good_b"])]);
    let columns = "SELECT model_id, model_type, hardware_id FROM performance_results_view LIMIT 1";
    assert_eq!(rows(columns)[0][1], "benchmark");
    for kind in ["summary", "hardware-comparison", "model-comparison", "compatibility-matrix"] {
        let page = server.text(&format!("/api/reports/{kind}?format=html"));
        assert!(
            page.starts_with("<!DOCTYPE html>") && page.contains("good_a") && !page.contains("<script"),
            "{page}"
        );
    }
}

#[test]
fn samples_of_one_case_are_given_and_a_case_that_is_not_there_is_said() {
    let arena = arena();
    let server = Served::start(&arena, &[]);
    let stop = json!({"rule": "samples", "launches": 2, "per_launch": 3});
    let id =
        word(&server.post("/api/runs", &json!({"benchmarks": ["good_a", "good_b"], "stop": stop})), "id")
            .to_owned();
    let record = server.wait(&id);
    eventually("the run is stored", || server.get("/api/queue")["running"] == json!([]));
    let whole = server.get(&format!("/api/runs/{id}?samples=true"));
    for case in 0..record.cases.len() {
        let found = server.get(&format!("/api/runs/last/cases/{case}/samples"));
        for launch in 0..2 {
            assert_eq!(found[launch]["launch"], json!(launch));
            assert_eq!(found[launch]["samples"], whole["cases"][case]["launches"][launch]["samples"]);
        }
    }
    let (status, body) = server.call("GET", &format!("/api/runs/{id}/cases/2/samples"), &json!(null));
    assert!(status == 404 && body.contains(&format!("run {id} has no case 2")), "{status} {body}");
}

#[test]
fn models_are_listed_with_their_hardware_and_selected_by_their_own_tags() {
    let arena = Arena::new();
    arena.add(&fixtures::of_story("original/zoo.c"), "zoo.so");
    let server = Served::start(&arena, &[]);
    let listed = server.get("/api/benchmark/models");
    let of = |name: &str| listed.as_array().unwrap().iter().find(|it| it["name"] == name).unwrap().clone();
    let bert = of("bert-tiny");
    let reason = bert["hardware"][1]["reason"].as_str().unwrap();
    assert_eq!(
        bert,
        json!({
            "name": "bert-tiny", "family": "bert", "type": "model", "modality": "text", "benchmark": "zoo/zoo",
            "parameters": 4_385_920, "priority": "critical", "tags": ["critical"], "precisions": ["fp32"],
            "hardware": [
                {"kind": "cpu", "available": true, "reason": null, "precisions": ["fp32"]},
                {"kind": "webnn", "available": false, "reason": reason, "precisions": ["fp32"]},
            ],
        })
    );
    let family = |name: &str| word(&of(name), "family").to_owned();
    assert_eq!(["zoo", "vit", "other"].map(family), ["inference", "vit", "inference"]);

    // The command line lists the same models, and not the benchmark itself.
    let outcome = arena.dyno(&["list", "--models", "--json"]);
    assert_eq!(outcome.json(), json!([of("bert-tiny"), of("vit"), of("other")]), "{}", outcome.shown());
    let table = arena.dyno(&["list", "--models", "image"]).stdout;
    let lines: Vec<&str> = table.lines().collect();
    assert!(lines[2].starts_with("vit") && lines[2].contains("cpu") && !table.contains("bert"), "{table}");
    assert!(table.contains(&format!("webnn is not available: {reason}")), "{table}");

    let id = start(&server, &json!({"priority": "critical", "hardware": ["cpu"], "batch_sizes": [1]}));
    watched(&server, &id);
    let cases = server.get(&format!("/api/runs/{id}"))["cases"].clone();
    assert_eq!(cases.as_array().unwrap().len(), 1);
    assert_eq!(cases[0]["params"], json!({"model": "bert-tiny", "batch_size": 1}));
    let none = json!({"priority": "critical", "precision": "int8"});
    let (status, body) = server.call("POST", "/api/benchmark/run", &none);
    assert!(status == 422 && body.contains("no benchmark has priority critical"), "{status} {body}");
}
