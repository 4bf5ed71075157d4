//! The tools that are asked, and the builds that they compare: each is started as a user would start it.

use std::{
    fs,
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use serde_json::Value;
use sha2::{Digest, Sha256};

use super::design::{BUDGET_S, PATIENT, WORK};
use crate::{
    bench::host::{Host, make_another_file},
    failure::{Failure, Outcome},
    process,
    project::{hex, make_folder, read},
};

/// The builds of all amounts of work.
pub(super) struct Peers {
    folder: PathBuf,
}

impl Peers {
    pub(super) fn build(host: &Host) -> Outcome<Self> {
        let folder = host.scratch().join("verdicts");
        let target = folder.join("target");
        make_folder(&target)?;
        let mut command = host.project.cargo("build");
        command
            .args(["--release", "--manifest-path", "xtask/peers/verdicts/Cargo.toml", "--target-dir"])
            .arg(&target);
        process::run(&mut command)?;
        for (built, name) in [("libverdicts.so", "dyno.so"), ("criterion", "criterion"), ("tango", "tango")] {
            let built = target.join("release").join(built);
            let base = folder.join(format!("base-{name}"));
            copy(&built, &base)?;
            if name == "dyno.so" {
                make_another_file(&base)?;
            }
            for work in WORK {
                let build = folder.join(format!("{work}-{name}"));
                copy(&built, &build)?;
                set_work(&build, work)?;
            }
        }
        Ok(Self { folder })
    }

    /// Trials of these very programs: others begin another file.
    pub(super) fn log(&self, host: &Host) -> Outcome<PathBuf> {
        let dyno = host.bare_dyno(&[]).get_program().to_owned();
        let worker = Path::new(&dyno).with_file_name("dyno-worker");
        let mut hash = Sha256::new();
        for path in [Path::new(&dyno), &worker, &self.folder.join("base-dyno.so")] {
            hash.update(read(path)?);
        }
        let name = hex(&hash.finalize());
        Ok(self.folder.join(format!("trials-{}.jsonl", &name[..12])))
    }

    /// One comparison by one tool.
    pub(super) fn compare(&self, host: &Host, tool: &str, class: &str, work: u64) -> Outcome<Said> {
        let build = if tool == PATIENT { "dyno" } else { tool };
        let base = self.folder.join(format!("base-{build}"));
        let other = self.folder.join(format!("{work}-{build}"));
        match tool {
            "dyno" => self.dyno(host, &base, &other, class, BUDGET_S),
            PATIENT => self.dyno(host, &base, &other, class, 2 * BUDGET_S),
            "criterion" => self.criterion(&base, &other, class),
            _ => {
                let mut command = Command::new(&other);
                command
                    .args(["--color", "never", "compare"])
                    .arg(&base)
                    .args(["-t", &BUDGET_S.to_string(), "-f", class])
                    .current_dir(&self.folder);
                tango(&stdout(&mut command)?)
            }
        }
    }

    fn dyno(&self, host: &Host, base: &Path, other: &Path, class: &str, budget_s: u64) -> Outcome<Said> {
        let mut command = host.bare_dyno(&["ab"]);
        command
            .args([base.with_extension("so"), other.with_extension("so")])
            .args(["-b", class, "--json"])
            .args(["--budget", &format!("{budget_s}s")])
            .arg("--db-path")
            .arg(self.folder.join("dyno.duckdb"));
        let said = stdout(&mut command)?;
        let value: Value = serde_json::from_str(&said)
            .map_err(|error| Failure::new(format!("`dyno ab` printed no comparison: {error}")))?;
        let case = &value["cases"][0];
        let (metric, pairs) = (&case["metrics"][0], &case["pairs"]);
        let verdict = match metric["verdict"].as_str() {
            Some("regressed") => "slower",
            Some("improved") => "faster",
            Some("equivalent") => "equal",
            _ => "unknown",
        };
        let count = |name: &str| pairs[name].as_array().map_or(0, Vec::len);
        Ok(Said {
            verdict,
            effect: metric["effect"].as_f64(),
            measuring: pairs["measured_ns"].as_f64().map(|ns| ns / 1e9),
            detectable: metric["detectable"].as_f64(),
            pairs: count("effects") + count("unconfirmed"),
        })
    }

    fn criterion(&self, base: &Path, other: &Path, class: &str) -> Outcome<Said> {
        let home = self.folder.join("criterion-home");
        let filter = format!("^{class}$");
        let mut said = String::new();
        for (program, flag) in [(base, "--save-baseline"), (other, "--baseline")] {
            let mut command = Command::new(program);
            command
                .args(["--bench", "--noplot", "--warm-up-time", "0.2", "--measurement-time", "1"])
                .args([flag, "base", &filter])
                .env("CRITERION_HOME", &home)
                .current_dir(&self.folder);
            said = stdout(&mut command)?;
        }
        let path = home.join(class).join("change/estimates.json");
        let estimates: Option<Value> = serde_json::from_slice(&read(&path)?).ok();
        let verdict = if said.contains("Performance has regressed") {
            "slower"
        } else if said.contains("Performance has improved") {
            "faster"
        } else {
            "equal"
        };
        let effect = estimates.and_then(|it| it["mean"]["point_estimate"].as_f64());
        Ok(Said { verdict, effect, ..Said::default() })
    }
}

/// What a tool said of two builds.
#[derive(Debug, Default)]
pub(super) struct Said {
    /// `slower`, `faster`, `equal` or `unknown`.
    pub(super) verdict: &'static str,
    /// The change that it saw, relative.
    pub(super) effect: Option<f64>,
    /// Time inside the timed calls [s]; only dyno tells.
    pub(super) measuring: Option<f64>,
    /// The smallest change that it says it could have found, relative; only dyno tells.
    pub(super) detectable: Option<f64>,
    /// Pairs of launches; only dyno takes them.
    pub(super) pairs: usize,
}

/// The last column of tango's line. // eg: `strings  [ 84.1 us ... 85.0 us ]  +1.05%*`, where the star says that it means it
fn tango(said: &str) -> Outcome<Said> {
    let cell = said.split_whitespace().rev().find(|word| word.contains('%')).unwrap_or_default();
    let number = cell.trim_end_matches('*').trim_end_matches('%').parse::<f64>().ok();
    let Some(percent) = number else {
        return Err(Failure::new(format!("tango printed no change:\n{said}")));
    };
    let verdict = match (cell.ends_with('*'), percent > 0.0) {
        (true, true) => "slower",
        (true, false) => "faster",
        (false, _) => "equal",
    };
    Ok(Said { verdict, effect: Some(percent / 100.0), ..Said::default() })
}

/// What a program prints, whatever it exits with: a regression is an exit code too.
fn stdout(command: &mut Command) -> Outcome<String> {
    let output = command
        .stdin(Stdio::null())
        .stderr(Stdio::null())
        .output()
        .map_err(|error| Failure::new(format!("`{command:?}` cannot be started: {error}")))?;
    Ok(String::from_utf8_lossy(&output.stdout).into_owned())
}

/// Writes another amount of work into a build, whose code stays what it is.
fn set_work(build: &Path, work: u64) -> Outcome<()> {
    let mut bytes = read(build)?;
    let mark = [*b"dynowork", 1000u64.to_le_bytes()].concat();
    let places: Vec<usize> =
        (0..bytes.len()).filter(|at| bytes.get(*at..).is_some_and(|rest| rest.starts_with(&mark))).collect();
    let [place] = places.as_slice() else {
        return Err(Failure::new(format!(
            "`{}` has {} places for the amount of work, not one",
            build.display(),
            places.len()
        )));
    };
    bytes[place + 8..place + 16].copy_from_slice(&work.to_le_bytes());
    fs::write(build, bytes).map_err(|error| Failure::file("write", build, &error))
}

fn copy(from: &Path, to: &Path) -> Outcome<()> {
    fs::copy(from, to).map(|_| ()).map_err(|error| Failure::file("write", to, &error))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_tango_says_is_read() {
        let said = "arithmetic   [  54.1 us ...  55.2 us ]      +2.05%*\n";
        let found = tango(said).unwrap();
        assert_eq!(found.verdict, "slower");
        assert!(found.effect.is_some_and(|effect| (effect - 0.0205).abs() < 1e-12));
        assert_eq!(tango("a [ 1 ns ... 1 ns ]  -0.10%").unwrap().verdict, "equal");
        assert!(tango("nothing").is_err());
    }
}
