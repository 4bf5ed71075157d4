//! User story: an operator asks what makes this machine measure badly, and whether two machines may be compared.

use std::fs;

use dyno_core::model::{Comparable, Doctor, DoctorComparison, Severity};
use serde_json::{Value, json};

use crate::support::{
    arena::{Arena, Outcome},
    fixtures,
};

fn doctor(arena: &Arena, arguments: &[&str]) -> Outcome {
    let outcome = arena.dyno(&[&["doctor"], arguments].concat());
    assert_eq!(outcome.code, Some(0), "{}", outcome.shown());
    outcome
}

fn document(outcome: &Outcome) -> Doctor {
    serde_json::from_value(outcome.json()).unwrap_or_else(|error| panic!("{error}: {}", outcome.shown()))
}

#[track_caller]
fn refused(arena: &Arena, arguments: &[&str], fragments: &[&str]) {
    let outcome = arena.dyno(arguments);
    assert_eq!(outcome.code, Some(2), "{}", outcome.shown());
    for fragment in fragments {
        assert!(outcome.stderr.contains(fragment), "`{fragment}` is not in {}", outcome.shown());
    }
}

#[test]
fn every_finding_has_its_severity_and_what_is_bad_says_what_to_do() {
    let arena = Arena::new();
    let found = document(&doctor(&arena, &["--json"]));
    assert_eq!((found.schema.as_str(), found.version), ("dyno.doctor", 1));
    assert!(!found.readings.cpus.allowed.is_empty() && found.readings.memory.total_bytes > 0);
    let topics: Vec<&str> = found.findings.iter().map(|finding| finding.topic.as_str()).collect();
    for topic in ["memory", "governor", "layout", "virtualisation", "counters", "energy", "leases", "noise"] {
        assert!(topics.contains(&topic), "nothing about {topic}: {topics:?}");
    }
    for finding in &found.findings {
        if finding.severity < Severity::Note {
            assert!(finding.command.is_some() || finding.advice.is_some(), "{finding:?}");
        }
    }
    let text = doctor(&arena, &[]).stdout;
    let lines: Vec<&str> = text.lines().collect();
    assert!(lines.iter().any(|line| line.starts_with("good ")), "{text}");
    assert!(text.contains(" problem") && text.contains(&found.machine.hostname), "{text}");
}

#[test]
fn noise_that_was_never_measured_names_the_next_step_and_measured_noise_is_shown() {
    let arena = Arena::new();
    arena.add(&fixtures::example("hello-c/hello.c"), "hello-c.so");
    let noise = |found: &Doctor| {
        found
            .findings
            .iter()
            .find(|finding| finding.topic == "noise")
            .cloned()
            .expect("a finding about noise")
    };
    let before = document(&doctor(&arena, &["--json"]));
    assert!(before.noise.upper_bound.is_none());
    assert!(noise(&before).command.is_some_and(|command| command.starts_with("dyno aa ")));
    let aa = arena.dyno(&["aa", "hello-c", "--comparisons", "2", "--budget", "300ms", "--json"]);
    assert_eq!(aa.code, Some(0), "{}", aa.shown());
    let after = document(&doctor(&arena, &["--json"]));
    assert_eq!(after.noise.comparisons, 2, "{:?}", after.noise);
    assert_eq!(after.noise.cases.len(), 1);
    let bound = after.noise.upper_bound.expect("a bound");
    assert!((0.7..=1.0).contains(&bound), "0 of 2 show at most 78 %: {bound}");
    assert_ne!(noise(&after).severity, Severity::Good, "two comparisons show nothing");
    assert!(doctor(&arena, &[]).stdout.contains("equal builds of"));
}

#[test]
fn a_broken_database_is_a_finding_and_no_failure() {
    let arena = Arena::new();
    fs::write(arena.path("out/dyno.duckdb"), "this is no database").expect("a file");
    let found = document(&doctor(&arena, &["--json"]));
    assert!(found.noise.unreadable.is_some());
    assert!(
        found
            .findings
            .iter()
            .any(|finding| finding.topic == "noise" && finding.severity == Severity::Warning)
    );
}

#[test]
fn a_machine_is_saved_and_held_against_another() {
    let arena = Arena::new();
    let (here, there) = (arena.path("here.json"), arena.path("there.json"));
    let (here, there) = (here.to_str().expect("UTF-8"), there.to_str().expect("UTF-8"));
    doctor(&arena, &["--save", here]);
    let mut other: Value = serde_json::from_str(&fs::read_to_string(here).expect("saved")).expect("JSON");
    other["machine"]["hostname"] = json!("another");
    other["machine"]["cpu"]["model"] = json!("Another CPU");
    other["readings"]["memory"]["huge_pages"] = json!("never");
    fs::write(there, other.to_string()).expect("a file");
    let both = doctor(&arena, &["--json", "--compare", here, there]).json();
    let both: DoctorComparison = serde_json::from_value(both).expect("a comparison");
    let topics: Vec<&str> = both.differences.iter().map(|it| it.topic.as_str()).collect();
    assert_eq!(topics, ["processor", "huge pages"]);
    assert_eq!(both.comparable, Comparable::No);
    let shown = doctor(&arena, &["--compare", there]).stdout;
    assert!(shown.contains("Another CPU") && shown.contains("comparable: no;"), "{shown}");
    let same = doctor(&arena, &["--compare", here, here]).stdout;
    assert!(same.contains("comparable: yes; nothing that decides speed differs"), "{same}");
}

#[test]
fn what_is_no_document_says_what_it_is() {
    let arena = Arena::new();
    let file = |name: &str, text: &str| {
        let path = arena.path(name);
        fs::write(&path, text).expect("a file");
        path.display().to_string()
    };
    refused(
        &arena,
        &["doctor", "--compare", "nowhere.json"],
        &["`nowhere.json`: cannot be read: No such file"],
    );
    refused(&arena, &["doctor", "--compare", &file("a", "<html>")], &["not JSON"]);
    refused(
        &arena,
        &["doctor", "--compare", &file("b", r#"{"schema":"dyno.result"}"#)],
        &["`dyno doctor`", "\"dyno.result\""],
    );
    refused(
        &arena,
        &["doctor", "--compare", &file("c", r#"{"schema":"dyno.doctor","version":9}"#)],
        &["version 9"],
    );
    refused(
        &arena,
        &["doctor", "--compare", &file("d", r#"{"schema":"dyno.doctor","version":1}"#)],
        &["damaged: missing field"],
    );
    refused(
        &arena,
        &["doctor", "--save", "no/such/folder.json"],
        &["--save `no/such/folder.json`: there is no folder `no/such`"],
    );
}
