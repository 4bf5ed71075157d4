//! An archive of a package registry, pinned by its SHA-256: taken from the cache or fetched, checked, kept.

use std::{fs, path::Path, process::Command};

use sha2::{Digest, Sha256};

use crate::{
    failure::{Failure, Outcome},
    process::{self, say},
    project::{self, make_folder, place, tool_cache},
};

/// An archive.
#[derive(Debug)]
pub(super) struct PinnedArchive {
    /// What it is called in sentences. // eg: "DuckDB"
    pub(super) name: &'static str,
    /// Its version.
    pub(super) version: &'static str,
    /// The package, as the registry calls it.
    pub(super) package: String,
    /// The file that the registry's client leaves.
    pub(super) file: String,
    /// Its hash, where somebody has looked at it.
    pub(super) sha256: Option<&'static str>,
}

impl PinnedArchive {
    /// Its bytes, checked. `fetch` has the registry's client leave the file in `folder`; it checks what the registry
    /// promises.
    pub(super) fn bytes(&self, folder: &Path, fetch: impl FnOnce() -> Outcome<()>) -> Outcome<Vec<u8>> {
        make_folder(folder)?;
        let kept = tool_cache().map(|cache| cache.join(&self.file)).filter(|path| path.is_file());
        let bytes = match kept {
            Some(kept) => {
                say(&format!(
                    "{} {}: taking the archive kept in {}",
                    self.name,
                    self.version,
                    kept.display()
                ));
                project::read(&kept)?
            }
            None => {
                fetch()?;
                let path = folder.join(&self.file);
                let bytes = project::read(&path)?;
                fs::remove_file(&path).map_err(|error| Failure::file("remove", &path, &error))?;
                bytes
            }
        };
        self.check(&bytes)?;
        if let Some(cache) = tool_cache()
            && let Err(failure) = make_folder(&cache).and_then(|()| place(&cache.join(&self.file), &bytes))
        {
            println!("    not kept for the next checkout: {failure}");
        }
        Ok(bytes)
    }

    pub(super) fn check(&self, bytes: &[u8]) -> Outcome<()> {
        let found = project::hex(&Sha256::digest(bytes));
        match self.sha256 {
            Some(expected) if expected != found => Err(Failure::new(format!(
                "the archive of {} {} has SHA-256 {found}, expected {expected}: it is not used",
                self.package, self.version
            ))),
            Some(_) => Ok(()),
            None => {
                println!(
                    "    nobody has pinned a hash for this system: the registry's own check is all there is ({found})"
                );
                Ok(())
            }
        }
    }
}

/// Opens an archive in a folder of its own below `folder`, lets `take` move out what is wanted, and removes the rest. `open`
/// makes the command from the archive and the folder that it is opened in.
pub(super) fn opened(
    bytes: &[u8],
    folder: &Path,
    open: impl FnOnce(&Path, &Path) -> Command,
    take: impl FnOnce(&Path) -> Outcome<()>,
) -> Outcome<()> {
    let packed = folder.join("partial.archive");
    place(&packed, bytes)?;
    let inside = folder.join("partial");
    make_folder(&inside)?;
    process::run(&mut open(&packed, &inside))?;
    take(&inside)?;
    fs::remove_dir_all(&inside).map_err(|error| Failure::file("remove", &inside, &error))?;
    fs::remove_file(&packed).map_err(|error| Failure::file("remove", &packed, &error))
}

/// Moves a file out of an opened archive.
pub(super) fn take_out(from: &Path, to: &Path) -> Outcome<()> {
    fs::rename(from, to).map_err(|error| Failure::file("take out of the archive", from, &error))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_archive_with_another_hash_is_refused() {
        let archive = PinnedArchive {
            name: "Thing",
            version: "1",
            package: "thing".to_owned(),
            file: "thing-1.tgz".to_owned(),
            sha256: Some("1b9f82478539bb9a1d1df44bd103121a12ae52142c07158dc52b97d2ec1d69ff"),
        };
        let failure = archive.check(b"something else").unwrap_err().to_string();
        assert!(failure.contains("thing 1") && failure.contains("not used"), "{failure}");
    }
}
