//! `cargo xtask lint`: everything that can be said about the sources without running them.

use std::{
    env, fs,
    path::{Path, PathBuf},
    process::Command,
    time::Duration,
};

use crate::{
    failure::{Failure, Outcome},
    options::Options,
    process::{self, say},
    project::{Project, make_folder, tool_cache},
    setup,
};

/// The version of cargo-deny that is installed where there is none.
const CARGO_DENY: &str = "0.20.2";

/// The packages that authors build against.
const PUBLISHED: [&str; 3] = ["dyno-plugin-api", "dyno-sdk-macros", "dyno-sdk"];

/// Longest time for the database of advisories, which comes from a git host that may not answer.
const LIMIT: Duration = Duration::from_secs(120);

/// `cargo xtask lint`. Goes on after a failure, so that all of them are seen at once.
pub(crate) fn run(options: &Options) -> Outcome<()> {
    let project = Project::open()?;
    let duckdb = setup::host(&project, options)?;
    let mut failures = Vec::new();
    let mut check = |what: &str, outcome: Outcome<()>| {
        if let Err(failure) = outcome {
            println!("{failure}");
            failures.push(what.to_owned());
        }
    };

    say("formatting");
    check(
        "formatting (mend it with `cargo fmt --all`)",
        process::run(project.cargo("fmt").args(["--all", "--check"])),
    );
    say("shell scripts");
    check(
        "shell scripts",
        process::run(Command::new("bash").args(["-n", ".ci/run"]).current_dir(&project.root)),
    );
    say("clippy");
    let mut clippy = project.cargo("clippy");
    clippy.args(["--release", "--locked", "--workspace", "--all-targets"]);
    duckdb.tell(&mut clippy);
    check("clippy", process::run(clippy.args(["--", "-D", "warnings"])));
    say("documentation");
    let mut doc = project.cargo("doc");
    doc.args(["--release", "--locked", "--workspace", "--no-deps"]).env("RUSTDOCFLAGS", "-D warnings");
    duckdb.tell(&mut doc);
    check("documentation", process::run(&mut doc));
    // What authors build against could be published as it is.
    say("packages of the SDK");
    forget_packages(&project);
    let mut package = project.cargo("package");
    package.args(["--locked", "--offline", "--allow-dirty", "--quiet"]);
    package.args(PUBLISHED.iter().flat_map(|name| ["-p", *name]));
    check("packages of the SDK", process::run(&mut package));
    say("dependencies");
    check("dependencies", dependencies(&project));

    if failures.is_empty() {
        say("nothing to complain about");
        return Ok(());
    }
    Err(Failure::new(format!("lint found something in: {}", failures.join(", "))))
}

/// Removes what Cargo unpacked and compiled of our packages the last time: it keeps both under their version, which stays while they change,
/// and would compile each against an older one of the others.
fn forget_packages(project: &Project) {
    let home = || Some(PathBuf::from(env::var_os("HOME")?).join(".cargo"));
    let home = env::var_os("CARGO_HOME").map(PathBuf::from).or_else(home).unwrap_or_default();
    let entries = |of: &Path| fs::read_dir(of).into_iter().flatten().flatten().map(|entry| entry.path());
    let unpacked = entries(&home.join("registry/src")).flat_map(|registry| entries(&registry));
    let compiled = entries(&project.metadata.target.join("debug/.fingerprint"));
    for folder in unpacked.chain(compiled) {
        let name = folder.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
        if PUBLISHED.iter().any(|package| name.rsplit_once('-').is_some_and(|(of, _)| of == *package)) {
            // What cannot be removed fails the check below, and on a new machine there is nothing.
            let _ = fs::remove_dir_all(folder);
        }
    }
}

/// Licences, bans and sources; and the advisories, where their database can be fetched.
fn dependencies(project: &Project) -> Outcome<()> {
    let deny = cargo_deny()?;
    let deny = |arguments: &[&str]| {
        let mut command = Command::new(&deny);
        command.args(["--log-level", "error"]).args(arguments).current_dir(&project.root);
        command.env("GIT_TERMINAL_PROMPT", "0");
        command
    };
    process::run(&mut deny(&["check", "bans", "licenses", "sources"]))?;
    if !process::run_within(LIMIT, &mut deny(&["fetch", "db"])) {
        println!("    ADVISORIES WERE NOT CHECKED: the RustSec database cannot be fetched from here");
        return Ok(());
    }
    process::run(&mut deny(&["check", "advisories"]))
}

/// cargo-deny: the one on the path, or one of ours in the user's cache, compiled once.
fn cargo_deny() -> Outcome<PathBuf> {
    if process::succeeds(Command::new("cargo-deny").arg("--version")) {
        return Ok(PathBuf::from("cargo-deny"));
    }
    let root = tool_cache()
        .ok_or_else(|| Failure::new("cargo-deny is missing, and no home folder is set to install it in"))?
        .join(format!("cargo-deny-{CARGO_DENY}"));
    let program = root.join("bin").join("cargo-deny");
    if program.is_file() {
        return Ok(program);
    }
    say(&format!("cargo-deny: compiling it once, about four minutes, into {}", root.display()));
    make_folder(&root)?;
    let mut install = Command::new("cargo");
    install
        .args(["install", "--quiet", "--locked", "cargo-deny", "--version", CARGO_DENY, "--root"])
        .arg(&root);
    // It runs for a second: compiling it fast beats compiling it well.
    install.env("CARGO_PROFILE_RELEASE_OPT_LEVEL", "0").env("CARGO_PROFILE_RELEASE_LTO", "off");
    install.env("CARGO_PROFILE_RELEASE_CODEGEN_UNITS", "256");
    // Its objects are of no use to this workspace, so they go to a folder that Cargo throws away.
    install.env_remove("CARGO_TARGET_DIR");
    process::run(&mut install)
        .map_err(|failure| failure.next("install it yourself: `cargo install cargo-deny --locked`"))?;
    Ok(program)
}
