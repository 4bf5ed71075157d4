//! The `dyno` binary.

use std::process::ExitCode;

fn main() -> ExitCode {
    dyno_host::cli::main()
}
