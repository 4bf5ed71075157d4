//! Regular files that other users may have placed: opening one never blocks, and reading one has a maximum size.

use std::{
    fs::File,
    io::{self, Read},
    os::unix::fs::OpenOptionsExt,
    path::Path,
};

use nix::fcntl::OFlag;

/// Opens a file to read.
///
/// # Errors
/// When it cannot be opened, or is no regular file, such as a named pipe.
pub(crate) fn open(path: &Path) -> io::Result<File> {
    open_with(path, OFlag::empty())
}

/// The same, for a path that must not be a symbolic link.
///
/// # Errors
/// Those of [`open`]; and when it is such a link.
pub(crate) fn open_no_link(path: &Path) -> io::Result<File> {
    open_with(path, OFlag::O_NOFOLLOW)
}

fn open_with(path: &Path, flags: OFlag) -> io::Result<File> {
    // Opening a named pipe would wait for its other end.
    let flags = flags | OFlag::O_NONBLOCK;
    let file = File::options().read(true).custom_flags(flags.bits()).open(path)?;
    if file.metadata()?.is_file() { Ok(file) } else { Err(io::Error::other("it is not a regular file")) }
}

/// The bytes of a file, at most one more than `most`.
///
/// # Errors
/// Those of [`open`]; and when it cannot be read.
pub(crate) fn read(path: &Path, most: u64) -> io::Result<Vec<u8>> {
    read_opened(open(path)?, most)
}

/// The same, of a file that is open.
///
/// # Errors
/// When it cannot be read.
pub(crate) fn read_opened(file: File, most: u64) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    file.take(most.saturating_add(1)).read_to_end(&mut bytes)?;
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use std::{fs, os::unix::fs::symlink};

    use nix::{sys::stat::Mode, unistd::mkfifo};

    use super::*;

    #[test]
    fn only_regular_files_are_read_and_no_more_of_them_than_is_asked_for() {
        let folder = tempfile::tempdir().unwrap();
        let at = |name| folder.path().join(name);
        fs::write(at("file"), "abcdef").unwrap();
        symlink("file", at("link")).unwrap();
        mkfifo(&at("pipe"), Mode::S_IRWXU).unwrap();
        for (most, expected) in [(0, "a"), (5, "abcdef"), (6, "abcdef"), (u64::MAX, "abcdef")] {
            assert_eq!(read(&at("file"), most).unwrap(), expected.as_bytes());
        }
        assert!(open(&at("link")).is_ok() && open_no_link(&at("file")).is_ok());
        assert!(open_no_link(&at("link")).is_err());
        for other in ["pipe", "."] {
            assert_eq!(open(&at(other)).unwrap_err().to_string(), "it is not a regular file", "{other}");
        }
        assert_eq!(open(&at("nothing")).unwrap_err().kind(), io::ErrorKind::NotFound);
    }
}
