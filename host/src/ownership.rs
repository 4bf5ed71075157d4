//! Who can change a file or folder.

use std::{fs::Metadata, os::unix::fs::MetadataExt};

/// Checks that a file or folder belongs to this user, and that nobody else can write to it.
///
/// # Errors
/// The rest of a sentence that names it.
pub(crate) fn check_ours(about: &Metadata) -> Result<(), String> {
    if about.uid() != nix::unistd::geteuid().as_raw() {
        return Err(format!("belongs to user {}", about.uid()));
    }
    if about.mode() & 0o022 != 0 {
        return Err("can be written by others".to_owned());
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::{
        fs::{self, Permissions},
        os::unix::fs::PermissionsExt,
    };

    use super::*;

    #[test]
    fn what_group_or_others_can_write_to_is_refused() {
        let file = tempfile::NamedTempFile::new().unwrap();
        for (mode, is_ours) in [(0o600, true), (0o755, true), (0o620, false), (0o602, false)] {
            fs::set_permissions(file.path(), Permissions::from_mode(mode)).unwrap();
            let checked = check_ours(&file.as_file().metadata().unwrap());
            assert_eq!(checked.is_ok(), is_ours, "{mode:o}: {checked:?}");
        }
        if nix::unistd::geteuid().is_root() {
            std::os::unix::fs::chown(file.path(), Some(1), None).unwrap();
            let checked = check_ours(&file.as_file().metadata().unwrap());
            assert_eq!(checked, Err("belongs to user 1".to_owned()));
        } else {
            let checked = check_ours(&fs::metadata("/").unwrap());
            assert_eq!(checked, Err("belongs to user 0".to_owned()));
        }
    }
}
