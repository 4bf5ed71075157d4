//! User story: somebody measures a debug build without noticing, and is told wherever the numbers are.

use std::fs;

use dyno_core::model::PluginBuild;

use crate::support::{
    arena::{Arena, Outcome},
    fixtures,
};

/// The sentence about the C example.
const SENTENCE: &str = "`hello-c` is a debug build: its times are not those of a release build";

fn can_build() -> bool {
    let can = fixtures::has_compiler("cc") && fixtures::has_compiler("c++");
    if !can {
        println!("skipped: there is no C and C++ compiler on this machine");
    }
    can
}

/// An arena with the C example, compiled with these flags.
fn arena_with(flags: &[&str]) -> Arena {
    let arena = Arena::new();
    arena.add(&fixtures::example_with("hello-c/hello.c", flags), "hello_c.so");
    arena
}

#[track_caller]
fn good(outcome: &Outcome) -> &str {
    assert_eq!(outcome.code, Some(0), "{}", outcome.shown());
    &outcome.stdout
}

const SHORT: [&str; 6] = ["run", "sum_c", "--launches", "1", "--time", "20ms"];

#[test]
fn a_debug_build_is_marked_in_lists_runs_results_and_reports() {
    if !can_build() {
        return;
    }
    let arena = arena_with(&["-O0"]);
    let flat = |text: &str| text.split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(good(&arena.dyno(&["list"])).contains("debug build"));
    assert_eq!(arena.dyno(&["list", "--json"]).json()["plugins"][0]["descriptor"]["build"], "debug");
    assert!(good(&arena.dyno(&["inspect", "hello-c"])).contains(SENTENCE));
    assert!(flat(good(&arena.dyno(&SHORT))).contains(SENTENCE));

    let json: Vec<&str> = SHORT.into_iter().chain(["--json"]).collect();
    let record = arena.dyno(&json).record();
    assert_eq!(record.cases[0].plugin.build, Some(PluginBuild::Debug));
    // The database says it as well.
    assert_eq!(arena.dyno(&["results", "--samples", "--json"]).record().cases, record.cases);
    let report = fs::read_to_string(arena.path(&format!("out/{}.md", record.id))).unwrap();
    assert!(report.contains("is a debug build"), "{report}");
}

#[test]
fn a_release_build_is_recorded_and_nothing_is_said() {
    if !can_build() {
        return;
    }
    let arena = arena_with(&["-O2"]);
    for arguments in [&["list"][..], &["inspect", "hello-c"], &SHORT] {
        let outcome = arena.dyno(arguments);
        assert!(!good(&outcome).contains("debug build"), "{}", outcome.shown());
    }
    let json: Vec<&str> = SHORT.into_iter().chain(["--json"]).collect();
    assert_eq!(arena.dyno(&json).record().cases[0].plugin.build, Some(PluginBuild::Release));
}

#[test]
fn the_mark_outlives_the_linker_and_strip_in_both_languages() {
    if !can_build() {
        return;
    }
    let removing =
        ["-ffunction-sections", "-fdata-sections", "-fvisibility=hidden", "-Wl,--gc-sections", "-s"];
    for (example, id) in [("hello-c/hello.c", "hello-c"), ("hello-cpp/hello.cpp", "hello-cpp")] {
        for (level, expected) in
            [("-O0", "debug"), ("-O1", "release"), ("-Os", "release"), ("-O3", "release")]
        {
            let flags: Vec<&str> = removing.into_iter().chain([level]).collect();
            let arena = Arena::new();
            arena.add(&fixtures::example_with(example, &flags), "plugin.so");
            let seen = arena.dyno(&["inspect", id, "--json"]).json();
            assert_eq!(seen[0]["descriptor"]["build"], expected, "{example} {level}");
        }
    }
}

#[test]
fn a_comparison_says_which_side_is_the_debug_build() {
    if !can_build() {
        return;
    }
    let arena = Arena::new();
    let debug = arena.add(&fixtures::example_with("hello-c/hello.c", &["-O0"]), "debug.so");
    let release = arena.add(&fixtures::example_with("hello-c/hello.c", &["-O2"]), "release.so");
    let path = |path: &std::path::Path| path.display().to_string();
    let said = |sides: [&std::path::Path; 2]| {
        let sides = sides.map(path);
        arena.dyno(&["ab", &sides[0], &sides[1], "--budget", "1s"]).stderr
    };
    assert!(said([&debug, &release]).contains(&format!("the baseline {SENTENCE}")));
    assert!(said([&release, &debug]).contains(&format!("the candidate {SENTENCE}")));
    let both = said([&debug, &debug]);
    assert_eq!(both.matches(SENTENCE).count(), 1, "{both}");
}
