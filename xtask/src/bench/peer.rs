//! The same work in C, as a program of its own that measures itself in slices and prints JSON.

use std::{
    path::{Path, PathBuf},
    process::Command,
};

use serde_json::Value;

use super::{
    host::{Host, median_time},
    measure::median,
};
use crate::{
    failure::{Failure, Outcome},
    process,
};

/// Turns that dyno and its peer take: what slows the machine for a while then slows both.
const TURNS: usize = 5;

/// A compiled peer.
#[derive(Debug)]
pub(super) struct Peer {
    program: PathBuf,
}

impl Peer {
    /// Compiles `xtask/peers/NAME.c` for this very machine.
    pub(super) fn compile(host: &Host, name: &str, libraries: &[&str]) -> Outcome<Self> {
        let compiler =
            host.tools.compilers.c.as_ref().ok_or_else(|| Failure::new("there is no C compiler"))?;
        let program = host.scratch().join(name);
        let source = Path::new("xtask/peers").join(format!("{name}.c"));
        let mut command = Command::new(compiler);
        command.current_dir(&host.project.root);
        command
            .args(["-std=gnu11", "-O3", "-march=native", "-Wall", "-Wextra", "-o"])
            .arg(&program)
            .arg(source);
        process::run(command.args(libraries))?;
        Ok(Self { program })
    }

    /// Nanoseconds per iteration.
    pub(super) fn measure(&self, arguments: &[&str]) -> Outcome<f64> {
        let mut command = Command::new(&self.program);
        // A kernel chosen by hand would make another library of it; one thread is what dyno's side has.
        command.args(arguments).env_remove("OPENBLAS_CORETYPE").env("OPENBLAS_NUM_THREADS", "1");
        nanoseconds(&mut command)
    }

    /// The peer and dyno by turns: medians of both [ns per iteration].
    pub(super) fn against(&self, host: &Host, peer: &[&str], dyno: &[&str]) -> Outcome<(f64, f64)> {
        let (mut theirs, mut ours) = (Vec::new(), Vec::new());
        let dyno = [dyno, &["--engine", "native", "--launches", "2", "--time", "1s"]].concat();
        for _ in 0..TURNS {
            theirs.push(self.measure(peer)?);
            for case in host.cases(&dyno)? {
                ours.push(median_time(&case)?);
            }
        }
        Ok((median(&mut theirs), median(&mut ours)))
    }
}

/// What a program that measures itself prints: nanoseconds per iteration.
pub(super) fn nanoseconds(command: &mut Command) -> Outcome<f64> {
    let text = process::output(command)?;
    let value: Option<Value> = serde_json::from_str(&text).ok();
    value
        .and_then(|value| value["ns_per_iteration"].as_f64())
        .ok_or_else(|| Failure::new(format!("`{}` printed no JSON: {text}", command.get_program().display())))
}
