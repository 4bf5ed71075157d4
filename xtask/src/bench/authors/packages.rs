//! Making and installing a package of 10 MiB.

use std::{fs, path::Path};

use crate::{
    bench::{
        host::Host,
        measure::program,
        table::{row, time},
    },
    failure::{Failure, Outcome},
    project::{make_folder, read},
};

/// Repetitions of each command.
const TIMES: usize = 11;
/// Size of the plugin [bytes].
const SIZE: usize = 10 << 20;
const AIM: &str = "≤ 1 s";

pub(super) fn rows(host: &Host, scratch: &Path) -> Outcome<Vec<Vec<String>>> {
    let folder = scratch.join("packages");
    let _ = fs::remove_dir_all(&folder);
    make_folder(&folder)?;
    let (plugin, package) = (folder.join("plugin.so"), folder.join("plugin.dyno"));
    let mut bytes = read(&host.project.plugins().join("hello-rust.so"))?;
    // Behind the end of an ELF file anything may stand: noise, the worst that a compressor can get.
    let mut state = 1_u64;
    while bytes.len() < SIZE {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        bytes.extend(state.to_le_bytes());
    }
    fs::write(&plugin, bytes).map_err(|error| Failure::file("write", &plugin, &error))?;
    let pack = program(TIMES, || {
        let mut command = host.bare_dyno(&["pack"]);
        command.arg(&plugin).arg("-o").arg(&package);
        command
    })?;
    let into = folder.join("into");
    let install = program(TIMES, || {
        let _ = fs::remove_dir_all(&into);
        let mut command = host.bare_dyno(&["install"]);
        command.arg(&package).arg("--into").arg(&into);
        command
    })?;
    fs::remove_dir_all(&folder).map_err(|error| Failure::file("remove", &folder, &error))?;
    Ok(vec![
        row([
            "`dyno pack` of a plugin of 10 MiB that cannot be compressed, the whole process",
            &time(pack),
            AIM,
        ]),
        row(["`dyno install` of that package, verified and written durably", &time(install), AIM]),
    ])
}
