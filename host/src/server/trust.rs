//! The check that nobody but the operator can place plugins.

use std::{
    fs,
    os::unix::fs::MetadataExt,
    path::{Path, PathBuf},
};

use walkdir::WalkDir;

use super::error::{ServeError, system};

/// Refuses plugin folders in which other users could place files. Each folder, all above it and all in it must belong to root or
/// to the user of the server, and must not be writable by others; no link in it leads out.
pub(super) fn trusted(folders: &[PathBuf]) -> Result<(), ServeError> {
    let me = nix::unistd::geteuid().as_raw();
    for folder in folders {
        let real = fs::canonicalize(folder)
            .map_err(system(format!("the plugin folder `{}` cannot be used", folder.display())))?;
        for place in real.ancestors() {
            trusted_place(place, me)?;
        }
        for entry in WalkDir::new(&real).min_depth(1) {
            let entry = entry.map_err(|error| {
                ServeError::Settings(format!(
                    "the plugin folder `{}` cannot be looked at: {error}",
                    real.display()
                ))
            })?;
            if entry.path_is_symlink() {
                leads_inside(entry.path(), &real)?;
            } else {
                trusted_place(entry.path(), me)?;
            }
        }
    }
    Ok(())
}

/// Where a link leads is looked at, too, if it is in the folder.
fn leads_inside(link: &Path, folder: &Path) -> Result<(), ServeError> {
    let target = fs::canonicalize(link).map_err(|error| {
        ServeError::Settings(format!(
            "profile server: the link `{}` in the plugin folder leads nowhere ({error}); remove it",
            link.display()
        ))
    })?;
    if target.starts_with(folder) {
        return Ok(());
    }
    Err(ServeError::Settings(format!(
        "profile server: the link `{}` leads out of its plugin folder, to `{}`; put a copy of the file there instead",
        link.display(),
        target.display()
    )))
}

fn trusted_place(place: &Path, me: u32) -> Result<(), ServeError> {
    let about = fs::metadata(place).map_err(system(format!("`{}` cannot be looked at", place.display())))?;
    let others_write = about.mode() & 0o022 != 0;
    // In a folder like /tmp others can write, but not replace what is not theirs.
    let sticky = about.mode() & 0o1000 != 0;
    if ![0, me].contains(&about.uid()) || others_write && !sticky {
        return Err(ServeError::Settings(format!(
            "profile server: `{}` is owned by user {} with mode {:o}: others could put plugins there; give it to root or \
             to the user of the server, and `chmod go-w` it",
            place.display(),
            about.uid(),
            about.mode() & 0o7777
        )));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    #[test]
    fn a_folder_that_others_can_write_to_is_no_plugin_folder() {
        let folder = tempfile::tempdir().unwrap();
        let plugins = folder.path().join("plugins");
        fs::create_dir(&plugins).unwrap();
        fs::set_permissions(&plugins, fs::Permissions::from_mode(0o755)).unwrap();
        assert!(trusted(std::slice::from_ref(&plugins)).is_ok());
        fs::set_permissions(&plugins, fs::Permissions::from_mode(0o777)).unwrap();
        let error = trusted(std::slice::from_ref(&plugins)).unwrap_err().to_string();
        assert!(error.contains("chmod go-w"), "{error}");
        assert!(trusted(&[folder.path().join("absent")]).is_err());
        // What is in it counts as much.
        fs::set_permissions(&plugins, fs::Permissions::from_mode(0o755)).unwrap();
        let (file, link) = (plugins.join("sub/p.so"), plugins.join("q.so"));
        fs::create_dir(plugins.join("sub")).unwrap();
        fs::write(&file, "").unwrap();
        std::os::unix::fs::symlink(&file, &link).unwrap();
        let outcome = || trusted(std::slice::from_ref(&plugins));
        outcome().unwrap();
        for (place, mode) in [(&file, 0o666), (&plugins.join("sub"), 0o775)] {
            let before = fs::metadata(place).unwrap().permissions();
            fs::set_permissions(place, fs::Permissions::from_mode(mode)).unwrap();
            let error = outcome().unwrap_err().to_string();
            assert!(error.contains(&place.display().to_string()) && error.contains("chmod go-w"), "{error}");
            fs::set_permissions(place, before).unwrap();
        }
        fs::write(folder.path().join("elsewhere.so"), "").unwrap();
        fs::remove_file(&link).unwrap();
        std::os::unix::fs::symlink(folder.path().join("elsewhere.so"), &link).unwrap();
        let error = outcome().unwrap_err().to_string();
        assert!(error.contains("leads out of its plugin folder"), "{error}");
    }
}
