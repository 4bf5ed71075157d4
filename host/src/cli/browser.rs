//! Opening a page in the user's browser.

use super::output;

/// Opens an address or a file. Where there is no browser, as on a machine without a screen, a note says what to open.
pub(super) fn open(target: &str) {
    if open::that(target).is_err() {
        output::note(&format!("no browser could be started here; open {target} in one"));
    }
}
