//! Installing packages of Debian, where this is Debian and we may.

use std::{fs, path::Path, process::Command, time::Duration};

use crate::process;

/// Longest time for one call of `apt-get`.
const LIMIT: Duration = Duration::from_secs(600);

/// Whether packages can be installed here: `apt-get` is there and this user is root.
pub(crate) fn can_install() -> bool {
    Path::new("/usr/bin/apt-get").is_file()
        && process::output_if_any(Command::new("id").arg("-u")).is_some_and(|user| user == "0")
}

/// Installs packages; fetches the lists first where this machine has none. Returns whether they are there.
pub(crate) fn install(packages: &[&str]) -> bool {
    // A list that is older than a package would be fine, but on a fresh machine there is none at all.
    let has_lists = fs::read_dir("/var/lib/apt/lists").is_ok_and(|entries| {
        entries.flatten().any(|entry| entry.file_name().to_string_lossy().contains("_Packages"))
    });
    if !has_lists && !process::run_within(LIMIT, apt().arg("update")) {
        return false;
    }
    process::run_within(LIMIT, apt().args(["install", "-y", "--no-install-recommends"]).args(packages))
}

fn apt() -> Command {
    let mut command = Command::new("apt-get");
    command.arg("-q=2").env("DEBIAN_FRONTEND", "noninteractive");
    command
}
