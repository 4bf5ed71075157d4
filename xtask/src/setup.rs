//! `cargo xtask setup`: looks for what building needs, and obtains what is missing.

use std::{
    env, fs,
    path::{Path, PathBuf},
    process::Command,
};

use crate::shell::{self, Scratch, say};

/// The DuckDB release that the crate `duckdb` in `Cargo.toml` binds to, in the packages that DuckDB's own team makes.
const DUCKDB_PACKAGE_VERSION: &str = "1.5.6-r.1";
/// SHA-256 of the packages that were looked at. Others are refused.
const DUCKDB_PACKAGES: [(&str, &str, &str); 1] =
    [("linux", "x86_64", "1b9f82478539bb9a1d1df44bd103121a12ae52142c07158dc52b97d2ec1d69ff")];

/// What was found.
#[derive(Debug)]
pub(crate) struct Tools {
    pub(crate) wasm: Option<WasmToolchain>,
    pub(crate) c: Option<String>,
    pub(crate) cxx: Option<String>,
}

/// A way to compile Rust to WASM.
#[derive(Debug, Clone)]
pub(crate) enum WasmToolchain {
    /// The toolchain in use has the target.
    Target,
    /// Debian's own Rust, which compiles the standard library along.
    Debian {
        /// Its linker.
        linker: PathBuf,
    },
}

/// Obtains everything. `bundled`: DuckDB will be compiled from source, so its library is not needed.
pub(crate) fn run(bundled: bool) -> Result<Tools, String> {
    if !bundled {
        duckdb()?;
    }
    let c = compiler("CC", "cc", "gcc");
    let cxx = compiler("CXX", "c++", "g++");
    let wasm = wasm();
    Ok(Tools { wasm, c, cxx })
}

/// The file name of the DuckDB library.
pub(crate) fn duckdb_library() -> &'static str {
    if cfg!(target_os = "macos") { "libduckdb.dylib" } else { "libduckdb.so" }
}

/// Where the library lies that the host links.
pub(crate) fn duckdb_folder() -> PathBuf {
    env::var_os("DUCKDB_LIB_DIR")
        .map_or_else(|| shell::root().join(".tools/duckdb"), |dir| shell::root().join(dir))
}

fn duckdb() -> Result<(), String> {
    let library = duckdb_folder().join(duckdb_library());
    if library.is_file() {
        return Ok(());
    }
    let cached = shell::tool_cache().join(format!("duckdb-{DUCKDB_PACKAGE_VERSION}")).join(duckdb_library());
    if !cached.is_file() {
        say(&format!(
            "the DuckDB library is missing: fetching DuckDB {DUCKDB_PACKAGE_VERSION}, about 25 MB, from its npm package"
        ));
        fetch_duckdb(&cached).map_err(|error| {
            format!(
                "DuckDB cannot be fetched: {error}\n  install npm and try again, or set DUCKDB_LIB_DIR to a folder with \
                 {} of DuckDB 1.5.6,\n  or give --bundled to compile it from source (half an hour on two cores)",
                duckdb_library()
            )
        })?;
    }
    // A link of its own in the clone: `.cargo/config.toml` can only name paths inside it.
    shell::place(&cached, &library)
}

fn fetch_duckdb(to: &Path) -> Result<(), String> {
    let (os, arch) = (env::consts::OS, env::consts::ARCH);
    let Some((_, _, sha256)) =
        DUCKDB_PACKAGES.iter().find(|(known_os, known_arch, _)| (*known_os, *known_arch) == (os, arch))
    else {
        return Err(format!("no package for {os} on {arch} has been checked yet"));
    };
    if !shell::exists("npm") {
        return Err("npm is not installed".to_owned());
    }
    let scratch = Scratch::new("duckdb")?;
    let package = format!("@duckdb/node-bindings-{os}-x64@{DUCKDB_PACKAGE_VERSION}");
    shell::run(shell::command("npm").args(["pack", "--silent", &package]).current_dir(scratch.path()))?;
    let archive = fs::read_dir(scratch.path())
        .map_err(|error| error.to_string())?
        .flatten()
        .map(|entry| entry.path())
        .find(|path| path.extension().is_some_and(|extension| extension == "tgz"))
        .ok_or("npm wrote no package")?;
    let found = shell::output(Command::new("sha256sum").arg(&archive)).unwrap_or_default();
    if found.split_whitespace().next() != Some(*sha256) {
        return Err(format!(
            "the package {package} has SHA-256 `{found}`, expected {sha256}: it is not what was checked"
        ));
    }
    shell::run(shell::command("tar").arg("xzf").arg(&archive).current_dir(scratch.path()))?;
    shell::place(&scratch.path().join("package").join(duckdb_library()), to)
}

fn compiler(variable: &str, usual: &str, package: &str) -> Option<String> {
    if let Ok(named) = env::var(variable) {
        return Some(named);
    }
    if !shell::exists(usual) {
        say(&format!("no `{usual}`: installing {package}"));
        if let Err(why) = shell::apt_install(&[package]) {
            say(&format!("plugins in {} are left out: {why}", if package == "gcc" { "C" } else { "C++" }));
            return None;
        }
    }
    Some(usual.to_owned())
}

fn wasm() -> Option<WasmToolchain> {
    if has_target() {
        return Some(WasmToolchain::Target);
    }
    if let Some(found) = debian() {
        return Some(found);
    }
    if shell::exists("rustup") {
        say("the target wasm32-unknown-unknown is missing: adding it with rustup");
        if shell::run(shell::command("rustup").args(["target", "add", "wasm32-unknown-unknown"])).is_ok()
            && has_target()
        {
            return Some(WasmToolchain::Target);
        }
    }
    say("no WASM target can be added: installing Debian's own, which compiles the standard library along");
    match shell::apt_install(&["rustc-web", "cargo-web", "rust-web-src", "lld"]) {
        Ok(()) => debian(),
        Err(why) => {
            say(&format!(
                "WASM plugins are left out: {why}, or run `rustup target add wasm32-unknown-unknown`"
            ));
            None
        }
    }
}

fn has_target() -> bool {
    let sysroot = shell::output(shell::command("rustc").args([
        "--print",
        "target-libdir",
        "--target",
        "wasm32-unknown-unknown",
    ]));
    sysroot.is_some_and(|folder| {
        fs::read_dir(folder).is_ok_and(|mut files| {
            files.any(|file| file.is_ok_and(|file| file.file_name().to_string_lossy().starts_with("libstd-")))
        })
    })
}

/// Debian's Rust, if it can build the standard library: version and sources must be there.
fn debian() -> Option<WasmToolchain> {
    let version = shell::output(Command::new("/usr/bin/rustc").arg("--version"))?;
    let minor: u32 = version.split_whitespace().nth(1)?.split('.').nth(1)?.parse().ok()?;
    let sysroot = shell::output(Command::new("/usr/bin/rustc").args(["--print", "sysroot"]))?;
    let sources = Path::new(&sysroot).join("lib/rustlib/src/rust/library/std/Cargo.toml");
    let linker = ["wasm-ld", "wasm-ld-14", "wasm-ld-15", "wasm-ld-16", "wasm-ld-19"]
        .into_iter()
        .find_map(shell::find)?;
    let usable = minor >= 95 && sources.is_file() && Path::new("/usr/bin/cargo").is_file();
    usable.then_some(WasmToolchain::Debian { linker })
}
