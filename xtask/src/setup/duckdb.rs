//! The prebuilt DuckDB library, made by DuckDB's own team and published on npm.

use std::{
    env, fmt, fs,
    path::{Path, PathBuf},
    process::Command,
};

use super::npm::{self, Package};
use crate::{
    failure::{Failure, Outcome},
    project::{Project, place},
};

/// The version of the package; its library is DuckDB 1.5.6, which the `duckdb` crate of this workspace binds.
const VERSION: &str = "1.5.6-r.1";

/// Where the package is for a system, with the SHA-256 of its archive where somebody has looked at it.
struct Build {
    os: &'static str,
    arch: &'static str,
    package: &'static str,
    library: &'static str,
    sha256: Option<&'static str>,
}

const BUILDS: [Build; 4] = [
    Build {
        os: "linux",
        arch: "x86_64",
        package: "@duckdb/node-bindings-linux-x64",
        library: "libduckdb.so",
        sha256: Some("1b9f82478539bb9a1d1df44bd103121a12ae52142c07158dc52b97d2ec1d69ff"),
    },
    Build {
        os: "linux",
        arch: "aarch64",
        package: "@duckdb/node-bindings-linux-arm64",
        library: "libduckdb.so",
        sha256: None,
    },
    Build {
        os: "macos",
        arch: "aarch64",
        package: "@duckdb/node-bindings-darwin-arm64",
        library: "libduckdb.dylib",
        sha256: None,
    },
    Build {
        os: "macos",
        arch: "x86_64",
        package: "@duckdb/node-bindings-darwin-x64",
        library: "libduckdb.dylib",
        sha256: None,
    },
];

/// What to do where the library cannot be had.
const OTHER_WAYS: &str = "\
The host cannot be built without DuckDB. Any of these helps:
  install npm and try again, or
  set DUCKDB_LIB_DIR to a folder that holds the library of DuckDB 1.5.6, or
  add --bundled to the command: it compiles DuckDB from source (half an hour on two cores)";

/// How the host gets its database.
#[derive(Debug)]
pub(crate) enum DuckDb {
    /// Compiled from source.
    Bundled,
    /// Linked from this folder.
    Folder(PathBuf),
}

impl fmt::Display for DuckDb {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Bundled => f.write_str("will be compiled from source"),
            Self::Folder(folder) => write!(f, "the prebuilt library in {}", folder.display()),
        }
    }
}

impl DuckDb {
    /// Tells a Cargo command that builds the host.
    pub(crate) fn tell(&self, command: &mut Command) {
        match self {
            Self::Bundled => command.args(["--features", "dyno-host/bundled"]),
            Self::Folder(folder) => command.env("DUCKDB_LIB_DIR", folder),
        };
    }

    /// Its library, where it is a file of its own.
    pub(crate) fn library(&self) -> Option<PathBuf> {
        match self {
            Self::Bundled => None,
            Self::Folder(folder) => {
                BUILDS.iter().map(|build| folder.join(build.library)).find(|path| path.is_file())
            }
        }
    }
}

/// The user's own library, or ours, which is fetched where it is missing.
pub(crate) fn find_or_obtain(project: &Project) -> Outcome<DuckDb> {
    let ours = project.root.join(".tools").join("duckdb");
    // A path that is not absolute is meant from where Cargo runs, which is the root.
    let theirs = env::var_os("DUCKDB_LIB_DIR").map(|path| project.root.join(path));
    if let Some(theirs) = theirs.filter(|path| *path != ours) {
        let duckdb = DuckDb::Folder(theirs.clone());
        if duckdb.library().is_none() {
            let what = format!("DUCKDB_LIB_DIR is `{}`, which holds no DuckDB library", theirs.display());
            return Err(Failure::new(what).next("correct it, or unset it to have the library fetched"));
        }
        return Ok(duckdb);
    }
    let marker = ours.join("VERSION");
    let present = fs::read_to_string(&marker).is_ok_and(|version| version == VERSION);
    let duckdb = DuckDb::Folder(ours.clone());
    if !present || duckdb.library().is_none() {
        obtain(&ours).map_err(|failure| failure.next(OTHER_WAYS))?;
        place(&marker, VERSION.as_bytes())?;
    }
    Ok(duckdb)
}

fn obtain(folder: &Path) -> Outcome<()> {
    let (os, arch) = (env::consts::OS, env::consts::ARCH);
    let build = BUILDS
        .iter()
        .find(|build| build.os == os && build.arch == arch)
        .ok_or_else(|| Failure::new(format!("there is no prebuilt DuckDB library for {os} on {arch}")))?;
    let package = Package {
        name: "DuckDB",
        what: "the prebuilt library, about 24 MB",
        package: build.package,
        version: VERSION,
        sha256: build.sha256,
    };
    npm::obtain(&package, folder, &[(build.library, build.library), ("LICENSE", "LICENSE")])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_pinned_hash_has_the_length_of_a_hash() {
        for build in &BUILDS {
            assert!(build.sha256.is_none_or(|hash| hash.len() == 64), "{}", build.package);
        }
    }
}
