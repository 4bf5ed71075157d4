//! Finds and opens ONNX Runtime and its libraries for GPUs. A worker has no environment that could say where they are, so the
//! usual folders are tried.

use std::{
    fs,
    path::{Path, PathBuf},
    sync::OnceLock,
};

use dyno_sdk::prelude::*;
use ort::{device::Device as EpDevice, environment::Environment};

use super::told::told;
use crate::weights;

/// What to do where it is not found.
const NEXT: &str = "install `onnxruntime` of PyPI for this user or the system (`pip install --user onnxruntime`), or \
                    put its library where the system's loader looks; `cargo xtask setup` fetches it in a checkout of dyno";

/// The one environment of the process, with the library behind it.
pub(super) fn environment() -> Result<&'static Environment, Failure> {
    // Never closed, since threads of the library may still run after its last user has ended.
    static ENVIRONMENT: OnceLock<Result<Environment, Failure>> = OnceLock::new();
    ENVIRONMENT.get_or_init(open).as_ref().map_err(Clone::clone)
}

fn open() -> Result<Environment, Failure> {
    let files = folders("", "onnxruntime").into_iter().flat_map(|it| beginning(&it, "libonnxruntime.so"));
    let by_loader = ["libonnxruntime.so.1", "libonnxruntime.so"].map(PathBuf::from);
    let mut refused = Vec::new();
    for file in files.chain(by_loader) {
        match ort::init_from(&file) {
            Ok(builder) => {
                return builder.with_name("dyno").with_telemetry(false).build().map_err(told);
            }
            // What is simply not there needs no words.
            Err(error) if file.is_absolute() => refused.push(error.to_string()),
            Err(_) => {}
        }
    }
    if refused.is_empty() {
        return Err(Failure::skipped(format!("ONNX Runtime is not found; {NEXT}")));
    }
    Err(Failure::skipped(format!("ONNX Runtime cannot be opened: {}; {NEXT}", refused.join("; "))))
}

/// The devices of ONNX Runtime that stand for a device of dyno: the one with its number.
pub(super) fn devices(
    environment: &'static Environment,
    device: &Device,
) -> Result<Vec<EpDevice<'static>>, Failure> {
    let kind = device.name.split(':').next().unwrap_or_default();
    let provider = Provider::of(kind).ok_or_else(|| {
        Failure::skipped(format!(
            "ONNX Runtime has no execution provider for `{kind}` that this plugin knows"
        ))
    })?;
    provider.register(environment)?;
    let all = environment.devices().filter(|it| it.ep().is_ok_and(|name| name == provider.name));
    let found: Vec<EpDevice<'static>> = all.skip(device.index as usize).take(1).collect();
    if found.is_empty() {
        return Err(Failure::skipped(format!("{} finds no device {}", provider.name, device.name)));
    }
    Ok(found)
}

/// A library that brings a kind of device to ONNX Runtime.
struct Provider {
    kind: &'static str,
    /// Its name in ONNX Runtime.
    name: &'static str,
    /// The package of PyPI that has it, and the folder of that package.
    package: &'static str,
    folder: &'static str,
    /// The beginning of the library's name.
    library: &'static str,
}

const PROVIDERS: [Provider; 2] = [
    Provider {
        kind: "webgpu",
        name: "WebGpuExecutionProvider",
        package: "onnxruntime-ep-webgpu",
        folder: "onnxruntime_ep_webgpu",
        library: "libonnxruntime_providers_webgpu",
    },
    Provider {
        kind: "cuda",
        name: "CUDAExecutionProvider",
        package: "onnxruntime-gpu",
        folder: "onnxruntime",
        library: "libonnxruntime_providers_cuda",
    },
];

impl Provider {
    fn of(kind: &str) -> Option<&'static Self> {
        PROVIDERS.iter().find(|provider| provider.kind == kind)
    }

    #[allow(
        unsafe_code,
        reason = "the environment of the process is how this library is told what it may use"
    )]
    fn register(&self, environment: &Environment) -> Result<(), Failure> {
        // Without it, an adapter in software is not offered. dyno says of each adapter whether it is one.
        // SAFETY: a worker loads one plugin and calls it on one thread; no other thread reads or writes variables.
        unsafe { std::env::set_var("ORT_WEBGPU_EP_ALLOW_SOFTWARE_ADAPTER", "1") };
        let files =
            folders(self.kind, self.folder).into_iter().flat_map(|folder| beginning(&folder, self.library));
        let mut refused = Vec::new();
        for file in files {
            match environment.register_ep_library(self.name, &file) {
                Ok(()) => return Ok(()),
                Err(error) if error.to_string().contains("already registered") => return Ok(()),
                Err(error) => refused.push(format!("{}: {error}", file.display())),
            }
        }
        let package = self.package;
        Err(Failure::skipped(if refused.is_empty() {
            format!(
                "{}*.so is not found; install `{package}` of PyPI for this user or the system",
                self.library
            )
        } else {
            format!("{} cannot be used: {}", self.name, refused.join("; "))
        }))
    }
}

/// Files of a folder whose names begin so.
fn beginning(folder: &Path, name: &str) -> Vec<PathBuf> {
    let mut found: Vec<PathBuf> = entries(folder)
        .filter(|it| it.file_name().is_some_and(|it| it.to_string_lossy().starts_with(name)))
        .collect();
    found.sort_unstable_by(|a, b| b.cmp(a));
    found
}

/// Where a library may be: in what dyno's own setup fetched (`fetched` is a folder in it), then in a package of Python of the user
/// and of the system.
fn folders(fetched: &str, package: &str) -> Vec<PathBuf> {
    let home = weights::home();
    let mut folders = Vec::new();
    folders.extend(home.iter().map(|home| home.join(".cache/dyno/tools/onnxruntime").join(fetched)));
    let prefixes = [
        home.map(|home| home.join(".local/lib")),
        Some(PathBuf::from("/usr/local/lib")),
        Some(PathBuf::from("/usr/lib")),
        Some(PathBuf::from("/opt/conda/lib")),
    ];
    for prefix in prefixes.into_iter().flatten() {
        for python in beginning(&prefix, "python3") {
            for packages in ["site-packages", "dist-packages"] {
                let package = python.join(packages).join(package);
                folders.extend([package.join("capi"), package]);
            }
        }
    }
    folders.retain(|folder| folder.is_dir());
    folders
}

fn entries(folder: &Path) -> impl Iterator<Item = PathBuf> {
    fs::read_dir(folder).into_iter().flatten().flatten().map(|it| it.path())
}
