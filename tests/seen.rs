//! User story: somebody looks at what dyno writes, on terminals of any width and kind, and understands it.

use std::{fs, path::Path};

use unicode_width::UnicodeWidthStr;

use crate::support::{
    arena::{Arena, Outcome},
    fixtures, terminal,
};

const QUICK: [&str; 4] = ["--samples", "3", "--launches", "2"];
const LONG_NAME: &str = "lookups_in_a_crowded_table_of_strings";

fn quick<'a>(arguments: &[&'a str]) -> Vec<&'a str> {
    [&["run"], arguments, &QUICK].concat()
}

/// An arena with the example in C, the plugin that makes tables wide, and the same benchmark as a component.
fn arena() -> Arena {
    let arena = Arena::new();
    arena.add(&fixtures::example("hello-c/hello.c"), "hello-c.so");
    arena.add(&fixtures::of_story("seen/wide.c"), "wide.so");
    arena.add(&fixtures::wasm("good", "in_wasm"), "in_wasm.wasm");
    arena
}

/// The sweep whose table is looked at: long names, metrics of their own, both engines, a failure.
const SWEEP: [&str; 4] = ["*", "-p", "entries=64,128", "-p"];

/// Everything above the places, which are paths.
fn table(outcome: &Outcome) -> &str {
    outcome.stdout.split("\nrun      ").next().unwrap_or_default()
}

#[track_caller]
fn fits(text: &str, columns: usize) {
    for line in text.lines() {
        assert!(line.width() <= columns, "{} columns: `{line}`\nof {columns} in\n{text}", line.width());
    }
}

#[test]
fn a_table_fits_its_width_and_breaks_no_value() {
    let arena = arena();
    let mut arguments = SWEEP.to_vec();
    arguments.push("strategy=linear,broken");
    for columns in ["60", "80", "120"] {
        let mut command = arena.command(&quick(&arguments));
        command.env("COLUMNS", columns);
        let output = command.output().expect("dyno is built");
        let shown = String::from_utf8_lossy(&output.stdout).into_owned();
        let table = shown.split("\nrun      ").next().unwrap_or_default();
        assert_eq!(output.status.code(), Some(4), "{shown}");
        fits(table, columns.parse().unwrap());
        let words = |text: &str| text.split_whitespace().collect::<Vec<_>>().join(" ");
        for line in table.lines() {
            assert!(!line.trim_end().ends_with('±') && !line.trim_start().starts_with(['±', '%']), "{table}");
        }
        for once in ["unused=7", "the strategy is broken on purpose"] {
            assert_eq!(words(table).matches(once).count(), 1, "`{once}` in\n{table}");
        }
        assert!(table.contains("12.50 collisions") && table.contains("87.50 percent"), "{table}");
        for case in table.split(&format!("\n{LONG_NAME}")).skip(1).take(4) {
            let lines = 1 + case.lines().skip(1).take_while(|line| line.starts_with(' ')).count();
            // The name and its parameters alone are wider than 60 columns.
            let most = if columns == "60" { 5 } else { 3 };
            assert!(lines <= most, "a case takes {lines} lines in\n{table}");
        }
        assert!(table.contains("n=4096"), "what does not vary is said once\n{table}");
    }
}

#[test]
fn lists_fit_too() {
    let arena = arena();
    arena.dyno(&quick(&["sum_c", "--tag", "nightly", "--tag", "a-tag-that-takes-much-room"]));
    for columns in [60usize, 80, 120] {
        for arguments in [
            &["list"][..],
            &["list", "--all-columns"],
            &["devices"],
            &["results", "--list"],
            &["results", "--all-columns"],
            &["run", "*", "--hardware", "cpu,webnn", "--dry-run"],
        ] {
            let mut command = arena.command(arguments);
            command.env("COLUMNS", columns.to_string());
            let output = command.output().expect("dyno is built");
            assert!(output.status.success(), "{arguments:?}");
            fits(&String::from_utf8_lossy(&output.stdout), columns);
        }
    }
}

#[test]
fn every_column_is_shown_when_asked_for() {
    let arena = arena();
    arena.dyno(&quick(&["sum_c"]));
    let outcome = arena.dyno(&["results", "--all-columns"]);
    for text in ["hello-c 1.0.0", "native", "n=4096", "peak memory", "min", "2 × 3"] {
        assert!(outcome.stdout.contains(text), "`{text}` is not in {}", outcome.shown());
    }
}

#[test]
fn a_failure_is_told_once_and_one_case_is_singular() {
    let arena = arena();
    let outcome = arena.dyno(&quick(&[LONG_NAME, "-p", "strategy=broken"]));
    let both = format!("{}{}", outcome.stdout, outcome.stderr);
    assert_eq!(both.matches("broken on purpose").count(), 1, "{}", outcome.shown());
    assert!(outcome.stderr.contains("failed in setup"), "what goes on is told: {}", outcome.shown());
    let dry = arena.dyno(&["run", "sum_c", "--dry-run"]);
    assert!(dry.stdout.contains("1 case; nothing was run"), "{}", dry.shown());
    // Where nothing follows, the reason is told when it is known.
    let json = arena.dyno(&quick(&[LONG_NAME, "-p", "strategy=broken", "--json"]));
    assert!(json.stderr.contains("broken on purpose"), "{}", json.shown());
}

#[test]
fn a_reason_that_cases_share_is_told_once() {
    let arena = arena();
    let outcome = arena.dyno(&quick(&["sum_c", "-p", "n=1,2,3", "--hardware", "webnn"]));
    assert_eq!(outcome.stdout.matches("is not available").count(), 1, "{}", outcome.shown());
    assert!(outcome.stdout.contains("3 cases: skipped: device `webnn`"), "{}", outcome.shown());
}

#[test]
fn a_terminal_that_cannot_draw_gets_a_line_per_case() {
    let arena = arena();
    for (kind, colour) in
        [(Some("xterm"), true), (Some("dumb"), true), (Some(""), true), (None, true), (Some("xterm"), false)]
    {
        let mut command = arena.command(&quick(&["sum_c", "-p", "n=64,128"]));
        match kind {
            Some(kind) => command.env("TERM", kind),
            None => command.env_remove("TERM"),
        };
        if colour {
            command.env_remove("NO_COLOR");
        } else {
            command.env("NO_COLOR", "1");
        }
        let screen = terminal::run(command, 100, None);
        assert_eq!(screen.code, Some(0), "{}", screen.text);
        assert!(screen.text.contains("[1/2]") && screen.text.contains("[2/2]"), "{kind:?}: {}", screen.text);
        let is_drawn = screen.text.contains('\u{1b}');
        assert_eq!(is_drawn, kind == Some("xterm"), "{kind:?}: {:?}", screen.text);
        if !colour {
            assert!(!screen.text.contains("\u{1b}[3"), "{:?}", screen.text);
        }
    }
}

#[test]
fn a_wait_is_told_on_a_dumb_terminal() {
    let arena = arena();
    let mut held = arena.command(&["run", "sum_c", "--time", "300s", "--launches", "1"]);
    held.arg("--db-path").arg(arena.path("out/other.duckdb"));
    let mut holder = held
        .stdout(std::process::Stdio::null())
        .stderr(std::process::Stdio::null())
        .spawn()
        .expect("dyno is built");
    // The holder has the device for as long as it runs: until it has it, the other may come first and simply end.
    let mut told = false;
    for _ in 0..50 {
        let mut again = arena.command(&quick(&["sum_c", "--lease-timeout", "1s"]));
        again.env("TERM", "dumb");
        let screen = terminal::run(again, 80, None);
        told = screen.text.contains("waiting for cpu");
        if told {
            break;
        }
    }
    let _ = nix::sys::signal::kill(
        nix::unistd::Pid::from_raw(holder.id().cast_signed()),
        nix::sys::signal::Signal::SIGTERM,
    );
    let _ = holder.wait();
    assert!(told, "nobody said that the device is taken");
}

#[test]
fn a_table_follows_a_resize() {
    let arena = arena();
    let mut arguments = SWEEP.to_vec();
    arguments.push("strategy=linear");
    let mut command = arena.command(&quick(&arguments));
    command.env("TERM", "dumb");
    let screen = terminal::run(command, 140, Some(("[1/", 60)));
    let table = screen.text.split("benchmark").nth(1).and_then(|rest| rest.split("\nrun      ").next());
    fits(table.unwrap_or_default(), 60);
    assert!(table.is_some(), "{}", screen.text);
}

#[test]
fn files_run_without_a_folder() {
    let arena = Arena::new();
    let outside = arena.path("build");
    fs::create_dir(&outside).expect("the arena is writable");
    let native = outside.join("hello-c.so");
    fs::copy(fixtures::example("hello-c/hello.c"), &native).expect("the arena is writable");
    let wasm = outside.join("in_wasm.wasm");
    fs::copy(fixtures::wasm("good", "in_wasm"), &wasm).expect("the arena is writable");
    let (native, wasm) = (native.to_str().unwrap(), wasm.to_str().unwrap());
    let names = |outcome: &Outcome| -> Vec<String> {
        outcome.record().cases.iter().map(|case| case.benchmark.clone()).collect()
    };
    assert_eq!(names(&arena.dyno(&quick(&[native, "--json"]))), ["sum_c"]);
    assert_eq!(names(&arena.dyno(&quick(&[native, wasm, "--json"]))), ["sum_c", "in_wasm"]);
    assert_eq!(names(&arena.dyno(&quick(&[native, wasm, "in_*", "--json"]))), ["in_wasm"]);
    let listed = arena.dyno(&["list", wasm]);
    assert!(listed.stdout.contains("in_wasm") && !listed.stdout.contains("sum_c"), "{}", listed.shown());
    let outcome = arena.dyno(&quick(&[native, "sum"]));
    assert_eq!(outcome.code, Some(2), "{}", outcome.shown());
    assert!(
        outcome.stderr.contains("there is no benchmark `sum`; the nearest are sum_c"),
        "{}",
        outcome.shown()
    );
    let outcome = arena.dyno(&quick(&["nowhere/lib.so"]));
    assert_eq!(outcome.code, Some(2), "{}", outcome.shown());
    assert!(
        outcome.stderr.contains("nowhere/lib.so") && outcome.stderr.contains("No such file"),
        "{}",
        outcome.shown()
    );
}

#[test]
fn a_benchmark_that_is_missed_says_what_was_rejected() {
    let arena = arena();
    fs::write(arena.path("plugins/libbroken.so"), "").expect("the arena is writable");
    fs::write(arena.path("plugins/libmissed.rlib"), "").expect("the arena is writable");
    arena.add(&fixtures::native("lacks_the_descriptor", "lacks_the_descriptor"), "libhash_map.so");
    let outcome = arena.dyno(&quick(&["hash-map/insert", "--plugins", "/nonexistent/folder"]));
    assert_eq!(outcome.code, Some(2), "{}", outcome.shown());
    for text in [
        "there is no benchmark `hash-map/insert`",
        "libbroken.so: the file is empty",
        "libmissed.rlib",
        "crate-type = [\"cdylib\"]",
        "libhash_map.so: not a dyno plugin",
        "`export_plugin!`",
        "/nonexistent/folder: plugin folder cannot be read",
    ] {
        assert!(outcome.stderr.contains(text), "`{text}` is not in {}", outcome.shown());
    }
}

#[test]
fn a_build_folder_of_cargo_is_listed_quietly() {
    let arena = arena();
    for folder in [".fingerprint", "deps", "build/x/out"] {
        fs::create_dir_all(arena.path("plugins").join(folder)).expect("the arena is writable");
    }
    let foreign = fixtures::native("lacks_the_descriptor", "lacks_the_descriptor");
    for name in ["deps/libserde_derive.so", "deps/libhello.so", "build/x/out/libz.so", "one.so", "two.so"] {
        let marked = arena.add(&foreign, name);
        // Other bytes each, as libraries have.
        let mut bytes = fs::read(&marked).expect("it was just written");
        bytes.extend(name.as_bytes());
        fs::write(&marked, bytes).expect("the arena is writable");
    }
    let outcome = arena.dyno(&["list"]);
    assert!(!outcome.stderr.contains("deps") && !outcome.stderr.contains("libz"), "{}", outcome.shown());
    assert!(!outcome.stderr.contains("one.so"), "{}", outcome.shown());
    assert!(
        outcome.stderr.contains("2 other libraries in these folders are not plugins"),
        "{}",
        outcome.shown()
    );
    let outcome = arena.dyno(&["list", "--all"]);
    assert!(outcome.stderr.contains("one.so: not a dyno plugin"), "{}", outcome.shown());
}

#[test]
fn an_unknown_key_of_a_descriptor_is_a_warning() {
    let arena = arena();
    let file = arena.path("plugins/wide.so");
    let file = file.to_str().unwrap();
    for arguments in [&["list"][..], &["inspect", "wide"], &["inspect", file], &quick(&[LONG_NAME])] {
        let outcome = arena.dyno(arguments);
        assert_eq!(outcome.code, Some(0), "{}", outcome.shown());
        assert!(
            outcome.stderr.contains("unknown key `licence` in `plugin`")
                && outcome.stderr.contains("did you mean `license`?"),
            "{arguments:?}: {}",
            outcome.shown()
        );
    }
    let other = arena.dyno(&quick(&["sum_c"]));
    assert!(!other.stderr.contains("licence"), "only what is run is warned of: {}", other.shown());
}

#[test]
fn compiling_a_component_is_told_once() {
    let arena = arena();
    let compiles = |outcome: &Outcome| outcome.stderr.contains("compiling the component in_wasm 1.0.0");
    assert!(compiles(&arena.dyno(&quick(&["in_wasm"]))), "the first run compiles");
    assert!(!compiles(&arena.dyno(&quick(&["in_wasm"]))), "the second does not");
    assert!(!compiles(&arena.dyno(&quick(&["sum_c"]))), "nothing is compiled of a library");
    let file = arena.path("plugins/in_wasm.wasm");
    fs::remove_dir_all(arena.path("cache/code")).expect("compiled code is there");
    let file = file.to_str().unwrap();
    assert!(compiles(&arena.dyno(&["ab", file, file, "--budget", "1s"])), "a comparison says it, too");
}

#[test]
fn disturbance_is_one_line() {
    let arena = arena();
    let outcome = arena.dyno(&quick(&["sum_c", "-p", "n=64,128,256"]));
    assert!(table(&outcome).matches("disturbed").count() <= 1, "{}", outcome.shown());
    assert!(!outcome.stdout.contains("of 1:"), "{}", outcome.shown());
    assert!(Path::new(&arena.path("out")).is_dir());
}
