//! Plugins in Rust: one call of Cargo for all of them per form, so that they share their dependencies.

use std::process::Command;

use super::{FOLDERS, native_ending};
use crate::{
    failure::Outcome,
    metadata::Package,
    process::{self, say},
    project::{self, Project, make_folder, place},
    setup::{Toolchain, WASM_TARGET, wasm_folder},
};

/// The program that makes components, a package of this workspace.
pub(crate) const ENCODER: &str = "xtask-componentize";

/// A package that is a plugin, with the name of its library.
fn plugins(project: &Project) -> Vec<(&Package, &str)> {
    let folders = FOLDERS.map(|folder| project.root.join(folder));
    let packages = project.metadata.packages.iter();
    packages
        .filter(|package| folders.iter().any(|folder| package.folder.starts_with(folder)))
        .filter_map(|package| Some((package, package.cdylib.as_deref()?)))
        .collect()
}

/// Builds native libraries. Returns the names of their files.
pub(crate) fn native(project: &Project) -> Outcome<Vec<String>> {
    let plugins = plugins(project);
    if plugins.is_empty() {
        return Ok(Vec::new());
    }
    say(&format!("building {} plugins in Rust as native libraries", plugins.len()));
    let mut command = project.cargo("build");
    command.args(["--release", "--locked"]);
    for (package, _) in &plugins {
        command.args(["-p", package.name.as_str()]);
    }
    process::run(&mut command)?;
    let mut names = Vec::new();
    for (package, library) in plugins {
        let file = format!("{}{library}{}", std::env::consts::DLL_PREFIX, std::env::consts::DLL_SUFFIX);
        let name = format!("{}.{}", package.name, native_ending());
        place(&project.plugins().join(&name), &project::read(&project.release().join(file))?)?;
        names.push(name);
    }
    Ok(names)
}

/// Builds WASM components; needs the built encoder. Returns the names of their files.
pub(crate) fn wasm(project: &Project, toolchain: &Toolchain) -> Outcome<Vec<String>> {
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
    let mut encoder = Command::new(project.release().join(ENCODER));
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
