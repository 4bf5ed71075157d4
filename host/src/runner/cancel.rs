//! The user's wish to stop: set once by a signal handler or a request, read everywhere.

use std::{
    fs,
    io::{self, Read},
    os::unix::net::UnixStream,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    thread,
    time::Duration,
};

use signal_hook::{
    consts::{SIGHUP, SIGINT, SIGTERM},
    flag, low_level,
};

/// What shells expect of a program that Ctrl-C ended.
const CANCELLED: i32 = 130;
/// How long everything may take that follows a wish to stop: ending a plugin, giving back a device, committing.
const PATIENCE: Duration = Duration::from_secs(30);

/// Flags that several threads and a signal handler share. Clones are the same flags.
#[derive(Debug, Clone, Default)]
pub struct Cancel {
    now: Arc<AtomicBool>,
    soon: Arc<AtomicBool>,
}

impl Cancel {
    /// Whether the user has given up.
    #[must_use]
    pub fn is_set(&self) -> bool {
        self.now.load(Ordering::Relaxed)
    }

    /// Gives up.
    pub fn set(&self) {
        self.now.store(true, Ordering::Relaxed);
    }

    /// No launch is begun any more; what is being measured goes on to its end.
    pub fn wind_down(&self) {
        self.soon.store(true, Ordering::Relaxed);
    }

    /// Whether [`Self::wind_down`] was called.
    #[must_use]
    pub fn is_winding_down(&self) -> bool {
        self.soon.load(Ordering::Relaxed)
    }

    /// Whether no further launch may start, because the user gave up or the run is winding down.
    #[must_use]
    pub fn starts_nothing(&self) -> bool {
        self.is_set() || self.is_winding_down()
    }

    /// From now on Ctrl-C gives up, and so do SIGTERM and SIGHUP, after which a run is `interrupted`: not the user gave it
    /// up, but its surroundings ended. A second signal ends the process at once, and so does a wait that hears of none for
    /// half a minute. The database keeps what is committed.
    ///
    /// # Errors
    /// When the system refuses.
    pub fn set_by_signals(&self) -> io::Result<()> {
        let (mut told, teller) = UnixStream::pair()?;
        for signal in [SIGINT, SIGTERM, SIGHUP] {
            // A program that was started by `nohup` is to outlive its terminal.
            if signal == SIGHUP && is_ignored(signal) {
                continue;
            }
            flag::register_conditional_shutdown(signal, CANCELLED, Arc::clone(&self.now))?;
            flag::register(signal, Arc::clone(&self.now))?;
            if signal != SIGINT {
                flag::register(signal, Arc::clone(&self.soon))?;
            }
            low_level::pipe::register(signal, teller.try_clone()?)?;
        }
        thread::Builder::new().name("signals".to_owned()).spawn(move || {
            if told.read_exact(&mut [0]).is_ok() {
                thread::sleep(PATIENCE);
                low_level::exit(CANCELLED);
            }
        })?;
        Ok(())
    }

    /// From now on a second signal ends the process at once; what the first one does is left to others.
    ///
    /// # Errors
    /// When the system refuses.
    pub fn armed() -> io::Result<()> {
        let armed = Arc::new(AtomicBool::new(false));
        for signal in [SIGINT, SIGTERM, SIGHUP] {
            if signal == SIGHUP && is_ignored(signal) {
                continue;
            }
            flag::register_conditional_shutdown(signal, CANCELLED, Arc::clone(&armed))?;
            flag::register(signal, Arc::clone(&armed))?;
        }
        Ok(())
    }
}

/// Whether whoever started this process had it ignore a signal.
#[must_use]
pub fn is_ignored(signal: i32) -> bool {
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let mask = status.lines().find_map(|line| line.strip_prefix("SigIgn:"));
    let mask = mask.and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok()).unwrap_or(0);
    u32::try_from(signal - 1).is_ok_and(|bit| mask >> bit & 1 == 1)
}
