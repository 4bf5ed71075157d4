//! User story: somebody types commands, right and wrong ones, and reads what comes back.

use serde_json::Value;

use crate::support::{
    arena::{Arena, Outcome},
    fixtures,
};

/// An arena with the example in C, whose benchmark `sum_c` has a parameter `n` from 1 to 16777216.
fn arena() -> Arena {
    let arena = Arena::new();
    arena.add(&fixtures::example("hello-c/hello.c"), "hello-c.so");
    arena
}

const QUICK: [&str; 4] = ["--time", "20ms", "--launches", "2"];

fn run(arena: &Arena, arguments: &[&str]) -> Outcome {
    let mut all = vec!["run"];
    all.extend(arguments);
    all.extend(QUICK);
    arena.dyno(&all)
}

#[track_caller]
fn refused(outcome: &Outcome, code: i32, fragments: &[&str]) {
    assert_eq!(outcome.code, Some(code), "{}", outcome.shown());
    for fragment in fragments {
        assert!(outcome.stderr.contains(fragment), "`{fragment}` is not in {}", outcome.shown());
    }
    assert!(
        !outcome.stderr.contains("panicked") && !outcome.stderr.contains("backtrace"),
        "{}",
        outcome.shown()
    );
}

#[test]
fn an_unknown_benchmark_names_the_nearest() {
    let outcome = run(&arena(), &["sum"]);
    refused(&outcome, 2, &["there is no benchmark `sum`", "the nearest are sum_c"]);
}

#[test]
fn a_wrong_value_names_the_parameter_its_type_and_its_range() {
    for value in ["-1", "abc", "0", "16777217", "1.5", ""] {
        let outcome = run(&arena(), &["sum_c", "-p", &format!("n={value}")]);
        let fragments: &[&str] = if value.is_empty() {
            &["is not NAME=VALUES"]
        } else {
            &["`n`", "integer", "from 1 to 16777216", value]
        };
        refused(&outcome, 2, fragments);
    }
}

#[test]
fn a_misspelt_parameter_and_broken_json_say_what_to_write() {
    refused(&run(&arena(), &["sum_c", "-p", "m=1"]), 2, &["no parameter `m`", "it has n"]);
    refused(&run(&arena(), &["sum_c", "--params", "{n:1}"]), 2, &["--params `{n:1}`", "JSON object"]);
    refused(&run(&arena(), &["sum_c", "-p", "n=1", "-p", "n=2"]), 2, &["`n` is given twice"]);
}

#[test]
fn wrong_flags_and_missing_names_are_usage_errors() {
    let arena = arena();
    refused(&arena.dyno(&["run", "sum_c", "--lanches", "3"]), 2, &["--lanches", "--launches"]);
    refused(&arena.dyno(&["run"]), 2, &["names no benchmark"]);
    refused(&arena.dyno(&["run", "sum_c", "--time", "soon"]), 2, &["--time", "`soon`", "500ms"]);
    refused(&arena.dyno(&["run", "sum_c", "--timeout", "0s"]), 2, &["timeout", "zero"]);
    refused(
        &arena.dyno(&["run", "sum_c", "--hardware", "gpu"]),
        2,
        &["no device `gpu`", "cpu, cuda", "webnn, all"],
    );
    refused(&arena.dyno(&["run", "--suite", "nowhere.toml"]), 2, &["nowhere.toml"]);
    refused(&arena.dyno(&["run", "sum_c", "--engine", "wasm"]), 2, &["has no wasm build"]);
    refused(&arena.dyno(&["results"]), 2, &["there is no database", "run a benchmark first"]);
    refused(&arena.dyno(&["inspect", "nothing"]), 2, &["neither a file nor a plugin", "hello-c"]);
}

#[test]
fn a_plugin_directory_that_is_not_there_is_named() {
    let arena = Arena::new();
    let outcome = arena.dyno(&["list", "--plugins", "/nonexistent/plugins"]);
    assert_eq!(outcome.code, Some(0), "{}", outcome.shown());
    assert!(outcome.stderr.contains("/nonexistent/plugins"), "{}", outcome.shown());
}

#[test]
fn listing_runs_no_code() {
    let arena = arena();
    for name in ["segfault_in_initialiser", "hang_in_initialiser", "exit_in_initialiser"] {
        arena.add(&fixtures::native(name, name), &format!("{name}.so"));
    }
    let outcome = arena.dyno(&["list", "--json"]);
    assert_eq!(outcome.code, Some(0), "{}", outcome.shown());
    let listed = outcome.json()["plugins"].as_array().map(Vec::len);
    assert_eq!(listed, Some(4), "{}", outcome.shown());
    arena.assert_clean(&outcome);
}

#[test]
fn a_dry_run_shows_every_combination_and_runs_nothing() {
    let arena = arena();
    let outcome =
        run(&arena, &["sum_c", "-p", "n=16,2^5,64", "--hardware", "cpu,webnn", "--dry-run", "--json"]);
    assert_eq!(outcome.code, Some(0), "{}", outcome.shown());
    let cases = outcome.json()["cases"].clone();
    let shown: Vec<String> = cases
        .as_array()
        .into_iter()
        .flatten()
        .map(|case| format!("{} {} {}", case["device"], case["params"]["n"], !case["skipped"].is_null()))
        .collect();
    let expected = ["cpu", "webnn"]
        .iter()
        .flat_map(|device| ["16", "32", "64"].map(|n| format!("\"{device}\" {n} {}", *device == "webnn")));
    assert_eq!(shown, expected.collect::<Vec<_>>());
    assert!(!arena.path("out/dyno.duckdb").exists());
}

#[test]
fn two_parameters_are_two_results_and_a_missing_device_is_skipped_with_a_sentence() {
    let arena = arena();
    let outcome =
        run(&arena, &["sum_c", "--params", r#"{"n": [64, 128]}"#, "--hardware", "cpu,webnn", "--json"]);
    assert_eq!(outcome.code, Some(0), "{}", outcome.shown());
    let record = outcome.record();
    let states: Vec<&str> = record.cases.iter().map(|case| case.status.word()).collect();
    assert_eq!(states, ["completed", "completed", "skipped", "skipped"]);
    assert_ne!(record.cases[0].label(), record.cases[1].label());
    assert!(record.cases[0].metric("time").is_some_and(|time| time.median > 0.0 && time.interval.is_some()));
    assert!(outcome.stdout.contains("device `webnn` is not available"), "{}", outcome.shown());
}

#[test]
fn suites_run_in_both_forms() {
    let arena = arena();
    let toml = arena.path("suite.toml");
    std::fs::write(&toml, "name = 'Two'\n[[benchmarks]]\nname = 'sum_c'\nparams = { n = [8, 16] }\n")
        .unwrap();
    let json = arena.path("suite.json");
    std::fs::write(
        &json,
        r#"{"name": "Two", "benchmarks": [{"name": "sum_c", "params": {"hardware": "cpu", "n": 8}}, {"name": "sum_c", "params": {"n": 16}}]}"#,
    )
    .unwrap();
    for suite in [toml, json] {
        let outcome = run(&arena, &["--suite", suite.to_str().unwrap(), "--json"]);
        assert_eq!(outcome.code, Some(0), "{}", outcome.shown());
        let record = outcome.record();
        assert_eq!(record.spec.suite.map(|suite| suite.name).as_deref(), Some("Two"));
        let sizes: Vec<String> = record.cases.iter().map(|case| case.params["n"].to_string()).collect();
        assert_eq!(sizes, ["8", "16"]);
    }
}

#[test]
fn results_reports_and_files_agree() {
    let arena = arena();
    let outcome = run(&arena, &["sum_c", "--tag", "nightly", "--json"]);
    let record = outcome.record();
    let stored = arena.dyno(&["results", "last", "--samples", "--json"]);
    assert_eq!(stored.record(), record, "what the database gives back is what was shown");
    let file = std::fs::read_to_string(arena.path(&format!("out/{}.json", record.id))).unwrap();
    assert_eq!(serde_json::from_str::<Value>(&file).unwrap(), outcome.json(), "and what the file holds");
    let report = arena.dyno(&["report"]);
    assert!(
        report.stdout.contains("| sum\\_c |") || report.stdout.contains("| sum_c |"),
        "{}",
        report.shown()
    );
    assert!(arena.dyno(&["report", "--format", "csv"]).stdout.starts_with("run,case,benchmark"));
    let listed = arena.dyno(&["results", "--list", "--tag", "nightly", "--json"]).json();
    assert_eq!(listed[0]["id"], record.id.as_str());
    assert_eq!(
        arena.dyno(&["results", "--list", "--tag", "other", "--json"]).json(),
        Value::Array(Vec::new())
    );
    refused(&arena.dyno(&["results", "zzz"]), 2, &["there is no run `zzz`", &record.id]);
    let table = arena.dyno(&["results"]);
    assert!(table.stdout.contains("sum_c") && table.stdout.contains('±'), "{}", table.shown());
}

#[test]
fn every_setting_says_where_it_comes_from() {
    let arena = arena();
    std::fs::write(arena.path("work/dyno.toml"), "timeout = '7s'\n").unwrap();
    let settings = arena.dyno(&["config", "--json"]).json();
    assert_eq!(settings["timeout_ns"]["value"], 7_000_000_000_u64);
    assert!(
        settings["timeout_ns"]["origin"]["file"].as_str().is_some_and(|path| path.ends_with("dyno.toml"))
    );
    assert_eq!(settings["plugins"]["origin"]["flag"], "--plugins");
    assert_eq!(settings["cache"]["origin"]["environment"], "DYNO_CACHE");
    assert_eq!(settings["memory_bytes"]["origin"], "default");
    std::fs::write(arena.path("work/dyno.toml"), "timeuot = '7s'\n").unwrap();
    let wrong = arena.dyno(&["config"]);
    refused(&wrong, 2, &["dyno.toml` is not valid: line 1, column 1: unknown field `timeuot`, expected"]);
    assert_eq!(wrong.stderr.trim_end().lines().count(), 1, "{}", wrong.stderr);
}

#[test]
fn grants_are_shown_with_their_file_and_one_in_a_folder_adds_nothing_to_the_users() {
    let mut arena = arena();
    arena.set("COLUMNS", "80");
    let config = |arena: &Arena| arena.dyno(&["config"]).stdout;
    assert!(config(&arena).contains("\ngrants "), "{}", config(&arena));
    let own = arena.path("home/.config/dyno");
    std::fs::create_dir_all(&own).unwrap();
    let grant = |plugin: &str, folder: &str| {
        format!(
            "[grants.{plugin}]\nread = ['{folder}']\nenvironment = ['SERVICE_KEY']\nconnect = ['localhost:8000']\n"
        )
    };
    std::fs::write(own.join("dyno.toml"), grant("latency-of-a-service", "/srv")).unwrap();
    let shown = config(&arena);
    for part in [
        "grants.latency-of-a-service",
        "read:/srv",
        "env:SERVICE_KEY",
        "connect:localhost:8000",
        "config/dyno/dyno.toml",
    ] {
        assert!(shown.contains(part), "`{part}`: {shown}");
    }
    let wide = shown.lines().find(|line| line.chars().count() > 80 && !line.contains('/'));
    assert_eq!(wide, None, "{shown}");
    // Whoever asks for the strict profile decides about grants.
    arena.set("DYNO_PROFILE", "server");
    let found = arena.path("work/dyno.toml");
    std::fs::write(&found, grant("latency-of-a-service", "/etc")).unwrap();
    refused(
        &arena.dyno(&["list"]),
        2,
        &["`[grants.latency-of-a-service]` grants `read:/etc`, which your own configuration does not"],
    );
    std::fs::write(&found, grant("latency-of-a-service", "/srv/a")).unwrap();
    let settings = arena.dyno(&["config", "--json"]).json();
    let grant = &settings["grants"]["latency-of-a-service"];
    assert_eq!(grant["read"], serde_json::json!(["/srv/a"]));
    assert!(grant["origin"]["file"].as_str().is_some_and(|path| path.ends_with("work/dyno.toml")), "{grant}");
    std::fs::write(&found, "isolation = 'basic'").unwrap();
    arena.set("DYNO_PROFILE", "dev");
    refused(&arena.dyno(&["list"]), 2, &["`basic` gives plugins all rights of the user"]);
    std::fs::write(&found, "[grants]\nread = ['/srv']").unwrap();
    refused(&arena.dyno(&["list"]), 2, &["line 2, column 8: ", "so write `read` below `[grants.ID]`"]);
}

#[test]
fn devices_completions_and_help_are_there() {
    let arena = arena();
    let devices = arena.dyno(&["devices", "--json"]).json();
    assert!(devices["devices"].as_array().is_some_and(|devices| devices.len() >= 8));
    assert!(devices["machine"]["cpu"]["threads"].as_u64().is_some_and(|threads| threads > 0));
    for shell in ["bash", "zsh", "fish"] {
        assert!(arena.dyno(&["completions", shell]).stdout.contains("dyno"));
    }
    for command in ["list", "inspect", "run", "results", "report", "devices", "config", "completions"] {
        let help = arena.dyno(&[command, "--help"]);
        assert_eq!(help.code, Some(0));
        assert!(help.stdout.contains("Usage: dyno"), "{}", help.shown());
    }
}
