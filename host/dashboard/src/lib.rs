//! The files of the dashboard: the page of this folder and its libraries, embedded when the program is compiled. Nothing is
//! fetched when it runs.

mod kit;

use std::{
    io::Write,
    sync::{LazyLock, OnceLock},
};

use flate2::{Compression, write::GzEncoder};

include!(concat!(env!("OUT_DIR"), "/files.rs"));

pub use kit::{Kit, report_kit};

/// Why a program without the libraries has no dashboard, and what to do.
pub const MISSING: &str = "this dyno was built without the dashboard: its JavaScript libraries were not there; run \
                           `cargo xtask setup` and build again, or use the API (/docs lists all endpoints)";

/// A file of the page.
#[derive(Debug)]
pub struct File {
    /// Path within the page. // eg: "views/history.js"
    pub name: &'static str,
    /// Media type.
    pub media: &'static str,
    /// Content.
    pub bytes: &'static [u8],
    packed: OnceLock<Vec<u8>>,
}

impl File {
    /// The content, compressed by gzip at the first call.
    pub fn packed(&self) -> &[u8] {
        self.packed.get_or_init(|| pack(self.bytes))
    }
}

/// Whether this program has a dashboard.
#[must_use]
pub fn is_complete() -> bool {
    IS_COMPLETE
}

/// All files, sorted by name.
static ALL: LazyLock<Vec<File>> = LazyLock::new(|| {
    let mut files: Vec<File> = FILES
        .iter()
        .map(|(name, bytes)| File { name, media: media(name), bytes, packed: OnceLock::new() })
        .collect();
    files.sort_by_key(|file| file.name);
    files
});

/// All files of the page, sorted by name; none if it is not complete.
#[must_use]
pub fn files() -> &'static [File] {
    if IS_COMPLETE { &ALL } else { &[] }
}

/// The file with this name.
#[must_use]
pub fn file(name: &str) -> Option<&'static File> {
    let files = files();
    files.binary_search_by_key(&name, |file| file.name).ok().map(|place| &files[place])
}

fn media(name: &str) -> &'static str {
    match name.rsplit_once('.').map(|(_, ending)| ending) {
        Some("html") => "text/html; charset=utf-8",
        Some("js") => "text/javascript; charset=utf-8",
        Some("css") => "text/css; charset=utf-8",
        Some("svg") => "image/svg+xml",
        _ => "text/plain; charset=utf-8",
    }
}

fn pack(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
    // Writing to memory does not fail.
    let _ = encoder.write_all(bytes);
    encoder.finish().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_found_by_its_whole_name() {
        assert_eq!(file("index.html").is_some(), is_complete());
        assert!(file("no/such/file").is_none() && file("").is_none());
        assert_eq!(
            (media("a.js"), media("a")),
            ("text/javascript; charset=utf-8", "text/plain; charset=utf-8")
        );
        assert!(files().is_sorted_by_key(|file| file.name));
    }
}
