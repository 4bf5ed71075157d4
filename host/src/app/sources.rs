//! Noticing that what a developer edits has changed.

use std::{
    hash::{DefaultHasher, Hash, Hasher},
    path::Path,
    time::Duration,
};

use walkdir::WalkDir;

use super::workshop::Edited;
use crate::{
    build::Project,
    catalog::{Bell, Changes, Stamp},
};

/// Maximum number of files that are looked at: more of them are no sources of one plugin.
const MAX_FILES: usize = 20_000;
/// A file that something else builds may be written slowly: it counts once it stayed the same for this long.
const SETTLED: Duration = Duration::from_millis(20);

/// What a developer edits, watched.
#[derive(Debug)]
pub struct Sources {
    edited: Edited,
    changes: Changes,
    seen: u64,
}

impl Sources {
    /// Watches from now on, until the bell rings.
    #[must_use]
    pub fn watch(edited: &Edited, bell: Bell) -> Self {
        let root = match edited {
            Edited::Folder(folder) => folder.clone(),
            Edited::File(file) => file.parent().unwrap_or(Path::new("/")).to_owned(),
        };
        let mut sources =
            Self { edited: edited.clone(), changes: Changes::new(bell, &[root], false), seen: 0 };
        sources.seen = sources.look();
        sources
    }

    /// Why the sources are looked at by the clock instead of being watched, if they are.
    #[must_use]
    pub fn trouble(&self) -> Option<String> {
        self.changes.trouble().map(|problem| problem.message.clone())
    }

    /// Waits for a change, a while at most. Whether there is one.
    pub fn wait(&mut self) -> bool {
        self.changes.wait(None);
        let mut now = self.look();
        if now == self.seen {
            return false;
        }
        loop {
            std::thread::sleep(SETTLED);
            let later = self.look();
            if later == now {
                break;
            }
            now = later;
        }
        self.seen = now;
        true
    }

    /// A number that another state of the files does not have, but for chance; watches the folders that there are now.
    fn look(&mut self) -> u64 {
        let mut hasher = DefaultHasher::new();
        let mut folders = Vec::new();
        match &self.edited {
            Edited::File(file) => {
                folders.extend(file.parent().map(Path::to_owned));
                stamp(file, &mut hasher);
            }
            Edited::Folder(folder) => {
                // A folder that says no more how it is built may do so again.
                let project = Project::open(folder).ok();
                let is_source = |path: &Path| {
                    path == folder || project.as_ref().is_none_or(|project| project.is_source(path))
                };
                let found = WalkDir::new(folder).sort_by_file_name().into_iter();
                let found = found.filter_entry(|entry| is_source(entry.path())).filter_map(Result::ok);
                for entry in found.take(MAX_FILES) {
                    if entry.file_type().is_dir() {
                        folders.push(entry.into_path());
                    } else {
                        stamp(entry.path(), &mut hasher);
                    }
                }
            }
        }
        self.changes.cover(&folders);
        hasher.finish()
    }
}

/// Takes in which version of a file is there, without reading it.
fn stamp(path: &Path, hasher: &mut DefaultHasher) {
    path.hash(hasher);
    path.metadata().ok().map(|about| Stamp::of(&about)).hash(hasher);
}
