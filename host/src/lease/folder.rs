//! Where the files of leases are: in a folder that all users of the machine share, or in one of the user's own.

use std::{
    fs::{self, Permissions},
    io::ErrorKind,
    os::unix::fs::{DirBuilderExt, MetadataExt, PermissionsExt},
    path::{Path, PathBuf},
    time::Duration,
};

use dyno_core::text::hex;
use sha2::{Digest, Sha256};

use super::error::LeaseError;
use crate::ownership::check_ours;

/// Everyone may write, and nobody may remove another user's files (sticky).
const SHARED: u32 = 0o1777;
/// How often a folder that another process is making is looked at again.
const TRIES: u32 = 20;

/// Which processes a waiting process sees by name. A lease is exclusive in any case.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Reach {
    /// All users of the machine see each other's names.
    Machine,
    /// Users see only their own processes; the reason.
    User(String),
    /// Processes that use the same folder.
    Folder,
}

/// The leases of a machine, or of the processes that share a folder.
#[derive(Debug, Clone)]
pub struct Leases {
    folder: PathBuf,
    domain: String,
    reach: Reach,
}

impl Leases {
    /// Leases with their files in `folder`. With a `fallback`, they hold for the whole machine, and the fallback is
    /// used if the folder cannot be shared; without, they hold for processes that name the same folder.
    ///
    /// # Errors
    /// When a folder cannot be made or is not safe.
    pub fn open(folder: &Path, fallback: Option<&Path>) -> Result<Self, LeaseError> {
        let Some(fallback) = fallback else {
            own_or_shared(folder)?;
            let path = folder.canonicalize().unwrap_or_else(|_| folder.to_owned());
            let hash = Sha256::digest(path.as_os_str().as_encoded_bytes());
            let domain = hex(&hash[..8]);
            return Ok(Self { folder: folder.to_owned(), domain, reach: Reach::Folder });
        };
        let domain = "machine".to_owned();
        match shared(folder) {
            Ok(()) => Ok(Self { folder: folder.to_owned(), domain, reach: Reach::Machine }),
            Err(why) => {
                own_or_shared(fallback)?;
                let why = format!("the folder `{}` {why}", folder.display());
                Ok(Self { folder: fallback.to_owned(), domain, reach: Reach::User(why) })
            }
        }
    }

    /// Where the files are.
    #[must_use]
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// Which processes a waiting process sees by name.
    #[must_use]
    pub fn reach(&self) -> &Reach {
        &self.reach
    }

    /// The processes among which a lease is exclusive.
    pub(super) fn domain(&self) -> &str {
        &self.domain
    }
}

/// Makes sure of a folder for all users, below one that belongs to the system.
fn shared(folder: &Path) -> Result<(), String> {
    let parent = folder.parent().unwrap_or(folder);
    let about = fs::symlink_metadata(parent).map_err(|error| format!("cannot be made: {error}"))?;
    let is_safe =
        about.is_dir() && about.uid() == 0 && (about.mode() & 0o022 == 0 || about.mode() & 0o1000 != 0);
    if !is_safe {
        return Err("is not below a folder that belongs to the system".to_owned());
    }
    let me = nix::unistd::geteuid().as_raw();
    for _ in 0..TRIES {
        match fs::DirBuilder::new().mode(SHARED).create(folder) {
            Ok(()) => {
                // Undoes the mask of this process. The folder is ours, below a sticky one, so nobody can have replaced
                // it.
                fs::set_permissions(folder, Permissions::from_mode(SHARED))
                    .map_err(|error| format!("cannot be opened to others: {error}"))?;
            }
            Err(error) if error.kind() == ErrorKind::AlreadyExists => {}
            Err(error) => return Err(format!("cannot be made: {error}")),
        }
        let about = fs::symlink_metadata(folder).map_err(|error| format!("cannot be read: {error}"))?;
        if !about.is_dir() {
            return Err("is not a folder".to_owned());
        }
        if me == 0 && about.uid() != 0 {
            // Its owner could redirect processes of the system by links.
            return Err(format!("belongs to user {}", about.uid()));
        }
        if about.mode() & 0o1777 == SHARED {
            return Ok(());
        }
        // Another process may be between the two steps above.
        std::thread::sleep(Duration::from_millis(1));
    }
    Err("is not writable by everyone, or lets everyone remove other users' files".to_owned())
}

/// A folder that another user can write to would let that user redirect us by links, unless it is sticky.
fn own_or_shared(folder: &Path) -> Result<(), LeaseError> {
    let refused = |why: String| LeaseError::Folder { path: folder.to_owned(), why };
    fs::DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(folder)
        .map_err(|error| refused(format!("cannot be made: {error}")))?;
    let about = fs::symlink_metadata(folder).map_err(|error| refused(format!("cannot be read: {error}")))?;
    if !about.is_dir() {
        return Err(refused("is not a folder".to_owned()));
    }
    if about.mode() & 0o1777 == SHARED {
        return Ok(());
    }
    check_ours(&about).map_err(refused)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mode(path: &Path, mode: u32) {
        fs::set_permissions(path, Permissions::from_mode(mode)).unwrap();
    }

    #[test]
    fn an_unsafe_folder_is_refused_and_a_sticky_one_is_shared() {
        let base = tempfile::tempdir().unwrap();
        let file = base.path().join("file");
        fs::write(&file, "").unwrap();
        assert!(Leases::open(&file, None).is_err());
        let folder = base.path().join("folder");
        assert_eq!(*Leases::open(&folder, None).unwrap().reach(), Reach::Folder);
        mode(&folder, 0o777);
        let message = Leases::open(&folder, None).unwrap_err().to_string();
        assert!(message.contains("written by others") && message.contains("DYNO_LEASES"), "{message}");
        mode(&folder, SHARED);
        assert!(Leases::open(&folder, None).is_ok());
    }

    #[test]
    fn where_no_folder_can_be_shared_the_users_own_is_taken_and_says_why() {
        let base = tempfile::tempdir().unwrap();
        let system = base.path().join("system");
        fs::create_dir(&system).unwrap();
        // Everybody may replace what is in it.
        mode(&system, 0o777);
        let own = base.path().join("own");
        let leases = Leases::open(&system.join("dyno"), Some(&own)).unwrap();
        assert_eq!(leases.folder(), own);
        assert!(matches!(leases.reach(), Reach::User(why) if why.contains("system/dyno")), "{leases:?}");
        assert_eq!(leases.domain(), "machine");
    }
}
