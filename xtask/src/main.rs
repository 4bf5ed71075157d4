//! Project tasks, as `cargo xtask COMMAND`. Every task says what it does before it does it.
#![allow(clippy::print_stdout, clippy::print_stderr, reason = "a task talks to the person who started it")]

mod bench;
mod demo;
mod dist;
mod lint;
mod plugins;
mod setup;
mod shell;
mod test;

use std::process::ExitCode;

const USAGE: &str = "\
usage: cargo xtask COMMAND

  demo       set up what is missing, build host and plugins, run the demo suite, show results and report
  test       set up what is missing, build plugins, run all tests (further arguments go to `cargo test`)
  lint       formatting, clippy, dependency rules, documentation
  plugins    build all plugins and examples into target/plugins
  setup      obtain what is missing: the DuckDB library, a WASM toolchain, a C compiler
  bench      measure dyno itself and its peers; results go to docs/benchmarks.md
  dist       put a release together in target/dist

  --bundled  (demo, test, dist) compile DuckDB from source instead of linking its prebuilt library: half an hour";

fn main() -> ExitCode {
    let mut arguments: Vec<String> = std::env::args().skip(1).collect();
    let command = if arguments.is_empty() { String::new() } else { arguments.remove(0) };
    let bundled = arguments
        .iter()
        .position(|argument| argument == "--bundled")
        .map(|at| arguments.remove(at))
        .is_some();
    let outcome = match command.as_str() {
        "demo" => demo::run(bundled),
        "test" => test::run(bundled, &arguments),
        "lint" => lint::run(),
        "plugins" => setup::run(true).and_then(|tools| plugins::run(&tools)).map(drop),
        "setup" => setup::run(bundled).map(drop),
        "bench" => bench::run(&arguments),
        "dist" => dist::run(bundled),
        "" | "help" | "--help" | "-h" => {
            println!("{USAGE}");
            return ExitCode::SUCCESS;
        }
        other => Err(format!("there is no task `{other}`\n\n{USAGE}")),
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(message) => {
            eprintln!("xtask: {message}");
            ExitCode::FAILURE
        }
    }
}
