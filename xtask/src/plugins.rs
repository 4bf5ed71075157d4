//! `cargo xtask plugins`: every plugin and example, native and WASM, into `target/plugins`.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use wit_component::ComponentEncoder;

use crate::{
    setup::{Tools, WasmToolchain},
    shell::{self, say},
};

/// Makes dependencies' release code small and keeps panics as traps; SIMD is in every engine that dyno supports.
const WASM_FLAGS: &str = "-Ctarget-feature=+simd128";

/// Builds all plugins; returns the folder that holds them.
pub(crate) fn run(tools: &Tools) -> Result<PathBuf, String> {
    let folder = shell::target().join("plugins");
    let crates = rust_plugins()?;
    say(&format!("building native plugins: {}", crates.join(", ")));
    native(&crates, &folder)?;
    match &tools.wasm {
        Some(toolchain) => {
            say("building the same sources as WASM components");
            wasm(&crates, toolchain, &folder)?;
        }
        None => say("WASM components are left out: no toolchain"),
    }
    c_family(tools, &folder)?;
    Ok(folder)
}

/// The packages in `plugins/` and `examples/` that are libraries to load.
fn rust_plugins() -> Result<Vec<String>, String> {
    let mut names = Vec::new();
    for room in ["plugins", "examples"] {
        let folder = shell::root().join(room);
        let entries =
            fs::read_dir(&folder).map_err(|error| format!("cannot read {}: {error}", folder.display()))?;
        for entry in entries.flatten() {
            let manifest = fs::read_to_string(entry.path().join("Cargo.toml")).unwrap_or_default();
            if manifest.contains("cdylib") {
                names.push(entry.file_name().to_string_lossy().into_owned());
            }
        }
    }
    names.sort();
    Ok(names)
}

fn packages(crates: &[String]) -> impl Iterator<Item = String> {
    crates.iter().flat_map(|name| ["--package".to_owned(), name.clone()])
}

fn native(crates: &[String], folder: &Path) -> Result<(), String> {
    shell::run(shell::cargo().args(["build", "--release", "--locked"]).args(packages(crates)))?;
    for name in crates {
        let library = shell::release().join(format!("lib{}.so", name.replace('-', "_")));
        shell::place(&library, &folder.join(format!("{name}.so")))?;
    }
    Ok(())
}

fn wasm(crates: &[String], toolchain: &WasmToolchain, folder: &Path) -> Result<(), String> {
    // A target directory of its own: another compiler would rebuild everything in ours.
    let target = shell::target().join("wasm");
    let mut build = match toolchain {
        WasmToolchain::Target => {
            let mut build = shell::cargo();
            build.env("RUSTFLAGS", WASM_FLAGS).arg("build");
            build
        }
        WasmToolchain::Debian { linker } => {
            let mut build = shell::command("/usr/bin/cargo");
            // The toolchain that runs us must not leak into the other one.
            for name in ["RUSTUP_TOOLCHAIN", "CARGO", "RUSTC", "RUSTDOC"] {
                build.env_remove(name);
            }
            build
                .env("RUSTC", "/usr/bin/rustc")
                .env("RUSTC_BOOTSTRAP", "1")
                .env("RUSTFLAGS", format!("-Clinker={} {WASM_FLAGS}", linker.display()))
                .args(["build", "-Zbuild-std=std,panic_abort"]);
            build
        }
    };
    let flags = ["--release", "--locked", "--target", "wasm32-unknown-unknown"];
    shell::run(build.args(flags).args(packages(crates)).arg("--target-dir").arg(&target))?;
    for name in crates {
        let module =
            target.join("wasm32-unknown-unknown/release").join(format!("{}.wasm", name.replace('-', "_")));
        shell::place_bytes(&component(&module)?, &folder.join(format!("{name}.wasm")))?;
    }
    Ok(())
}

/// Turns a core module that carries its world into a component.
fn component(module: &Path) -> Result<Vec<u8>, String> {
    let refused = |why: String| format!("cannot make a component of {}: {why}", module.display());
    let bytes = fs::read(module).map_err(|error| refused(error.to_string()))?;
    ComponentEncoder::default()
        .validate(true)
        .module(&bytes)
        .and_then(|mut encoder| encoder.encode())
        .map_err(|error| refused(format!("{error:#}")))
}

/// C and C++ examples: one file, one command, by the header alone.
fn c_family(tools: &Tools, folder: &Path) -> Result<(), String> {
    let examples = shell::root().join("examples");
    let entries =
        fs::read_dir(&examples).map_err(|error| format!("cannot read {}: {error}", examples.display()))?;
    for entry in entries.flatten() {
        for file in fs::read_dir(entry.path()).into_iter().flatten().flatten() {
            let source = file.path();
            let (compiler, standard) = match source.extension().and_then(|extension| extension.to_str()) {
                Some("c") => (&tools.c, "-std=c11"),
                Some("cpp") => (&tools.cxx, "-std=c++17"),
                _ => continue,
            };
            let name = entry.file_name().to_string_lossy().into_owned();
            let Some(compiler) = compiler else {
                say(&format!("{name} is left out: no compiler"));
                continue;
            };
            compile(compiler, standard, &source, &folder.join(format!("{name}.so")))?;
        }
    }
    Ok(())
}

fn compile(compiler: &str, standard: &str, source: &Path, to: &Path) -> Result<(), String> {
    let modified = |path: &Path| fs::metadata(path).and_then(|about| about.modified()).ok();
    let header = shell::root().join("plugin-api/include/dyno_plugin.h");
    let newest = [modified(source), modified(&header)].into_iter().flatten().max();
    if modified(to) > newest {
        return Ok(());
    }
    let partial = to.with_extension("partial");
    let root = shell::root();
    shell::run(
        Command::new(compiler)
            .current_dir(&root)
            .args([
                standard,
                "-O2",
                "-fPIC",
                "-shared",
                "-Wall",
                "-Wextra",
                "-I",
                "plugin-api/include",
                "-I",
                "sdk/c",
                "-o",
            ])
            .arg(&partial)
            .arg(source),
    )?;
    fs::rename(&partial, to).map_err(|error| format!("cannot write {}: {error}", to.display()))
}
