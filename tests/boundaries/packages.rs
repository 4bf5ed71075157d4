//! The arrows between packages, and the crates that some of them must never see.

use std::{collections::BTreeSet, path::Path, process::Command};

use serde_json::Value;

use super::source::root;

/// Which packages of ours a package may depend on. Plugins and examples, which are not listed, may use what is for authors.
const ARROWS: [(&str, &[&str]); 13] = [
    ("dyno-plugin-api", &[]),
    ("usual-folders", &[]),
    ("dyno-sdk-macros", &[]),
    ("dyno-sdk", &["dyno-plugin-api", "dyno-sdk-macros"]),
    ("dyno-analyze", &["dyno-core"]),
    ("dyno-core", &["dyno-plugin-api"]),
    ("dyno-confine", &["dyno-core"]),
    ("dyno-worker", &["dyno-confine", "dyno-core", "dyno-plugin-api"]),
    ("dyno-probe", &["dyno-confine", "dyno-core", "usual-folders"]),
    ("dyno-duckdb", &[]),
    ("dyno-dashboard", &[]),
    (
        "dyno-host",
        &["dyno-analyze", "dyno-core", "dyno-dashboard", "dyno-duckdb", "dyno-plugin-api", "usual-folders"],
    ),
    ("xtask", &[]),
];

/// What plugins may use.
const FOR_AUTHORS: [&str; 2] = ["dyno-sdk", "usual-folders"];

/// What must never be below a package, however far down.
const NEVER: [(&str, &[&str], &str); 4] = [
    (
        "dyno-worker",
        &[
            "duckdb",
            "libduckdb-sys",
            "dyno-duckdb",
            "tokio",
            "async-std",
            "smol",
            "axum",
            "hyper",
            "reqwest",
            "clap",
            "toml",
            "dyno-host",
        ],
        "the worker knows no store, no server, no config file, no async runtime",
    ),
    (
        "dyno-host",
        &[
            "libloading",
            "wasmtime",
            "abi_stable",
            "wgpu",
            "ash",
            "cudarc",
            "nvml-wrapper",
            "dyno-worker",
            "dyno-probe",
            "dyno-sdk",
        ],
        "the host process loads no plugin and no driver; the only library that it opens is DuckDB's",
    ),
    (
        "dyno-probe",
        &["duckdb", "libduckdb-sys", "tokio", "axum", "clap", "toml", "wasmtime", "abi_stable", "dyno-host"],
        "the probe asks drivers, and knows nothing else",
    ),
    (
        "dyno-core",
        &["tokio", "duckdb", "axum", "nix", "libc", "tempfile", "walkdir", "jiff"],
        "the core does no I/O and reads no clock",
    ),
];

/// Where the functions are listed for which `dyno-duckdb` has trampolines.
const FUNCTIONS: &str = "host/duckdb/src/deferred/functions.rs";

fn cargo(arguments: &[&str]) -> String {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let output = Command::new(cargo)
        .args(arguments)
        .current_dir(root())
        .output()
        .unwrap_or_else(|error| panic!("cargo cannot be started: {error}"));
    assert!(output.status.success(), "cargo {arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).expect("cargo prints UTF-8")
}

/// Whether the arrow is in the table. Tests may reach further, but never past the host.
fn is_allowed(from: &str, to: &str, for_tests: bool) -> bool {
    let allowed =
        ARROWS.iter().find(|(name, _)| *name == from).map_or(&FOR_AUTHORS[..], |(_, allowed)| allowed);
    let tests_reach_further = for_tests && matches!((from, to), ("dyno-worker" | "dyno-host", "dyno-sdk"));
    allowed.contains(&to) || from == to || tests_reach_further
}

#[test]
fn packages_depend_on_packages_below() {
    let metadata: Value =
        serde_json::from_str(&cargo(&["metadata", "--no-deps", "--format-version", "1"])).expect("JSON");
    let packages = metadata["packages"].as_array().expect("packages");
    let ours: BTreeSet<&str> = packages.iter().filter_map(|package| package["name"].as_str()).collect();
    assert!(ARROWS.iter().all(|(name, _)| ours.contains(name)), "a package of the table is gone: {ours:?}");
    let mut broken = Vec::new();
    for package in packages {
        let name = package["name"].as_str().expect("a name");
        let manifest = Path::new(package["manifest_path"].as_str().expect("a path"));
        for dependency in package["dependencies"].as_array().into_iter().flatten() {
            let target = dependency["name"].as_str().expect("a name");
            let for_tests = dependency["kind"] == "dev";
            if ours.contains(target) && !is_allowed(name, target, for_tests) {
                broken.push(format!("{}: `{name}` must not depend on `{target}`", manifest.display()));
            }
        }
    }
    assert!(broken.is_empty(), "arrows between packages point the wrong way:\n{}", broken.join("\n"));
}

#[test]
fn the_table_of_packages_forbids_what_it_should() {
    assert!(is_allowed("cpu-kernels", "dyno-sdk", false));
    assert!(!is_allowed("cpu-kernels", "dyno-core", false));
    assert!(!is_allowed("dyno-plugin-api", "dyno-sdk", true));
    assert!(!is_allowed("dyno-worker", "dyno-host", true));
}

#[test]
fn some_crates_are_never_below_some_packages() {
    for (package, never, why) in NEVER {
        let mut arguments =
            vec!["tree", "--locked", "-p", package, "-e", "normal", "--prefix", "none", "--format", "{p}"];
        if package == "dyno-host" {
            // What is below it opens DuckDB's library.
            arguments.extend(["--prune", "dyno-duckdb"]);
        }
        let tree = cargo(&arguments);
        let below: BTreeSet<&str> = tree.lines().filter_map(|line| line.split(' ').next()).collect();
        assert!(below.contains(package), "`cargo tree` does not show {package}");
        for name in never {
            assert!(!below.contains(name), "`{package}` depends on `{name}`, directly or not: {why}");
        }
    }
}

/// A function without a trampoline would make the linker load DuckDB's library at every start.
#[test]
fn every_function_of_duckdb_has_a_trampoline() {
    let metadata: Value =
        serde_json::from_str(&cargo(&["metadata", "--locked", "--format-version", "1"])).expect("JSON");
    let packages = metadata["packages"].as_array().expect("packages");
    let bindings = packages.iter().find(|package| package["name"] == "libduckdb-sys").expect("the bindings");
    let manifest = Path::new(bindings["manifest_path"].as_str().expect("a path"));
    let bindings = read(&manifest.with_file_name("src/bindgen_bundled_version.rs"));
    let declared: BTreeSet<&str> =
        bindings.split("pub fn ").skip(1).filter_map(|function| function.split('(').next()).collect();
    let list = read(&root().join(FUNCTIONS));
    let ours: BTreeSet<&str> = list.split_whitespace().filter(|word| word.starts_with("duckdb_")).collect();
    let missing: Vec<_> = declared.difference(&ours).collect();
    let unknown: Vec<_> = ours.difference(&declared).collect();
    assert!(declared.len() > 500, "the bindings were not found: {}", declared.len());
    assert!(
        missing.is_empty() && unknown.is_empty(),
        "{FUNCTIONS} lacks {missing:?}, and need not have {unknown:?}"
    );
}

fn read(path: &Path) -> String {
    std::fs::read_to_string(path).unwrap_or_else(|error| panic!("cannot read {}: {error}", path.display()))
}
