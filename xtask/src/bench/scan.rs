//! Listing folders with many plugins: without the scan cache, and with it.

use std::{
    fs,
    path::{Path, PathBuf},
};

use super::{
    Bench, Needs,
    host::Host,
    measure::{exponent, program},
    table::{row, table, time},
};
use crate::{
    failure::{Failure, Outcome},
    project::{self, make_folder},
};

pub(super) const BENCH: Bench =
    Bench { name: "scan", title: "Scanning folders of plugins", needs: Needs::Nothing, run };

/// Repetitions of each listing.
const TIMES: usize = 11;

fn run(host: &Host) -> Outcome<String> {
    let version = program(TIMES, || host.dyno(&["--version"]))?;
    let mut rows =
        vec![row(["files", "without cache", "aim", "with cache", "aim", "per file without cache"])];
    let mut times = Vec::new();
    for (count, cold_aim, warm_aim) in
        [(100, "", ""), (1_000, "≤ 120 ms", "≤ 25 ms"), (10_000, "≤ 1.5 s", "≤ 150 ms")]
    {
        let folder = plugins(host, count)?;
        let cache = host.scratch().join("scan-cache");
        let list = || {
            let mut command = host.bare_dyno(&["list", "--json", "--plugins"]);
            command.arg(&folder).env("DYNO_CACHE", &cache);
            command
        };
        let cold = program(TIMES, || {
            let _ = fs::remove_dir_all(&cache);
            list()
        })?;
        let warm = program(TIMES, list)?;
        let per_file = (cold - version) / f64::from(count);
        rows.push(row([&count.to_string(), &time(cold), cold_aim, &time(warm), warm_aim, &time(per_file)]));
        fs::remove_dir_all(&folder).map_err(|error| Failure::file("remove", &folder, &error))?;
        times.push((cold - version, warm - version));
    }
    let growth = |of: fn(&(f64, f64)) -> f64| {
        let mut last = times.iter().rev().map(of);
        last.next().zip(last.next()).map_or(f64::NAN, |(after, before)| exponent(before, after, 10.0))
    };
    Ok(format!(
        "Whole processes, `dyno list --json` from start to end, every file different; the files are in the page cache. \
         Of each, {} is starting and ending `dyno` (`dyno --version`). From 1,000 to 10,000 files, the rest grows with the \
         number of files to the power of {:.2} without cache and {:.2} with it.\n\n{}",
        time(version),
        growth(|(cold, _)| *cold),
        growth(|(_, warm)| *warm),
        table(&rows)
    ))
}

/// A folder of so many plugins, half native and half WASM, no two of them with the same bytes.
fn plugins(host: &Host, count: u32) -> Outcome<PathBuf> {
    let folder = host.scratch().join(format!("scan-{count}"));
    let _ = fs::remove_dir_all(&folder);
    make_folder(&folder)?;
    let seeds: Vec<(PathBuf, Vec<u8>)> = ["hello-c.so", "hello-rust.so", "hello-rust.wasm"]
        .iter()
        .map(|name| host.project.plugins().join(name))
        .filter(|path| path.is_file())
        .map(|path| project::read(&path).map(|bytes| (path, bytes)))
        .collect::<Outcome<_>>()?;
    let native = seeds.iter().find(|(path, _)| is(path, "so"));
    let wasm = seeds.iter().find(|(path, _)| is(path, "wasm"));
    let kinds: Vec<&(PathBuf, Vec<u8>)> = native.into_iter().chain(wasm).collect();
    if kinds.is_empty() {
        return Err(Failure::new("there is no built example to make copies of"));
    }
    for (index, (path, bytes)) in (0..count).zip(kinds.into_iter().cycle()) {
        let mut bytes = bytes.clone();
        // Behind the end of an ELF file anything may stand; a component takes another custom section.
        if is(path, "wasm") {
            bytes.extend([0, 6, 1, b'n']);
        }
        bytes.extend(index.to_le_bytes());
        let name = format!("{index:05}.{}", path.extension().unwrap_or_default().display());
        let path = folder.join(name);
        fs::write(&path, bytes).map_err(|error| Failure::file("write", &path, &error))?;
    }
    Ok(folder)
}

fn is(path: &Path, extension: &str) -> bool {
    path.extension().is_some_and(|found| found == extension)
}
