//! What a worker finds out about itself when it is asked: the layers that would stand between a native plugin and the machine.

use std::{
    io::{self, Write},
    path::Path,
    process::ExitCode,
};

use dyno_confine::{Foreign, confine};
use dyno_core::{model::IsolationReadings, protocol::Confinement};
use indexmap::IndexMap;
use nix::unistd::getppid;

/// `--layers`: puts them on, and prints as JSON which hold.
pub(crate) fn tell() -> ExitCode {
    let asked = Confinement {
        full: true,
        read: Vec::new(),
        environment: IndexMap::new(),
        connect: Vec::new(),
        required: Vec::new(),
    };
    // What may be written to does not matter here.
    let plugin = Foreign::Native { folder: Path::new("/dev/null"), uses_accelerator: false };
    let found = confine(&asked, plugin, getppid().as_raw().unsigned_abs(), Vec::new());
    let readings =
        IsolationReadings { layers: found.words().collect(), missing: found.into_missing(), ungrouped: None };
    let written = serde_json::to_string(&readings).map(|text| writeln!(io::stdout(), "{text}"));
    if matches!(written, Ok(Ok(()))) { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}
