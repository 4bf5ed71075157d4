//! Why DuckDB's library cannot be used, and what you can do.

use std::path::PathBuf;

/// The file name of the library.
pub(crate) const FILE: &str = "libduckdb.so";

/// The version of DuckDB whose functions `libduckdb-sys` declares.
pub const VERSION: &str = "v1.5.6";

/// Why DuckDB's library cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// The system cannot find or load it.
    #[error("cannot open DuckDB's library: {reason}; dyno looked for `{FILE}` in {searched}; {}", remedy())]
    Unloadable {
        /// In the words of the system, which name the file.
        reason: String,
        /// The places, most important first, as a list for people.
        searched: String,
    },
    /// A library was loaded that has other functions or works differently.
    #[error("`{}` is {found}, and this dyno needs DuckDB {VERSION}; {}", path.display(), remedy())]
    OtherVersion {
        /// The file.
        path: PathBuf,
        /// What it is instead. // eg: "DuckDB v1.4.0"
        found: String,
    },
}

fn remedy() -> String {
    format!(
        "copy the `{FILE}` of DuckDB {VERSION}, which is part of dyno's release, beside `dyno`, or name its folder in \
         LD_LIBRARY_PATH"
    )
}
