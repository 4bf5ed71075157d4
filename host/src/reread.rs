//! What a long-running process reads from files that their owner may change: it is read again when they change, and kept as it
//! was while they cannot be used.

use std::{
    fmt, fs, io,
    os::unix::fs::MetadataExt,
    path::PathBuf,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError, RwLock,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, Instant, SystemTime, UNIX_EPOCH},
};

/// Interval at which the files are looked at, if somebody asks.
const LOOK: Duration = Duration::from_secs(1);
/// A file that changed less than this long ago may change again without its times telling: file systems count in ticks [s].
const SETTLED_S: i64 = 2;

type Read<T> = Box<dyn Fn() -> Result<T, String> + Send + Sync>;

/// A value that is made of files.
pub(crate) struct Reread<T> {
    files: Vec<PathBuf>,
    read: Read<T>,
    value: RwLock<Arc<T>>,
    look: Mutex<Look>,
    is_outdated: AtomicBool,
}

/// The last look at the files.
#[derive(Debug)]
struct Look {
    at: Instant,
    /// What each file was then; `None` if they have to be read at the next look.
    stamps: Option<Vec<Stamp>>,
    /// What was wrong with them, so that it is logged once.
    refused: Option<String>,
}

/// By what a change of a file is noticed: its place, length, mode, owner, and times.
type Stamp = [i64; 9];

impl<T> Reread<T> {
    /// Reads the value from its files. The error of `read` is a sentence.
    ///
    /// # Errors
    /// When they cannot be used.
    pub(crate) fn new<E: fmt::Display>(
        files: Vec<PathBuf>,
        read: impl Fn() -> Result<T, E> + Send + Sync + 'static,
    ) -> Result<Self, E> {
        // Before they are read: a change in between is then seen.
        let stamps = stamps(&files).ok().flatten();
        Ok(Self {
            value: RwLock::new(Arc::new(read()?)),
            files,
            read: Box::new(move || read().map_err(|error| error.to_string())),
            look: Mutex::new(Look { at: Instant::now(), stamps, refused: None }),
            is_outdated: AtomicBool::new(false),
        })
    }

    /// The value as the files have it now, or had it less than a second ago.
    pub(crate) fn current(&self) -> Arc<T> {
        // Who finds the lock taken need not wait: another caller is looking.
        if let Ok(look) = self.look.try_lock()
            && look.at.elapsed() >= LOOK
        {
            self.look_at_files(look);
        }
        Arc::clone(&self.value.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// Whether the files, as they are now, cannot be used, so that the value of before still counts.
    pub(crate) fn is_outdated(&self) -> bool {
        self.current();
        self.is_outdated.load(Ordering::Relaxed)
    }

    fn look_at_files(&self, mut look: MutexGuard<'_, Look>) {
        look.at = Instant::now();
        let stamps = stamps(&self.files).ok().flatten();
        if stamps.is_some() && stamps == look.stamps {
            return;
        }
        look.stamps = stamps;
        match (self.read)() {
            Ok(value) => {
                let files: Vec<_> = self.files.iter().map(|file| file.display().to_string()).collect();
                tracing::info!(files = files.join(", "), "files that changed were read again");
                *self.value.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(value);
                look.refused = None;
            }
            Err(why) => {
                // An event of the log is one line.
                let why = why.split_whitespace().collect::<Vec<_>>().join(" ");
                if look.refused.as_ref() != Some(&why) {
                    tracing::error!("{why}; the earlier content stays in use until this is corrected");
                    look.refused = Some(why);
                }
            }
        }
        self.is_outdated.store(look.refused.is_some(), Ordering::Relaxed);
    }
}

impl<T> fmt::Debug for Reread<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Reread").field("files", &self.files).finish_non_exhaustive()
    }
}

/// The stamps of files; `None` if one changed so recently that a further change might not show.
fn stamps(files: &[PathBuf]) -> io::Result<Option<Vec<Stamp>>> {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs().cast_signed());
    let mut stamps = Vec::with_capacity(files.len());
    for file in files {
        let about = fs::metadata(file)?;
        if about.mtime().max(about.ctime()) + SETTLED_S >= now {
            return Ok(None);
        }
        stamps.push([
            about.dev().cast_signed(),
            about.ino().cast_signed(),
            about.len().cast_signed(),
            i64::from(about.mode()),
            i64::from(about.uid()),
            about.mtime(),
            about.mtime_nsec(),
            about.ctime(),
            about.ctime_nsec(),
        ]);
    }
    Ok(Some(stamps))
}

#[cfg(test)]
mod tests {
    use std::thread;

    use super::*;

    #[test]
    fn what_changes_is_read_again_and_what_cannot_be_used_is_not_taken() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("number");
        let read = {
            let file = file.clone();
            move || {
                fs::read_to_string(&file)
                    .unwrap_or_default()
                    .parse::<u32>()
                    .map_err(|error| error.to_string())
            }
        };
        assert!(Reread::new(vec![file.clone()], read.clone()).is_err());
        fs::write(&file, "1").unwrap();
        let value = Reread::new(vec![file.clone()], read).unwrap();
        let until = |so: &dyn Fn() -> bool| {
            (0..1200).any(|_| {
                thread::sleep(Duration::from_millis(50));
                so()
            })
        };
        assert_eq!(*value.current(), 1);
        fs::write(&file, "2").unwrap();
        assert!(until(&|| *value.current() == 2));
        fs::write(&file, "x").unwrap();
        assert!(until(&|| value.is_outdated()));
        assert_eq!(*value.current(), 2);
        fs::remove_file(&file).unwrap();
        assert!(value.is_outdated());
        fs::write(&file, "3").unwrap();
        assert!(until(&|| !value.is_outdated()));
        assert_eq!(*value.current(), 3);
    }
}
