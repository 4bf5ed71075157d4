//! `cargo xtask`: everything that is done with this repository, beside and never inside the product.

#![allow(clippy::print_stdout, clippy::print_stderr, reason = "these commands talk to whoever typed them")]

mod bench;
mod demo;
mod dist;
mod failure;
mod lint;
mod metadata;
mod native;
mod options;
mod plugins;
mod process;
mod project;
mod setup;
mod test;

use std::process::ExitCode;

use failure::Outcome;
use options::Options;

/// What `cargo xtask` offers, in the order in which a newcomer needs it.
const HELP: &str = "\
usage: cargo xtask COMMAND [--bundled] [ARGUMENTS]

  demo     obtain what is missing, build everything, run the quick suite, show what comes of it
  test     obtain what is missing, build everything, run every test; arguments go to `cargo test`
  lint     formatting, clippy, dependencies (licences, sources, advisories), documentation, shell
  plugins  build all plugins, native and WASM, into TARGET/plugins
  setup    only obtain what is missing: the DuckDB library, what the dashboard embeds, the WASM toolchain,
           the C compilers, and what only tests use: NVRTC, Chromium, compilers of other languages
  bench    measure dyno itself and write docs/benchmarks.md; without arguments, list what there is
  dist     make a release under TARGET/dist: folder, archive, wheel, Debian package

  --bundled   compile DuckDB from source (half an hour on two cores) instead of using the prebuilt library";

fn main() -> ExitCode {
    let mut arguments = std::env::args().skip(1);
    let command = arguments.next().unwrap_or_default();
    match run(&command, &Options::new(arguments)) {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            eprintln!("{failure}");
            ExitCode::FAILURE
        }
    }
}

fn run(command: &str, options: &Options) -> Outcome<()> {
    match command {
        "demo" => demo::run(options),
        "test" => test::run(options),
        "lint" => lint::run(options),
        "plugins" => plugins::run(options),
        "setup" => setup::run(options),
        "bench" => bench::run(options),
        "dist" => dist::run(options),
        "" | "help" | "-h" | "--help" => {
            println!("{HELP}");
            Ok(())
        }
        unknown => Err(failure::Failure::new(format!("there is no command `{unknown}`")).next(HELP)),
    }
}
