//! The small files in which the kernel reports its state, below `/proc` and `/sys`.

use std::{
    fs,
    path::{Path, PathBuf},
};

/// The files below one folder: `/`, or a test's folder.
#[derive(Debug, Clone)]
pub(super) struct Files {
    root: PathBuf,
}

impl Files {
    /// The files of this machine.
    pub(super) fn of_this_machine() -> Self {
        Self { root: PathBuf::from("/") }
    }

    #[cfg(test)]
    pub(super) fn below(root: &Path) -> Self {
        Self { root: root.to_owned() }
    }

    fn path(&self, path: &str) -> PathBuf {
        self.root.join(path.trim_start_matches('/'))
    }

    /// Contents of a file, trimmed; `None` if it is missing, cannot be read, or is empty.
    pub(super) fn text(&self, path: &str) -> Option<String> {
        text(&self.path(path))
    }

    /// The number in a file.
    pub(super) fn number<T: std::str::FromStr>(&self, path: &str) -> Option<T> {
        self.text(path)?.parse().ok()
    }

    /// What it says, or why it cannot be read.
    pub(super) fn read(&self, path: &str) -> std::io::Result<String> {
        fs::read_to_string(self.path(path))
    }

    /// Names in a folder, sorted; empty where it cannot be read.
    pub(super) fn names(&self, folder: &str) -> Vec<String> {
        let entries = fs::read_dir(self.path(folder)).into_iter().flatten().flatten();
        let mut names: Vec<String> =
            entries.filter_map(|entry| entry.file_name().into_string().ok()).collect();
        names.sort_unstable();
        names
    }
}

/// Contents of a small file, trimmed; `None` if it is missing or empty.
pub(super) fn text(path: &Path) -> Option<String> {
    fs::read_to_string(path).ok().map(|text| text.trim().to_owned()).filter(|text| !text.is_empty())
}

/// A list of processors as the kernel writes it; text that is not a list gives an empty one.
pub(super) fn numbers(list: &str) -> Vec<u32> {
    dyno_core::units::parse_cpus(list).unwrap_or_default()
}
