//! The `dyno-worker` binary.

use std::process::ExitCode;

fn main() -> ExitCode {
    dyno_worker::main()
}
