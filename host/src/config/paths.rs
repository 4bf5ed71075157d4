//! Default places: the folders of the user and of the binary.

use std::{
    env,
    ffi::OsString,
    path::{Path, PathBuf},
};

use nix::unistd::{User, getuid};

use crate::fault::temporary_folder;

/// The folders that a system gives a user; none if neither the environment nor the list of users names a home.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct UserFolders {
    pub(super) cache: Option<PathBuf>,
    pub(super) data: Option<PathBuf>,
    pub(super) config: Option<PathBuf>,
    pub(super) home: Option<PathBuf>,
}

pub(super) fn user_folders() -> UserFolders {
    let home_in_list = || User::from_uid(getuid()).ok().flatten().map(|user| user.dir);
    folders(&|name| env::var_os(name), &home_in_list)
}

/// By the rules of XDG: what is empty or relative counts as not set.
fn folders(
    variable: &dyn Fn(&str) -> Option<OsString>,
    home_in_list: &dyn Fn() -> Option<PathBuf>,
) -> UserFolders {
    let named = |name: &str| variable(name).map(PathBuf::from).filter(|path| path.is_absolute());
    let home = named("HOME").or_else(|| home_in_list().filter(|path| path.is_absolute()));
    let folder = |name: &str, below: &str| {
        let base = named(name).or_else(|| home.as_ref().map(|home| home.join(below)))?;
        Some(base.join("dyno"))
    };
    UserFolders {
        cache: folder("XDG_CACHE_HOME", ".cache"),
        data: folder("XDG_DATA_HOME", ".local/share"),
        config: folder("XDG_CONFIG_HOME", ".config"),
        home: home.clone(),
    }
}

fn beside_binary() -> Option<PathBuf> {
    env::current_exe().ok()?.parent().map(Path::to_owned)
}

/// The worker is shipped beside the host.
pub(super) fn worker() -> PathBuf {
    let name = format!("dyno-worker{}", env::consts::EXE_SUFFIX);
    beside_binary().map_or_else(|| PathBuf::from(&name), |folder| folder.join(&name))
}

/// Default folders for plugins: beside the binary, one up (where `cargo xtask plugins` puts them), and
/// the user's own. Only those that exist.
pub(super) fn plugins(user: &UserFolders) -> Vec<PathBuf> {
    let mut folders = Vec::new();
    if let Some(folder) = beside_binary() {
        folders.push(folder.join("plugins"));
        folders.extend(folder.parent().map(|up| up.join("plugins")));
    }
    folders.extend(packages(user));
    folders.retain(|folder| folder.is_dir());
    folders
}

/// The SDK for authors in Rust: beside the binary, where an archive or a package has it, or in the checkout that the binary was
/// built from.
pub(super) fn sdk() -> Option<PathBuf> {
    let folder = beside_binary();
    let beside = ["sdk/rust", "../share/dyno/sdk/rust", "../../sdk/rust"].into_iter();
    beside
        .filter_map(|below| Some(folder.as_ref()?.join(below)))
        .chain([Path::new(env!("CARGO_MANIFEST_DIR")).join("../sdk/rust")])
        .find(|sdk| sdk.join("Cargo.toml").is_file())
        .and_then(|sdk| sdk.canonicalize().ok())
}

/// Where packages are installed.
pub(super) fn packages(user: &UserFolders) -> Option<PathBuf> {
    user.data.as_ref().map(|data| data.join("plugins"))
}

/// The probe is shipped beside the host, too.
pub(super) fn probe() -> PathBuf {
    let name = format!("dyno-probe{}", env::consts::EXE_SUFFIX);
    beside_binary().map_or_else(|| PathBuf::from(&name), |folder| folder.join(&name))
}

/// Leases must be found by every process of the machine, whatever its user and environment, and vanish with the
/// machine's uptime.
pub(super) fn leases() -> PathBuf {
    let base = Path::new("/run/lock");
    if base.is_dir() { base.join("dyno") } else { PathBuf::from("/tmp/dyno-leases") }
}

/// Where leases are when that folder cannot be shared: found by every process of this user.
pub(super) fn own_leases() -> PathBuf {
    let runtime = env::var_os("XDG_RUNTIME_DIR").map(PathBuf::from);
    let runtime = runtime.filter(|folder| folder.is_absolute() && folder.is_dir());
    let base = runtime.unwrap_or_else(|| temporary_folder().join(format!("dyno-{}", getuid())));
    base.join("dyno-leases")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(set: &[(&str, &str)], in_list: Option<&str>) -> UserFolders {
        let variable =
            |name: &str| set.iter().find(|(known, _)| *known == name).map(|(_, value)| OsString::from(value));
        folders(&variable, &|| in_list.map(PathBuf::from))
    }

    #[test]
    fn what_is_empty_or_relative_counts_as_not_set() {
        let path = |path: &str| Some(PathBuf::from(path));
        let all = found(&[("HOME", "/h"), ("XDG_CACHE_HOME", "/c"), ("XDG_DATA_HOME", "")], None);
        assert_eq!(
            (all.cache, all.data, all.config),
            (path("/c/dyno"), path("/h/.local/share/dyno"), path("/h/.config/dyno"))
        );
        for home in ["", "rel", "./x"] {
            assert_eq!(found(&[("HOME", home)], Some("/l")).cache, path("/l/.cache/dyno"), "{home}");
            assert_eq!(found(&[("HOME", home)], None), UserFolders::default(), "{home}");
        }
        assert_eq!(found(&[("XDG_CACHE_HOME", "rel"), ("HOME", "/h")], None).cache, path("/h/.cache/dyno"));
        assert_eq!(found(&[("XDG_CACHE_HOME", "/c")], None).cache, path("/c/dyno"));
    }
}
