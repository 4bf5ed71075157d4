//! User story: somebody chooses where a benchmark is measured, and what is counted meanwhile.

use dyno_core::model::{CaseRecord, Doctor};

use crate::support::{
    arena::{Arena, Outcome},
    fixtures,
};

fn arena() -> Arena {
    let arena = Arena::new();
    arena.add(&fixtures::example("hello-c/hello.c"), "hello-c.so");
    arena
}

fn run(arena: &Arena, arguments: &[&str]) -> Outcome {
    let quick = ["run", "sum_c", "--samples", "5", "--launches", "2", "--json"];
    let outcome = arena.dyno(&[&quick[..], arguments].concat());
    assert_eq!(outcome.code, Some(0), "{}", outcome.shown());
    outcome
}

fn case(outcome: &Outcome) -> CaseRecord {
    outcome.record().cases.into_iter().next().expect("a case")
}

/// The processors that `dyno` may use here, by its own word.
fn allowed(arena: &Arena) -> Vec<u32> {
    let doctor: Doctor =
        serde_json::from_value(arena.dyno(&["doctor", "--json"]).json()).expect("a document");
    doctor.readings.cpus.allowed
}

#[test]
fn a_launch_runs_on_the_processor_that_was_named() {
    let arena = arena();
    for cpu in allowed(&arena) {
        let case = case(&run(&arena, &["--cpus", &cpu.to_string()]));
        assert_eq!(case.launches.len(), 2);
        for launch in &case.launches {
            assert_eq!(launch.pinned_cpu, Some(cpu));
            assert!(launch.isolation.iter().any(|word| word == "pinned"), "{:?}", launch.isolation);
            let score = launch.environment.disturbance.expect("a score");
            assert!((0.0..=1.0).contains(&score), "{score}");
            assert!(launch.environment.preemptions.is_some() && launch.environment.retaken_share.is_some());
        }
    }
}

#[test]
fn a_processor_that_is_not_there_is_refused_with_those_that_are() {
    let arena = arena();
    let plugin = fixtures::example("hello-c/hello.c");
    let plugin = plugin.to_str().expect("UTF-8");
    for command in [&["run", "sum_c"][..], &["ab", plugin, plugin], &["aa", plugin]] {
        for (list, expected) in [("4095", "no processor 4095"), ("one", "`one` is not a list of processors")]
        {
            let outcome = arena.dyno(&[command, &["--cpus", list]].concat());
            assert_eq!(outcome.code, Some(2), "{}", outcome.shown());
            assert!(outcome.stderr.contains(expected), "{}", outcome.shown());
        }
    }
    let outcome = arena.dyno(&["run", "sum_c", "--cpus", "4095"]);
    let first = allowed(&arena)[0].to_string();
    assert!(
        outcome.stderr.contains(&first) && outcome.stderr.contains("can be measured"),
        "{}",
        outcome.shown()
    );
}

#[test]
fn what_is_counted_is_a_metric_and_what_is_not_has_a_reason() {
    let arena = arena();
    let outcome = run(&arena, &["--counters"]);
    let found = case(&outcome);
    let missing =
        found.launches.iter().flat_map(|launch| &launch.missing).cloned().collect::<Vec<_>>().join("\n");
    for (name, word) in [
        ("instructions", "instructions"),
        ("cycles", "cycles"),
        ("branch_misses", "branch misses"),
        ("cache_misses", "cache misses"),
        ("page_faults", "page faults"),
        ("energy", "energy"),
    ] {
        let is_said = missing.contains(word) || missing.contains("nothing is counted");
        match found.metric(name) {
            Some(metric) => assert!(!metric.unit.is_empty() && metric.median >= 0.0, "{metric:?}"),
            None => assert!(is_said, "{name} is neither counted nor explained: {missing}"),
        }
        for launch in &found.launches {
            if let Some(values) = launch.counters.get(name) {
                assert!(values.len() <= launch.samples.len(), "{name}");
            }
        }
    }
    let shown = arena.dyno(&["results"]).stdout;
    assert!(missing.lines().all(|sentence| shown.contains(sentence)), "{shown}\n{missing}");
    let plain = case(&run(&arena, &[]));
    assert!(plain.launches.iter().all(|launch| launch.counters.is_empty() && launch.missing.is_empty()));
    assert!(plain.metric("page_faults").is_none());
}

#[test]
fn real_time_priority_is_had_or_explained() {
    let arena = arena();
    for launch in &case(&run(&arena, &["--realtime"])).launches {
        let had = launch.isolation.iter().any(|word| word == "realtime");
        let said =
            launch.missing.iter().any(|sentence| sentence.starts_with("real-time priority is not used"));
        assert!(had != said, "{:?} {:?}", launch.isolation, launch.missing);
    }
}
