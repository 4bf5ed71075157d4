//! User story: a plugin that was built years ago against version 1 of the contract still runs. The sources, headers and WIT of that
//! time lie in `compatibility/abi-1` and are never changed.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use dyno_core::model::CaseStatus;

use crate::support::{arena::Arena, fixtures};

fn old() -> PathBuf {
    fixtures::root().join("tests/compatibility/abi-1")
}

/// The plugin is listed without a complaint, inspected, and measured.
fn still_runs(arena: &Arena, benchmark: &str) {
    let listed = arena.dyno(&["list", "--json"]);
    assert_eq!(listed.json()["problems"].as_array().map(Vec::len), Some(0), "{}", listed.shown());
    let ran = arena.dyno(&["run", benchmark, "--launches", "2", "--samples", "5", "--json"]);
    assert_eq!(ran.code, Some(0), "{}", ran.shown());
    let record = ran.record();
    assert_eq!(record.cases.len(), 1);
    assert_eq!(record.cases[0].status, CaseStatus::Completed, "{}", ran.shown());
    assert!(record.cases[0].launches.iter().all(|launch| !launch.samples.is_empty()));
}

/// Compiles as the guide said then: only what lies in the folder is included.
fn compiled(compiler: &str, flags: &[&str], source: &str, library: &Path) -> bool {
    if !fixtures::has_compiler(compiler) {
        println!("skipped: there is no `{compiler}` on this machine");
        return false;
    }
    let said = Command::new(compiler)
        .args(flags)
        .args(["-O3", "-fPIC", "-shared", "-fvisibility=hidden", "-o"])
        .arg(library)
        .arg(old().join(source))
        .output()
        .expect("the compiler starts");
    assert!(said.status.success(), "{}", String::from_utf8_lossy(&said.stderr));
    true
}

#[test]
fn a_plugin_in_c_of_version_1() {
    let arena = Arena::new();
    if compiled("cc", &[], "old.c", &arena.path("plugins/old-c.so")) {
        still_runs(&arena, "sum_c");
    }
}

#[test]
fn a_plugin_in_cpp_of_version_1() {
    let arena = Arena::new();
    if compiled("c++", &["-std=c++17"], "old.cpp", &arena.path("plugins/old-cpp.so")) {
        still_runs(&arena, "sort_cpp");
    }
}

/// Built against the SDK as it was packaged for a registry then, with the dependencies of its lock file.
#[test]
fn a_plugin_in_rust_of_version_1() {
    let arena = Arena::new();
    let (source, folder) = (old().join("rust"), arena.path("work/old-rust"));
    fs::create_dir_all(folder.join("src")).expect("the arena is writable");
    let files =
        [("old-rust.toml", "Cargo.toml"), ("old-rust.lock", "Cargo.lock"), ("src/lib.rs", "src/lib.rs")];
    for (from, to) in files {
        fs::copy(source.join(from), folder.join(to)).expect("the arena is writable");
    }
    for package in ["dyno-plugin-api", "dyno-sdk-macros", "dyno-sdk"] {
        let archive = source.join(format!("{package}-0.1.0.crate"));
        let unpacked = Command::new("tar").arg("-xzf").arg(archive).arg("-C").arg(&folder).status();
        assert!(unpacked.is_ok_and(|status| status.success()), "{package} is unpacked");
    }
    let target = fixtures::kept("old-rust");
    let said = Command::new("cargo")
        .args(["build", "--release", "--locked", "--quiet"])
        .env("CARGO_TARGET_DIR", &target)
        .current_dir(&folder)
        .output()
        .expect("Cargo runs this test, and so it is there");
    assert!(said.status.success(), "{}", String::from_utf8_lossy(&said.stderr));
    let library = format!("{}old_rust{}", std::env::consts::DLL_PREFIX, std::env::consts::DLL_SUFFIX);
    fs::copy(target.join("release").join(library), arena.path("plugins/old-rust.so"))
        .expect("Cargo built it");
    still_runs(&arena, "sum");
}

#[test]
fn a_component_of_version_1() {
    let arena = Arena::new();
    let mut bytes = wat::parse_file(old().join("old.wat")).expect("the text is valid");
    fixtures::append_descriptor(&mut bytes, "old-component");
    fs::write(arena.path("plugins/old.wasm"), bytes).expect("the arena is writable");
    still_runs(&arena, "old-component");
}
