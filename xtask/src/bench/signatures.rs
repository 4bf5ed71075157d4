//! Checking who signed a plugin: what that takes for each MiB, beside other programs that compute the same hash.

use std::{
    fs::{self, File},
    path::{Path, PathBuf},
    process::Command,
};

use super::{
    Bench, Needs,
    host::Host,
    measure::{program, program_ending},
    table::{row, table, time},
};
use crate::{
    failure::{Failure, Outcome},
    process,
    project::make_folder,
};

pub(super) const BENCH: Bench =
    Bench { name: "signatures", title: "Checking a signature", needs: Needs::Nothing, run };

/// Repetitions of each program.
const TIMES: usize = 15;
/// Sizes of a small and a large plugin [MiB]: what they differ in is not the start of a program.
const SIZES: [u64; 2] = [4, 132];
/// How `dyno verify` ends if a file is not signed.
const UNSIGNED: i32 = 4;

fn run(host: &Host) -> Outcome<String> {
    let folder = host.scratch().join("signatures");
    let _ = fs::remove_dir_all(&folder);
    make_folder(&folder)?;
    let key = folder.join("key");
    process::run(host.bare_dyno(&["key", "new", "--no-password"]).arg(&key))?;
    let public = folder.join("key.pub");
    let plugins = SIZES.map(|size| plugin(host, &folder, size));
    let plugins = plugins.into_iter().collect::<Outcome<Vec<PathBuf>>>()?;
    let verify = |plugin: &Path| {
        let mut command = host.bare_dyno(&["verify", "--key"]);
        command.arg(&public).arg(plugin);
        command
    };
    let unsigned = per_mib(&plugins, |plugin| program_ending(UNSIGNED, TIMES, || verify(plugin)))?;
    for plugin in &plugins {
        process::run(host.bare_dyno(&["sign", "--key"]).arg(&key).arg(plugin))?;
    }
    let signed = per_mib(&plugins, |plugin| program(TIMES, || verify(plugin)))?;
    let mut rows = vec![
        row(["for each MiB", "time"]),
        row(["`dyno verify`, not signed: reading and the SHA-256 that names a build", &time(unsigned)]),
        row(["`dyno verify`, signed", &time(signed)]),
        row(["the check of the signature, which is the difference; aim: ≤ 1 ms", &time(signed - unsigned)]),
    ];
    let others: [(&str, &str, &[&str]); 2] = [
        ("`b2sum`: reading, and the hash that is signed", "b2sum", &[]),
        ("`minisign -V`: reading, and the check", "minisign", &["-V", "-q", "-p", "key.pub", "-m"]),
    ];
    for (what, name, arguments) in others {
        let command = |plugin: &Path| {
            let mut command = Command::new(name);
            command.current_dir(&folder).args(arguments).arg(plugin);
            command
        };
        let found = per_mib(&plugins, |plugin| program(TIMES, || command(plugin)));
        // Not every machine has them.
        rows.push(row([what, &found.map_or_else(|_| "not on this machine".to_owned(), time)]));
    }
    fs::remove_dir_all(&folder).map_err(|error| Failure::file("remove", &folder, &error))?;
    let [small, large] = SIZES;
    Ok(format!(
        "Whole programs, medians of {TIMES}: what a file of {large} MiB takes longer than one of {small} MiB, both in the page cache.\n\n{}",
        table(&rows)
    ))
}

/// A plugin that is as large as this; behind the end of an ELF file anything may stand.
fn plugin(host: &Host, folder: &Path, mib: u64) -> Outcome<PathBuf> {
    let (source, target) =
        (host.project.plugins().join("hello-c.so"), folder.join(format!("of-{mib}-mib.so")));
    let grown = fs::copy(&source, &target)
        .and_then(|_| File::options().append(true).open(&target))
        .and_then(|file| file.set_len(mib << 20));
    grown.map_err(|error| Failure::file("write", &target, &error))?;
    Ok(target)
}

/// How much longer the second of two files takes, for each MiB that it is larger [ns].
fn per_mib(plugins: &[PathBuf], mut taken: impl FnMut(&Path) -> Outcome<f64>) -> Outcome<f64> {
    let [small, large] = SIZES;
    let [less, more] = [taken(&plugins[0])?, taken(&plugins[1])?];
    Ok((more - less) / (large - small) as f64)
}
