//! The boundaries that `ARCHITECTURE.md` states as absences, as tests over the sources of the whole repository.
//!
//! Each rule is a function from a source file to what breaks it; each has a test that shows it a file that does.

mod circles;
mod packages;
mod rules;
mod source;

use source::{Source, Violation, whole_repository};

/// Fails with every place that breaks a rule.
fn hold(rule: fn(&Source) -> Vec<Violation>) {
    let sources = whole_repository();
    assert!(sources.len() > 50, "the sources were not found: {}", sources.len());
    let found: Vec<String> = sources.iter().flat_map(rule).map(|violation| violation.to_string()).collect();
    assert!(found.is_empty(), "a boundary is broken:\n{}", found.join("\n"));
}

/// What a rule finds in a file that is not there.
fn found(rule: fn(&Source) -> Vec<Violation>, path: &str, text: &str) -> Vec<String> {
    rule(&Source::new(path, text)).iter().map(Violation::to_string).collect()
}

#[test]
fn every_file_says_which_side_it_is_on() {
    hold(rules::headed);
    assert_eq!(found(rules::headed, "a.rs", "fn main() {}\n").len(), 1);
}

#[test]
fn no_file_is_too_long() {
    hold(rules::short);
    assert_eq!(found(rules::short, "a.rs", &"\n".repeat(801)).len(), 1);
}

#[test]
fn unsafe_code_is_where_foreign_code_is_met() {
    hold(rules::safe);
    let text = "//! unsafe in a comment\nfn f() { let s = \"unsafe\"; unsafe { g() } }\n";
    assert_eq!(
        found(rules::safe, "host/src/pool/a.rs", text),
        [
            "host/src/pool/a.rs:2: `unsafe` belongs to plugin-api, sdk and where a library is opened: a plugin, a driver, DuckDB"
        ]
    );
    assert!(found(rules::safe, "host/worker/src/loader/a.rs", text).is_empty());
}

#[test]
fn rooms_of_the_host_know_only_the_rooms_below() {
    hold(rules::arrows);
    let text =
        "use crate::{\n    app::App,\n    store::{Store, StoreError},\n};\nfn f() { crate::pool::x() }\n";
    let found = found(rules::arrows, "host/src/cli/a.rs", text);
    assert_eq!(found.len(), 2, "{found:?}");
    assert!(found[0].starts_with("host/src/cli/a.rs:3: `cli` uses `store`"), "{found:?}");
    assert!(found[1].starts_with("host/src/cli/a.rs:5: `cli` uses `pool`"), "{found:?}");
}

#[test]
fn a_way_through_super_is_an_arrow_as_well() {
    let found = |path, text| found(rules::arrows, path, text).len();
    assert_eq!(found("host/src/store/mod.rs", "use super::runner::X;\n"), 1);
    assert_eq!(found("host/src/store/a.rs", "use super::super::runner::X;\n"), 1);
    assert_eq!(found("host/src/store/a.rs", "use super::runner::X;\n"), 0);
}

#[test]
fn the_host_never_loads_code() {
    hold(rules::loads_nothing);
    for text in
        ["use libloading::Library;\n", "fn f() { libc::dlopen(x) }\n", "use {serde, wasmtime::Engine};\n"]
    {
        assert_eq!(found(rules::loads_nothing, "host/src/catalog/a.rs", text).len(), 1, "{text}");
    }
}

#[test]
fn the_core_does_no_io_and_reads_no_clock() {
    hold(rules::pure);
    for text in ["use std::{fmt, fs};\n", "use std::time::Instant;\n", "fn f() { std::thread::sleep(x) }\n"] {
        assert_eq!(found(rules::pure, "host/core/src/a.rs", text).len(), 1, "{text}");
        assert_eq!(found(rules::pure, "host/src/export/a.rs", text).len(), 1, "{text}");
    }
    let tests = "//! Pure.\n#[cfg(test)]\nmod tests {\n    use std::fs;\n}\n";
    assert!(found(rules::pure, "host/core/src/a.rs", tests).is_empty());
}

#[test]
fn only_the_pool_starts_processes() {
    hold(rules::starts_nothing);
    for text in [
        "use std::process::{Child, ExitCode};\n",
        "use std::process;\nfn f() { process::Command::new(\"git\").output() }\n",
        "use std::process::*;\nfn f() { Command::new(\"sh\").spawn() }\n",
        "fn f() { tokio::process::Command::new(\"sh\") }\n",
        "fn f() { nix::unistd::execvp(a, b) }\n",
    ] {
        assert_eq!(found(rules::starts_nothing, "host/src/notify/a.rs", text).len(), 1, "{text}");
        assert!(found(rules::starts_nothing, "host/src/pool/a.rs", text).is_empty());
    }
    let ends = "use std::process::ExitCode;\nfn f() { std::process::id(); args::Command::Run(x) }\n";
    assert!(found(rules::starts_nothing, "host/src/cli/a.rs", ends).is_empty());
}

#[test]
fn sql_stands_in_the_store_alone() {
    hold(rules::sql);
    let text = "fn f() { q(\"select x\n from y\"); q(r#\"INSERT INTO t\"#); q(\"selected from a list\") }\n";
    assert_eq!(found(rules::sql, "host/src/app.rs", text).len(), 2);
    assert!(found(rules::sql, "host/src/store/a.rs", text).is_empty());
}

#[test]
fn http_stands_in_the_server_alone() {
    hold(rules::http);
    assert_eq!(found(rules::http, "host/src/app.rs", "use axum::Router;\n").len(), 1);
    assert!(found(rules::http, "host/src/server/a.rs", "use axum::Router;\n").is_empty());
}

#[test]
fn tests_look_at_the_checkout_that_they_run_for() {
    hold(rules::looks_here);
    let text = concat!("fn f() { Path::new(env!", "(\"CARGO_MANIFEST_DIR\")) }\n");
    assert_eq!(found(rules::looks_here, "tests/a.rs", text).len(), 1);
    assert!(found(rules::looks_here, "xtask/src/project.rs", text).is_empty());
}

#[test]
fn only_the_command_line_prints() {
    hold(rules::quiet);
    let text = "fn f() { println!(\"x\"); std::io::stdout(); }\n";
    assert_eq!(found(rules::quiet, "host/src/runner/a.rs", text).len(), 2);
    assert!(found(rules::quiet, "host/src/cli/a.rs", text).is_empty());
}

#[test]
fn no_file_uses_one_that_uses_it() {
    let found = |sources: &[Source]| -> Vec<String> {
        circles::circles(sources).iter().map(Violation::to_string).collect()
    };
    let whole = found(whole_repository());
    assert!(whole.is_empty(), "files use one another:\n{}", whole.join("\n"));
    let room =
        Source::new("host/src/a/mod.rs", "mod one;\nmod two;\npub use one::One;\npub(crate) use two::Two;\n");
    let one = Source::new("host/src/a/one.rs", "fn f() { two::g() }\nuse super::two;\n");
    for back in ["use super::One;\n", "use super::one::*;\n", "fn g() { crate::a::One::new() }\n"] {
        let two = Source::new("host/src/a/two.rs", back);
        let rule = "in turn leads back to this file: move what both need to a file of its own";
        assert_eq!(
            found(&[room.clone(), one.clone(), two]),
            [
                format!("host/src/a/one.rs:1: `host/src/a/two.rs` {rule}"),
                format!("host/src/a/two.rs:1: `host/src/a/one.rs` {rule}"),
            ],
            "{back}"
        );
    }
    let tested = "//! Used.\n#[cfg(test)]\nmod tests {\n    use super::super::One;\n}\n";
    let two = Source::new("host/src/a/two.rs", tested);
    assert_eq!(found(&[room, one, two]), [""; 0], "a test may use what it likes");
}
