//! `cargo xtask dist`: a folder that runs wherever it is, and an archive, a Python wheel and a package of Debian of it.

mod deb;
mod parts;
mod wheel;

use std::{fs, process::Command};

use self::parts::{copy, copy_folder, uses};
use crate::{
    failure::{Failure, Outcome},
    native::{self, Native},
    options::Options,
    plugins,
    process::{self, say},
    project::{self, Project, make_folder},
    setup::{self, DuckDb},
};

/// Files of the checkout that belong to a release, where they are there.
const FILES: [&str; 7] = [
    "README.md",
    "ARCHITECTURE.md",
    "CHANGELOG.md",
    "CONTRIBUTING.md",
    "LICENSE-MIT",
    "LICENSE-APACHE",
    "Cargo.lock",
];

/// Folders of the checkout that belong to a release: the guides and the examples; the contract, for authors of plugins; suites;
/// what a server is set up with, and a client of it.
const FOLDERS: [(&str, &str); 10] = [
    ("docs", "docs"),
    ("examples", "examples"),
    ("plugin-api/include", "include"),
    ("plugin-api/wit", "wit"),
    ("sdk/c", "include/c"),
    ("examples/suites", "suites"),
    ("examples/deploy", "deploy"),
    ("sdk/python", "python"),
    // What a plugin in Rust depends on, at the places that the workspace gives them.
    ("plugin-api", "plugin-api"),
    ("sdk/rust", "sdk/rust"),
];

/// The packages among them.
const SDK: [&str; 3] = ["plugin-api", "sdk/rust", "sdk/rust/macros"];

/// `cargo xtask dist`.
pub(crate) fn run(options: &Options) -> Outcome<()> {
    let project = Project::open()?;
    let duckdb = setup::host(&project, options)?;
    let tools = setup::tools(&project);
    let native = native::build(&project, &duckdb)?;
    plugins::build(&project, &tools, &native)?;
    release(&project, &duckdb, &native)
}

/// Puts the release together from what was built, and uses each of its forms in an empty place.
pub(crate) fn release(project: &Project, duckdb: &DuckDb, native: &Native) -> Outcome<()> {
    let name = format!("dyno-{}-{}", project.metadata.version, target()?);
    let dist = project.metadata.target.join("dist");
    let folder = dist.join(&name);
    say(&format!("putting a release together in {}", folder.display()));
    if folder.exists() {
        fs::remove_dir_all(&folder).map_err(|error| Failure::file("remove", &folder, &error))?;
    }
    make_folder(&folder)?;
    copy(&native.dyno(), &folder.join("dyno"))?;
    copy(&native.worker(), &folder.join("dyno-worker"))?;
    copy(&native.probe(), &folder.join("dyno-probe"))?;
    if let Some(library) = duckdb.library() {
        // `dyno` looks for its libraries beside itself first.
        copy(&library, &folder.join(library.file_name().unwrap_or_default()))?;
        let licence = library.with_file_name("LICENSE");
        if licence.is_file() {
            copy(&licence, &folder.join("LICENSE-duckdb"))?;
        }
    }
    // The libraries are part of the program.
    for name in ["uplot", "preact", "htm"] {
        let licence = project.root.join(".tools/web").join(format!("{name}.LICENSE"));
        if licence.is_file() {
            copy(&licence, &folder.join(format!("LICENSE-{name}")))?;
        }
    }
    copy_folder(&project.plugins(), &folder.join("plugins"))?;
    for (from, to) in FOLDERS {
        copy_folder(&project.root.join(from), &folder.join(to))?;
    }
    fs::write(folder.join("Cargo.toml"), workspace_of_sdk(project)?)
        .map_err(|error| Failure::file("write", &folder.join("Cargo.toml"), &error))?;
    for file in FILES.iter().map(|file| project.root.join(file)).filter(|file| file.is_file()) {
        copy(&file, &folder.join(file.file_name().unwrap_or_default()))?;
    }
    say("checking that it runs from there");
    uses(&folder.join("dyno"), &folder, &dist)?;
    let archive = dist.join(format!("{name}.tar.gz"));
    // Unpacked by root, its files are root's, and not those of whoever has this user's number there.
    let owned = ["--owner=0", "--group=0", "--numeric-owner"];
    process::run(Command::new("tar").args(owned).arg("-czf").arg(&archive).arg("-C").arg(&dist).arg(&name))?;
    let wheel = wheel::make(project, &folder, &dist)?;
    let deb = deb::make(project, &folder, &dist)?;
    println!("\n  folder   {}\n  archive  {}", folder.display(), archive.display());
    for (name, file) in [("wheel", wheel), ("Debian", deb)] {
        if let Some(file) = file {
            println!("  {name:7}  {}", file.display());
        }
    }
    Ok(())
}

/// The workspace of the release: ours with the packages of the SDK alone, from which they inherit.
fn workspace_of_sdk(project: &Project) -> Outcome<String> {
    let text = String::from_utf8_lossy(&project::read(&project.root.join("Cargo.toml"))?).into_owned();
    let list = |name: &str| {
        let begin = text.find(&format!("\n{name} = ["))?;
        Some(begin + 1..begin + 1 + text.get(begin + 1..)?.find(']')? + 1)
    };
    let (Some(members), Some(defaults)) = (list("members"), list("default-members")) else {
        return Err(Failure::new("`Cargo.toml` has no `members` or `default-members`"));
    };
    let ours = format!("members = {SDK:?}");
    let between = text.get(members.end..defaults.start).unwrap_or_default();
    let (before, after) =
        (text.get(..members.start).unwrap_or_default(), text.get(defaults.end..).unwrap_or_default());
    Ok(format!("{before}{ours}{between}{after}"))
}

/// The target triple of this machine's compiler.
fn target() -> Outcome<String> {
    let text = process::output(Command::new("rustc").arg("-vV"))?;
    text.lines()
        .find_map(|line| line.strip_prefix("host: "))
        .map(str::to_owned)
        .ok_or_else(|| Failure::new("`rustc -vV` names no host"))
}
