//! Rust plugins: Cargo builds the library, natively and for WebAssembly.

use std::path::{Path, PathBuf};

use dyno_core::model::{EngineChoice, PluginKind};
use serde::{Deserialize, de::IgnoredAny};

use super::{component, error::BuildError, tool::Tool, wish::Wish};

/// The file that makes a folder Cargo's.
pub(super) const MANIFEST: &str = "Cargo.toml";
/// What WASM plugins are compiled for: dyno offers them no operating system.
const WASM_TARGET: &str = "wasm32-unknown-unknown";

/// The part of `cargo metadata` that is read.
#[derive(Deserialize)]
struct Metadata {
    packages: Vec<Package>,
}

#[derive(Deserialize)]
struct Package {
    name: String,
    manifest_path: PathBuf,
    targets: Vec<Target>,
    #[serde(default)]
    metadata: Option<Keys>,
}

#[derive(Deserialize)]
struct Target {
    crate_types: Vec<String>,
}

impl Target {
    fn is_plugin(&self) -> bool {
        self.crate_types.iter().any(|kind| kind == "cdylib")
    }
}

/// `[package.metadata.dyno]`.
#[derive(Default, Deserialize)]
struct Keys {
    #[serde(default)]
    dyno: Option<Dyno>,
}

#[derive(Deserialize)]
struct Dyno {
    /// Whether it is built as a component, too.
    #[serde(default)]
    wasm: bool,
}

/// A line of what Cargo reports while it builds.
#[derive(Deserialize)]
#[serde(tag = "reason", rename_all = "kebab-case")]
enum Report {
    CompilerArtifact {
        target: Target,
        manifest_path: PathBuf,
        filenames: Vec<PathBuf>,
    },
    #[serde(untagged)]
    Other(IgnoredAny),
}

/// Builds the package of the folder.
pub(super) fn build(folder: &Path, output: &Path, wish: &Wish<'_>) -> Result<Vec<PathBuf>, BuildError> {
    let package = package(folder, wish)?;
    let is_declared = package.metadata.and_then(|keys| keys.dyno).is_some_and(|dyno| dyno.wasm);
    let (native, wasm) = match wish.engine {
        EngineChoice::Auto => (true, is_declared),
        EngineChoice::Native => (true, false),
        EngineChoice::Wasm => (false, true),
        EngineChoice::All => (true, true),
    };
    let mut files = Vec::new();
    if native {
        files.push(compile(folder, &package.name, PluginKind::Native, wish)?);
    }
    if wasm {
        can_compile_for_wasm(folder, wish)?;
        let module = compile(folder, &package.name, PluginKind::Wasm, wish)?;
        files.push(component::finished(module, output, None)?);
    }
    Ok(files)
}

/// The package whose manifest lies in the folder, if it makes a plugin.
fn package(folder: &Path, wish: &Wish<'_>) -> Result<Package, BuildError> {
    let answer = cargo(folder, &["metadata", "--format-version", "1", "--no-deps"]).ask(wish)?;
    let manifest = folder.join(MANIFEST);
    let refused = |why: &str| BuildError::Declaration { file: manifest.clone(), why: why.to_owned() };
    let metadata: Metadata = serde_json::from_slice(&answer).map_err(|error| BuildError::Tool {
        tool: "cargo metadata".to_owned(),
        why: format!("its answer cannot be understood: {error}"),
    })?;
    let package = metadata.packages.into_iter().find(|package| package.manifest_path == manifest);
    let package = package.ok_or_else(|| {
        refused("describes a workspace without a package of its own; name the folder of one of its plugins")
    })?;
    if !package.targets.iter().any(Target::is_plugin) {
        return Err(refused(
            "makes no dynamic library; add the lines `[lib]` and `crate-type = [\"cdylib\"]`",
        ));
    }
    Ok(package)
}

/// Compiles the library of a package. Gives the file.
fn compile(folder: &Path, package: &str, kind: PluginKind, wish: &Wish<'_>) -> Result<PathBuf, BuildError> {
    let mut arguments = vec![
        "build",
        "--release",
        "--lib",
        "--message-format",
        "json-render-diagnostics",
        "--package",
        package,
    ];
    let ending = match kind {
        PluginKind::Native => std::env::consts::DLL_EXTENSION,
        PluginKind::Wasm => {
            arguments.extend(["--target", WASM_TARGET]);
            "wasm"
        }
    };
    let answer = cargo(folder, &arguments).ask(wish)?;
    let manifest = folder.join(MANIFEST);
    let reports = serde_json::Deserializer::from_slice(&answer).into_iter::<Report>();
    let made = reports.filter_map(Result::ok).find_map(|report| match report {
        Report::CompilerArtifact { target, manifest_path, filenames }
            if target.is_plugin() && manifest_path == manifest =>
        {
            filenames.into_iter().find(|file| file.extension().is_some_and(|found| found == ending))
        }
        Report::CompilerArtifact { .. } | Report::Other(_) => None,
    });
    made.ok_or_else(|| BuildError::Nothing {
        kind,
        why: format!("Cargo reported no file `*.{ending}` of the package `{package}`"),
    })
}

/// Says how to install Rust's standard library for WebAssembly, where it is missing: the compiler's own words fill a screen.
fn can_compile_for_wasm(folder: &Path, wish: &Wish<'_>) -> Result<(), BuildError> {
    let rustc = Tool {
        program: "rustc",
        arguments: &["--print", "target-libdir", "--target", WASM_TARGET],
        folder,
        environment: &[],
        what: "Rust",
        remedy: RUST,
    };
    let answer = rustc.ask(wish)?;
    let libraries = PathBuf::from(String::from_utf8_lossy(&answer).trim());
    if libraries.is_dir() {
        return Ok(());
    }
    Err(BuildError::NoTool {
        tool: format!("rust-std for {WASM_TARGET}"),
        what: "WASM plugins in Rust".to_owned(),
        remedy: format!(
            "install it with `rustup target add {WASM_TARGET}`, or where Rust comes from Debian with \
             `apt install libstd-rust-dev-wasm32`; without it, `--engine native` builds the native plugin"
        ),
    })
}

/// How to install Rust.
const RUST: &str = "install Rust with the command shown at https://rustup.rs";

fn cargo<'a>(folder: &'a Path, arguments: &'a [&'a str]) -> Tool<'a> {
    Tool { program: "cargo", arguments, folder, environment: &[], what: "plugins in Rust", remedy: RUST }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_file_of_a_plugin_is_found_among_cargos_reports() {
        let line = r#"{"reason":"compiler-artifact","manifest_path":"/p/Cargo.toml","target":{"name":"p","crate_types":["cdylib"],"kind":["cdylib"]},"filenames":["/p/target/release/libp.so"]}"#;
        let Report::CompilerArtifact { target, filenames, .. } = serde_json::from_str(line).unwrap() else {
            panic!("not understood")
        };
        assert!(target.is_plugin());
        assert_eq!(filenames, [Path::new("/p/target/release/libp.so")]);
        let other = r#"{"reason":"build-script-executed","package_id":"x"}"#;
        assert!(matches!(serde_json::from_str(other).unwrap(), Report::Other(_)));
    }
}
