//! Chromium, for the tests of the dashboard: the one on the path, or Debian's headless build.

use std::{
    env,
    path::{Path, PathBuf},
    process::Command,
};

use super::debian;
use crate::process::{self, say};

/// Names of the program, in the order of preference.
const PROGRAMS: [&str; 5] =
    ["chromium-headless-shell", "chromium", "chromium-browser", "google-chrome", "google-chrome-stable"];

/// Debian's headless build: 87 MB to download, where `chromium` is 112 MB.
const PACKAGE: &str = "chromium-headless-shell";

/// Looks for a browser, and has Debian install one where there is none. `None`, with a sentence, where it cannot be had.
pub(super) fn find_or_obtain() -> Option<PathBuf> {
    let mut found = find();
    if found.is_none() && debian::can_install() {
        say("Chromium: installing Debian's headless build (about 90 MB, only for tests)");
        debian::install(&[PACKAGE]);
        found = find();
    }
    if found.is_none() {
        println!(
            "    no Chromium: tests of the dashboard are skipped; install {PACKAGE}, or one of {}",
            PROGRAMS[1..].join(", ")
        );
    }
    found
}

fn find() -> Option<PathBuf> {
    let path = env::var_os("PATH")?;
    PROGRAMS.iter().find_map(|program| {
        env::split_paths(&path).map(|folder| folder.join(program)).find(|file| works(file))
    })
}

/// On some systems, a script of that name only says where to get the browser.
fn works(file: &Path) -> bool {
    file.is_file() && process::succeeds(Command::new(file).arg("--version"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_cannot_tell_its_version_does_not_work() {
        assert!(works(Path::new("/bin/ls")) && !works(Path::new("/bin/false")) && !works(Path::new("/bin")));
    }
}
