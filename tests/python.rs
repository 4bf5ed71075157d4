//! User story: a Python program talks to the server, with the client in `sdk/python`, installed as a user installs it.

use std::{
    path::{Path, PathBuf},
    process::Command,
    sync::OnceLock,
};

use crate::support::{arena::Arena, fixtures, served::Served};

static PYTHON: OnceLock<Result<PathBuf, String>> = OnceLock::new();

/// A Python with the client and a fuzzer installed, made once; or the sentence why there is none.
fn python() -> Option<&'static Path> {
    match PYTHON.get_or_init(install) {
        Ok(python) => Some(python),
        Err(why) => {
            println!("skipped: the Python client needs python3 with venv, and its packages: {why}");
            None
        }
    }
}

fn install() -> Result<PathBuf, String> {
    let folder = Path::new(env!("CARGO_BIN_EXE_dyno")).with_file_name("python-client");
    let python = folder.join("bin/python");
    let run = |command: &mut Command| -> Result<(), String> {
        let done = command.output().map_err(|error| format!("`{command:?}` cannot be started: {error}"))?;
        let said =
            String::from_utf8_lossy(&done.stderr).into_owned() + &String::from_utf8_lossy(&done.stdout);
        done.status.success().then_some(()).ok_or_else(|| format!("`{command:?}` failed: {said}"))
    };
    if !python.is_file() {
        run(Command::new("python3").args(["-m", "venv"]).arg(&folder))?;
    }
    let package = format!("{}[test]", fixtures::root().join("sdk/python").display());
    run(Command::new(&python).args(["-m", "pip", "install", "--quiet", &package, "schemathesis>=4,<5"]))?;
    Ok(python)
}

#[test]
fn a_python_program_starts_runs_and_reads_results() {
    let Some(python) = python() else { return };
    let arena = Arena::new();
    arena.add(&fixtures::native("good", "good_a"), "good_a.so");
    arena.add(&fixtures::native("loop_forever", "loop_forever"), "loop_forever.so");
    let server = Served::start(&arena, &[]);
    let done = Command::new(python)
        .args(["-m", "pytest", "-q", "-p", "no:cacheprovider"])
        .arg(fixtures::root().join("sdk/python/tests"))
        .current_dir(arena.path("work"))
        .env("DYNO_TEST_SERVER", &server.url)
        .env("DYNO_TEST_BENCHMARK", "good_a")
        .env("DYNO_TEST_ENDLESS", "loop_forever")
        .env("PYTHONDONTWRITEBYTECODE", "1")
        .output()
        .expect("it was just made");
    let said = String::from_utf8_lossy(&done.stdout);
    assert!(done.status.success(), "{said}\n{}", String::from_utf8_lossy(&done.stderr));
    println!("{said}");
    // The complete workflow, as its own words say to run it.
    let done = Command::new(python)
        .arg(fixtures::root().join("examples/python/workflow.py"))
        .args(["--server", &server.url, "--models", "good_a"])
        .output()
        .expect("it was just made");
    let said = String::from_utf8_lossy(&done.stdout);
    assert!(done.status.success(), "{said}\n{}", String::from_utf8_lossy(&done.stderr));
    assert!(said.contains("It is completed") && said.contains("Newest results"), "{said}");
}

#[test]
fn a_fuzzer_finds_no_request_that_makes_the_server_fail() {
    let Some(python) = python() else { return };
    let arena = Arena::new();
    arena.add(&fixtures::native("good", "good_a"), "good_a.so");
    let server = Served::start(&arena, &[]);
    let done = Command::new(python.with_file_name("schemathesis"))
        .args(["run", &format!("{}/openapi.json", server.url)])
        .args(["--checks", "not_a_server_error", "--max-examples", "15", "--seed", "7"])
        // Streams do not end by themselves.
        .args(["--exclude-path-regex", "/events|/ws", "--request-timeout", "30", "--no-color"])
        .args(["--suppress-health-check", "all"])
        .current_dir(arena.path("work"))
        .output()
        .expect("it was just installed");
    let said = String::from_utf8_lossy(&done.stdout);
    assert!(done.status.success(), "{said}\n{}", String::from_utf8_lossy(&done.stderr));
    assert!(said.contains("passed"), "{said}");
    assert_eq!(server.call("GET", "/readyz", &serde_json::Value::Null).0, 200);
}
