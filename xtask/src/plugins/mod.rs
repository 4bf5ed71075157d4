//! `cargo xtask plugins`: every plugin of `plugins/` and `examples/`, in every form that can be built here.

mod c;
mod places;
mod rust;

use std::{collections::BTreeSet, fs, path::Path};

use crate::{
    failure::{Failure, Outcome},
    native::{self, Native},
    options::Options,
    process::say,
    project::{Project, make_folder},
    setup::{self, Tools},
};

/// `cargo xtask plugins`.
pub(crate) fn run(options: &Options) -> Outcome<()> {
    let project = Project::open()?;
    let duckdb = setup::host(&project, options)?;
    let tools = setup::tools(&project);
    let native = native::build(&project, &duckdb)?;
    build(&project, &tools, &native)
}

/// Puts native plugins, which are built, into the folder of plugins; builds all others there; and removes what is no
/// plugin of this checkout any more.
pub(crate) fn build(project: &Project, tools: &Tools, native: &Native) -> Outcome<()> {
    let folder = project.plugins();
    make_folder(&folder)?;
    let mut built = BTreeSet::new();
    built.extend(rust::native(project, native)?);
    if let Some(toolchain) = &tools.wasm {
        built.extend(rust::wasm(project, native, toolchain)?);
    }
    built.extend(c::build(project, &tools.compilers)?);
    sweep(&folder, &built)?;
    say(&format!("{} plugins are in {}: {}", built.len(), folder.display(), join(&built)));
    Ok(())
}

/// Removes plugins of another state of the checkout: they would be run as if they were of this one.
fn sweep(folder: &Path, built: &BTreeSet<String>) -> Outcome<()> {
    let refused = |error| Failure::file("read the folder", folder, &error);
    for entry in fs::read_dir(folder).map_err(refused)? {
        let path = entry.map_err(refused)?.path();
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        if path.is_file() && !built.contains(&name) {
            println!("    removing {name}: nothing in this checkout builds it, or nothing here can");
            fs::remove_file(&path).map_err(|error| Failure::file("remove", &path, &error))?;
        }
    }
    Ok(())
}

fn join(names: &BTreeSet<String>) -> String {
    names.iter().map(String::as_str).collect::<Vec<_>>().join(", ")
}
