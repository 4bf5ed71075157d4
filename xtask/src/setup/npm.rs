//! A package of npm: fetched by npm itself, checked, kept for other checkouts, and opened for the few files that are used.

use std::{path::Path, process::Command};

use super::archive::{self, PinnedArchive};
use crate::{
    failure::Outcome,
    process::{self, say},
};

/// A package.
#[derive(Debug)]
pub(super) struct Package {
    /// What it is called in sentences. // eg: "DuckDB"
    pub(super) name: &'static str,
    /// What is fetched, with its size. // eg: "the prebuilt library, about 24 MB"
    pub(super) what: &'static str,
    /// Its name on npm. // eg: "@duckdb/node-bindings-linux-x64"
    pub(super) package: &'static str,
    pub(super) version: &'static str,
    /// The hash of its archive, where somebody has looked at it.
    pub(super) sha256: Option<&'static str>,
}

impl Package {
    /// The archive that `npm pack` leaves.
    pub(super) fn file(&self) -> String {
        format!("{}-{}.tgz", self.package.trim_start_matches('@').replace('/', "-"), self.version)
    }
}

/// Puts files of a package into a folder. Each is named by its path in the package and by its name in the folder.
pub(super) fn obtain(package: &Package, folder: &Path, files: &[(&str, &str)]) -> Outcome<()> {
    let archive = PinnedArchive {
        name: package.name,
        version: package.version,
        package: package.package.to_owned(),
        file: package.file(),
        sha256: package.sha256,
    };
    let bytes = archive.bytes(folder, || {
        let wanted = format!("{}@{}", package.package, package.version);
        say(&format!("{}: fetching from npm ({wanted}: {})", package.name, package.what));
        let mut npm = Command::new("npm");
        // Without this, npm waits more than a minute for a registry that cannot be reached.
        npm.args(["pack", "--silent", "--fetch-retry-mintimeout=1000", "--fetch-retry-maxtimeout=5000"]);
        process::run(npm.arg(wanted).current_dir(folder))
    })?;
    let open = |packed: &Path, inside: &Path| {
        let mut tar = Command::new("tar");
        // npm's archives date every file to 1985, which Cargo would not take for a change: `-m` dates it now.
        tar.arg("-xzmf").arg(packed).arg("-C").arg(inside);
        tar
    };
    archive::opened(&bytes, folder, open, |inside| {
        for (from, to) in files {
            archive::take_out(&inside.join("package").join(from), &folder.join(to))?;
        }
        Ok(())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn archives_have_the_names_that_npm_gives_them() {
        let named = |package| Package { name: "It", what: "it", package, version: "1.2.3-r.1", sha256: None };
        assert_eq!(named("@duckdb/node-api").file(), "duckdb-node-api-1.2.3-r.1.tgz");
        assert_eq!(named("axe-core").file(), "axe-core-1.2.3-r.1.tgz");
    }
}
