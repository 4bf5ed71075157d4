//! What `cargo metadata` says about this workspace, as far as the tasks need it.

use std::{
    path::{Path, PathBuf},
    process::Command,
};

use serde_json::Value;

use crate::{
    failure::{Failure, Outcome},
    process,
};

/// A package of the workspace.
#[derive(Debug)]
pub(crate) struct Package {
    /// Its name, which is also the name of the plugin file.
    pub(crate) name: String,
    /// The folder of its manifest.
    pub(crate) folder: PathBuf,
    /// Name of its library target where that is a `cdylib`.
    pub(crate) cdylib: Option<String>,
    /// Whether it builds as a WASM component too; `[package.metadata.dyno] wasm = false` says no.
    pub(crate) wasm: bool,
}

/// The workspace.
#[derive(Debug)]
pub(crate) struct Metadata {
    /// Where Cargo puts what it builds; `CARGO_TARGET_DIR` and configuration files included.
    pub(crate) target: PathBuf,
    /// Every package.
    pub(crate) packages: Vec<Package>,
    /// The version that all packages share.
    pub(crate) version: String,
    /// The oldest compiler that builds them, like `1.95`.
    pub(crate) rust_version: String,
}

impl Metadata {
    /// Asks Cargo.
    pub(crate) fn read(cargo: &Path, root: &Path) -> Outcome<Self> {
        let mut command = Command::new(cargo);
        command.args(["metadata", "--no-deps", "--format-version", "1"]).current_dir(root);
        let text = process::output(&mut command)?;
        let value: Value = serde_json::from_str(&text).map_err(|error| {
            Failure::new(format!("`cargo metadata` printed something else than JSON: {error}"))
        })?;
        Self::from_json(&value)
            .ok_or_else(|| Failure::new("`cargo metadata` lacks fields that it always had"))
    }

    fn from_json(value: &Value) -> Option<Self> {
        let text = |value: &Value| value.as_str().map(str::to_owned);
        let packages = value["packages"].as_array()?;
        let own = packages.iter().find(|package| package["name"] == "xtask")?;
        Some(Self {
            target: PathBuf::from(value["target_directory"].as_str()?),
            version: text(&own["version"])?,
            rust_version: text(&own["rust_version"])?,
            packages: packages.iter().map(Package::from_json).collect::<Option<_>>()?,
        })
    }
}

impl Package {
    fn from_json(value: &Value) -> Option<Self> {
        let is_cdylib = |target: &&Value| {
            target["kind"].as_array().is_some_and(|kinds| kinds.iter().any(|kind| kind == "cdylib"))
        };
        Some(Self {
            name: value["name"].as_str()?.to_owned(),
            folder: Path::new(value["manifest_path"].as_str()?).parent()?.to_owned(),
            cdylib: value["targets"]
                .as_array()?
                .iter()
                .find(is_cdylib)
                .and_then(|target| target["name"].as_str())
                .map(str::to_owned),
            wasm: value["metadata"]["dyno"]["wasm"] != false,
        })
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn plugins_are_told_from_other_packages() {
        let value = json!({"target_directory": "/t", "packages": [
            {"name": "xtask", "version": "1.2.3", "rust_version": "1.95", "manifest_path": "/r/xtask/Cargo.toml",
             "metadata": null, "targets": [{"name": "xtask", "kind": ["bin"]}]},
            {"name": "gpu-kernels", "version": "0.1.0", "rust_version": "1.95", "metadata": {"dyno": {"wasm": false}},
             "manifest_path": "/r/plugins/gpu-kernels/Cargo.toml",
             "targets": [{"name": "gpu_kernels", "kind": ["cdylib"]}]},
        ]});
        let metadata = Metadata::from_json(&value).unwrap();
        assert_eq!((metadata.version.as_str(), metadata.rust_version.as_str()), ("1.2.3", "1.95"));
        assert_eq!(metadata.packages[0].cdylib, None);
        let plugin = &metadata.packages[1];
        assert_eq!(plugin.cdylib.as_deref(), Some("gpu_kernels"));
        assert_eq!(plugin.folder, Path::new("/r/plugins/gpu-kernels"));
        assert!(!plugin.wasm);
    }
}
