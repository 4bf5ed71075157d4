//! Waiting until something changes in the plugin folders: by the kernel's notices (inotify), and by the clock where the file
//! system gives none. A notice says only that it is time to look: what changed is found by a scan, so none that is lost or
//! doubled does harm.

use std::{
    collections::HashMap,
    ffi::OsString,
    io,
    os::fd::AsFd,
    path::{Path, PathBuf},
    sync::Arc,
    time::{Duration, Instant},
};

use nix::{
    errno::Errno,
    poll::{PollFd, PollFlags, PollTimeout, poll},
    sys::{
        eventfd::{EfdFlags, EventFd},
        inotify::{AddWatchFlags, InitFlags, Inotify, InotifyEvent, WatchDescriptor},
        statfs::{
            AFS_SUPER_MAGIC, CODA_SUPER_MAGIC, FUSE_SUPER_MAGIC, FsType, NFS_SUPER_MAGIC, SMB_SUPER_MAGIC,
            statfs,
        },
    },
};

use super::Problem;

/// Files count as changed once nothing happened for this long, …
const QUIET: Duration = Duration::from_millis(20);
/// … or, if something always happens, this long after the first notice.
const LONGEST_UNREST: Duration = Duration::from_millis(250);
/// Interval of looks where the file system gives no notice.
const POLL: Duration = Duration::from_secs(1);
/// Interval of looks where it does: links far above a folder may change without one.
const LOOK_ANYWAY: Duration = Duration::from_secs(30);
/// Maximum number of watched folders. The kernel's own limit for a user may be as low as 8,192.
const MOST_FOLDERS: usize = 4_096;
/// Maximum number of reads before the clock is looked at again. Each returns up to about 100 notices.
const MOST_READS: u32 = 100;
/// File systems on other machines, whose changes this kernel does not see: those with a name in `nix`, CIFS, SMB 2, 9P and
/// Ceph.
const REMOTE: [FsType; 9] = [
    NFS_SUPER_MAGIC,
    SMB_SUPER_MAGIC,
    FUSE_SUPER_MAGIC,
    AFS_SUPER_MAGIC,
    CODA_SUPER_MAGIC,
    FsType(0xff53_4d42),
    FsType(0xfe53_4d42),
    FsType(0x0102_1997),
    FsType(0x00c3_6400),
];

/// Ends the wait of [`Changes`] from another thread.
#[derive(Debug, Clone)]
pub struct Bell(Arc<EventFd>);

impl Bell {
    /// A bell that nobody has rung.
    ///
    /// # Errors
    /// When the process has no descriptors left.
    pub fn new() -> io::Result<Self> {
        Ok(Self(Arc::new(EventFd::from_flags(EfdFlags::EFD_CLOEXEC | EfdFlags::EFD_NONBLOCK)?)))
    }

    /// Rings it.
    pub fn ring(&self) {
        // An error means that it has been rung 2^64 times and not been heard.
        let _ = self.0.write(1);
    }

    fn was_rung(&self) -> bool {
        self.0.read().is_ok()
    }
}

/// The watched folders.
#[derive(Debug)]
pub struct Changes {
    bell: Bell,
    /// The plugin folders, which need not exist.
    roots: Vec<PathBuf>,
    /// `None` if only the clock is used.
    inotify: Option<Inotify>,
    watched: HashMap<WatchDescriptor, Watched>,
    /// Whether a folder is not watched, so that the clock has to do.
    polls: bool,
    /// Why, unless that was asked for.
    trouble: Option<Problem>,
}

/// Which notices of a folder count.
#[derive(Debug, Default, PartialEq, Eq)]
struct Watched {
    /// It holds plugins: every change counts.
    holds_plugins: bool,
    /// Entries that lead to plugin folders.
    leads_to: Vec<OsString>,
}

impl Watched {
    fn counts(&self, event: &InotifyEvent) -> bool {
        self.holds_plugins
            || match &event.name {
                Some(name) => self.leads_to.contains(name),
                // The folder itself was removed or moved.
                None => true,
            }
    }
}

impl Changes {
    /// Watches nothing yet. With `only_polls`, the kernel is not asked.
    #[must_use]
    pub fn new(bell: Bell, roots: &[PathBuf], only_polls: bool) -> Self {
        let (inotify, trouble) = if only_polls {
            (None, None)
        } else {
            match Inotify::init(InitFlags::IN_CLOEXEC | InitFlags::IN_NONBLOCK) {
                Ok(inotify) => (Some(inotify), None),
                Err(error) => (None, roots.first().map(|root| unwatched(root, error))),
            }
        };
        let polls = inotify.is_none();
        Self { bell, roots: roots.to_vec(), inotify, watched: HashMap::new(), polls, trouble }
    }

    /// Why only the clock is used, unless that was asked for.
    #[must_use]
    pub fn trouble(&self) -> Option<&Problem> {
        self.trouble.as_ref()
    }

    /// Watches exactly the plugin folders, and the `folders` that were read in them. Returns whether there are new ones, which may
    /// have changed before they were watched.
    pub fn cover(&mut self, folders: &[PathBuf]) -> bool {
        let Some(inotify) = &self.inotify else { return false };
        let mut places: HashMap<PathBuf, Watched> = HashMap::new();
        for folder in folders {
            places.entry(folder.clone()).or_default().holds_plugins = true;
        }
        for root in &self.roots {
            if let Some((above, name)) = door(root) {
                places.entry(above.to_owned()).or_default().leads_to.push(name);
            }
        }
        self.trouble = None;
        self.polls = places.len() > MOST_FOLDERS || places.keys().any(|place| is_remote(place));
        if let Some(root) = self.roots.first().filter(|_| places.len() > MOST_FOLDERS) {
            let message = format!(
                "{} folders are too many to watch ({MOST_FOLDERS}); dyno looks into all of them once per second instead",
                places.len()
            );
            self.trouble = Some(Problem::note(root, message));
        }
        let mut watched: HashMap<WatchDescriptor, Watched> = HashMap::new();
        let mask = AddWatchFlags::IN_CREATE
            | AddWatchFlags::IN_CLOSE_WRITE
            | AddWatchFlags::IN_MOVE
            | AddWatchFlags::IN_DELETE
            | AddWatchFlags::IN_DELETE_SELF
            | AddWatchFlags::IN_MOVE_SELF
            | AddWatchFlags::IN_ONLYDIR;
        for (place, wanted) in places.into_iter().take(MOST_FOLDERS) {
            match inotify.add_watch(&place, mask) {
                // Two paths may lead to one folder.
                Ok(descriptor) => {
                    let known = watched.entry(descriptor).or_default();
                    known.holds_plugins |= wanted.holds_plugins;
                    known.leads_to.extend(wanted.leads_to);
                }
                // The next scan says what became of it.
                Err(Errno::ENOENT | Errno::ENOTDIR) => {}
                // A folder above may be closed to this user: that a plugin folder is replaced as a whole is found by the clock.
                Err(Errno::EACCES) if !wanted.holds_plugins => {}
                Err(error) => {
                    self.polls = true;
                    self.trouble = Some(unwatched(&place, error));
                }
            }
        }
        let is_new = watched.keys().any(|descriptor| !self.watched.contains_key(descriptor));
        for descriptor in self.watched.keys().filter(|descriptor| !watched.contains_key(descriptor)) {
            // The kernel has forgotten a folder that was removed.
            let _ = inotify.rm_watch(*descriptor);
        }
        self.watched = watched;
        is_new
    }

    /// Waits until something has changed and nothing changes any more, until the bell rings, until `due`, or until it is time to
    /// look anyway.
    pub fn wait(&self, due: Option<Instant>) {
        let begin = Instant::now();
        let anyway = begin + if self.polls { POLL } else { LOOK_ANYWAY };
        let mut until = due.map_or(anyway, |due| due.min(anyway));
        let mut unrest_ends: Option<Instant> = None;
        loop {
            self.sleep(until.saturating_duration_since(Instant::now()));
            if self.bell.was_rung() {
                return;
            }
            let now = Instant::now();
            if self.has_notice() {
                let ends = *unrest_ends.get_or_insert(now + LONGEST_UNREST);
                until = (now + QUIET).min(ends);
            }
            if now >= until {
                return;
            }
        }
    }

    /// Until there is a notice or the bell rings, at most this long.
    fn sleep(&self, longest: Duration) {
        // Rounded up: a wait of no time would be a busy one.
        let longest = longest.as_millis().saturating_add(1);
        let timeout = PollTimeout::try_from(longest).unwrap_or(PollTimeout::MAX);
        let mut sources = vec![PollFd::new(self.bell.0.as_fd(), PollFlags::POLLIN)];
        sources.extend(self.inotify.iter().map(|inotify| PollFd::new(inotify.as_fd(), PollFlags::POLLIN)));
        // A signal only ends it sooner.
        let _ = poll(&mut sources, timeout);
    }

    /// Reads all notices; whether one counts.
    fn has_notice(&self) -> bool {
        let Some(inotify) = &self.inotify else { return false };
        let mut counts = false;
        for _ in 0..MOST_READS {
            // An error means that there are no more.
            let Ok(events) = inotify.read_events() else { break };
            counts |= events.iter().any(|event| {
                let is_overflow = event.mask.contains(AddWatchFlags::IN_Q_OVERFLOW);
                is_overflow || self.watched.get(&event.wd).is_some_and(|watched| watched.counts(event))
            });
        }
        counts
    }
}

/// The nearest existing folder above, and the entry in it that leads to `root`.
fn door(root: &Path) -> Option<(&Path, OsString)> {
    let mut below = root;
    loop {
        let above = below.parent()?;
        if above.is_dir() {
            return Some((above, below.file_name()?.to_owned()));
        }
        below = above;
    }
}

fn is_remote(folder: &Path) -> bool {
    statfs(folder).is_ok_and(|about| REMOTE.contains(&about.filesystem_type()))
}

/// Why a folder is not watched, what happens instead, and what helps.
fn unwatched(folder: &Path, error: Errno) -> Problem {
    let (why, remedy) = match error {
        Errno::ENOSPC => (
            "the limit of watched folders per user is reached",
            "raise the sysctl `fs.inotify.max_user_watches`",
        ),
        Errno::EMFILE => (
            "the limit of watching programs per user is reached, or this process has no file descriptors left",
            "raise the sysctl `fs.inotify.max_user_instances`, or `ulimit -n`",
        ),
        other => (other.desc(), "`--watch=poll` does so without asking the kernel"),
    };
    let message = format!(
        "cannot be watched: {why}; dyno looks into the plugin folders once per second instead; {remedy}"
    );
    Problem::note(folder, message)
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    fn watching(root: &Path) -> Changes {
        let changes = Changes::new(Bell::new().unwrap(), &[root.to_owned()], false);
        assert_eq!(changes.trouble(), None);
        changes
    }

    /// Whether a wait ends by a notice, and not by the time that it has.
    fn is_noticed(changes: &Changes) -> bool {
        let due = Instant::now() + Duration::from_secs(20);
        changes.wait(Some(due));
        Instant::now() < due
    }

    #[test]
    fn a_file_in_a_watched_folder_and_a_folder_that_appears_end_the_wait() {
        let arena = tempfile::tempdir().unwrap();
        let root = arena.path().join("a/plugins");
        let mut changes = watching(&root);
        assert!(changes.cover(&[]));
        assert!(!changes.cover(&[]), "it is watched already");
        fs::create_dir(arena.path().join("a")).unwrap();
        assert!(is_noticed(&changes));
        assert!(changes.cover(&[]), "the folder in between is new");
        fs::create_dir(&root).unwrap();
        assert!(is_noticed(&changes));
        let folders = [root.clone()];
        assert!(changes.cover(&folders));
        fs::write(root.join("p.so"), "p").unwrap();
        assert!(is_noticed(&changes));
        // The same path, but another folder.
        fs::remove_dir_all(&root).unwrap();
        fs::create_dir(&root).unwrap();
        assert!(is_noticed(&changes));
        assert!(changes.cover(&folders));
        fs::write(root.join("p.so"), "p").unwrap();
        assert!(is_noticed(&changes));
        assert_eq!(changes.trouble(), None);
    }

    #[test]
    fn what_happens_beside_a_plugin_folder_is_not_noticed() {
        let arena = tempfile::tempdir().unwrap();
        let root = arena.path().join("plugins");
        fs::create_dir(&root).unwrap();
        let mut changes = watching(&root);
        changes.cover(std::slice::from_ref(&root));
        fs::write(arena.path().join("database"), "text").unwrap();
        // The kernel queues a notice before the call returns that it is about.
        assert!(!changes.has_notice());
        fs::write(root.join("p.so"), "p").unwrap();
        assert!(changes.has_notice());
    }

    #[test]
    fn the_bell_and_the_time_end_a_wait_without_the_kernel() {
        let changes = Changes::new(Bell::new().unwrap(), &[], true);
        changes.wait(Some(Instant::now()));
        changes.bell.ring();
        changes.sleep(Duration::from_secs(60));
        assert!(changes.bell.was_rung() && !changes.bell.was_rung());
    }

    #[test]
    fn a_limit_of_the_kernel_is_named_with_what_helps() {
        let said = |error| unwatched(Path::new("/p"), error).to_string();
        let full = said(Errno::ENOSPC);
        assert!(full.starts_with("/p: cannot be watched") && full.contains("once per second"), "{full}");
        assert!(full.contains("max_user_watches"), "{full}");
        assert!(said(Errno::EMFILE).contains("max_user_instances"));
        assert!(said(Errno::EACCES).contains("--watch=poll"));
    }
}
