//! An index: one JSON file beside packages, in a folder or on a web server, which names their hashes.

use std::{
    fs,
    path::{Path, PathBuf},
};

use dyno_core::model::{
    INDEX_SCHEMA, INDEX_VERSION, IndexedPackage, MAX_PACKAGE_BYTES, PackageIndex, unusable,
};
use semver::Version;

use super::{
    EXTENSION, PackageError,
    archive::Archive,
    fetch::{self, download, is_url},
    signed::{signature_at, signature_beside},
};
use crate::{fault::Place, regular_file, trust::TrustStore, user_file};

/// The name of an index in its folder.
const INDEX: &str = "dyno-index.json";
/// Maximum length of an index [bytes].
const MAX_BYTES: u64 = 64 << 20;

/// An index that was read.
#[derive(Debug)]
pub struct Index {
    /// Where it is.
    place: String,
    /// What the places of its packages are relative to.
    base: Location,
    /// Its packages.
    pub packages: Vec<IndexedPackage>,
}

#[derive(Debug)]
enum Location {
    Path(PathBuf),
    Url(String),
}

impl Index {
    /// Reads an index: a file, the folder that it is in, or the URL of either.
    ///
    /// # Errors
    /// When it cannot be read, or is not an index.
    pub fn read(place: &str) -> Result<Self, PackageError> {
        let (place, base, bytes) = if is_url(place) {
            let is_file = place.split(['?', '#']).next().is_some_and(|path| path.ends_with(".json"));
            let url =
                if is_file { place.to_owned() } else { format!("{}/{INDEX}", place.trim_end_matches('/')) };
            let base = url.rsplit_once('/').map_or(url.as_str(), |(base, _)| base).to_owned();
            let bytes = fetch::text(&url, MAX_BYTES)?;
            (fetch::shown(&url), Location::Url(base), bytes)
        } else {
            let path = Path::new(place);
            let path = if path.is_dir() { path.join(INDEX) } else { path.to_owned() };
            let bytes = local(&path)?;
            (path.display().to_string(), Location::Path(user_file::folder_of(&path)), bytes)
        };
        match PackageIndex::from_json(&bytes) {
            Ok(index) => Ok(Self { place, base, packages: index.packages }),
            Err(why) => Err(refused(&place, why)),
        }
    }

    /// The package that is meant by `NAME@VERSION`, or by `NAME`: its newest version that has a build for this machine.
    ///
    /// # Errors
    /// When there is no such package, or it has no such build.
    pub fn find(&self, wanted: &str) -> Result<&IndexedPackage, PackageError> {
        let mut meant: Vec<&IndexedPackage> = self
            .packages
            .iter()
            .filter(|package| package.plugin.id == wanted || package.name() == wanted)
            .collect();
        meant.sort_by_cached_key(|package| Version::parse(&package.plugin.version).ok());
        if let Some(usable) = meant.iter().rev().find(|package| unusable(&package.builds).is_none()) {
            return Ok(usable);
        }
        let Some(newest) = meant.last() else {
            let near = self.near(wanted);
            return Err(refused(
                &self.place,
                format!("has no package `{wanted}`; {near}`dyno list --index` shows all"),
            ));
        };
        let why = unusable(&newest.builds).unwrap_or_default();
        Err(PackageError::package(newest.name(), why))
    }

    fn near(&self, wanted: &str) -> String {
        /// Minimum similarity of a name that may have been meant, 0 to 1.
        const ALIKE: f64 = 0.8;
        let id = wanted.split('@').next().unwrap_or_default();
        let likeness = |package: &&IndexedPackage| {
            if package.plugin.id == id { 2.0 } else { strsim::jaro_winkler(&package.plugin.id, id) }
        };
        let nearest = self.packages.iter().max_by(|a, b| likeness(a).total_cmp(&likeness(b)));
        nearest
            .filter(|package| likeness(package) >= ALIKE)
            .map(|package| format!("it has {}; ", package.name()))
            .unwrap_or_default()
    }

    /// The signature of a package; `None` if there is none beside it.
    ///
    /// # Errors
    /// When it cannot be read.
    pub(crate) fn signature(
        &self,
        package: &IndexedPackage,
        trust: &TrustStore,
    ) -> Result<Option<Vec<u8>>, PackageError> {
        match self.location_of(package) {
            Location::Url(url) => signature_at(&url, trust),
            Location::Path(path) => signature_beside(&path),
        }
    }

    /// Where a package is.
    fn location_of(&self, package: &IndexedPackage) -> Location {
        match (&self.base, is_url(&package.location)) {
            (_, true) => Location::Url(package.location.clone()),
            (Location::Url(base), false) => Location::Url(format!("{base}/{}", package.location)),
            (Location::Path(folder), false) => Location::Path(folder.join(&package.location)),
        }
    }

    /// Gets a package, and checks that it is the one that the index names.
    ///
    /// # Errors
    /// When it cannot be read, or has another hash.
    pub(crate) fn open(&self, package: &IndexedPackage) -> Result<Archive, PackageError> {
        let archive = match self.location_of(package) {
            Location::Url(url) => download(&url, MAX_PACKAGE_BYTES)?,
            Location::Path(path) => Archive::open(&path)?,
        };
        let (sha256, length) = archive.hash()?;
        if (&sha256, length) != (&package.sha256, package.size_bytes) {
            return Err(PackageError::package(
                archive.label,
                format!(
                    "is not the one that the index `{}` names: it has {length} bytes and SHA-256 {sha256}, expected {} and {}",
                    self.place, package.size_bytes, package.sha256
                ),
            ));
        }
        Ok(archive)
    }
}

fn refused(place: &str, why: impl Into<String>) -> PackageError {
    PackageError::Document { what: "index", place: place.to_owned(), why: why.into() }
}

fn local(path: &Path) -> Result<Vec<u8>, PackageError> {
    let said = |error: std::io::Error| {
        refused(
            &path.display().to_string(),
            format!(
                "cannot be read: {error}; `dyno pack --index DIR` makes one for the packages in a folder"
            ),
        )
    };
    let bytes = regular_file::read(path, MAX_BYTES).map_err(said)?;
    if bytes.len() as u64 > MAX_BYTES {
        return Err(refused(&path.display().to_string(), format!("has more than {MAX_BYTES} bytes")));
    }
    Ok(bytes)
}

/// The packages in a folder, by the names of their files.
///
/// # Errors
/// When the folder cannot be read.
pub(crate) fn packages_in(folder: &Path) -> Result<Vec<PathBuf>, PackageError> {
    let said = |error: std::io::Error| {
        PackageError::Name(format!("the folder `{}` cannot be read: {error}", folder.display()))
    };
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).map_err(said)? {
        let path = entry.map_err(said)?.path();
        let is_hidden = path.file_name().is_some_and(|name| name.to_string_lossy().starts_with('.'));
        if !is_hidden && path.extension().is_some_and(|extension| extension == EXTENSION) {
            found.push(path);
        }
    }
    found.sort();
    if found.is_empty() {
        return Err(PackageError::Name(format!(
            "there is no package (`*.{EXTENSION}`) in `{}`; `dyno pack` makes one",
            folder.display()
        )));
    }
    Ok(found)
}

/// Writes the index of the packages in a folder. Returns where it is, and what is in it.
///
/// # Errors
/// When a package is not good, two have one name and version, or the index cannot be written.
pub(crate) fn write_index(folder: &Path) -> Result<(PathBuf, PackageIndex), PackageError> {
    let mut packages: Vec<IndexedPackage> = Vec::new();
    for path in packages_in(folder)? {
        let archive = Archive::open(&path)?;
        let (manifest, _) = archive.manifest()?;
        let (sha256, size_bytes) = archive.hash()?;
        let location = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        if let Some(other) = packages.iter().find(|other| other.name() == manifest.name()) {
            return Err(PackageError::package(
                archive.label,
                format!(
                    "is {}, as is `{}`; give one of them another version, or remove it",
                    manifest.name(),
                    other.location
                ),
            ));
        }
        packages.push(IndexedPackage {
            builds: manifest.builds(),
            plugin: manifest.plugin,
            benchmarks: manifest.benchmarks,
            location,
            sha256,
            size_bytes,
        });
    }
    packages.sort_by_cached_key(|package| {
        (package.plugin.id.clone(), Version::parse(&package.plugin.version).ok())
    });
    let index = PackageIndex { schema: INDEX_SCHEMA.to_owned(), version: INDEX_VERSION, packages };
    let text = serde_json::to_string_pretty(&index).map_err(|error| PackageError::Pack(error.to_string()))?;
    // What was written must be readable: a name in the folder may be no plain one.
    let path = folder.join(INDEX);
    PackageIndex::from_json(text.as_bytes()).map_err(|why| refused(&path.display().to_string(), why))?;
    user_file::replace(&path, format!("{text}\n").as_bytes(), Place::Named)?;
    Ok((path, index))
}
