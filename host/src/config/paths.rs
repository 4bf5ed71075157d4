//! Where things are when nobody says: the folders of the user and of the binary.

use std::{
    env,
    path::{Path, PathBuf},
};

use etcetera::{BaseStrategy, choose_base_strategy};

use super::ConfigError;

/// The folders that a system gives a user.
#[derive(Debug, Clone)]
pub(super) struct UserFolders {
    pub(super) cache: PathBuf,
    pub(super) data: PathBuf,
    pub(super) config: PathBuf,
}

pub(super) fn user_folders() -> Result<UserFolders, ConfigError> {
    let strategy = choose_base_strategy().map_err(|_| ConfigError::NoHome)?;
    Ok(UserFolders {
        cache: strategy.cache_dir().join("dyno"),
        data: strategy.data_dir().join("dyno"),
        config: strategy.config_dir().join("dyno"),
    })
}

fn beside_binary() -> Option<PathBuf> {
    env::current_exe().ok()?.parent().map(Path::to_owned)
}

/// The worker is shipped beside the host.
pub(super) fn worker() -> PathBuf {
    let name = format!("dyno-worker{}", env::consts::EXE_SUFFIX);
    beside_binary().map_or_else(|| PathBuf::from(&name), |folder| folder.join(&name))
}

/// Folders that hold plugins when nobody says: beside the binary, one up (where `cargo xtask plugins` puts them), and
/// the user's own. Only those that exist.
pub(super) fn plugins(user: &UserFolders) -> Vec<PathBuf> {
    let mut folders = Vec::new();
    if let Some(folder) = beside_binary() {
        folders.push(folder.join("plugins"));
        folders.extend(folder.parent().map(|up| up.join("plugins")));
    }
    folders.push(user.data.join("plugins"));
    folders.retain(|folder| folder.is_dir());
    folders
}

/// What asks drivers is shipped there, too.
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
    let runtime = env::var_os("XDG_RUNTIME_DIR").map(PathBuf::from).filter(|folder| folder.is_dir());
    let base = runtime.unwrap_or_else(|| env::temp_dir().join(format!("dyno-{}", nix::unistd::getuid())));
    base.join("dyno-leases")
}
