//! This checkout: its folders, its packages, and how Cargo is called in it.

use std::{
    env, fs,
    path::{Path, PathBuf},
    process::Command,
};

use crate::{
    failure::{Failure, Outcome},
    metadata::Metadata,
};

/// The checkout that the command was typed in.
#[derive(Debug)]
pub(crate) struct Project {
    /// The folder of the workspace.
    pub(crate) root: PathBuf,
    /// The Cargo that runs this.
    pub(crate) cargo: PathBuf,
    /// The workspace.
    pub(crate) metadata: Metadata,
}

impl Project {
    /// Finds the checkout.
    pub(crate) fn open() -> Outcome<Self> {
        // Cargo sets both at run time; one binary may serve several checkouts that share a target folder.
        let own = env::var_os("CARGO_MANIFEST_DIR").unwrap_or_else(|| env!("CARGO_MANIFEST_DIR").into());
        let cargo = PathBuf::from(env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
        let root = Path::new(&own)
            .parent()
            .ok_or_else(|| Failure::new("CARGO_MANIFEST_DIR is no folder inside a workspace"))?
            .to_owned();
        let metadata = Metadata::read(&cargo, &root)?;
        Ok(Self { root, cargo, metadata })
    }

    /// A Cargo command in the root of the workspace.
    pub(crate) fn cargo(&self, subcommand: &str) -> Command {
        let mut command = Command::new(&self.cargo);
        command.arg(subcommand).current_dir(&self.root);
        command
    }

    /// Where `cargo xtask plugins` puts plugins.
    pub(crate) fn plugins(&self) -> PathBuf {
        self.metadata.target.join("plugins")
    }
}

/// Where downloads are kept, so that a second checkout needs no network: `dyno/tools` in the user's cache folder.
/// `None` where the environment names no home.
pub(crate) fn tool_cache() -> Option<PathBuf> {
    let absolute = |name: &str| env::var_os(name).map(PathBuf::from).filter(|path| path.is_absolute());
    let cache = absolute("XDG_CACHE_HOME").or_else(|| Some(absolute("HOME")?.join(".cache")))?;
    Some(cache.join("dyno").join("tools"))
}

/// Makes a folder with its parents.
pub(crate) fn make_folder(path: &Path) -> Outcome<()> {
    fs::create_dir_all(path).map_err(|error| Failure::file("make the folder", path, &error))
}

/// Writes a file so that no reader ever sees half of it: under another name first, then renamed.
/// Returns false where the same bytes are there already.
pub(crate) fn place(path: &Path, bytes: &[u8]) -> Outcome<bool> {
    if fs::read(path).is_ok_and(|present| present == bytes) {
        return Ok(false);
    }
    let mut partial = path.as_os_str().to_owned();
    partial.push(format!(".partial-{}", std::process::id()));
    let partial = PathBuf::from(partial);
    fs::write(&partial, bytes)
        .and_then(|()| fs::rename(&partial, path))
        .map_err(|error| Failure::file("write", path, &error))?;
    Ok(true)
}

/// Reads a file.
pub(crate) fn read(path: &Path) -> Outcome<Vec<u8>> {
    fs::read(path).map_err(|error| Failure::file("read", path, &error))
}

/// Bytes as hexadecimal digits.
pub(crate) fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
