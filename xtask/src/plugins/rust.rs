//! Plugins in Rust: native libraries, which the one native build made, and WASM components from the same sources.

use std::process::Command;

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
    let mut names = Vec::new();
    for (package, library) in plugins(project) {
        let file = format!("{}{library}{}", std::env::consts::DLL_PREFIX, std::env::consts::DLL_SUFFIX);
        let name = format!("{}.{}", package.name, native_ending());
        place(&project.plugins().join(&name), &project::read(&native.folder.join(file))?)?;
        names.push(name);
    }
    Ok(names)
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
