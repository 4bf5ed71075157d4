//! The user's wish to stop: set once by a signal handler or a request, read everywhere.

use std::sync::{
    Arc,
    atomic::{AtomicBool, Ordering},
};

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

    /// Whether no launch is to be begun any more.
    #[must_use]
    pub fn is_winding_down(&self) -> bool {
        self.soon.load(Ordering::Relaxed)
    }

    /// The flag itself, for a signal handler.
    #[must_use]
    pub fn flag(&self) -> Arc<AtomicBool> {
        Arc::clone(&self.now)
    }
}
