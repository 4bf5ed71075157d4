//! How a build or comparison that is under way is ended early.

use std::sync::{
    Mutex, PoisonError,
    atomic::{AtomicBool, Ordering},
};

use crate::app::Cancel;

/// Flags that the engine reads while it works, and others set.
#[derive(Debug, Default)]
pub(super) struct Control {
    /// The sources have changed since the latest build began.
    changed: AtomicBool,
    /// The developer wants neither this build nor this comparison.
    stopped: AtomicBool,
    /// The session ends.
    quit: AtomicBool,
    /// Ends what is being measured, in the middle of a launch.
    measuring: Mutex<Cancel>,
}

impl Control {
    /// The sources have changed: a build is begun anew, a comparison ends after the pair that is under way.
    pub(super) fn change(&self) {
        self.changed.store(true, Ordering::Relaxed);
    }

    /// Ends what is under way.
    pub(super) fn stop(&self) {
        self.stopped.store(true, Ordering::Relaxed);
        self.measuring.lock().unwrap_or_else(PoisonError::into_inner).set();
    }

    /// Ends what is under way, and the session.
    pub(super) fn quit(&self) {
        self.quit.store(true, Ordering::Relaxed);
        self.stop();
    }

    pub(super) fn has_changed(&self) -> bool {
        self.changed.load(Ordering::Relaxed)
    }

    pub(super) fn is_stopped(&self) -> bool {
        self.stopped.load(Ordering::Relaxed)
    }

    pub(super) fn has_quit(&self) -> bool {
        self.quit.load(Ordering::Relaxed)
    }

    /// A build begins, which reads the sources as they are now.
    pub(super) fn begin_build(&self) {
        self.changed.store(false, Ordering::Relaxed);
        self.begin();
    }

    /// Something begins that can be stopped; gives what stops it at once.
    pub(super) fn begin(&self) -> Cancel {
        let cancel = Cancel::default();
        *self.measuring.lock().unwrap_or_else(PoisonError::into_inner) = cancel.clone();
        self.stopped.store(false, Ordering::Relaxed);
        if self.has_quit() {
            cancel.set();
        }
        cancel
    }
}
