//! Builds the plugins of the corpus from their sources: native ones with `cc`, WASM ones with `wat`.
//!
//! What is built is kept under the target directory in a folder named after a hash of all sources, so that a second run
//! builds nothing, and several test processes at once do no harm: every file gets its name when it is complete.

use std::{
    fs,
    hash::{DefaultHasher, Hash, Hasher},
    iter,
    path::{Path, PathBuf},
    process::Command,
    sync::OnceLock,
};

use dyno_plugin_api::{descriptor::SCHEMA, section};
use serde_json::json;

/// The folder of the corpus.
pub(crate) fn corpus() -> PathBuf {
    root().join("tests/hostile")
}

/// The root of the checkout whose tests Cargo runs. Another one may have compiled them, where several share a target folder.
pub(crate) fn root() -> PathBuf {
    let package = std::env::var_os("CARGO_MANIFEST_DIR").expect("Cargo sets it for the tests that it runs");
    Path::new(&package).join("..")
}

/// Whether native plugins can be built here at all.
pub(crate) fn has_compiler(compiler: &str) -> bool {
    Command::new(compiler).arg("--version").output().is_ok()
}

/// The folders in which `cargo xtask test` puts compilers of other languages.
pub(crate) fn guest_folders() -> Vec<PathBuf> {
    let Some(folder) = std::env::var_os("DYNO_TEST_GUESTS").map(PathBuf::from) else { return Vec::new() };
    let mut folders = vec![folder.join("node_modules/.bin"), folder.join("python/bin")];
    // A package of Python lies in a folder that has Python's version in its name.
    if let Ok(versions) = fs::read_dir(folder.join("cuda/lib")) {
        folders
            .extend(versions.flatten().map(|version| version.path().join("site-packages/nvidia/cu13/bin")));
    }
    folders
}

/// A compiler of another language: from those folders, or else from `PATH`.
pub(crate) fn guest_tool(name: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let folders = guest_folders().into_iter().chain(std::env::split_paths(&path));
    folders.map(|folder| folder.join(name)).find(|tool| tool.is_file())
}

/// Whether clang finds a C library for WASI.
pub(crate) fn has_c_library_for_wasi() -> bool {
    Path::new("/usr/lib/wasm32-wasi/libc.a").exists() || std::env::var_os("WASI_SDK_PATH").is_some()
}

/// The source file of a fault, whatever its language.
fn source(folder: &str, name: &str) -> PathBuf {
    let folder = corpus().join(folder);
    ["c", "cpp", "wat"]
        .iter()
        .map(|extension| folder.join(format!("{name}.{extension}")))
        .find(|path| path.is_file())
        .unwrap_or_else(|| panic!("there is no source for `{name}` in {}", folder.display()))
}

/// A native plugin from a source of the corpus, with `name` as its identifier and the name of its benchmark.
pub(crate) fn native(source_name: &str, name: &str) -> PathBuf {
    let source = source("native", source_name);
    let is_cpp = source.extension().is_some_and(|extension| extension == "cpp");
    let (compiler, standard) = if is_cpp { ("c++", "-std=c++17") } else { ("cc", "-std=c11") };
    let define = format!("-DNAME=\"{name}\"");
    let mut flags = vec![define.as_str()];
    // After the flag that every source gets, so that it wins.
    flags.extend(OPTIMISED.contains(&source_name).then_some("-O2"));
    build(&format!("{name}.so"), |target| compile(compiler, standard, &source, target, &flags))
}

/// A plugin that tries to reach out of its process.
pub(crate) fn escape(name: &str) -> PathBuf {
    let source = source("escape", name);
    let define = format!("-DNAME=\"{name}\"");
    build(&format!("{name}.so"), |target| compile("cc", "-std=c11", &source, target, &[&define]))
}

/// A plugin of the story of isolation, which asks for more than computing.
pub(crate) fn asking(source: &str, target: &Path, flags: &[String]) -> PathBuf {
    let named = format!("-DNAME=\"{source}\"");
    let flags: Vec<&str> = iter::once(named.as_str()).chain(flags.iter().map(String::as_str)).collect();
    compile("cc", "-std=c11", &root().join(format!("tests/isolation/{source}.c")), target, &flags);
    target.to_owned()
}

/// Sources that are at fault only with an optimiser that finds it: `-O1` leaves an empty loop that counts.
const OPTIMISED: &[&str] = &["cached_work", "hoisted_loop", "result_not_kept", "result_not_kept_no_work"];

/// A native plugin for a device that is no processor, from the sources of the tests of devices.
pub(crate) fn for_device(name: &str) -> PathBuf {
    for_device_as(name, name)
}

/// The same under another name.
pub(crate) fn for_device_as(source: &str, name: &str) -> PathBuf {
    for_device_with(source, name, name, &[])
}

/// The same in a file of another name, with more flags.
pub(crate) fn for_device_with(source: &str, name: &str, file: &str, flags: &[&str]) -> PathBuf {
    let source = root().join("tests/devices").join(format!("{source}.c"));
    let named = format!("-DNAME=\"{name}\"");
    build(&format!("{file}.so"), |target| {
        compile("cc", "-std=c11", &source, target, &[&[named.as_str()], flags].concat());
    })
}

/// A library that a driver would bring, from the sources of the tests of devices.
pub(crate) fn driver(source_name: &str, name: &str, defines: &[&str]) -> PathBuf {
    let source = root().join("tests/devices").join(format!("{source_name}.c"));
    build(name, |target| compile("cc", "-std=c11", &source, target, defines))
}

/// A native plugin from one of the examples.
pub(crate) fn example(path: &str) -> PathBuf {
    example_with(path, &[])
}

/// A native plugin from one of the examples, compiled with these flags as well.
pub(crate) fn example_with(path: &str, flags: &[&str]) -> PathBuf {
    let source = root().join("examples").join(path);
    let is_cpp = source.extension().is_some_and(|extension| extension == "cpp");
    let (compiler, standard) = if is_cpp { ("c++", "-std=c++17") } else { ("cc", "-std=c11") };
    let name = format!("example_{}{}.so", path.replace(['/', '.'], "_"), flags.concat().replace(',', "_"));
    build(&name, |target| compile(compiler, standard, &source, target, flags))
}

/// A native plugin from the sources of a story. // eg: "seen/wide.c"
pub(crate) fn of_story(path: &str) -> PathBuf {
    let source = root().join("tests").join(path);
    build(&format!("{}.so", path.replace(['/', '.'], "_")), |target| {
        compile("cc", "-std=c11", &source, target, &[]);
    })
}

/// A library or plugin from the sources of a story, under a name, linked with these flags as well. // eg: "packages/needs.c"
pub(crate) fn of_story_as(path: &str, name: &str, flags: &[&str]) -> PathBuf {
    let source = root().join("tests").join(path);
    // The linkers of some systems leave out what they think is not needed.
    let flags: Vec<&str> = ["-Wl,--no-as-needed"].iter().chain(flags).copied().collect();
    build(name, |target| compile("cc", "-std=c11", &source, target, &flags))
}

/// A component without a descriptor, from a source of the corpus.
pub(crate) fn bare_wasm(source_name: &str) -> PathBuf {
    build(&format!("{source_name}_bare.wasm"), |target| {
        let bytes = wat::parse_str(component_text(source_name))
            .unwrap_or_else(|error| panic!("{source_name}.wat is not valid text: {error}"));
        fs::write(target, bytes).expect("the target directory is writable");
    })
}

fn compile(compiler: &str, standard: &str, source: &Path, target: &Path, defines: &[&str]) {
    let output = Command::new(compiler)
        .args([standard, "-O1", "-Wall", "-Wextra", "-Werror", "-fPIC", "-shared", "-pthread"])
        // Faults never return, and recurse without end, on purpose.
        .args(["-Wno-return-type", "-Wno-infinite-recursion", "-Wno-unknown-warning-option"])
        .args(defines)
        .arg("-I")
        .arg(root().join("plugin-api/include"))
        .arg("-I")
        .arg(root().join("sdk/c"))
        .arg("-I")
        .arg(corpus().join("native"))
        .arg("-o")
        .args([target, source])
        .output()
        .unwrap_or_else(|error| panic!("`{compiler}` cannot be started: {error}"));
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "`{compiler}` refuses {}:\n{said}", source.display());
}

/// A WASM plugin from a source of the corpus, with `name` as its identifier and the name of its benchmark.
pub(crate) fn wasm(source_name: &str, name: &str) -> PathBuf {
    build(&format!("{name}.wasm"), |target| {
        let mut bytes = wat::parse_str(component_text(source_name))
            .unwrap_or_else(|error| panic!("{source_name}.wat is not valid text: {error}"));
        append_descriptor(&mut bytes, name);
        fs::write(target, bytes).expect("the target directory is writable");
    })
}

/// Appends a descriptor for a plugin with one benchmark, as a custom section.
pub(crate) fn append_descriptor(bytes: &mut Vec<u8>, name: &str) {
    let descriptor = json!({
        "schema": SCHEMA,
        "plugin": {"id": name, "version": "1.0.0"},
        "abi": {"kind": "wasm", "version": 1},
        "benchmarks": [{"name": name, "hardware": ["cpu"]}],
    });
    let mut payload = vec![section::WASM.len() as u8];
    payload.extend(section::WASM.as_bytes());
    payload.extend(descriptor.to_string().as_bytes());
    bytes.push(0);
    let mut rest = payload.len();
    loop {
        let low = (rest & 0x7f) as u8;
        rest >>= 7;
        bytes.push(if rest == 0 { low } else { low | 0x80 });
        if rest == 0 {
            break;
        }
    }
    bytes.extend(payload);
}

/// The whole text of a WASM source: as it is, or inside the frame and with what it does not define itself.
fn component_text(name: &str) -> String {
    let read = |name: &str| {
        let path = source("wasm", name);
        fs::read_to_string(&path).unwrap_or_else(|error| panic!("cannot read {}: {error}", path.display()))
    };
    let own = read(name);
    let is_whole = own.lines().any(|line| line.starts_with("(component") || line.starts_with("(module"));
    if is_whole {
        return own;
    }
    let mut fields = own.clone();
    if name != "good" {
        for field in read("good").split("\n\n") {
            let exported = field.split_once("(export \"").and_then(|(_, rest)| rest.split_once('"'));
            let defined = exported.is_none_or(|(name, _)| own.contains(&format!("(export \"{name}\")")));
            if !defined {
                fields.push('\n');
                fields.push_str(field);
            }
        }
    }
    // The first mention of the marker is in the comment at the top of the frame.
    let frame = read("frame");
    let (before, after) = frame.rsplit_once("@FIELDS@").expect("the frame has its marker");
    format!("{before}{fields}{after}")
}

/// A file made by `make`, unless it is there already.
fn build(name: &str, make: impl FnOnce(&Path)) -> PathBuf {
    let target = folder().join(name);
    if !target.is_file() {
        let partial =
            folder().join(format!("{name}.{}.{:?}", std::process::id(), std::thread::current().id()));
        make(&partial);
        fs::rename(&partial, &target).expect("the target directory is writable");
    }
    target
}

/// Where this state of the sources is built.
fn folder() -> &'static Path {
    static FOLDER: OnceLock<PathBuf> = OnceLock::new();
    FOLDER.get_or_init(|| {
        let mut hasher = DefaultHasher::new();
        include_str!("fixtures.rs").hash(&mut hasher);
        let mut sources = Vec::new();
        for folder in ["tests", "plugin-api/include", "sdk/c", "examples"] {
            add_sources(&root().join(folder), &mut sources);
        }
        sources.sort();
        for file in sources {
            file.strip_prefix(root()).expect("it is below").hash(&mut hasher);
            fs::read(&file).expect("the checkout is readable").hash(&mut hasher);
        }
        let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("hostile-{:016x}", hasher.finish()));
        fs::create_dir_all(&folder).expect("the target directory is writable");
        folder
    })
}

/// Adds the files in a folder that a plugin may be built from, also those in its sub-folders.
fn add_sources(folder: &Path, sources: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).expect("the checkout is whole") {
        let path = entry.expect("the checkout is readable").path();
        let kind = path.extension().and_then(|extension| extension.to_str());
        if path.is_dir() {
            add_sources(&path, sources);
        } else if matches!(kind, Some("c" | "cpp" | "h" | "hpp" | "wat")) {
            sources.push(path);
        }
    }
}

/// A folder for what one test compiles with Cargo, kept for the next time.
pub(crate) fn kept(name: &str) -> PathBuf {
    Path::new(env!("CARGO_TARGET_TMPDIR")).join(name)
}
