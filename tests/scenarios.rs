//! User story: somebody serves a model and asks what latency and throughput it gives under load.

use dyno_core::model::{CaseRecord, Scenario};

use crate::support::{
    arena::{Arena, Outcome},
    fixtures,
};

fn arena() -> Arena {
    let arena = Arena::new();
    arena.add(&fixtures::example("hello-c/hello.c"), "hello-c.so");
    arena
}

fn play(arena: &Arena, arguments: &[&str]) -> Outcome {
    play_for(arena, "300ms", arguments)
}

fn play_for(arena: &Arena, time: &str, arguments: &[&str]) -> Outcome {
    let mut all = vec!["run", "sum_c", "--json", "--time", time, "--scenario"];
    all.extend(arguments);
    arena.dyno(&all)
}

#[track_caller]
fn case(outcome: &Outcome) -> CaseRecord {
    assert_eq!(outcome.code, Some(0), "{}", outcome.shown());
    outcome.record().cases.remove(0)
}

#[test]
fn each_scenario_sends_queries_its_own_way_and_the_database_keeps_them() {
    let arena = arena();
    let single = case(&play(&arena, &["single-stream"]));
    let load = single.launches[0].load.clone().expect("a scenario gives a load record");
    assert_eq!(load.scenario, Scenario::SingleStream);
    assert!(load.queries.windows(2).all(|pair| pair[0].end_ns <= pair[1].start_ns), "one after the other");
    assert!(single.launches[0].samples.is_empty());
    let stored = arena.dyno(&["results", "--samples", "--json"]).record();
    assert_eq!(stored.cases[0], single, "what is stored is what was shown");
    let multi = case(&play(&arena, &["multi-stream", "--streams", "5"]));
    assert!(
        multi.launches[0].load.as_ref().is_some_and(|load| load.queries.iter().all(|it| it.samples == 5))
    );
    let offline = case(&play(&arena, &["offline"]));
    assert_eq!(offline.launches[0].load.as_ref().map(|load| load.queries.len()), Some(1));
    assert!(offline.metric("samples_per_second").is_some_and(|rate| rate.median > 0.0));
}

#[test]
fn a_server_is_valid_within_its_bound_and_says_why_not() {
    let arena = arena();
    let valid = case(&play(&arena, &["server", "--target-qps", "5000", "--latency-bound", "10s"]));
    let load = valid.launches[0].load.clone().expect("a load record");
    assert!(load.queries.iter().all(|query| query.scheduled_ns <= query.start_ns), "none before its arrival");
    assert_eq!((load.valid, load.remark), (Some(true), None));
    let few = case(&play(&arena, &["server", "--target-qps", "100", "--latency-bound", "10s"]));
    assert_eq!(few.launches[0].load.as_ref().and_then(|load| load.valid), Some(false));
    let shown = arena.dyno(&["results"]);
    assert!(shown.stdout.contains("too few for a p99"), "{}", shown.shown());
    let missed = case(&play(&arena, &["server", "--target-qps", "5000", "--latency-bound", "1ns"]));
    let remark = missed.launches[0].load.as_ref().and_then(|load| load.remark.clone()).unwrap_or_default();
    assert!(remark.contains("above the bound of 1.000 ns"), "{remark}");
}

#[test]
fn the_peak_is_a_rate_that_was_valid() {
    let arena = arena();
    let found = case(&play_for(&arena, "2s", &["server", "--find-peak", "--latency-bound", "10s"]));
    let peak = found.metric("peak_qps").expect("any rate meets ten seconds").median;
    let valid = found.launches.iter().filter_map(|launch| launch.load.as_ref()).any(|load| {
        load.valid == Some(true)
            && matches!(load.scenario, Scenario::Server { target_qps: Some(rate), .. } if rate == peak)
    });
    assert!(valid, "{peak} was tried and was valid");
}

#[test]
fn a_search_tries_only_rates_that_its_time_can_judge_and_says_if_none_is_valid() {
    let arena = arena();
    // At 500 queries/s, half a second has too few queries for a p99.
    let found = case(&play_for(&arena, "500ms", &["server", "--find-peak", "--latency-bound", "10s"]));
    assert!(found.metric("peak_qps").is_some_and(|peak| peak.median >= 1_200.0), "{:?}", found.metrics);
    let outcome = play_for(&arena, "500ms", &["server", "--find-peak", "--latency-bound", "1ns"]);
    let missed = outcome.record().cases.remove(0);
    let dyno_core::model::CaseStatus::Failed { reason, .. } = &missed.status else {
        panic!("{}", outcome.shown())
    };
    for said in ["no rate from 1200 queries/s on", "above the bound of 1.000 ns", "longer --time"] {
        assert!(reason.message.contains(said), "{reason}");
    }
}

#[test]
fn what_does_not_belong_together_is_a_usage_error() {
    let arena = arena();
    for (arguments, fragment) in [
        (&["server", "--target-qps", "10"][..], "needs a --latency-bound"),
        (&["server", "--latency-bound", "1ms"], "needs a --target-qps, or --find-peak"),
        (&["server", "--latency-bound", "1ms", "--target-qps=-1"], "is not a rate"),
        (&["server", "--latency-bound", "1ms", "--target-qps", "inf"], "is not a rate"),
        (&["offline", "--target-qps", "10"], "belong to `--scenario server`"),
        (&["offline", "--precision", "1%"], "leave out --samples and --precision"),
        (&["burst"], "single-stream"),
    ] {
        let outcome = play(&arena, arguments);
        assert_eq!(outcome.code, Some(2), "{}", outcome.shown());
        assert!(outcome.stderr.contains(fragment), "`{fragment}` is not in {}", outcome.shown());
    }
}
