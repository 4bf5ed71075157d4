//! Checks where results will be written, before anything is measured.

use std::{
    fs::{self, File},
    io::{self, Write},
    path::Path,
};

use super::Failure;
use crate::{
    config::Resolved,
    fault::{HostFault, Place},
    user_file::folder_of,
};

/// Refuses a file that could not be written. Changes nothing.
pub(super) fn check_file(flag: &str, path: &Path) -> Result<(), Failure> {
    let refused = |why: &str| {
        Failure::Usage(format!("{flag} `{}`: {why}; name a file in a folder that exists", path.display()))
    };
    if path.as_os_str().is_empty() {
        return Err(Failure::Usage(format!("{flag}: the name is empty; name a file")));
    }
    match fs::metadata(path) {
        Ok(about) if about.is_dir() => Err(refused("it is a folder")),
        // A pipe or a terminal is opened once, when there is something to write.
        Ok(about) if !about.is_file() => Ok(()),
        Ok(_) => File::options()
            .append(true)
            .open(path)
            .map(drop)
            .map_err(|error| unwritable(flag, path, &error, Place::Named)),
        Err(_) if path.file_name().is_none() || path.as_os_str().as_encoded_bytes().ends_with(b"/") => {
            Err(refused("it names a folder"))
        }
        Err(_) => {
            let folder = folder_of(path);
            match fs::metadata(&folder) {
                Ok(about) if about.is_dir() => {
                    try_folder(&folder).map_err(|error| unwritable(flag, path, &error, Place::Named))
                }
                Ok(_) => Err(refused(&format!("`{}` is not a folder", folder.display()))),
                Err(error) if error.kind() == io::ErrorKind::NotFound => {
                    Err(refused(&format!("there is no folder `{}`", folder.display())))
                }
                Err(error) => Err(unwritable(flag, path, &error, Place::Named)),
            }
        }
    }
}

/// Refuses folders and a database that could not be written; `is_ours` where this process opens the database itself.
/// Makes the folder of results, as a run would.
pub(super) fn check_settings(settings: &Resolved, is_ours: bool) -> Result<(), Failure> {
    check_output(&settings.output.value)?;
    if !is_ours {
        return Ok(());
    }
    let database = &settings.db_path.value;
    if database.is_dir() {
        let shown = database.display();
        return Err(Failure::Usage(format!("--db-path `{shown}`: it is a folder; name a file in it")));
    }
    let written = if database.exists() {
        File::options().append(true).open(database).map(drop)
    } else {
        let folder = folder_of(database);
        fs::create_dir_all(&folder).and_then(|()| try_folder(&folder))
    };
    written.map_err(|error| unwritable("--db-path", database, &error, Place::Database))
}

/// Makes the folder of results, and refuses one that could not be written.
pub(super) fn check_output(folder: &Path) -> Result<(), Failure> {
    fs::create_dir_all(folder)
        .and_then(|()| try_folder(folder))
        .map_err(|error| unwritable("--output", folder, &error, Place::Output))
}

/// Checks that a file can be created there and written to.
fn try_folder(folder: &Path) -> io::Result<()> {
    tempfile::Builder::new().prefix(".dyno-").tempfile_in(folder)?.write_all(b"?")
}

fn unwritable(flag: &str, path: &Path, error: &io::Error, place: Place) -> Failure {
    HostFault::new(format!("{flag}: cannot write `{}`", path.display()), error, place).into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn looking_changes_nothing() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("x.json");
        check_file("-o", &file).unwrap();
        assert!(!file.exists());
        fs::write(&file, "old").unwrap();
        check_file("-o", &file).unwrap();
        assert_eq!(fs::read_to_string(&file).unwrap(), "old");
        check_file("-o", Path::new("/dev/null")).unwrap();
        let pipe = folder.path().join("pipe");
        nix::unistd::mkfifo(&pipe, nix::sys::stat::Mode::S_IRWXU).unwrap();
        check_file("-o", &pipe).unwrap();
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 2);
    }

    #[test]
    fn what_is_no_place_for_a_file_is_refused_by_name() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("x.json");
        fs::write(&file, "").unwrap();
        let said = |path: &Path| check_file("-o", path).unwrap_err().to_string();
        assert!(said(Path::new("")).contains("empty"));
        assert!(said(folder.path()).contains("it is a folder"));
        assert!(said(&folder.path().join("none/x")).contains("there is no folder"));
        assert!(said(&folder.path().join("none/")).contains("names a folder"));
        assert!(said(&file.join("x")).contains("not a folder"));
    }
}
