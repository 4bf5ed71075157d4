//! A Vulkan driver, for the tests of WebGPU: Mesa's in software, where the machine has no GPU of its own.

use std::{fmt, fs, path::Path};

use super::debian;
use crate::process::say;

/// The loader, and Mesa's drivers with the one in software (`lavapipe`).
const PACKAGES: [&str; 2] = ["libvulkan1", "mesa-vulkan-drivers"];

/// Where drivers put the files by which the loader finds them.
const MANIFESTS: [&str; 3] =
    ["/usr/share/vulkan/icd.d", "/etc/vulkan/icd.d", "/usr/local/share/vulkan/icd.d"];

/// How many drivers there are.
#[derive(Debug)]
pub(crate) struct Vulkan(usize);

impl fmt::Display for Vulkan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            0 => f.write_str("none"),
            count => write!(f, "{count} driver(s) for its loader"),
        }
    }
}

/// Looks for a driver, and has Debian install Mesa's where there is none.
pub(crate) fn find_or_obtain() -> Vulkan {
    let mut found = drivers();
    if found == 0 && debian::can_install() {
        say("Vulkan: installing Mesa's drivers, one of which needs no GPU");
        debian::install(&PACKAGES);
        found = drivers();
    }
    if found == 0 {
        println!(
            "    no Vulkan driver: WebGPU benchmarks are built, but skipped, and so are their tests; install {}, \
             or the driver of a GPU",
            PACKAGES.join(" and ")
        );
    }
    Vulkan(found)
}

/// The drivers that the loader would try. Whether one works, only loading it tells, which tests do.
fn drivers() -> usize {
    MANIFESTS.iter().map(|folder| manifests(Path::new(folder))).sum()
}

fn manifests(folder: &Path) -> usize {
    let is_manifest = |entry: &fs::DirEntry| entry.path().extension().is_some_and(|ending| ending == "json");
    fs::read_dir(folder).map_or(0, |entries| entries.flatten().filter(is_manifest).count())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_manifests_are_drivers() {
        assert_eq!(manifests(Path::new("/no/such/folder")), 0);
        assert_eq!(manifests(Path::new("/proc/self")), 0);
        assert_eq!(Vulkan(0).to_string(), "none");
    }
}
