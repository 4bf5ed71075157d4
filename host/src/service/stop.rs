//! Ends a thread of the service that mostly sleeps.

use std::sync::{
    Mutex, PoisonError,
    mpsc::{Receiver, Sender, channel},
};

/// The end of a sleeping thread: it waits for the channel to close.
#[derive(Debug, Default)]
pub(super) struct Stop(Mutex<Option<Sender<()>>>);

impl Stop {
    /// The channel of a thread that begins.
    pub(super) fn begun(&self) -> Receiver<()> {
        let (sender, stopped) = channel();
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(sender);
        stopped
    }

    /// Closes the channel.
    pub(super) fn end(&self) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).take();
    }
}
