//! The server that is loaded, and the databases that it serves.

use std::{
    fs,
    io::{BufRead, BufReader},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
};

use crate::{
    bench::host::Host,
    failure::{Failure, Outcome},
    process,
};

const EXAMPLE: &str = "fill_database";
/// Runs of a hundred results each in the small database.
pub(super) const SMALL: u32 = 100;
/// The same of the large one.
pub(super) const LARGE: u32 = 10_000;

/// A new database with so many runs of a hundred cases with ten samples each.
pub(super) fn filled(host: &Host, scratch: &Path, runs: u32) -> Outcome<PathBuf> {
    filled_with(host, scratch, Size { runs, cases: 100, samples: 10 })
}

/// How much a database holds.
#[derive(Debug, Clone, Copy)]
pub(super) struct Size {
    pub(super) runs: u32,
    /// Of each run.
    pub(super) cases: u32,
    /// Of each case.
    pub(super) samples: u32,
}

/// A new database of that size.
pub(super) fn filled_with(host: &Host, scratch: &Path, size: Size) -> Outcome<PathBuf> {
    filled_with_noise(host, scratch, size, 1)
}

/// The same with times that vary by so many nanoseconds at random, which takes more space.
pub(super) fn filled_with_noise(host: &Host, scratch: &Path, size: Size, noise: u32) -> Outcome<PathBuf> {
    let path = scratch.join(format!("{}-{}-{}.duckdb", size.runs, size.cases, size.samples));
    let _ = fs::remove_file(&path);
    // What a killed server left would belong to the database before.
    let _ = fs::remove_file(path.with_extension("duckdb.wal"));
    let mut command = Command::new(host.example(EXAMPLE)?);
    command.arg(&path);
    process::run(
        command.args([size.runs, size.cases, size.samples, noise].map(|number| number.to_string())),
    )?;
    Ok(path)
}

/// A running server.
pub(in crate::bench) struct Server {
    pub(in crate::bench) child: Child,
    pub(in crate::bench) address: String,
}

impl Server {
    pub(super) fn start(host: &Host, scratch: &Path, database: &Path) -> Outcome<Self> {
        Self::of(Self::command(host, scratch, database))
    }

    pub(super) fn command(host: &Host, scratch: &Path, database: &Path) -> Command {
        let mut command = host.bare_dyno(&["serve", "--port", "0", "--log-level", "error", "--plugins"]);
        command.arg(host.project.plugins()).arg("--db-path").arg(database);
        command.arg("--output").arg(scratch.join("results"));
        command
    }

    /// Starts a command that becomes a server.
    pub(in crate::bench) fn of(mut command: Command) -> Outcome<Self> {
        let mut child = command
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .spawn()
            .map_err(|error| Failure::new(format!("`dyno serve` cannot be started: {error}")))?;
        let mut line = String::new();
        if let Some(out) = child.stdout.take() {
            let _ = BufReader::new(out).read_line(&mut line);
        }
        let address = line
            .split_whitespace()
            .find_map(|word| word.strip_prefix("http://"))
            .map(|address| address.trim_end_matches(',').to_owned())
            .ok_or_else(|| Failure::new(format!("`dyno serve` said `{line}` and no address")))?;
        Ok(Self { child, address })
    }

    /// Resident memory now.
    pub(super) fn resident_mb(&self) -> Outcome<f64> {
        self.megabytes("VmRSS:")
    }

    /// Resident memory now, in words: pages of the program and its libraries are the machine's to take back, the rest is not.
    pub(super) fn resident(&self) -> Outcome<String> {
        let (all, files) = (self.resident_mb()?, self.megabytes("RssFile:")?);
        Ok(format!("{all:.1} MB ({:.1} MB without pages of program files)", all - files))
    }

    /// The most that was resident since its start.
    pub(super) fn most_resident_mb(&self) -> Outcome<f64> {
        self.megabytes("VmHWM:")
    }

    fn megabytes(&self, field: &str) -> Outcome<f64> {
        let path = format!("/proc/{}/status", self.child.id());
        let text =
            fs::read_to_string(&path).map_err(|error| Failure::file("read", Path::new(&path), &error))?;
        let kilobytes = text
            .lines()
            .find_map(|line| line.strip_prefix(field)?.split_whitespace().next()?.parse::<f64>().ok());
        kilobytes
            .map(|kb| kb * 1024.0 / 1e6)
            .ok_or_else(|| Failure::new(format!("the kernel tells no {field}")))
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
