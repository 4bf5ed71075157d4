//! Free space on the disks that a server writes to.

use std::path::Path;

use dyno_core::units;

use super::root::Service;
use crate::fault::{free_bytes, temporary_folder};

/// With less free space than this on a disk that it writes to, the server starts no run [bytes]. A launch and the write-ahead log
/// fit in it.
const LEAST_ROOM: u64 = 32 << 20;

impl Service {
    /// A sentence about the first full disk among those the server writes to. Names no path: any client can read it.
    pub(crate) fn full_disk(&self) -> Option<String> {
        let settings = self.app().settings();
        let temporary = temporary_folder();
        let places = [
            ("database", settings.db_path.value.parent()),
            ("results", Some(self.reports.path())),
            ("cache", settings.cache.value.as_deref()),
            ("temporary files", Some(temporary.as_path())),
        ];
        places.into_iter().find_map(|(what, folder)| {
            let folder = folder.filter(|folder| *folder != Path::new("")).unwrap_or(Path::new("."));
            let room = free_bytes(folder)?;
            (room < LEAST_ROOM).then(|| {
                format!(
                    "the disk of the {what} has {} left, less than {}: free some space",
                    units::bytes(room as f64),
                    units::bytes(LEAST_ROOM as f64)
                )
            })
        })
    }
}
