//! The cache as a whole: what is in it, how large it may become, and what goes first. Nothing but files that dyno names so is
//! ever touched, whatever folder was named as the cache.

use std::{
    collections::BTreeMap,
    fs::{self, File, TryLockError},
    io,
    path::{Path, PathBuf},
    time::{Duration, SystemTime},
};

use dyno_core::protocol::compiled_prefix;
use serde::Serialize;

use super::ContentStoreError;
use crate::fault::{HostFault, Place};

/// How long something is kept that nobody uses.
const MAX_AGE: Duration = Duration::from_secs(90 * 24 * 3600);
/// What was used this recently is kept whatever it takes: a launch may be about to read it.
const GRACE: Duration = Duration::from_secs(600);
/// How long a file may take to be written: then whoever wrote it was killed.
const WRITING: Duration = Duration::from_secs(3600);
/// Most sets of plugin folders whose scans are kept.
const MAX_SCANS: usize = 64;
/// Most files of a folder that are looked at.
const MAX_FILES: usize = 100_000;
/// Length of a name that is a hash.
const HASH: usize = 64;

/// A part of the cache.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum CachePart {
    /// What scans of plugin folders found.
    Scans,
    /// Verified bytes of plugins.
    Plugins,
    /// Compiled code of components.
    CompiledCode,
    /// What drivers answered.
    Drivers,
    /// Facts about source code that was analysed.
    Analyses,
}

impl CachePart {
    const ALL: [Self; 5] = [Self::Scans, Self::Plugins, Self::CompiledCode, Self::Drivers, Self::Analyses];

    /// In words.
    #[must_use]
    pub fn words(self) -> &'static str {
        match self {
            Self::Scans => "scans of plugin folders",
            Self::Plugins => "verified plugins",
            Self::CompiledCode => "compiled WASM code",
            Self::Drivers => "answers of drivers",
            Self::Analyses => "facts about source code",
        }
    }

    /// Its folder in a cache.
    #[must_use]
    pub fn folder(self, cache: &Path) -> PathBuf {
        match self {
            Self::Scans => cache.to_owned(),
            Self::Plugins => cache.join("plugins"),
            Self::CompiledCode => cache.join("code"),
            Self::Drivers => cache.join("devices"),
            Self::Analyses => cache.join("analysis"),
        }
    }

    /// Whether a file of its folder is called as dyno calls it.
    fn has(self, name: &str) -> bool {
        match self {
            // Until version 0.1, scans were kept as JSON.
            Self::Scans => name.starts_with("scan-") && (name.ends_with(".bin") || name.ends_with(".json")),
            Self::Plugins => hash_in(name).is_some_and(|hash| hash == name),
            Self::CompiledCode => hash_in(name).is_some() && name.ends_with(".cwasm"),
            Self::Drivers => name.ends_with(".json"),
            Self::Analyses => name.ends_with(".facts"),
        }
    }
}

/// The hash that a name begins with.
fn hash_in(name: &str) -> Option<&str> {
    name.get(..HASH).filter(|hash| hash.bytes().all(|byte| byte.is_ascii_hexdigit()))
}

/// Files that are being written are called so, beside those that they are to become.
fn is_partial(name: &str) -> bool {
    name.starts_with(".tmp")
}

/// How much of the cache is used, or was removed from it.
#[derive(Debug, Clone, Serialize)]
pub struct CacheUse {
    /// Its folder.
    pub folder: PathBuf,
    /// How large it may become [bytes].
    pub limit_bytes: u64,
    /// Its size [bytes].
    pub bytes: u64,
    /// Its parts.
    pub parts: Vec<PartUse>,
}

/// How much a part of it takes.
#[derive(Debug, Clone, Serialize)]
pub struct PartUse {
    /// Which.
    pub part: CachePart,
    /// How many files.
    pub files: usize,
    /// Their size [bytes].
    pub bytes: u64,
}

/// A file of the cache.
#[derive(Debug)]
struct Kept {
    part: CachePart,
    path: PathBuf,
    name: String,
    bytes: u64,
    used: SystemTime,
}

impl Kept {
    fn age(&self, now: SystemTime) -> Duration {
        // A clock that was set back makes nothing old.
        now.duration_since(self.used).unwrap_or_default()
    }
}

/// What is in the cache.
#[must_use]
pub fn cache_use(folder: &Path, limit_bytes: u64) -> CacheUse {
    summary(folder, limit_bytes, &all(folder))
}

/// Removes everything from the cache, and says what it was.
///
/// # Errors
/// When a run or a watching server is using it, or a file cannot be removed.
pub fn clear_cache(folder: &Path, limit_bytes: u64) -> Result<CacheUse, ContentStoreError> {
    let plugins = CachePart::Plugins.folder(folder);
    // Held until all is gone. Where there are no verified plugins, or no locks, nobody can be using them.
    let lock = File::open(plugins).ok();
    if let Some(Err(TryLockError::WouldBlock)) = lock.as_ref().map(File::try_lock) {
        return Err(ContentStoreError::InUse(folder.to_owned()));
    }
    let files = all(folder);
    for file in &files {
        remove(&file.path).map_err(|error| {
            HostFault::new(format!("cannot remove `{}`", file.path.display()), &error, Place::Cache)
        })?;
    }
    Ok(summary(folder, limit_bytes, &files))
}

/// Removes what nobody has used for long, and what was used longest ago as long as the cache is larger than it may be. What cannot
/// be removed stays: it costs space and nothing else.
pub fn prune_cache(folder: &Path, limit_bytes: u64) {
    prune(folder, limit_bytes, SystemTime::now());
}

/// Keeps the scans of the last used sets of folders.
pub(super) fn prune_scans(folder: &Path) {
    let mut scans = files(CachePart::Scans, folder);
    scans.sort_by_key(|scan| std::cmp::Reverse(scan.used));
    for scan in scans.iter().skip(MAX_SCANS) {
        let _ = remove(&scan.path);
    }
}

/// Notes that a file is used. One that cannot be noted is only removed sooner.
pub(super) fn touch(path: &Path) {
    let _ = File::open(path).and_then(|file| file.set_modified(SystemTime::now()));
}

fn prune(folder: &Path, limit_bytes: u64, now: SystemTime) {
    prune_scans(folder);
    let mut files = all(folder);
    refresh(&mut files);
    files.retain(|file| {
        let longest = if is_partial(&file.name) { WRITING } else { MAX_AGE };
        let is_over = file.age(now) > longest;
        !(is_over && remove(&file.path).is_ok())
    });
    let mut bytes: u64 = files.iter().map(|file| file.bytes).sum();
    files.sort_by_key(|file| file.used);
    for file in files {
        if bytes <= limit_bytes || file.age(now) <= GRACE {
            return;
        }
        if remove(&file.path).is_ok() {
            bytes = bytes.saturating_sub(file.bytes);
        }
    }
}

/// Code that this engine has compiled is used whenever its plugin is.
fn refresh(files: &mut [Kept]) {
    let used: BTreeMap<String, SystemTime> = files
        .iter()
        .filter(|file| file.part == CachePart::Plugins)
        .map(|file| (file.name.clone(), file.used))
        .collect();
    for file in files.iter_mut().filter(|file| file.part == CachePart::CompiledCode) {
        if let Some((hash, used)) = hash_in(&file.name).and_then(|hash| used.get_key_value(hash))
            && file.name.starts_with(&compiled_prefix(hash))
        {
            file.used = file.used.max(*used);
        }
    }
}

fn all(folder: &Path) -> Vec<Kept> {
    CachePart::ALL.into_iter().flat_map(|part| files(part, folder)).collect()
}

/// The files of a part, those in the making included. What cannot be read counts as nothing.
fn files(part: CachePart, cache: &Path) -> Vec<Kept> {
    let Ok(entries) = fs::read_dir(part.folder(cache)) else { return Vec::new() };
    let mut found = Vec::new();
    for entry in entries.flatten().take(MAX_FILES) {
        let Ok(name) = entry.file_name().into_string() else { continue };
        // Not through links, which lead elsewhere.
        let Ok(about) = entry.metadata() else { continue };
        let Ok(used) = about.modified() else { continue };
        if about.is_file() && (part.has(&name) || is_partial(&name)) {
            found.push(Kept { part, path: entry.path(), name, bytes: about.len(), used });
        }
    }
    found
}

fn remove(path: &Path) -> io::Result<()> {
    match fs::remove_file(path) {
        // Another process does the same.
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        other => other,
    }
}

fn summary(folder: &Path, limit_bytes: u64, files: &[Kept]) -> CacheUse {
    let parts = CachePart::ALL.into_iter().map(|part| {
        let of_part = || files.iter().filter(|file| file.part == part);
        PartUse { part, files: of_part().count(), bytes: of_part().map(|file| file.bytes).sum() }
    });
    let parts: Vec<PartUse> = parts.collect();
    let bytes = parts.iter().map(|part| part.bytes).sum();
    CacheUse { folder: folder.to_owned(), limit_bytes, bytes, parts }
}

#[cfg(test)]
mod tests {
    use super::*;

    const DAY: Duration = Duration::from_secs(24 * 3600);

    /// Puts a file of some size and age into a cache.
    fn put(cache: &Path, name: &str, bytes: usize, age: Duration) -> PathBuf {
        let path = cache.join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, vec![0; bytes]).unwrap();
        let file = File::options().write(true).open(&path).unwrap();
        file.set_modified(SystemTime::now() - age).unwrap();
        path
    }

    fn hash(digit: char) -> String {
        digit.to_string().repeat(HASH)
    }

    #[test]
    fn what_was_used_longest_ago_goes_first_and_only_as_much_as_must() {
        let folder = tempfile::tempdir().unwrap();
        let plugin = |digit, age| put(folder.path(), &format!("plugins/{}", hash(digit)), 1000, age);
        let (old, middle, new) = (plugin('a', 3 * DAY), plugin('b', 2 * DAY), plugin('c', Duration::ZERO));
        prune_cache(folder.path(), 3000);
        assert!(old.exists() && middle.exists() && new.exists());
        prune_cache(folder.path(), 2000);
        assert!(!old.exists() && middle.exists() && new.exists());
        // A launch may be about to read what was just used.
        prune_cache(folder.path(), 1);
        assert!(!middle.exists() && new.exists());
    }

    #[test]
    fn code_is_kept_as_long_as_its_plugin_is_used() {
        let folder = tempfile::tempdir().unwrap();
        let code = |digit, name: &str, age| {
            put(folder.path(), &format!("code/{}", name.replace('#', &hash(digit))), 10, age)
        };
        let ours = format!("{}0123456789abcdef.cwasm", compiled_prefix("#"));
        put(folder.path(), &format!("plugins/{}", hash('a')), 10, DAY);
        let (used, of_other_engine, gone) = (
            code('a', &ours, 100 * DAY),
            code('a', "#-1-0123456789abcdef.cwasm", 100 * DAY),
            code('b', &ours, 100 * DAY),
        );
        prune_cache(folder.path(), 1 << 30);
        assert!(used.exists() && !of_other_engine.exists() && !gone.exists());
    }

    #[test]
    fn scans_are_bounded_by_number_and_leftovers_by_age() {
        let folder = tempfile::tempdir().unwrap();
        for number in 0..MAX_SCANS + 10 {
            put(folder.path(), &format!("scan-{number:016}.bin"), 10, DAY);
        }
        let newest = put(folder.path(), "scan-newest.bin", 10, Duration::ZERO);
        let (left, written) =
            (put(folder.path(), "plugins/.tmpa", 10, DAY), put(folder.path(), "code/.tmpb", 10, GRACE));
        prune_cache(folder.path(), 1 << 30);
        assert_eq!(files(CachePart::Scans, folder.path()).len(), MAX_SCANS);
        assert!(newest.exists() && written.exists() && !left.exists());
    }

    #[test]
    fn clearing_removes_what_dyno_made_and_nothing_else() {
        let folder = tempfile::tempdir().unwrap();
        put(folder.path(), &format!("plugins/{}", hash('a')), 100, DAY);
        put(folder.path(), "devices/cuda.json", 10, DAY);
        put(folder.path(), "scan-0.json", 1, DAY);
        let others = [
            put(folder.path(), "diary.json", 10, 1000 * DAY),
            put(folder.path(), "plugins/mine.so", 10, 1000 * DAY),
            put(folder.path(), "code/notes.txt", 10, 1000 * DAY),
        ];
        let before = cache_use(folder.path(), 7);
        assert_eq!((before.bytes, before.limit_bytes, before.parts[1].files), (111, 7, 1));
        let in_use = File::open(folder.path().join("plugins")).unwrap();
        in_use.lock_shared().unwrap();
        assert!(matches!(clear_cache(folder.path(), 7), Err(ContentStoreError::InUse(_))));
        drop(in_use);
        assert_eq!(clear_cache(folder.path(), 7).unwrap().bytes, 111);
        assert_eq!(cache_use(folder.path(), 7).bytes, 0);
        prune_cache(folder.path(), 0);
        assert!(others.iter().all(|path| path.exists()));
    }
}
