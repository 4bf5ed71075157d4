//! The rules, one function each.

use super::source::{Source, Violation};

/// Longest file [lines].
const LONGEST: usize = 800;

/// Where `unsafe` may stand, and why.
const UNSAFE: [&str; 12] = [
    // The ABI: unions, pointers and the layout of tables.
    "plugin-api/",
    // Both sides of the ABI that a plugin is spared.
    "sdk/rust/",
    // Foreign libraries are opened and called.
    "host/worker/src/loader/",
    // Drivers are opened and asked, in a process of their own.
    "host/probe/src/driver/",
    // DuckDB's library is opened.
    "host/duckdb/src/deferred/",
    // Their system calls have no safe door.
    "host/worker/src/sandbox/",
    "host/confine/src/",
    // The crate `gemm` takes pointers and strides.
    "plugins/cpu-kernels/src/gemm.rs",
    "plugins/model-inference/src/runtime/native/product.rs",
    // ONNX Runtime and its libraries for GPUs are told by the environment what they may do.
    "plugins/model-inference/src/runtime/ort/library.rs",
    // A file is mapped.
    "plugins/model-inference/src/weights/mapped.rs",
    // CUDA libraries are opened and called.
    "plugins/cuda-kernels/src/cuda/",
];

/// Which rooms of the host a room may use. What stands in no line here is a new room: give it its line.
const ARROWS: [(&str, &[&str]); 21] = [
    ("cli", &["app", "config", "export", "server"]),
    ("server", &["access", "app", "client", "config", "export", "service"]),
    ("service", &["app", "export"]),
    (
        "app",
        &[
            "runner", "build", "catalog", "devices", "doctor", "lease", "pool", "store", "config", "client",
            "export", "import", "notify", "packages", "source", "trust", "access",
        ],
    ),
    ("build", &["packages", "pool"]),
    ("client", &[]),
    ("packages", &["catalog", "trust"]),
    ("notify", &["pool"]),
    ("source", &["pool"]),
    ("runner", &["catalog", "devices", "lease", "pool", "store"]),
    ("catalog", &["trust"]),
    ("devices", &[]),
    ("doctor", &[]),
    ("lease", &[]),
    ("pool", &[]),
    ("store", &[]),
    ("config", &["trust"]),
    ("trust", &[]),
    ("access", &[]),
    ("export", &[]),
    ("import", &[]),
];

/// Small things without rooms of their own, which every room may use.
const EVERYWHERE: [&str; 9] = [
    "fault",
    "outgoing",
    "ownership",
    "proc",
    "regular_file",
    "reread",
    "toml_text",
    "user_file",
    "timestamp",
];

/// Crates that load code.
const LOADERS: [&str; 8] =
    ["libloading", "wasmtime", "abi_stable", "dlopen", "wasmer", "wgpu", "cudarc", "nvml_wrapper"];

/// What only computes.
const PURE: [&str; 4] = ["host/core/src/", "host/src/doctor/", "host/src/export/", "host/src/import/"];

/// What a pure room must not name: files, network, threads, processes, the environment, clocks, chance.
const IMPURE: [&[&str]; 10] = [
    &["std", "fs"],
    &["std", "net"],
    &["std", "thread"],
    &["std", "process"],
    &["std", "env"],
    &["std", "time", "Instant"],
    &["std", "time", "SystemTime"],
    &["std", "os"],
    &["jiff", "Timestamp", "now"],
    &["rand", "rng"],
];

/// Crates that speak HTTP.
const HTTP: [&str; 8] =
    ["aide", "axum", "hyper", "hyper_util", "tower", "tower_http", "reqwest", "tungstenite"];

/// The first line says which side of which boundary a file is on.
pub(crate) fn headed(source: &Source) -> Vec<Violation> {
    // What the compiler must refuse is shown to it as a newcomer would write it.
    if source.text.starts_with("//! ") || source.path.contains("/tests/ui/") {
        return Vec::new();
    }
    vec![source.violation(1, "the first line of every file begins with `//! ` and says which side it is on")]
}

/// A file that is too long holds two ideas.
pub(crate) fn short(source: &Source) -> Vec<Violation> {
    let lines = source.text.lines().count();
    let rule = format!("{lines} lines are too many for one idea; {LONGEST} are the most");
    (lines > LONGEST).then(|| source.violation(LONGEST + 1, rule)).into_iter().collect()
}

/// `unsafe` only where foreign code is met.
pub(crate) fn safe(source: &Source) -> Vec<Violation> {
    if source.is_in(&UNSAFE) {
        return Vec::new();
    }
    let rule =
        "`unsafe` belongs to plugin-api, sdk and where a library is opened: a plugin, a driver, DuckDB";
    source.lines_with("unsafe").into_iter().map(|line| source.violation(line, rule)).collect()
}

/// A room of the host uses only rooms below it.
pub(crate) fn arrows(source: &Source) -> Vec<Violation> {
    let Some(inside) = source.path.strip_prefix("host/src/") else { return Vec::new() };
    let room = inside.split(['/', '.']).next().unwrap_or_default();
    if matches!(inside, "lib.rs" | "main.rs") || EVERYWHERE.contains(&room) || source.is_test() {
        return Vec::new();
    }
    let Some((_, allowed)) = ARROWS.iter().find(|(name, _)| *name == room) else {
        return vec![source.violation(1, format!("`{room}` is a new room: say in ARROWS what it may use"))];
    };
    // How many `super` lead from this file to the root of the crate.
    let depth = inside.trim_end_matches("/mod.rs").matches('/').count() + 1;
    let mut found = Vec::new();
    for path in source.paths() {
        let climbs = path.parts.iter().take_while(|part| *part == "super").count();
        let target = match path.parts[0].as_str() {
            "crate" => path.parts.get(1),
            "super" if climbs == depth => path.parts.get(climbs),
            _ => None,
        };
        let Some(target) = target.map(String::as_str) else { continue };
        let is_room = ARROWS.iter().any(|(name, _)| *name == target);
        if is_room && target != room && !allowed.contains(&target) {
            let rule = format!("`{room}` uses `{target}`, but it may use only {allowed:?}");
            found.push(source.violation(path.line, rule));
        }
    }
    found.dedup();
    found
}

/// The host reads plugins as bytes and never loads them; loading is the worker's.
pub(crate) fn loads_nothing(source: &Source) -> Vec<Violation> {
    if !source.is_in(&["host/src/", "host/core/src/"]) {
        return Vec::new();
    }
    let mut found = Vec::new();
    for loader in LOADERS {
        for line in source.lines_with(loader) {
            let rule = format!(
                "the host process never loads a plugin or a driver: `{loader}` is the worker's or the probe's"
            );
            found.push(source.violation(line, rule));
        }
    }
    found
}

/// The core, the doctor, the writers and the readers compute: same input, same output.
pub(crate) fn pure(source: &Source) -> Vec<Violation> {
    if !source.is_in(&PURE) || source.is_test() {
        return Vec::new();
    }
    let paths = source.paths();
    let impure = paths.iter().filter(|path| IMPURE.iter().any(|prefix| path.is_in(prefix)));
    impure
        .map(|path| {
            let rule = format!(
                "`{}` is I/O, a clock or chance; core, doctor, export and import are pure",
                path.parts.join("::")
            );
            source.violation(path.line, rule)
        })
        .collect()
}

/// Only the pool starts processes: it knows its children, and takes none of them for what a plugin left behind.
pub(crate) fn starts_nothing(source: &Source) -> Vec<Violation> {
    if !source.path.starts_with("host/") || source.is_in(&["host/src/pool/"]) || source.is_test() {
        return Vec::new();
    }
    let starts = |parts: &[String]| {
        let pair = |parts: &[String]| match parts {
            [one, other, ..] => matches!(
                (one.as_str(), other.as_str()),
                ("process", "Command" | "Child") | ("Command", "new") | ("unistd", "fork")
            ),
            _ => false,
        };
        let is_exec = |part: &String| part.starts_with("execv") || part.starts_with("posix_spawn");
        (0..parts.len()).any(|start| pair(&parts[start..])) || parts.iter().any(is_exec)
    };
    let paths = source.paths();
    let found = paths.iter().filter(|path| starts(&path.parts));
    found
        .map(|path| {
            let rule = format!(
                "`{}`: only `pool` starts processes; run a program by `pool::run_tool`",
                path.parts.join("::")
            );
            source.violation(path.line, rule)
        })
        .collect()
}

/// SQL only in the store.
pub(crate) fn sql(source: &Source) -> Vec<Violation> {
    if source.is_in(&["host/src/store/"]) || source.is_test() || source.path.starts_with("xtask/") {
        return Vec::new();
    }
    let is_sql = |text: &str| {
        let text = text.split_whitespace().collect::<Vec<_>>().join(" ").to_lowercase();
        ["insert into ", "delete from ", "create table ", "create view ", "drop table ", "alter table "]
            .iter()
            .any(|statement| text.contains(statement))
            || (text.starts_with("select ") && text.contains(" from "))
            || (text.starts_with("update ") && text.contains(" set "))
    };
    source
        .strings
        .iter()
        .filter(|(_, text)| is_sql(text))
        .map(|(line, _)| source.violation(*line, "SQL stands in `store` alone"))
        .collect()
}

/// Tests look at the checkout that Cargo runs them for, not at the one that compiled them: where checkouts share a target folder, these
/// may differ.
pub(crate) fn looks_here(source: &Source) -> Vec<Violation> {
    // Where the first one may serve, for want of another.
    if source.is_in(&["host/src/config/paths.rs", "xtask/src/project.rs"]) {
        return Vec::new();
    }
    let compiled = concat!("env!", "(\"CARGO_MANIFEST_DIR\")");
    let lines = (1..).zip(source.text.lines()).filter(|(_, text)| text.contains(compiled));
    let rule = "a path of the checkout is asked for when a test runs: `env::var_os`, not `env!`";
    lines.map(|(line, _)| source.violation(line, rule)).collect()
}

/// HTTP only in the server.
pub(crate) fn http(source: &Source) -> Vec<Violation> {
    if !source.path.starts_with("host/") || source.is_in(&["host/src/server/"]) || source.is_test() {
        return Vec::new();
    }
    let paths = source.paths();
    paths
        .iter()
        .filter(|path| HTTP.contains(&path.parts[0].as_str()))
        .map(|path| {
            source.violation(path.line, format!("`{}`: HTTP stands in `server` alone", path.parts[0]))
        })
        .collect()
}

/// Standard output belongs to the command line; everything else returns what it has to say.
pub(crate) fn quiet(source: &Source) -> Vec<Violation> {
    // The probe is a program of its own, whose answer is what it prints, and so is a worker that is asked for its layers; what a
    // component prints, its worker prints.
    let printing = [
        "host/src/cli/",
        "host/probe/src/main.rs",
        "host/worker/src/layers.rs",
        "host/worker/src/loader/wasi/streams.rs",
        "xtask/",
    ];
    let may_print = source.is_in(&printing) || source.is_test();
    // An example is its own command line, and a build script talks to Cargo that way.
    if may_print || source.path.contains("/examples/") || source.path.ends_with("build.rs") {
        return Vec::new();
    }
    let rule = "only `cli` writes to standard output";
    let is_macro = |line: &usize| {
        let text = source.code.lines().nth(line - 1).unwrap_or_default();
        text.contains("println!") || text.contains("print!")
    };
    let mut lines: Vec<usize> = source.lines_with("println");
    lines.extend(source.lines_with("print"));
    lines.retain(is_macro);
    lines.extend(
        source
            .paths()
            .iter()
            .filter(|path| path.parts.ends_with(&["io".into(), "stdout".into()]))
            .map(|path| path.line),
    );
    lines.into_iter().map(|line| source.violation(line, rule)).collect()
}
