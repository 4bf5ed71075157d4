//! Use cases: making, installing, listing and removing packages. No plugin code runs.

use std::path::{Path, PathBuf};

use dyno_core::{
    binary,
    model::{IndexedPackage, MAX_PACKAGE_BYTES, PackageIndex},
};

use super::{error::AppError, root::App};
use crate::{
    catalog,
    packages::{
        self, Archive, Index, Installed, LockedFolder, PackageError, PackageFolder, Packed, Placed, Source,
        download, is_url, signature_at, signature_beside,
    },
    user_file::write_whole,
};

/// What a package is made of.
#[derive(Debug, Clone)]
pub struct PackWish {
    /// Files, and folders whose files are taken if they can be.
    pub sources: Vec<PathBuf>,
    /// A descriptor for the one component that is named.
    pub descriptor: Option<PathBuf>,
    /// The file to write; absent: `NAME-VERSION.dyno`. With a descriptor, it may be a component.
    pub out: Option<PathBuf>,
}

/// What was made.
#[derive(Debug)]
pub enum Made {
    /// A package.
    Package(Box<Packed>),
    /// A component with a descriptor.
    Component {
        /// Its file.
        path: PathBuf,
        /// Its name and version. // eg: "hello@1.0.0"
        name: String,
    },
}

/// Making and installing packages.
#[derive(Debug, Clone, Copy)]
pub struct Packages<'a>(&'a App);

impl App {
    /// The use cases of packages.
    #[must_use]
    pub fn packages(&self) -> Packages<'_> {
        Packages(self)
    }
}

impl Packages<'_> {
    /// Makes a package, or puts a descriptor into a component.
    ///
    /// # Errors
    /// When what was named cannot be packed, or the file cannot be written.
    pub fn pack(&self, wish: &PackWish) -> Result<Made, AppError> {
        let is_component =
            |path: &&PathBuf| path.extension().is_some_and(|it| it.eq_ignore_ascii_case("wasm"));
        let Some(descriptor) = &wish.descriptor else {
            if let Some(out) = wish.out.as_ref().filter(is_component) {
                return Err(PackageError::Pack(format!(
                    "`{}` would be a component, which is written only with --descriptor; name a package (`.dyno`) with -o",
                    out.display()
                ))
                .into());
            }
            let sources = wish.sources.iter().cloned().map(Source::Path).collect();
            return Ok(Made::Package(Box::new(packages::pack(sources, wish.out.as_deref())?)));
        };
        let (components, others): (Vec<&PathBuf>, Vec<&PathBuf>) =
            wish.sources.iter().partition(is_component);
        let [component] = components.as_slice() else {
            return Err(PackageError::Pack(format!(
                "--descriptor is for one component (`.wasm`), but {} are named",
                components.len()
            ))
            .into());
        };
        let refused = |why: String| PackageError::Pack(format!("`{}` {why}", component.display()));
        let descriptor = packages::read_descriptor(descriptor)?;
        let bytes = catalog::read_bytes_of(component).map_err(|problem| refused(problem.message))?;
        let bytes = binary::with_descriptor(&bytes, &descriptor)
            .map_err(|why| refused(format!("takes no descriptor: {why}")))?;
        binary::check(&bytes).map_err(|why| refused(format!("would not be a plugin: {why}")))?;
        if let Some(path) = wish.out.as_ref().filter(is_component) {
            if let Some(other) = others.first() {
                return Err(PackageError::Pack(format!(
                    "a component contains no `{}`; name a package (`.dyno`) with -o",
                    other.display()
                ))
                .into());
            }
            write_whole(path, &bytes, crate::fault::Place::Named)?;
            let plugin = descriptor.plugin;
            let name = dyno_core::model::package_name(&plugin.id, &plugin.version);
            return Ok(Made::Component { path: path.clone(), name });
        }
        let mut sources = vec![Source::Bytes((*component).clone(), bytes)];
        sources.extend(others.into_iter().cloned().map(Source::Path));
        Ok(Made::Package(Box::new(packages::pack(sources, wish.out.as_deref())?)))
    }

    /// Writes the hashes of the plugins and libraries in folders, as they are, into the lock file of each. Without a folder: in
    /// all plugin folders.
    ///
    /// # Errors
    /// When a file cannot be read, or a lock file not be written; the folders before it are locked.
    pub fn lock(&self, folders: &[PathBuf]) -> Result<Vec<LockedFolder>, AppError> {
        let all;
        let folders = if folders.is_empty() {
            all = self.0.settings.plugin_folders();
            &all
        } else {
            folders
        };
        folders.iter().map(|folder| Ok(packages::lock_folder(folder)?)).collect()
    }

    /// Writes the index of the packages in a folder. Returns where it is, and what is in it.
    ///
    /// # Errors
    /// When a package is not good, or the index cannot be written.
    pub fn index(&self, folder: &Path) -> Result<(PathBuf, PackageIndex), AppError> {
        Ok(packages::write_index(folder)?)
    }

    /// Installs packages: files, folders with packages, URLs, or names that an index has. `told` hears of each package that
    /// is installed.
    ///
    /// # Errors
    /// At the first package that cannot be installed; those before it stay.
    pub fn install(
        &self,
        what: &[String],
        index: Option<&str>,
        told: &mut dyn FnMut(&Placed),
    ) -> Result<Vec<Placed>, AppError> {
        let folder = self.folder()?;
        // Read at the first name: files are installed also where the index cannot be reached.
        let mut offered: Option<Index> = None;
        let mut placed = Vec::new();
        let trust = &self.0.settings.trust.value;
        let mut place = |archive: &Archive, expected: Option<&str>, signature| -> Result<(), AppError> {
            let one = folder.install(archive, expected, signature, trust)?;
            told(&one);
            placed.push(one);
            Ok(())
        };
        for word in what {
            let path = Path::new(word);
            if is_url(word) {
                place(&download(word, MAX_PACKAGE_BYTES)?, None, signature_at(word, trust)?)?;
            } else if path.is_dir() {
                for package in packages::packages_in(path)? {
                    place(&Archive::open(&package)?, None, signature_beside(&package)?)?;
                }
            } else if path.exists() || is_path(word) {
                place(&Archive::open(path)?, None, signature_beside(path)?)?;
            } else if let Some(index) = index {
                let offered = match &mut offered {
                    Some(offered) => offered,
                    none => none.insert(Index::read(index)?),
                };
                let package = offered.find(word)?;
                place(&offered.open(package)?, Some(&package.name()), offered.signature(package, trust)?)?;
            } else {
                return Err(PackageError::Name(format!(
                    "`{word}` is not a file, folder or URL; to install a package by its name, name an index with --index"
                ))
                .into());
            }
        }
        Ok(placed)
    }

    /// Removes packages: `NAME`, or `NAME@VERSION`. `told` hears of each that is removed, by its name and version.
    ///
    /// # Errors
    /// At the first that is not installed.
    pub fn remove(&self, names: &[String], told: &mut dyn FnMut(&str)) -> Result<(), AppError> {
        let folder = self.folder()?;
        for name in names {
            told(&folder.remove(name)?);
        }
        Ok(())
    }

    /// The packages that are installed in the plugin folders, with these, the user's own and one that was named.
    ///
    /// # Errors
    /// When a lock file cannot be used.
    pub fn installed(&self) -> Result<Vec<(PathBuf, Vec<Installed>)>, AppError> {
        let mut folders = self.0.settings.plugin_folders();
        if let Some(own) = self.0.settings.packages.value.as_ref().filter(|own| !folders.contains(own)) {
            folders.push(own.clone());
        }
        let mut found = Vec::new();
        for folder in folders {
            let installed = PackageFolder::new(&folder).installed()?;
            if !installed.is_empty() {
                found.push((folder, installed));
            }
        }
        Ok(found)
    }

    /// The packages of an index that have all these words in their name, description or benchmarks.
    ///
    /// # Errors
    /// When the index cannot be read.
    pub fn offered(&self, index: &str, words: &[&str]) -> Result<Vec<IndexedPackage>, AppError> {
        let words: Vec<String> = words.iter().map(|word| word.to_lowercase()).collect();
        let is_meant = |package: &IndexedPackage| {
            let plugin = &package.plugin;
            let about = format!("{} {} {}", plugin.id, plugin.description, package.benchmarks.join(" "));
            let about = about.to_lowercase();
            words.iter().all(|word| about.contains(word))
        };
        let mut packages = Index::read(index)?.packages;
        packages.retain(is_meant);
        Ok(packages)
    }

    /// The folder into which packages are installed.
    fn folder(&self) -> Result<PackageFolder, AppError> {
        self.0.settings.packages.value.as_deref().map(PackageFolder::new).ok_or_else(|| {
            AppError::Settings(
                "no home folder is known, so there is no folder for packages; name one with --into"
                    .to_owned(),
            )
        })
    }
}

/// Whether a word that leads nowhere was meant as a path.
fn is_path(word: &str) -> bool {
    word.contains('/') || Path::new(word).extension().is_some_and(|it| it == packages::EXTENSION)
}
