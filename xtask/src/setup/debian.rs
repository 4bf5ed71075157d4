//! Installing packages of Debian, where this is Debian and we may.

use std::{path::Path, process::Command, time::Duration};

use crate::process;

/// Longest time for one call of `apt-get`.
const LIMIT: Duration = Duration::from_secs(600);

/// Whether packages can be installed here: `apt-get` is there and this user is root.
pub(crate) fn can_install() -> bool {
    Path::new("/usr/bin/apt-get").is_file()
        && process::output_if_any(Command::new("id").arg("-u")).is_some_and(|user| user == "0")
}

/// Installs packages. Returns whether they are there.
pub(crate) fn install(packages: &[&str]) -> bool {
    let install = || {
        process::run_within(LIMIT, apt().args(["install", "-y", "--no-install-recommends"]).args(packages))
    };
    // Lists that are there are mostly good enough; a fresh machine has none, and an old one may have old ones.
    install() || (process::run_within(LIMIT, apt().arg("update")) && install())
}

fn apt() -> Command {
    let mut command = Command::new("apt-get");
    command.arg("-q=2").env("DEBIAN_FRONTEND", "noninteractive");
    command
}
