//! Opening a page in the user's browser.

use super::output;

/// Opens an address or a file. If no browser can be started, a note names what to open.
pub(super) fn open(target: &str) {
    if open::that(target).is_err() {
        output::note(&format!("no browser could be started here; open {target} in one"));
    }
}
