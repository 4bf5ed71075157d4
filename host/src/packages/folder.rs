//! A plugin folder into which packages are installed: each in a folder of its own, `NAME@VERSION`. What is new is made and
//! verified beside its place, and takes it by a rename; so a package is there whole or not at all.

use std::{
    collections::BTreeSet,
    fs, io,
    path::{Path, PathBuf},
};

use dyno_core::{
    binary,
    model::{FileRole, LockedFile, LockedPackage, PackageLock, PackageManifest, unusable},
};
use semver::Version;
use serde::Serialize;
use tempfile::TempDir;

use super::{
    PackageError,
    archive::Archive,
    lock::{self, Guard, fault},
    signed::{Vouched, vouched},
};
use crate::{
    catalog::{self, PACKAGE_MANIFEST as MANIFEST, PACKAGE_SIGNATURE},
    fault::Place,
    trust::{SignatureState, TrustStore},
    user_file::replace,
};

/// How folders in the making, and such that are being removed, begin: scans skip hidden folders.
const IN_WORK: &str = ".dyno-work-";

/// A plugin folder with packages.
#[derive(Debug, Clone)]
pub struct PackageFolder {
    path: PathBuf,
}

/// What came of installing a package.
#[derive(Debug, Clone, Serialize)]
pub struct Placed {
    /// Its name and version. // eg: "hello@1.0.0"
    pub name: String,
    /// Its folder.
    pub folder: PathBuf,
    /// Whether it was there already, unharmed.
    pub was_there: bool,
    /// What it contains for this machine.
    pub files: Vec<LockedFile>,
    /// What is known of its signature.
    pub signature: SignatureState,
}

/// An installed package, and whether it still is what was installed.
#[derive(Debug, Clone, Serialize)]
pub struct Installed {
    /// The package.
    #[serde(flatten)]
    pub package: LockedPackage,
    /// Its folder.
    pub folder: PathBuf,
    /// Whether it is whole.
    #[serde(flatten)]
    pub state: Wholeness,
}

/// Whether an installed package is still what was installed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "state", rename_all = "lowercase")]
pub enum Wholeness {
    /// Every file has the hash that the lock file names.
    Whole,
    /// A file has other bytes, or cannot be read.
    Changed {
        /// The file.
        file: String,
    },
    /// Its folder is gone.
    Missing,
}

impl PackageFolder {
    /// The folder, which need not exist.
    #[must_use]
    pub fn new(path: &Path) -> Self {
        Self { path: path.to_owned() }
    }

    /// Where it is.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The installed packages, by name and version, the newest last. Reads all their files.
    ///
    /// # Errors
    /// When the lock file cannot be used.
    pub fn installed(&self) -> Result<Vec<Installed>, PackageError> {
        let packages = lock::read(&self.path)?.packages;
        let all = packages.into_iter().map(|package| {
            let folder = self.path.join(package.name());
            let state = wholeness(&folder, &package);
            Installed { package, folder, state }
        });
        Ok(all.collect())
    }

    /// Installs the part of a package that is for this machine. `expected` is the name and version that it must have,
    /// `signature` what was found beside it.
    ///
    /// # Errors
    /// When the package is not good, does not fit here, is not admitted by the trust store, or another one has its name and
    /// version; nothing has then changed.
    pub(crate) fn install(
        &self,
        archive: &Archive,
        expected: Option<&str>,
        signature: Option<Vec<u8>>,
        trust: &TrustStore,
    ) -> Result<Placed, PackageError> {
        let (manifest, manifest_bytes) = archive.manifest()?;
        let name = manifest.name();
        let refused = |why: String| PackageError::package(archive.label.clone(), why);
        if let Some(expected) = expected.filter(|expected| *expected != name) {
            return Err(refused(format!("is {name}, the index says that it is {expected}")));
        }
        if let Some(why) = unusable(&manifest.builds()) {
            return Err(refused(why));
        }
        let Vouched { state: signature, kept } = vouched(archive, &manifest_bytes, signature, trust)?;
        let (archive_sha256, _) = archive.hash()?;
        let package = LockedPackage {
            id: manifest.plugin.id.clone(),
            version: manifest.plugin.version.clone(),
            source: archive.source.clone(),
            archive_sha256,
            manifest_sha256: catalog::hash(&manifest_bytes),
            files: manifest
                .for_here()
                .into_iter()
                .map(|file| LockedFile {
                    path: file.path.clone(),
                    sha256: file.sha256.clone(),
                    size_bytes: file.size_bytes,
                })
                .collect(),
        };
        let guard = Guard::of(&self.path, Place::Packages)?;
        self.clear_remains();
        let mut lock = lock::read(&self.path)?;
        let folder = self.path.join(&name);
        let known = lock.packages.iter().find(|known| known.name() == name);
        if let Some(known) = known.filter(|known| known.manifest_sha256 != package.manifest_sha256) {
            return Err(refused(format!(
                "differs from the {name} that is installed in `{}` (from {}); give the new build another version, or remove \
                 the other with `dyno remove {name}`",
                self.path.display(),
                known.source
            )));
        }
        let is_whole = wholeness(&folder, &package) == Wholeness::Whole;
        // One that is whole and not in the lock file is of an installation that was cut short.
        let is_ours = known.is_some()
            || is_whole && fs::read(folder.join(MANIFEST)).is_ok_and(|bytes| bytes == manifest_bytes);
        if !is_ours && folder.symlink_metadata().is_ok() {
            return Err(PackageError::Name(format!(
                "`{}` is there already, and is not in the lock file of that folder; move it away to install {name}",
                folder.display()
            )));
        }
        let was_there = known.is_some() && is_whole;
        if !is_whole {
            self.place(archive, &manifest, (&manifest_bytes, kept.as_deref()), &folder)?;
            let doing = || format!("cannot put a package into `{}`", self.path.display());
            guard.sync().map_err(|error| fault(doing(), &error))?;
        } else if let Some(kept) = kept {
            // The same package, signed since.
            replace(&folder.join(PACKAGE_SIGNATURE), &kept, Place::Packages)?;
        }
        let files = package.files.clone();
        if !was_there {
            record(&mut lock, package);
            guard.write(&lock)?;
        }
        Ok(Placed { name, folder, was_there, files, signature })
    }

    /// Makes the folder of a package, and puts it into its place.
    fn place(
        &self,
        archive: &Archive,
        manifest: &PackageManifest,
        (manifest_bytes, signature): (&[u8], Option<&[u8]>),
        folder: &Path,
    ) -> Result<(), PackageError> {
        let work = self.work()?;
        let doing = format!("cannot make the folder `{}`", folder.display());
        let failed = |error: io::Error| fault(doing.clone(), &error);
        // A folder inside: the outer one is this user's alone, whatever the user's mask is.
        let staged = work.path().join("new");
        fs::create_dir(&staged).map_err(failed)?;
        let wanted: BTreeSet<&str> = manifest.for_here().iter().map(|file| file.path.as_str()).collect();
        archive.unpack(manifest_bytes, &staged, &wanted)?;
        check_plugins(archive, manifest, &staged)?;
        fs::write(staged.join(MANIFEST), manifest_bytes).map_err(failed)?;
        if let Some(signature) = signature {
            fs::write(staged.join(PACKAGE_SIGNATURE), signature).map_err(failed)?;
        }
        sync_folders(&staged).map_err(failed)?;
        if folder.symlink_metadata().is_ok() {
            fs::rename(folder, work.path().join("old")).map_err(failed)?;
        }
        fs::rename(&staged, folder).map_err(failed)?;
        Ok(())
    }

    /// Removes a package: `NAME@VERSION`, or `NAME` if one version of it is installed. Returns its name and version.
    ///
    /// # Errors
    /// When no such package is installed, or several are; nothing has then changed.
    pub fn remove(&self, wanted: &str) -> Result<String, PackageError> {
        let nothing = |installed: &PackageLock| {
            let there: Vec<String> = installed.packages.iter().map(LockedPackage::name).collect();
            let there = if there.is_empty() {
                "no package is".to_owned()
            } else {
                format!("{} is", there.join(", "))
            };
            PackageError::Name(format!(
                "`{wanted}` is not installed in `{}`, where {there}; name another folder with --from",
                self.path.display()
            ))
        };
        if !self.path.is_dir() {
            return Err(nothing(&PackageLock::empty()));
        }
        let guard = Guard::of(&self.path, Place::Packages)?;
        self.clear_remains();
        let mut lock = lock::read(&self.path)?;
        let is_meant = |package: &&LockedPackage| package.name() == wanted || package.id == wanted;
        let meant: Vec<String> = lock.packages.iter().filter(is_meant).map(LockedPackage::name).collect();
        let [name] = meant.as_slice() else {
            return Err(match meant.as_slice() {
                [] => nothing(&lock),
                several => PackageError::Name(format!(
                    "several versions of `{wanted}` are installed; name one of {}",
                    several.join(", ")
                )),
            });
        };
        let work = self.work()?;
        match fs::rename(self.path.join(name), work.path().join("old")) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => {
                let doing = format!("cannot remove `{}`", self.path.join(name).display());
                return Err(fault(doing, &error).into());
            }
            _ => {}
        }
        lock.packages.retain(|package| package.name() != *name);
        guard.write(&lock)?;
        Ok(name.clone())
    }

    /// A hidden folder in this one, for what is not yet, or no longer, installed.
    fn work(&self) -> Result<TempDir, PackageError> {
        tempfile::Builder::new().prefix(IN_WORK).tempdir_in(&self.path).map_err(|error| {
            fault(format!("cannot make a folder in `{}`", self.path.display()), &error).into()
        })
    }

    /// Removes what processes left behind that were killed; nobody else is at work while this one has the lock.
    fn clear_remains(&self) {
        let Ok(entries) = fs::read_dir(&self.path) else { return };
        for entry in entries.flatten() {
            if entry.file_name().to_string_lossy().starts_with(IN_WORK) {
                let _ = fs::remove_dir_all(entry.path());
            }
        }
    }
}

/// Checks that plugins are what the manifest says: `dyno list` and results go by their descriptors.
fn check_plugins(archive: &Archive, manifest: &PackageManifest, folder: &Path) -> Result<(), PackageError> {
    for file in manifest.for_here() {
        let FileRole::Plugin { target, abi } = &file.role else { continue };
        let refused = |why: String| {
            PackageError::package(archive.label.clone(), format!("is not good: `{}` {why}", file.path))
        };
        let path = folder.join(&file.path);
        let bytes = catalog::read_bytes_of(&path).map_err(|problem| refused(problem.message))?;
        let (its_target, _, descriptor) =
            binary::describe_for(&bytes).map_err(|error| refused(format!("is not a plugin: {error}")))?;
        let plugin = &descriptor.plugin;
        if (&plugin.id, &plugin.version) != (&manifest.plugin.id, &manifest.plugin.version) {
            return Err(refused(format!(
                "is {} {}, its manifest says {}",
                plugin.id,
                plugin.version,
                manifest.name()
            )));
        }
        if its_target != *target || descriptor.abi != *abi {
            return Err(refused(format!(
                "is for {its_target} and contract {}, its manifest says {target} and {}",
                descriptor.abi.version, abi.version
            )));
        }
    }
    Ok(())
}

fn record(lock: &mut PackageLock, package: LockedPackage) {
    let name = package.name();
    lock.packages.retain(|known| known.name() != name);
    lock.packages.push(package);
    let rank = |package: &LockedPackage| {
        (package.id.clone(), Version::parse(&package.version).ok(), package.version.clone())
    };
    lock.packages.sort_by_cached_key(rank);
}

fn wholeness(folder: &Path, package: &LockedPackage) -> Wholeness {
    if !folder.is_dir() {
        return Wholeness::Missing;
    }
    let is_same = |file: &&LockedFile| {
        let path = folder.join(&file.path);
        fs::metadata(&path).is_ok_and(|about| about.len() == file.size_bytes)
            && catalog::read_bytes_of(&path).is_ok_and(|bytes| catalog::hash(&bytes) == file.sha256)
    };
    match package.files.iter().find(|file| !is_same(file)) {
        Some(file) => Wholeness::Changed { file: file.path.clone() },
        None => Wholeness::Whole,
    }
}

fn sync_folders(folder: &Path) -> io::Result<()> {
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        if entry.file_type()?.is_dir() {
            sync_folders(&entry.path())?;
        }
    }
    fs::File::open(folder)?.sync_all()
}
