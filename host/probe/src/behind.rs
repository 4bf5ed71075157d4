//! The probe behind the same layers as a plugin that uses the device.

use std::path::Path;

use dyno_confine::{Foreign, confine};
use dyno_core::protocol::Confinement;
use indexmap::IndexMap;
use nix::{sys::prctl, unistd::getppid};

/// Puts the layers on. What does not hold here does not hold for plugins either, of which a worker tells the host.
pub(crate) fn go_behind_the_layers() {
    // For the filter of system calls, where the kernel has no rules for files that bring it.
    let _ = prctl::set_no_new_privs();
    let home = usual_folders::home();
    // Where `pip install --user` puts drivers' libraries.
    let read = home.iter().map(|home| home.join(".local/lib")).filter(|it| it.is_dir()).collect();
    let environment: IndexMap<String, String> =
        home.map(|home| ("DYNO_USER_HOME".to_owned(), home.display().to_string())).into_iter().collect();
    let asked = Confinement { full: true, read, environment, connect: Vec::new(), required: Vec::new() };
    // Drivers may write nothing: what they keep in the user's cache, they do without.
    let driver = Foreign::Native { folder: Path::new("/dev/null"), uses_accelerator: true };
    confine(&asked, driver, getppid().as_raw().unsigned_abs(), Vec::new());
}
