//! Landlock: what the plugin may open, and that it may reach no process and no socket outside this one.

use std::{
    ffi::OsStr,
    fs,
    path::{Path, PathBuf},
};

use landlock::{
    ABI, Access, AccessFs, AccessNet, BitFlags, CompatLevel, Compatible, LandlockStatus, PathBeneath, PathFd,
    Ruleset, RulesetAttr, RulesetCreated, RulesetCreatedAttr, RulesetError, Scope,
};

use super::foreign::Foreign;

/// The newest interface whose rules are known here; older kernels have fewer of them.
const NEWEST: ABI = ABI::V6;

/// What the dynamic linker, the C library and the drivers of a native plugin read. Nobody keeps secrets there.
const READ_BY_NATIVE: [&str; 30] = [
    "/lib",
    "/lib32",
    "/lib64",
    "/usr/lib",
    "/usr/lib32",
    "/usr/lib64",
    "/usr/local",
    "/usr/share",
    "/opt",
    "/nix/store",
    "/gnu/store",
    "/etc/alternatives",
    "/etc/ld.so.cache",
    "/etc/ld.so.conf",
    "/etc/ld.so.conf.d",
    "/etc/ld.so.preload",
    "/etc/localtime",
    "/etc/OpenCL",
    "/etc/vulkan",
    "/proc/cpuinfo",
    "/proc/devices",
    "/proc/driver",
    "/proc/filesystems",
    "/proc/loadavg",
    "/proc/meminfo",
    "/proc/stat",
    "/proc/sys",
    "/proc/uptime",
    "/proc/version",
    "/sys",
];

/// What the worker itself reads of the machine while a component is loaded.
const READ_FOR_COMPONENT: [&str; 2] = ["/sys/devices/system/cpu", "/sys/fs/cgroup"];

/// Devices without a state that anybody shares.
const PSEUDO: [&str; 5] = ["/dev/null", "/dev/zero", "/dev/full", "/dev/random", "/dev/urandom"];

/// How the device nodes of accelerators begin.
const ACCELERATORS: [&str; 5] = ["nvidia", "dri", "kfd", "dxg", "accel"];

/// Forbids this process, whose only thread this is, and everything that it starts, to open anything but what a plugin of this kind needs,
/// and to read what it was `granted`.
///
/// # Errors
/// A sentence, if the kernel has no such rules or refuses them.
pub(super) fn confine(foreign: Foreign<'_>, granted: &[impl AsRef<Path>]) -> Result<(), String> {
    let refused = |error: RulesetError| format!("the kernel refused the rules for files (Landlock): {error}");
    let read = AccessFs::from_read(NEWEST) & !AccessFs::Execute;
    let all = AccessFs::from_all(NEWEST) & !AccessFs::Execute;
    let mut rules = Ruleset::default()
        .set_compatibility(CompatLevel::BestEffort)
        .handle_access(AccessFs::from_all(NEWEST))
        .map_err(refused)?
        .handle_access(AccessNet::from_all(NEWEST))
        .map_err(refused)?
        .scope(Scope::from_all(NEWEST))
        .map_err(refused)?
        .create()
        .map_err(refused)?;
    let own = format!("/proc/{}", std::process::id());
    let mut allow = |path: &Path, access: BitFlags<AccessFs>| add(&mut rules, path, access);
    let (readable, compiled): (&[&str], _) = match foreign {
        Foreign::Native { .. } => (&READ_BY_NATIVE, None),
        Foreign::Component { compiled } => (&READ_FOR_COMPONENT, compiled),
    };
    let granted = granted.iter().map(AsRef::as_ref);
    for path in readable.iter().chain([&own.as_str()]).map(Path::new).chain(granted).chain(compiled) {
        allow(path, read)?;
    }
    if let Foreign::Native { folder, uses_accelerator } = foreign {
        for path in PSEUDO {
            allow(Path::new(path), read | AccessFs::WriteFile)?;
        }
        allow(folder, all & !(AccessFs::MakeBlock | AccessFs::MakeChar | AccessFs::IoctlDev))?;
        if uses_accelerator {
            // Drivers name their threads.
            allow(Path::new(&format!("{own}/task")), read | AccessFs::WriteFile)?;
            for node in accelerators() {
                allow(&node, read | AccessFs::WriteFile | AccessFs::IoctlDev)?;
            }
        }
    }
    let status = rules.restrict_self().map_err(refused)?;
    match status.landlock {
        LandlockStatus::Available { .. } => Ok(()),
        LandlockStatus::NotEnabled => Err("Landlock is switched off: boot with `lsm=landlock,…`".to_owned()),
        LandlockStatus::NotImplemented => {
            Err("the kernel has no Landlock, or a container forbids it; Linux 5.13 is the first with it"
                .to_owned())
        }
    }
}

/// The device nodes of accelerators.
fn accelerators() -> impl Iterator<Item = PathBuf> {
    let is_one = |name: &OsStr| {
        ACCELERATORS.iter().any(|beginning| name.as_encoded_bytes().starts_with(beginning.as_bytes()))
    };
    let entries = fs::read_dir("/dev").into_iter().flatten().flatten();
    entries.filter(move |entry| is_one(&entry.file_name())).map(|entry| entry.path())
}

/// A path that is not there needs no rule.
fn add(rules: &mut RulesetCreated, path: &Path, access: BitFlags<AccessFs>) -> Result<(), String> {
    let Ok(opened) = PathFd::new(path) else { return Ok(()) };
    // Of a file, this leaves out what only folders have.
    rules
        .add_rule(PathBeneath::new(opened, access))
        .map(drop)
        .map_err(|error| format!("the kernel refused the rule for {} (Landlock): {error}", path.display()))
}
