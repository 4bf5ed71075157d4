//! `cargo xtask lint`: formatting, clippy, dependency rules, documentation. Every check runs; the first failure is told.

use std::env;

use crate::{
    setup,
    shell::{self, say},
};

/// The release of cargo-deny that `deny.toml` is written for.
const CARGO_DENY: &str = "0.20.2";

pub(crate) fn run() -> Result<(), String> {
    setup::run(false)?;
    say("formatting");
    shell::run(shell::cargo().args(["fmt", "--all", "--check"]))?;
    say("clippy, warnings denied");
    shell::run(shell::cargo().args([
        "clippy",
        "--release",
        "--locked",
        "--workspace",
        "--all-targets",
        "--",
        "--deny",
        "warnings",
    ]))?;
    say("dependencies: licences, bans, sources");
    deny()?;
    say("documentation, warnings denied");
    shell::run(
        shell::cargo()
            .args(["doc", "--release", "--locked", "--workspace", "--no-deps", "--document-private-items"])
            .env("RUSTDOCFLAGS", "--deny warnings --allow rustdoc::private-intra-doc-links"),
    )?;
    say("shell scripts");
    shell::run(shell::command("bash").args(["-n", ".ci/run"]))
}

fn deny() -> Result<(), String> {
    let ours = shell::tool_cache().join(format!("cargo-deny-{CARGO_DENY}"));
    let program = match shell::find("cargo-deny") {
        Some(found) => found,
        None if ours.join("bin/cargo-deny").is_file() => ours.join("bin/cargo-deny"),
        None => {
            say(&format!(
                "cargo-deny is missing: compiling {CARGO_DENY} into {} (once per machine)",
                ours.display()
            ));
            shell::run(
                shell::cargo()
                    .args([
                        "install",
                        "cargo-deny",
                        "--locked",
                        "--version",
                        CARGO_DENY,
                        "--no-default-features",
                        "--root",
                    ])
                    .arg(&ours)
                    .env_remove("CARGO_TARGET_DIR")
                    .env("CARGO_PROFILE_RELEASE_OPT_LEVEL", "0")
                    .env("CARGO_PROFILE_RELEASE_LTO", "off")
                    .env("CARGO_PROFILE_RELEASE_CODEGEN_UNITS", "256")
                    .env("CARGO_PROFILE_RELEASE_DEBUG", "false"),
            )?;
            ours.join("bin/cargo-deny")
        }
    };
    shell::run(shell::command(&program).args(["--offline", "check", "bans", "licenses", "sources"]))?;
    // The advisory database is a git repository elsewhere: a machine that cannot reach it says so.
    if env::var_os("CI").is_some() {
        say("advisories are checked where the network is open: run `cargo deny check advisories`");
        return Ok(());
    }
    shell::run(shell::command(&program).args(["check", "advisories"])).or_else(|why| {
        say(&format!("advisories were not checked: {why}"));
        Ok(())
    })
}
