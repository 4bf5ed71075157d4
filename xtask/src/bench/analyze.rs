//! Analysing source code: the standard library of Python, and the headers of the C++ library.

use std::{
    fs,
    path::{Path, PathBuf},
    process::{Command, Stdio},
    time::{Duration, Instant},
};

use serde_json::{Map, Value};

use super::{
    Bench, Needs,
    host::Host,
    measure::median,
    table::{row, table},
};
use crate::{
    failure::{Failure, Outcome},
    process, project,
};

pub(super) const BENCH: Bench =
    Bench { name: "analyze", title: "Analysing source code", needs: Needs::Nothing, run };

/// Repetitions of each analysis.
const TIMES: usize = 7;

/// The example that parses the same files with tree-sitter, and does nothing else.
const EXAMPLE: &str = "bare_parse";

/// Between two looks at the memory of an analysis.
const LOOK: Duration = Duration::from_millis(2);

/// What the folders of both libraries have in common on Debian.
const PYTHON: &str = "/usr/lib";
const CPP: &str = "/usr/include/c++";

/// One analysis.
struct Measured {
    seconds: f64,
    megabytes: f64,
}

fn run(host: &Host) -> Outcome<String> {
    let mut rows = vec![row([
        "tree",
        "files",
        "lines",
        "parsed",
        "tree-sitter alone",
        "aim",
        "from the cache",
        "peak memory, parsed",
        "and from the cache",
    ])];
    let bare_parse = host.example(EXAMPLE)?;
    for (name, folder, grammar, aim) in [
        ("Python's standard library", python(), "python", "≥ 1,000,000"),
        ("headers of libstdc++", cpp(), "cuda", "≥ 500,000"),
    ] {
        let Some(folder) = folder else {
            rows.push(row([name, "not on this machine", "", "", "", aim, "", "", ""]));
            continue;
        };
        let (files, lines) = size(host, &folder)?;
        let parsed = middle(host, &folder, true)?;
        let cached = middle(host, &folder, false)?;
        let bare = bare(host, &bare_parse, &folder, grammar)?;
        let rate = |seconds: f64| format!("{:.0} lines/s", lines as f64 / seconds);
        let speed = |measured: &Measured| rate(measured.seconds);
        rows.push(row([
            name,
            &files.to_string(),
            &lines.to_string(),
            &speed(&parsed),
            &rate(bare),
            aim,
            &speed(&cached),
            &format!("{:.0} MB", parsed.megabytes),
            &format!("{:.0} MB", cached.megabytes),
        ]));
    }
    Ok(format!(
        "Whole processes, `dyno analyze --root TREE` from start to end, with all of its outputs written; the files are in the page \
         cache, median of {TIMES}. \"Parsed\" reads every file through tree-sitter (`--no-cache`); \"from the cache\" finds all of them \
         unchanged, by a hash of their bytes. \"Tree-sitter alone\" reads and parses the same files on all processors and keeps nothing: the \
         floor of what is parsed with it. The suite that dyno replaces analysed 55–58 thousand lines of Python per second on \
         another machine (a quoted figure).\n\n{}",
        table(&rows)
    ))
}

/// The sources of Python's standard library.
fn python() -> Option<PathBuf> {
    let entries = fs::read_dir(PYTHON).ok()?;
    let mut found: Vec<PathBuf> =
        entries.flatten().map(|entry| entry.path()).filter(|path| path.join("asyncio").is_dir()).collect();
    found.sort();
    found.pop()
}

fn cpp() -> Option<PathBuf> {
    Path::new(CPP).is_dir().then(|| CPP.into())
}

/// Files and lines of a tree, by the analysis itself.
fn size(host: &Host, folder: &Path) -> Outcome<(u64, u64)> {
    analysis(host, folder, false)?;
    let text = project::read(&output(host).join("summary.json"))?;
    let summary: Value = serde_json::from_slice(&text)
        .map_err(|error| Failure::new(format!("summary.json is not JSON: {error}")))?;
    let number = |name: &str| summary[name].as_u64().unwrap_or_default();
    Ok((number("total_files_analyzed"), number("total_lines")))
}

fn output(host: &Host) -> PathBuf {
    host.scratch().join("analysis")
}

fn middle(host: &Host, folder: &Path, parsed: bool) -> Outcome<Measured> {
    let (mut seconds, mut megabytes) = (Vec::new(), Vec::new());
    for _ in 0..TIMES {
        let measured = analysis(host, folder, parsed)?;
        seconds.push(measured.seconds);
        megabytes.push(measured.megabytes);
    }
    Ok(Measured { seconds: median(&mut seconds), megabytes: median(&mut megabytes) })
}

/// What tree-sitter alone takes for the files of the last analysis [s].
fn bare(host: &Host, program: &Path, folder: &Path, grammar: &str) -> Outcome<f64> {
    let text = project::read(&output(host).join("complexity.json"))?;
    let files: Map<String, Value> = serde_json::from_slice(&text)
        .map_err(|error| Failure::new(format!("complexity.json is not JSON: {error}")))?;
    let paths: String = files.keys().map(|file| format!("{}\n", folder.join(file).display())).collect();
    let list = host.scratch().join("analysed-files");
    fs::write(&list, paths).map_err(|error| Failure::file("write", &list, &error))?;
    let said = process::output(Command::new(program).arg(grammar).arg(list))?;
    said.trim().parse().map_err(|_| Failure::new(format!("the example `{EXAMPLE}` said `{said}`, no time")))
}

fn analysis(host: &Host, folder: &Path, parsed: bool) -> Outcome<Measured> {
    let mut command = host.bare_dyno(&["analyze", "--no-ignore", "--root"]);
    command
        .arg(folder)
        .arg("--output")
        .arg(output(host))
        .env("DYNO_CACHE", host.scratch().join("analysis-cache"));
    if parsed {
        command.arg("--no-cache");
    }
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    let start = Instant::now();
    let mut child =
        command.spawn().map_err(|error| Failure::new(format!("dyno cannot be started: {error}")))?;
    let status = format!("/proc/{}/status", child.id());
    let mut megabytes = 0.0_f64;
    let code = loop {
        // The kernel forgets the peak with the process, so it is read until the end.
        megabytes = megabytes.max(peak(&status).unwrap_or_default());
        match child.try_wait() {
            Ok(Some(code)) => break code,
            Ok(None) => std::thread::sleep(LOOK),
            Err(error) => return Err(Failure::new(format!("dyno cannot be waited for: {error}"))),
        }
    };
    let seconds = start.elapsed().as_secs_f64();
    if !code.success() {
        return Err(Failure::new(format!("`dyno analyze --root {}` failed", folder.display())));
    }
    Ok(Measured { seconds, megabytes })
}

/// The most memory that a process has had [MB].
fn peak(status: &str) -> Option<f64> {
    let text = fs::read_to_string(status).ok()?;
    let line = text.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    let kilobytes: f64 = line.trim().trim_end_matches("kB").trim().parse().ok()?;
    Some(kilobytes * 1024.0 / 1e6)
}
