//! Packages: what is in one, which packages are installed, and which an index offers. The documents, and what makes one good.

use std::{
    collections::BTreeSet,
    path::{Component, Path},
};

use dyno_plugin_api::descriptor::{AbiInfo, Kind, PluginInfo};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize, de::DeserializeOwned};
use serde_json::Value;

use crate::binary::Target;

/// The name of the document in a package, its first file.
pub const PACKAGE_SCHEMA: &str = "dyno.package";
/// The version of the document.
pub const PACKAGE_VERSION: u32 = 1;
/// The name of the document about installed packages.
pub const LOCK_SCHEMA: &str = "dyno.lock";
/// The version of the document.
pub const LOCK_VERSION: u32 = 1;
/// The name of the document about packages that can be installed.
pub const INDEX_SCHEMA: &str = "dyno.index";
/// The version of the document.
pub const INDEX_VERSION: u32 = 1;

/// Maximum number of files in a package, and of packages in a lock file.
pub const MAX_FILES: usize = 512;
/// Maximum size of a file in a package [bytes].
pub const MAX_FILE_BYTES: u64 = 1 << 30;
/// Maximum size of all files of a package [bytes].
pub const MAX_PACKAGE_BYTES: u64 = 2 << 30;
/// Maximum length of the path of a file in a package [bytes].
const MAX_PATH_BYTES: usize = 100;
/// Maximum number of packages in an index.
const MAX_INDEX: usize = 20_000;

/// What is in a package: `dyno-package.json`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct PackageManifest {
    /// Always `dyno.package`.
    pub schema: String,
    /// Version of the format.
    pub version: u32,
    /// The plugin, as its descriptors say it.
    pub plugin: PluginInfo,
    /// Names of its benchmarks, sorted.
    pub benchmarks: Vec<String>,
    /// All other files of the package, in the order in which they follow: by path.
    pub files: Vec<PackageFile>,
}

/// A file of a package.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct PackageFile {
    /// Where it is in the package: at most three parts of letters, digits and `.`, `_`, `+`, `-`, joined by `/`.
    pub path: String,
    /// SHA-256 of its bytes, in hexadecimal.
    pub sha256: String,
    /// Its length [bytes].
    pub size_bytes: u64,
    /// What it is.
    #[serde(flatten)]
    pub role: FileRole,
}

/// What a file of a package is.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "role", rename_all = "lowercase")]
pub enum FileRole {
    /// The plugin, built for one target and contract.
    Plugin {
        /// The machines that it is for.
        target: Target,
        /// The contract that it was built for.
        abi: AbiInfo,
    },
    /// A library that the plugin in the same folder needs.
    Library {
        /// The machines that it is for.
        target: Target,
    },
    /// The licence.
    Licence,
    /// The README.
    Readme,
}

/// What a plugin folder contains: `dyno-lock.json`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct PackageLock {
    /// Always `dyno.lock`.
    pub schema: String,
    /// Version of the format.
    pub version: u32,
    /// The packages, by name and version.
    pub packages: Vec<LockedPackage>,
    /// Plugins and libraries in the folder that belong to no package, as they were when `dyno lock` was told to trust them.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub files: Vec<LockedFile>,
}

/// An installed package.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct LockedPackage {
    /// Identifier of the plugin.
    pub id: String,
    /// Its version.
    pub version: String,
    /// Where it came from: a path or URL.
    pub source: String,
    /// SHA-256 of its archive, in hexadecimal.
    pub archive_sha256: String,
    /// SHA-256 of its `dyno-package.json`, which names the hashes of all files: two packages with the same are the same.
    pub manifest_sha256: String,
    /// The files that were installed, which are those for this machine.
    pub files: Vec<LockedFile>,
}

/// A file whose bytes are known.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct LockedFile {
    /// Where it is in the folder of its package, or of the lock file.
    pub path: String,
    /// SHA-256 of its bytes, in hexadecimal.
    pub sha256: String,
    /// Its length [bytes].
    pub size_bytes: u64,
}

/// The packages that can be installed from a folder or web server: `dyno-index.json`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct PackageIndex {
    /// Always `dyno.index`.
    pub schema: String,
    /// Version of the format.
    pub version: u32,
    /// The packages, by name and version.
    pub packages: Vec<IndexedPackage>,
}

/// A package in an index.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct IndexedPackage {
    /// The plugin.
    pub plugin: PluginInfo,
    /// Names of its benchmarks.
    pub benchmarks: Vec<String>,
    /// What it was built for.
    pub builds: Vec<PackageBuild>,
    /// Its archive: a plain path, relative to the index, or a URL.
    pub location: String,
    /// SHA-256 of the archive, in hexadecimal.
    pub sha256: String,
    /// Length of the archive [bytes].
    pub size_bytes: u64,
}

/// A target and a contract that a package has a build for.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct PackageBuild {
    /// The machines that it is for.
    pub target: Target,
    /// The contract that it was built for.
    pub abi: AbiInfo,
}

impl PackageBuild {
    /// Whether this machine and this dyno can use it.
    #[must_use]
    pub fn is_usable(&self) -> bool {
        self.target.is_here() && self.abi.mismatch().is_none()
    }

    fn words(&self) -> String {
        let Self { target, abi } = self;
        match abi.kind {
            Kind::Native => format!("native for {target}, contract {}", abi.version),
            Kind::Wasm => format!("WASM, contract {}", abi.version),
        }
    }
}

/// Why none of these builds can be used here, as the end of a sentence; `None` if one can.
#[must_use]
pub fn unusable(builds: &[PackageBuild]) -> Option<String> {
    if builds.iter().any(PackageBuild::is_usable) {
        return None;
    }
    let there: Vec<String> = builds.iter().map(PackageBuild::words).collect();
    // A build for this machine, but another contract, is nearest.
    let nearest = builds.iter().find(|build| build.target.is_here()).and_then(|build| build.abi.mismatch());
    Some(format!(
        "has no build for this machine, which is {} and takes native plugins of contract {} and WASM components of \
         contract {}; it has {}{}",
        Target::here(),
        AbiInfo::version_here(Kind::Native),
        AbiInfo::version_here(Kind::Wasm),
        there.join("; "),
        nearest.map(|why| format!(": {why}")).unwrap_or_default(),
    ))
}

/// The name of a package and its version, which is also the name of its folder. // eg: "hello@1.0.0"
#[must_use]
pub fn package_name(id: &str, version: &str) -> String {
    format!("{id}@{version}")
}

impl PackageManifest {
    /// Reads and checks a manifest.
    ///
    /// # Errors
    /// What is wrong with it, as the end of a sentence.
    pub fn from_json(bytes: &[u8]) -> Result<Self, String> {
        let manifest: Self = document(bytes, PACKAGE_SCHEMA, PACKAGE_VERSION)?;
        manifest.plugin.check().map_err(|error| error.to_string())?;
        let files = &manifest.files;
        if files.len() > MAX_FILES {
            return Err(format!("has {} files; at most {MAX_FILES} are allowed", files.len()));
        }
        let mut paths = BTreeSet::new();
        let mut total = 0_u64;
        for file in files {
            check_path(&file.path)?;
            check_hash(&file.sha256)?;
            if !paths.insert(file.path.as_str()) {
                return Err(format!("names the file `{}` twice", file.path));
            }
            if file.size_bytes > MAX_FILE_BYTES {
                return Err(format!(
                    "names a size of {} bytes for `{}`; at most {MAX_FILE_BYTES} are allowed",
                    file.size_bytes, file.path
                ));
            }
            total = total.saturating_add(file.size_bytes);
        }
        if total > MAX_PACKAGE_BYTES {
            return Err(format!("has {total} bytes of files; at most {MAX_PACKAGE_BYTES} are allowed"));
        }
        if let Some(path) =
            paths.iter().find(|path| path.match_indices('/').any(|(end, _)| paths.contains(&path[..end])))
        {
            return Err(format!("names `{path}` in a folder that is a file as well"));
        }
        if manifest.builds().is_empty() {
            return Err("contains no plugin".to_owned());
        }
        Ok(manifest)
    }

    /// Its name and version. // eg: "hello@1.0.0"
    #[must_use]
    pub fn name(&self) -> String {
        package_name(&self.plugin.id, &self.plugin.version)
    }

    /// What it has builds for.
    #[must_use]
    pub fn builds(&self) -> Vec<PackageBuild> {
        self.files.iter().filter_map(PackageFile::build).collect()
    }

    /// The files that this machine needs: the builds that it can use with their libraries, the licence, the README.
    #[must_use]
    pub fn for_here(&self) -> Vec<&PackageFile> {
        let usable = |file: &&PackageFile| file.build().is_some_and(|build| build.is_usable());
        let folders: BTreeSet<&str> = self.files.iter().filter(usable).map(PackageFile::folder).collect();
        let is_needed = |file: &&PackageFile| match &file.role {
            FileRole::Plugin { .. } => usable(file),
            FileRole::Library { target } => target.is_here() && folders.contains(file.folder()),
            FileRole::Licence | FileRole::Readme => true,
        };
        self.files.iter().filter(is_needed).collect()
    }
}

impl PackageFile {
    fn folder(&self) -> &str {
        self.path.rsplit_once('/').map_or("", |(folder, _)| folder)
    }

    fn build(&self) -> Option<PackageBuild> {
        match &self.role {
            FileRole::Plugin { target, abi } => {
                Some(PackageBuild { target: target.clone(), abi: abi.clone() })
            }
            FileRole::Library { .. } | FileRole::Licence | FileRole::Readme => None,
        }
    }
}

impl PackageLock {
    /// A lock file of nothing.
    #[must_use]
    pub fn empty() -> Self {
        Self {
            schema: LOCK_SCHEMA.to_owned(),
            version: LOCK_VERSION,
            packages: Vec::new(),
            files: Vec::new(),
        }
    }

    /// Reads and checks a lock file.
    ///
    /// # Errors
    /// What is wrong with it, as the end of a sentence.
    pub fn from_json(bytes: &[u8]) -> Result<Self, String> {
        let lock: Self = document(bytes, LOCK_SCHEMA, LOCK_VERSION)?;
        for package in &lock.packages {
            let about = PluginInfo {
                id: package.id.clone(),
                version: package.version.clone(),
                description: String::new(),
                authors: Vec::new(),
                license: String::new(),
                homepage: String::new(),
            };
            about.check().map_err(|error| error.to_string())?;
            package.files.iter().try_for_each(|file| check_path(&file.path))?;
        }
        let leads_out =
            |path: &str| Path::new(path).components().any(|part| !matches!(part, Component::Normal(_)));
        if let Some(file) = lock.files.iter().find(|file| file.path.is_empty() || leads_out(&file.path)) {
            return Err(format!("names `{}`, which is not a path inside its folder", file.path));
        }
        Ok(lock)
    }
}

impl LockedPackage {
    /// Its name and version. // eg: "hello@1.0.0"
    #[must_use]
    pub fn name(&self) -> String {
        package_name(&self.id, &self.version)
    }
}

impl PackageIndex {
    /// Reads and checks an index.
    ///
    /// # Errors
    /// What is wrong with it, as the end of a sentence.
    pub fn from_json(bytes: &[u8]) -> Result<Self, String> {
        let index: Self = document(bytes, INDEX_SCHEMA, INDEX_VERSION)?;
        if index.packages.len() > MAX_INDEX {
            return Err(format!("has {} packages; at most {MAX_INDEX} are allowed", index.packages.len()));
        }
        for package in &index.packages {
            package.plugin.check().map_err(|error| error.to_string())?;
            check_hash(&package.sha256)?;
            if !package.location.contains("://") {
                check_path(&package.location)?;
            }
        }
        Ok(index)
    }
}

impl IndexedPackage {
    /// Its name and version. // eg: "hello@1.0.0"
    #[must_use]
    pub fn name(&self) -> String {
        package_name(&self.plugin.id, &self.plugin.version)
    }
}

/// A JSON document with this name and version.
fn document<T: DeserializeOwned>(bytes: &[u8], name: &str, version: u32) -> Result<T, String> {
    let value: Value = serde_json::from_slice(bytes).map_err(|error| format!("is not JSON: {error}"))?;
    match value.get("schema").and_then(Value::as_str) {
        Some(found) if found == name => {}
        _ => return Err(format!("is not a document `{name}`")),
    }
    match value.get("version").and_then(Value::as_u64) {
        Some(found) if found == u64::from(version) => {}
        Some(found) => {
            return Err(format!(
                "is a document `{name}` of version {found}; this dyno reads version {version}"
            ));
        }
        None => return Err(format!("is a document `{name}` without a version")),
    }
    serde_json::from_value(value).map_err(|error| format!("does not fit `{name}`: {error}"))
}

/// Checks that a path leads to a file below the folder of its package, whatever is there.
///
/// # Errors
/// What is wrong with it, as the end of a sentence.
pub fn check_path(path: &str) -> Result<(), String> {
    let is_part = |part: &str| {
        part.starts_with(|c: char| c.is_ascii_alphanumeric() || c == '_')
            && part.chars().all(|c| c.is_ascii_alphanumeric() || "._+-@".contains(c))
    };
    let parts: Vec<&str> = path.split('/').collect();
    if path.len() <= MAX_PATH_BYTES && parts.len() <= 3 && parts.into_iter().all(is_part) {
        return Ok(());
    }
    let shown: String = path.chars().take(MAX_PATH_BYTES).collect();
    Err(format!(
        "names the file `{shown}`, which is not a plain relative path (at most three names of letters, digits and `._+-@`, \
         {MAX_PATH_BYTES} bytes)"
    ))
}

fn check_hash(text: &str) -> Result<(), String> {
    if text.len() == 64 && text.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f')) {
        return Ok(());
    }
    let shown: String = text.chars().take(80).collect();
    Err(format!("has the SHA-256 `{shown}`, which is not 64 lower-case hexadecimal digits"))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn native(target: &str, version: u32) -> Value {
        let hash = dyno_plugin_api::layout::LAYOUT_HASH_TEXT;
        json!({
            "path": format!("{target}-{version}/p.so"), "sha256": "0".repeat(64), "size_bytes": 3, "role": "plugin",
            "target": target, "abi": {"kind": "native", "version": version, "layout_hash": hash},
        })
    }

    fn manifest(files: &[Value]) -> Value {
        json!({
            "schema": PACKAGE_SCHEMA, "version": PACKAGE_VERSION, "plugin": {"id": "p", "version": "1.0.0"},
            "benchmarks": ["b"], "files": files,
        })
    }

    fn read(value: &Value) -> Result<PackageManifest, String> {
        PackageManifest::from_json(value.to_string().as_bytes())
    }

    #[test]
    fn paths_that_lead_elsewhere_are_refused() {
        for path in [
            "../x", "/x", "a/../b", "a//b", ".hidden", "a/.b", "", "a/", "a\\b", "a\0", "x y", "a/b/c/d", "ü",
        ] {
            assert!(check_path(path).unwrap_err().contains("not a plain relative path"), "{path}");
        }
        assert!(check_path(&"x".repeat(101)).is_err());
        for path in ["LICENSE", "linux-x86_64/libp.so.1", "a/b/c", "p@1.0.0.dyno", "libstdc++.so.6"] {
            assert_eq!(check_path(path), Ok(()), "{path}");
        }
    }

    #[test]
    fn each_mistake_of_a_manifest_is_named() {
        let here = Target::here().to_string();
        let good = native(&here, AbiInfo::version_here(Kind::Native));
        read(&manifest(std::slice::from_ref(&good))).unwrap();
        let with = |pointer: &str, new: Value| {
            let mut value = manifest(std::slice::from_ref(&good));
            *value.pointer_mut(pointer).unwrap() = new;
            read(&value).unwrap_err()
        };
        for (pointer, new, expected) in [
            ("/schema", json!("other"), "not a document `dyno.package`"),
            ("/version", json!(9), "of version 9; this dyno reads version 1"),
            ("/plugin/id", json!("../x"), "plugin.id"),
            ("/plugin/version", json!("1"), "not a semantic version"),
            ("/files", json!([]), "contains no plugin"),
            ("/files/0/path", json!("../x"), "not a plain relative path"),
            ("/files/0/sha256", json!("zz"), "not 64 lower-case"),
            ("/files/0/size_bytes", json!(10_u64 << 30), "at most"),
            ("/files/0/size_bytes", json!(-1), "does not fit"),
            ("/files/0/target", json!("../x"), "the target `../x`"),
            ("/files/0/role", json!("device"), "unknown variant"),
        ] {
            let said = with(pointer, new);
            assert!(said.contains(expected), "{pointer}: {said}");
        }
        assert!(read(&manifest(&[good.clone(), good.clone()])).unwrap_err().contains("twice"));
        let mut inside = good.clone();
        inside["path"] = json!(format!("{}/x", good["path"].as_str().unwrap()));
        assert!(read(&manifest(&[good, inside])).unwrap_err().contains("a file as well"));
        assert!(PackageManifest::from_json(b"{").unwrap_err().contains("not JSON"));
    }

    #[test]
    fn builds_are_chosen_by_machine_and_contract() {
        let (here, ours) = (Target::here().to_string(), AbiInfo::version_here(Kind::Native));
        let library = |folder: &str| {
            json!({
                "path": format!("{folder}/libx.so.1"), "sha256": "0".repeat(64), "size_bytes": 3, "role": "library",
                "target": here,
            })
        };
        let files = [
            native("linux-mips", ours),
            native(&here, ours + 1),
            library(&format!("{here}-{}", ours + 1)),
            native(&here, ours),
            library(&format!("{here}-{ours}")),
        ];
        let all = read(&manifest(&files)).unwrap();
        let chosen: Vec<&str> = all.for_here().iter().map(|file| file.path.as_str()).collect();
        assert_eq!(chosen, [format!("{here}-{ours}/p.so"), format!("{here}-{ours}/libx.so.1")]);
        assert_eq!(unusable(&all.builds()), None);
        let said = unusable(&read(&manifest(&files[..2])).unwrap().builds()).unwrap();
        for part in ["linux-mips", here.as_str(), "rebuild the plugin"] {
            assert!(said.contains(part), "{said}");
        }
    }
}
