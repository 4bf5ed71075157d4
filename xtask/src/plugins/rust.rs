//! Plugins in Rust: native libraries, which the one native build made, and WASM components from the same sources.

use std::{path::Path, process::Command};

use super::places::{FOLDERS, native_ending};
use crate::{
    failure::Outcome,
    metadata::Package,
    native::Native,
    process::{self, say},
    project::{self, Project, make_folder, place},
    setup::{Toolchain, WASM_TARGET, wasm_folder},
};

/// A package that is a plugin, with the name of its library.
fn plugins(project: &Project) -> Vec<(&Package, &str)> {
    let folders = FOLDERS.map(|folder| project.root.join(folder));
    let packages = project.metadata.packages.iter();
    packages
        .filter(|package| folders.iter().any(|folder| package.folder.starts_with(folder)))
        .filter_map(|package| Some((package, package.cdylib.as_deref()?)))
        .collect()
}

/// Puts the built native libraries into place. Returns the names of their files.
pub(crate) fn native(project: &Project, native: &Native) -> Outcome<Vec<String>> {
    let stripped = project.metadata.target.join("xtask").join("stripped");
    make_folder(&stripped)?;
    let mut names = Vec::new();
    for (package, library) in plugins(project) {
        let file = format!("{}{library}{}", std::env::consts::DLL_PREFIX, std::env::consts::DLL_SUFFIX);
        let name = format!("{}.{}", package.name, native_ending());
        let (built, small) = (native.folder.join(file), stripped.join(&name));
        place(&project.plugins().join(&name), &without_line_tables(&built, &small)?)?;
        names.push(name);
    }
    Ok(names)
}

/// A library without what only a debugger reads, most of it the standard library's: whoever loads a plugin reads and
/// hashes every byte of it, in each launch. As it is, where there is no `strip`.
fn without_line_tables(built: &Path, small: &Path) -> Outcome<Vec<u8>> {
    let is_stripped = process::succeeds(Command::new("strip").arg("-S").arg("-o").arg(small).arg(built));
    project::read(if is_stripped { small } else { built })
}

/// Builds WASM components. Returns the names of their files.
pub(crate) fn wasm(project: &Project, native: &Native, toolchain: &Toolchain) -> Outcome<Vec<String>> {
    let mut plugins = plugins(project);
    plugins.retain(|(package, _)| package.wasm);
    if plugins.is_empty() {
        return Ok(Vec::new());
    }
    say(&format!("building {} plugins in Rust as WASM components", plugins.len()));
    let mut command = toolchain.build(project);
    for (package, _) in &plugins {
        command.args(["-p", package.name.as_str()]);
    }
    process::run(&mut command)?;
    let modules = wasm_folder(project).join(WASM_TARGET).join("release");
    let components = wasm_folder(project).join("components");
    make_folder(&components)?;
    let file = |package: &Package| format!("{}.wasm", package.name);
    let mut encoder = Command::new(native.encoder());
    for (package, library) in &plugins {
        encoder.arg(modules.join(format!("{library}.wasm"))).arg(components.join(file(package)));
    }
    process::run(&mut encoder)?;
    let mut names = Vec::new();
    for (package, _) in plugins {
        let name = file(package);
        place(&project.plugins().join(&name), &project::read(&components.join(&name))?)?;
        names.push(name);
    }
    Ok(names)
}
