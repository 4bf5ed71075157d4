//! A control group (cgroup v2) for each worker: the kernel bounds the memory and the number of all processes in it together, and
//! ends them at once, wherever they moved to. Only where the group that dyno runs in was handed to it to divide, by systemd
//! (`Delegate=`) or a container.

use std::{
    fs, io,
    os::unix::fs::MetadataExt,
    path::{Path, PathBuf},
    sync::{
        Mutex, MutexGuard, OnceLock, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
    thread,
    time::{Duration, Instant},
};

use nix::{
    errno::Errno,
    sys::signal::{Signal, kill},
    unistd::{Pid, geteuid},
};

use crate::proc::parent;

/// Where the groups of version 2 are mounted: alone, or beside those of version 1.
const MOUNTS: [&str; 2] = ["/sys/fs/cgroup", "/sys/fs/cgroup/unified"];
/// What the group of a worker needs from the one above it.
const CONTROLLERS: [&str; 2] = ["memory", "pids"];
/// How systemd marks a group that it hands over: for anyone to read, and, before version 251, for root.
const MARKS: [&str; 2] = ["user.delegate", "trusted.delegate"];
/// The part of the group that dyno itself is in.
const OWN_PART: &str = "dyno";
/// Most threads and processes of a worker together: more than the largest machines have processors.
const MOST_TASKS: u64 = 1024;
/// Memory that counts in a group and is not the plugin's: pages of libraries, tables of pages, buffers of pipes [bytes].
const ALLOWANCE: u64 = 64 << 20;
/// How long what was killed may take to leave a group before it is left for later.
const PATIENCE: Duration = Duration::from_millis(250);
/// How often dividing the group is tried while processes are started in it.
const TRIES: u32 = 3;

/// The group of one worker. Dropping it ends everything in it, and removes it.
#[derive(Debug)]
pub(super) struct ControlGroup {
    folder: PathBuf,
}

/// Groups that could not be removed, since what was killed in them had not ended.
static LEFT: Mutex<Vec<PathBuf>> = Mutex::new(Vec::new());

/// The group whose parts are the groups of workers; otherwise, why there is none. The first question divides it.
fn divided() -> Result<&'static Path, &'static str> {
    static DIVIDED: OnceLock<Result<PathBuf, String>> = OnceLock::new();
    DIVIDED.get_or_init(divide).as_deref().map_err(String::as_str)
}

/// Why workers have no control groups; `None` if they have.
#[must_use]
pub fn ungrouped() -> Option<&'static str> {
    divided().err()
}

impl ControlGroup {
    /// Moves a process, of which nothing but code of dyno's has run, into a group of its own. `Ok(None)`: no group can be divided
    /// here.
    ///
    /// # Errors
    /// With a sentence, where the kernel refuses it all the same.
    pub(super) fn around(pid: u32, memory_bytes: u64) -> Result<Option<Self>, String> {
        static NUMBER: AtomicU64 = AtomicU64::new(0);
        let Ok(whole) = divided() else { return Ok(None) };
        left().retain(|folder| remove(folder).is_err());
        let folder = whole.join(name(std::process::id(), NUMBER.fetch_add(1, Ordering::Relaxed)));
        let refused = |error: io::Error| {
            let group = folder.display();
            format!("the kernel refused the worker a control group of its own (`{group}`: {error})")
        };
        fs::create_dir(&folder).map_err(refused)?;
        let group = Self { folder: folder.clone() };
        group.bound(memory_bytes).and_then(|()| group.set("cgroup.procs", pid.into())).map_err(refused)?;
        Ok(Some(group))
    }

    fn bound(&self, memory_bytes: u64) -> io::Result<()> {
        let most = memory_bytes.saturating_add(memory_bytes / 32).saturating_add(ALLOWANCE);
        self.set("memory.max", most)?;
        // A benchmark that is swapped measures the disk. Kernels without swap have no such file.
        match self.set("memory.swap.max", 0) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            other => other?,
        }
        // What a plugin started is of no use without its worker.
        self.set("memory.oom.group", 1)?;
        self.set("pids.max", MOST_TASKS)
    }

    fn set(&self, file: &str, value: u64) -> io::Result<()> {
        fs::write(self.folder.join(file), value.to_string())
    }

    /// How many processes there are in it besides the worker.
    pub(super) fn others(&self, worker: u32) -> usize {
        members(&self.folder).into_iter().filter(|pid| *pid != worker).count()
    }

    /// The most memory that was used in it [bytes], if the kernel ended processes because that was more than they may use.
    pub(super) fn ran_out_of_memory(&self) -> Option<u64> {
        let events = fs::read_to_string(self.folder.join("memory.events")).ok()?;
        let most = |file: &str| fs::read_to_string(self.folder.join(file)).ok()?.trim().parse().ok();
        // Linux before 5.19 does not keep the peak: it was at the bound.
        (count(&events, "oom")? > 0).then(|| most("memory.peak").or_else(|| most("memory.max")))?
    }
}

impl Drop for ControlGroup {
    fn drop(&mut self) {
        end_all(&self.folder);
        let deadline = Instant::now() + PATIENCE;
        let mut pause = Duration::from_micros(50);
        while remove(&self.folder).is_err() {
            if Instant::now() > deadline {
                left().push(self.folder.clone());
                return;
            }
            thread::sleep(pause);
            pause *= 2;
        }
    }
}

fn left() -> MutexGuard<'static, Vec<PathBuf>> {
    // A panic elsewhere leaves a list of folders as good as before.
    LEFT.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Removes a group that nothing is left in; one that is gone already is removed.
fn remove(folder: &Path) -> io::Result<()> {
    match fs::remove_dir(folder) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        other => other,
    }
}

/// Makes the group of this process one whose parts have bounds of their own.
fn divide() -> Result<PathBuf, String> {
    let membership = fs::read_to_string("/proc/self/cgroup").unwrap_or_default();
    let path = own(&membership).ok_or("this kernel has no control groups of version 2")?;
    let mount = MOUNTS.into_iter().map(Path::new).find(|mount| mount.join("cgroup.controllers").exists());
    let mount = mount.ok_or("control groups of version 2 are not mounted")?;
    let mut group = mount.join(path.trim_start_matches('/'));
    // Another dyno has divided the one above already: what is started in a container joins its first process.
    if group.file_name().is_some_and(|name| name == OWN_PART)
        && let Some(above) = group.parent().filter(|above| is_handed_over(mount, above))
    {
        group = above.to_owned();
    }
    let shown = format!("the control group `{}`", group.display());
    if !is_handed_over(mount, &group) {
        return Err(format!("{shown} was not handed over to dyno"));
    }
    let given = fs::read_to_string(group.join("cgroup.controllers")).unwrap_or_default();
    if let Some(lacking) =
        CONTROLLERS.into_iter().find(|name| !given.split_whitespace().any(|it| it == *name))
    {
        return Err(format!("{shown} was handed over without the controller `{lacking}`"));
    }
    let us = std::process::id();
    if members(&group).into_iter().any(|pid| pid != us && parent(pid) != Some(us)) {
        return Err(format!("{shown} has processes in it that are not dyno's"));
    }
    move_down(&group).map_err(|error| format!("{shown} cannot be divided: {error}"))?;
    sweep(&group);
    Ok(group)
}

/// Whether a group is its user's to divide: that of a container, one that belongs to this user, or one that systemd has marked.
fn is_handed_over(mount: &Path, group: &Path) -> bool {
    // The group of the whole machine has no type.
    let is_containers = group == mount && group.join("cgroup.type").exists();
    let user = geteuid();
    let is_ours = || !user.is_root() && fs::metadata(group).is_ok_and(|about| about.uid() == user.as_raw());
    let is_marked = |group: &Path| {
        MARKS.iter().any(|mark| {
            let mut value = [0; 1];
            rustix::fs::getxattr(group, *mark, &mut value[..]).is_ok_and(|length| &value[..length] == b"1")
        })
    };
    is_containers || is_ours() || group.ancestors().take_while(|above| *above != mount).any(is_marked)
}

/// Moves this process and its children into a part of their group, since only a group without processes can bound its parts.
fn move_down(group: &Path) -> io::Result<()> {
    let own = group.join(OWN_PART);
    match fs::create_dir(&own) {
        Err(error) if error.kind() != io::ErrorKind::AlreadyExists => return Err(error),
        _ => {}
    }
    let mut tries = 0;
    loop {
        for pid in members(group) {
            match fs::write(own.join("cgroup.procs"), pid.to_string()) {
                // It has ended.
                Err(error) if error.raw_os_error() == Some(Errno::ESRCH as i32) => {}
                other => other?,
            }
        }
        tries += 1;
        match fs::write(
            group.join("cgroup.subtree_control"),
            CONTROLLERS.map(|name| format!("+{name}")).join(" "),
        ) {
            // Another child was started meanwhile.
            Err(error) if error.raw_os_error() == Some(Errno::EBUSY as i32) && tries < TRIES => {}
            other => return other,
        }
    }
}

/// Ends what a dyno that was killed left in the groups of its workers, and removes them.
fn sweep(group: &Path) {
    for part in fs::read_dir(group).into_iter().flatten().flatten() {
        let Some(host) = part.file_name().to_str().and_then(host_of) else { continue };
        // One of another user's lives as well, and may not be asked.
        if kill(Pid::from_raw(host), None) == Err(Errno::ESRCH) {
            drop(ControlGroup { folder: part.path() });
        }
    }
}

/// The name of a worker's group, by the process that started the worker.
fn name(host: u32, number: u64) -> String {
    format!("dyno-worker-{host}-{number}")
}

fn host_of(name: &str) -> Option<i32> {
    name.strip_prefix("dyno-worker-")?.split_once('-')?.0.parse().ok()
}

/// Processes in a group; a process that has ended and is not buried is none.
fn members(group: &Path) -> Vec<u32> {
    let list = fs::read_to_string(group.join("cgroup.procs")).unwrap_or_default();
    list.lines().filter_map(|pid| pid.parse().ok()).collect()
}

fn end_all(group: &Path) {
    if fs::write(group.join("cgroup.kill"), "1").is_ok() {
        return;
    }
    // Before Linux 5.14, one by one: the bound on processes bounds the rounds against one that multiplies.
    for _ in 0..16 {
        let members = members(group);
        if members.is_empty() {
            return;
        }
        for pid in members.into_iter().filter_map(|pid| i32::try_from(pid).ok()) {
            let _ = kill(Pid::from_raw(pid), Signal::SIGKILL);
        }
    }
}

/// The group of version 2 that a process is in, by its `/proc/PID/cgroup`.
fn own(membership: &str) -> Option<&str> {
    membership.lines().find_map(|line| line.strip_prefix("0::"))
}

/// A count of `memory.events`.
fn count(events: &str, name: &str) -> Option<u64> {
    events.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(' ')?.trim().parse().ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_kernel_says_of_groups_is_read() {
        let both = "4:memory:/x\n1:cpu,cpuacct:/\n0::/system.slice/dyno.service\n";
        assert_eq!(own(both), Some("/system.slice/dyno.service"));
        assert_eq!(own("4:memory:/x\n"), None);
        let events = "low 0\nhigh 0\nmax 31\noom 2\noom_kill 1\noom_group_kill 1\n";
        assert_eq!(
            (count(events, "oom"), count(events, "oom_kill"), count(events, "oo")),
            (Some(2), Some(1), None)
        );
    }

    #[test]
    fn the_group_of_a_worker_tells_whose_it_is() {
        assert_eq!(host_of(&name(17, 3)), Some(17));
        for other in ["dyno", "dyno-worker-", "dyno-worker-x-1", "worker-17-3"] {
            assert_eq!(host_of(other), None, "{other}");
        }
    }
}
