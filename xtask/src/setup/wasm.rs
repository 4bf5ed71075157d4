//! What compiles Rust to WebAssembly: rustup's target, or Debian's compiler with the standard library from source.

use std::{
    fmt, fs,
    path::{Path, PathBuf},
    process::Command,
    time::Duration,
};

use super::debian;
use crate::{
    process::{self, say},
    project::Project,
};

/// The target of all components.
pub(crate) const TARGET: &str = "wasm32-unknown-unknown";

/// Longest time for rustup, which waits long for servers that do not answer.
const LIMIT: Duration = Duration::from_secs(120);

/// Packages of Debian that make up a toolchain for the target.
const PACKAGES: [&str; 4] = ["rustc-web", "cargo-web", "rust-web-src", "lld"];

/// Debian's compiler and Cargo, which stand beside whatever rustup installed.
const DEBIAN_RUSTC: &str = "/usr/bin/rustc";
const DEBIAN_CARGO: &str = "/usr/bin/cargo";

/// A way to build for the target.
#[derive(Debug)]
pub(crate) enum Toolchain {
    /// The compiler in use has the target's standard library.
    Installed,
    /// Debian's compiler, which builds the standard library from source, with this linker.
    FromSource {
        /// A `wasm-ld`.
        linker: PathBuf,
    },
}

impl fmt::Display for Toolchain {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Installed => write!(f, "the compiler in use has {TARGET}"),
            Self::FromSource { linker } => {
                write!(
                    f,
                    "{DEBIAN_RUSTC} with the standard library from source, linked by {}",
                    linker.display()
                )
            }
        }
    }
}

impl Toolchain {
    /// A Cargo command that builds for the target. SIMD is on: every engine that we run has it.
    pub(crate) fn build(&self, project: &Project) -> Command {
        let mut command = match self {
            Self::Installed => {
                let mut command = project.cargo("build");
                command.env("RUSTFLAGS", "-Ctarget-feature=+simd128");
                command
            }
            Self::FromSource { linker } => {
                let mut command = Command::new(DEBIAN_CARGO);
                command
                    .args(["build", "-Zbuild-std=std,panic_abort"])
                    .current_dir(&project.root)
                    // Nothing of the toolchain that runs this must reach the other one.
                    .env_remove("RUSTUP_TOOLCHAIN")
                    .env_remove("RUSTDOC")
                    .env_remove("CARGO")
                    .env("RUSTC", DEBIAN_RUSTC)
                    .env("RUSTC_BOOTSTRAP", "1")
                    .env("RUSTFLAGS", format!("-Clinker={} -Ctarget-feature=+simd128", linker.display()));
                command
            }
        };
        // A folder of its own: two compilers in one would throw away each other's work.
        command
            .args(["--release", "--locked", "--target", TARGET, "--target-dir"])
            .arg(folder(project))
            .env_remove("CARGO_ENCODED_RUSTFLAGS");
        command
    }
}

/// The target folder of WASM builds.
pub(crate) fn folder(project: &Project) -> PathBuf {
    project.metadata.target.join("wasm")
}

/// Looks for a toolchain and obtains one where there is none. `None` leaves WASM plugins out.
pub(crate) fn find_or_obtain(project: &Project) -> Option<Toolchain> {
    if has_target() {
        return Some(Toolchain::Installed);
    }
    if let Some(found) = debian_toolchain(&project.metadata.rust_version) {
        return Some(found);
    }
    if process::succeeds(Command::new("rustup").arg("--version")) {
        say(&format!("WASM toolchain: asking rustup for the target {TARGET}"));
        let added = process::run_within(LIMIT, Command::new("rustup").args(["target", "add", TARGET]));
        if added && has_target() {
            return Some(Toolchain::Installed);
        }
    }
    if debian::can_install() {
        say("WASM toolchain: installing Debian's, which builds Rust's standard library from source");
        if debian::install(&PACKAGES)
            && let Some(found) = debian_toolchain(&project.metadata.rust_version)
        {
            return Some(found);
        }
    }
    println!(
        "    no WASM toolchain can be had here, so WASM plugins are left out; \
         `rustup target add {TARGET}` is all that it takes where rustup can download"
    );
    None
}

/// Whether the compiler in use has the target's standard library.
fn has_target() -> bool {
    let mut rustc = Command::new("rustc");
    rustc.args(["--print", "target-libdir", "--target", TARGET]);
    process::output_if_any(&mut rustc).is_some_and(|folder| {
        fs::read_dir(folder).is_ok_and(|entries| {
            entries.flatten().any(|entry| entry.file_name().to_string_lossy().starts_with("libstd-"))
        })
    })
}

/// Debian's compiler, where it is new enough and has its sources and a linker beside it.
fn debian_toolchain(rust_version: &str) -> Option<Toolchain> {
    let text = process::output_if_any(Command::new(DEBIAN_RUSTC).arg("--version"))?;
    let version = version_in(&text)?;
    if version < version_in(rust_version)? {
        println!(
            "    {DEBIAN_RUSTC} is {}.{}, older than the {rust_version} that is needed",
            version.0, version.1
        );
        return None;
    }
    let sysroot = process::output_if_any(Command::new(DEBIAN_RUSTC).args(["--print", "sysroot"]))?;
    let sources = Path::new(&sysroot).join("lib/rustlib/src/rust/library/std/Cargo.toml");
    if !sources.is_file() || !Path::new(DEBIAN_CARGO).is_file() {
        return None;
    }
    Some(Toolchain::FromSource { linker: linker()? })
}

/// The newest `wasm-ld` there is: plain, or with the version of its LLVM behind it.
fn linker() -> Option<PathBuf> {
    let versioned =
        |path: &PathBuf| path.file_name()?.to_str()?.strip_prefix("wasm-ld-")?.parse::<u32>().ok();
    let mut found: Vec<PathBuf> =
        fs::read_dir("/usr/bin").ok()?.flatten().map(|entry| entry.path()).collect();
    found.retain(|path| versioned(path).is_some() || path.ends_with("wasm-ld"));
    found.into_iter().max_by_key(|path| versioned(path))
}

/// Major and minor version: the first word that begins like a version.
fn version_in(text: &str) -> Option<(u32, u32)> {
    text.split_whitespace().find_map(|word| {
        let mut parts = word.split('.');
        Some((parts.next()?.parse().ok()?, parts.next()?.parse().ok()?))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_compared_as_numbers() {
        assert_eq!(
            version_in("rustc 1.96.0 (ac68faa20 2026-05-25) (built from a source tarball)"),
            Some((1, 96))
        );
        assert_eq!(version_in("1.95"), Some((1, 95)));
        assert!(version_in("rustc 1.100.0") > version_in("1.95"));
        assert_eq!(version_in("no version"), None);
    }
}
