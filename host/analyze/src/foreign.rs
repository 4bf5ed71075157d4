//! Folders inside of a tree whose sources belong to somebody else: installed packages and caches.

use std::{
    fs::File,
    io::Read,
    path::Path,
    sync::atomic::{AtomicUsize, Ordering},
};

/// What `CACHEDIR.TAG` begins with: <https://bford.info/cachedir/>.
const SIGNATURE: &[u8] = b"Signature: 8a477f597d28d172789f06886806bc55";

/// How many of such folders were met.
#[derive(Debug, Default)]
pub(crate) struct Foreign {
    environments: AtomicUsize,
    node_modules: AtomicUsize,
    caches: AtomicUsize,
}

impl Foreign {
    /// Whether a folder is one, which is counted.
    pub(crate) fn is(&self, folder: &Path) -> bool {
        let count = if folder.file_name().is_some_and(|name| name == "node_modules") {
            &self.node_modules
        } else if folder.join("pyvenv.cfg").is_file() {
            &self.environments
        } else if is_cache(folder) {
            &self.caches
        } else {
            return false;
        };
        count.fetch_add(1, Ordering::Relaxed);
        true
    }

    /// What was left out, if anything was.
    pub(crate) fn sentence(&self) -> Option<String> {
        let counts = [
            (&self.environments, "virtual environment", "virtual environments", "of Python"),
            (&self.node_modules, "`node_modules` folder", "`node_modules` folders", ""),
            (&self.caches, "cache folder", "cache folders", "with a `CACHEDIR.TAG`"),
        ];
        let parts: Vec<String> = counts
            .into_iter()
            .filter_map(|(count, one, several, more)| {
                let count = count.load(Ordering::Relaxed);
                let noun = if count == 1 { one } else { several };
                (count > 0).then(|| format!("{count} {noun} {more}").trim_end().to_owned())
            })
            .collect();
        if parts.is_empty() {
            return None;
        }
        Some(format!(
            "Left out, because their code is not of this tree: {}. `--no-ignore` reads them too.",
            parts.join(", ")
        ))
    }
}

fn is_cache(folder: &Path) -> bool {
    let tag = folder.join("CACHEDIR.TAG");
    let mut start = [0; SIGNATURE.len()];
    // Opening a pipe of that name would wait for its other end.
    tag.is_file()
        && File::open(tag).and_then(|mut file| file.read_exact(&mut start)).is_ok()
        && start == SIGNATURE
}
