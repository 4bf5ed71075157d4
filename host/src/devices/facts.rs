//! The facts that a driver's answer depends on: its libraries, its device nodes, the kernel. All can be read in a
//! millisecond, without the driver.

use std::{
    fs,
    os::unix::fs::MetadataExt,
    path::{Path, PathBuf},
};

use dyno_core::{model::DeviceKind, text::hex};
use sha2::{Digest, Sha256};

/// Folders of the dynamic linker that are the same everywhere; its cache covers the others.
const LIBRARIES: [&str; 8] = [
    "/lib",
    "/usr/lib",
    "/usr/lib64",
    "/usr/local/lib",
    "/usr/local/cuda/lib64",
    "/usr/local/nvidia/lib64",
    "/opt/rocm/lib",
    "/usr/lib/wsl/lib",
];

/// Where Vulkan drivers are announced.
const VULKAN: [&str; 4] = [
    "/usr/share/vulkan/icd.d",
    "/etc/vulkan/icd.d",
    "/usr/local/share/vulkan/icd.d",
    "/usr/local/etc/vulkan/icd.d",
];

/// A short name for everything that the answer about `kind` depends on. `confines`: whether its driver is asked behind layers.
pub(super) fn key(kind: DeviceKind, program: &Path, confines: bool) -> String {
    let mut facts = vec![
        env!("CARGO_PKG_VERSION").to_owned(),
        stamp(program),
        confines.to_string(),
        stamp(Path::new("/etc/ld.so.cache")),
    ];
    for file in ["/proc/sys/kernel/osrelease", "/proc/sys/kernel/random/boot_id"] {
        facts.push(fs::read_to_string(file).unwrap_or_default());
    }
    // The users and groups that may open device nodes.
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    facts.extend(
        status
            .lines()
            .filter(|line| line.starts_with("Uid") || line.starts_with("Groups"))
            .map(str::to_owned),
    );
    match kind {
        DeviceKind::Cuda => {
            libraries(&["libcuda.so.1", "libnvidia-ml.so.1"], &mut facts);
            listing(Path::new("/dev"), &["nvidia", "dxg"], &mut facts);
            facts.push(fs::read_to_string("/proc/driver/nvidia/version").unwrap_or_default());
            listing(Path::new("/proc/driver/nvidia/gpus"), &[""], &mut facts);
        }
        DeviceKind::Rocm => {
            libraries(&["libamdhip64.so"], &mut facts);
            listing(Path::new("/dev"), &["kfd"], &mut facts);
            listing(Path::new("/sys/class/kfd/kfd/topology/nodes"), &[""], &mut facts);
        }
        DeviceKind::WebGpu => {
            libraries(&["libvulkan.so.1"], &mut facts);
            VULKAN.iter().for_each(|folder| listing(Path::new(folder), &[""], &mut facts));
            listing(Path::new("/dev"), &["nvidia", "dxg"], &mut facts);
            listing(Path::new("/dev/dri"), &[""], &mut facts);
            listing(Path::new("/sys/class/drm"), &[""], &mut facts);
        }
        DeviceKind::OpenVino => {
            libraries(&["libopenvino_c.so"], &mut facts);
            for folder in usual_folders::of_python("openvino/libs") {
                listing(&folder, &["libopenvino_c.so"], &mut facts);
            }
            listing(Path::new("/dev/dri"), &[""], &mut facts);
            listing(Path::new("/dev/accel"), &[""], &mut facts);
        }
        DeviceKind::Qnn => libraries(&["libQnnHtp.so"], &mut facts),
        DeviceKind::Cpu | DeviceKind::Mps | DeviceKind::WebNn => {}
    }
    hex(&Sha256::digest(facts.join("\n"))[..16])
}

fn libraries(names: &[&str], facts: &mut Vec<String>) {
    let own = PathBuf::from(format!("/usr/lib/{}-linux-gnu", std::env::consts::ARCH));
    for folder in LIBRARIES.iter().map(PathBuf::from).chain([own]) {
        facts.extend(names.iter().map(|name| stamp(&folder.join(name))));
    }
}

/// The entries of a folder that begin like this.
fn listing(folder: &Path, prefixes: &[&str], facts: &mut Vec<String>) {
    let Ok(entries) = fs::read_dir(folder) else { return facts.push("-".to_owned()) };
    let mut found: Vec<String> = entries
        .flatten()
        .filter(|entry| {
            let name = entry.file_name();
            prefixes.iter().any(|prefix| name.to_string_lossy().starts_with(prefix))
        })
        .map(|entry| stamp(&entry.path()))
        .collect();
    found.sort_unstable();
    facts.append(&mut found);
}

/// Which file it is, and in which state. Device nodes have no time that means anything.
fn stamp(path: &Path) -> String {
    let Ok(about) = fs::metadata(path) else { return "-".to_owned() };
    let owner = (about.mode(), about.uid(), about.gid());
    let what = if about.is_file() {
        (about.len(), about.mtime(), about.mtime_nsec(), about.ino())
    } else {
        (about.rdev(), 0, 0, 0)
    };
    format!("{} {owner:?} {what:?}", path.display())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn another_program_or_kind_is_another_key() {
        let folder = tempfile::tempdir().unwrap();
        let program = folder.path().join("probe");
        fs::write(&program, "1").unwrap();
        let before = key(DeviceKind::Cuda, &program, true);
        assert_eq!(before, key(DeviceKind::Cuda, &program, true));
        assert_ne!(before, key(DeviceKind::WebGpu, &program, true));
        fs::write(&program, "22").unwrap();
        assert_ne!(before, key(DeviceKind::Cuda, &program, true));
    }

    #[test]
    fn a_listing_knows_what_is_there() {
        let folder = tempfile::tempdir().unwrap();
        let facts = || {
            let mut facts = Vec::new();
            listing(folder.path(), &["nvidia"], &mut facts);
            facts
        };
        fs::write(folder.path().join("tty"), "").unwrap();
        assert!(facts().is_empty());
        fs::write(folder.path().join("nvidia0"), "").unwrap();
        assert_eq!(facts().len(), 1);
    }
}
