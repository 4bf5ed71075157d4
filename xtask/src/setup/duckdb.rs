//! The prebuilt DuckDB library, made by DuckDB's own team and published on npm.

use std::{
    env, fmt, fs,
    path::{Path, PathBuf},
    process::Command,
};

use sha2::{Digest, Sha256};

use crate::{
    failure::{Failure, Outcome},
    process::{self, say},
    project::{self, Project, make_folder, place, tool_cache},
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
        package: "node-bindings-linux-x64",
        library: "libduckdb.so",
        sha256: Some("1b9f82478539bb9a1d1df44bd103121a12ae52142c07158dc52b97d2ec1d69ff"),
    },
    Build {
        os: "linux",
        arch: "aarch64",
        package: "node-bindings-linux-arm64",
        library: "libduckdb.so",
        sha256: None,
    },
    Build {
        os: "macos",
        arch: "aarch64",
        package: "node-bindings-darwin-arm64",
        library: "libduckdb.dylib",
        sha256: None,
    },
    Build {
        os: "macos",
        arch: "x86_64",
        package: "node-bindings-darwin-x64",
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
    make_folder(folder)?;
    let name = format!("duckdb-{}-{VERSION}.tgz", build.package);
    let kept = tool_cache().map(|cache| cache.join(&name)).filter(|path| path.is_file());
    let archive = match kept {
        Some(kept) => {
            say(&format!("DuckDB {VERSION}: taking the archive kept in {}", kept.display()));
            project::read(&kept)?
        }
        None => download(build, folder)?,
    };
    check(build, &archive)?;
    if let Some(cache) = tool_cache()
        && let Err(failure) = make_folder(&cache).and_then(|()| place(&cache.join(&name), &archive))
    {
        println!("    not kept for the next checkout: {failure}");
    }
    extract(build, &archive, folder)
}

/// Has npm fetch the archive; npm itself compares it with what the registry promises.
fn download(build: &Build, folder: &Path) -> Outcome<Vec<u8>> {
    let package = format!("@duckdb/{}@{VERSION}", build.package);
    say(&format!("DuckDB: fetching the prebuilt library from npm ({package}, about 24 MB)"));
    let mut npm = Command::new("npm");
    npm.args(["pack", "--silent", package.as_str()]).current_dir(folder);
    process::run(&mut npm)?;
    let path = folder.join(format!("duckdb-{}-{VERSION}.tgz", build.package));
    let archive = project::read(&path)?;
    fs::remove_file(&path).map_err(|error| Failure::file("remove", &path, &error))?;
    Ok(archive)
}

fn check(build: &Build, archive: &[u8]) -> Outcome<()> {
    let found = project::hex(&Sha256::digest(archive));
    match build.sha256 {
        Some(expected) if expected != found => Err(Failure::new(format!(
            "the archive of @duckdb/{} {VERSION} has SHA-256 {found}, expected {expected}: it is not used",
            build.package
        ))),
        Some(_) => Ok(()),
        None => {
            println!(
                "    nobody has pinned a hash for this system: npm's own check is all there is ({found})"
            );
            Ok(())
        }
    }
}

/// Takes the library and its licence out of the archive.
fn extract(build: &Build, archive: &[u8], folder: &Path) -> Outcome<()> {
    let packed = folder.join("partial.tgz");
    place(&packed, archive)?;
    let opened = folder.join("partial");
    make_folder(&opened)?;
    let mut tar = Command::new("tar");
    tar.arg("-xzf").arg(&packed).arg("-C").arg(&opened);
    process::run(&mut tar)?;
    for name in [build.library, "LICENSE"] {
        let (from, to) = (opened.join("package").join(name), folder.join(name));
        fs::rename(&from, &to).map_err(|error| Failure::file("take out of the archive", &from, &error))?;
    }
    fs::remove_dir_all(&opened).map_err(|error| Failure::file("remove", &opened, &error))?;
    fs::remove_file(&packed).map_err(|error| Failure::file("remove", &packed, &error))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_archive_with_another_hash_is_refused() {
        let failure = check(&BUILDS[0], b"something else").unwrap_err().to_string();
        assert!(failure.contains("1b9f8247"), "{failure}");
        assert!(failure.contains("not used"), "{failure}");
    }

    #[test]
    fn every_pinned_hash_has_the_length_of_a_hash() {
        for build in &BUILDS {
            assert!(build.sha256.is_none_or(|hash| hash.len() == 64), "{}", build.package);
        }
    }
}
