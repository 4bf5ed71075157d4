//! Where the sources of plugins are, and what a built one is called.

/// Folders whose subfolders are plugins.
pub(super) const FOLDERS: [&str; 2] = ["plugins", "examples"];

/// Ending of a native plugin on this system.
pub(super) fn native_ending() -> &'static str {
    std::env::consts::DLL_EXTENSION
}
