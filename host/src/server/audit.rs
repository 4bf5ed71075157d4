//! The audit log: calls wait in a bounded queue for one writer, which stores many in one transaction.

use std::{
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use tokio::sync::{mpsc, oneshot};

use super::state::Shared;
use crate::app::Audited;

/// Length of the queue, and the number of calls stored in one transaction.
const WAITING: usize = 1_024;
const BATCH: usize = 256;
/// How long a call waits for room in the queue before it is dropped from the log.
const PATIENCE: Duration = Duration::from_secs(5);

#[derive(Debug)]
enum Message {
    Call(Audited),
    /// Answered once every earlier call is stored.
    Flush(oneshot::Sender<()>),
}

/// The audit log as request handlers see it.
#[derive(Debug)]
pub(super) struct Audit {
    queue: mpsc::Sender<Message>,
    /// The receiving end, until the writer takes it.
    waiting: Mutex<Option<mpsc::Receiver<Message>>>,
}

impl Default for Audit {
    fn default() -> Self {
        let (queue, waiting) = mpsc::channel(WAITING);
        Self { queue, waiting: Mutex::new(Some(waiting)) }
    }
}

impl Audit {
    /// Queues a call to be stored. Waits only if the database is slower than the callers.
    pub(super) async fn note(&self, call: Audited) {
        let (who, path) = (call.who.clone(), call.path.clone());
        let noted = tokio::time::timeout(PATIENCE, self.queue.send(Message::Call(call))).await;
        if !matches!(noted, Ok(Ok(()))) {
            tracing::error!(who, path, "a call is missing from the audit log: the database does not keep up");
        }
    }

    /// Queues a call without waiting, for code that cannot be async.
    pub(super) fn note_in_passing(&self, call: Audited) {
        if let Err(error) = self.queue.try_send(Message::Call(call)) {
            tracing::error!(%error, "a call is missing from the audit log");
        }
    }

    /// Waits until every queued call is stored, or the writer has ended.
    pub(super) async fn flush(&self) {
        let (done, stored) = oneshot::channel();
        if self.queue.send(Message::Flush(done)).await.is_ok() {
            // An error means that the writer is gone: it has told why.
            let _ = stored.await;
        }
    }
}

/// Stores queued calls until the server ends.
pub(super) async fn write(state: Shared) {
    let waiting = state.audit.waiting.lock().unwrap_or_else(PoisonError::into_inner).take();
    let Some(mut waiting) = waiting else { return };
    let mut taken = Vec::with_capacity(BATCH);
    while waiting.recv_many(&mut taken, BATCH).await > 0 {
        let (mut calls, mut flushed) = (Vec::new(), Vec::new());
        for message in taken.drain(..) {
            match message {
                Message::Call(call) => calls.push(call),
                Message::Flush(done) => flushed.push(done),
            }
        }
        if !calls.is_empty() {
            let (shared, count) = (Arc::clone(&state), calls.len());
            let stored = tokio::task::spawn_blocking(move || shared.serving().operator().audit(&calls)).await;
            match stored {
                Ok(Ok(())) => {}
                Ok(Err(error)) => tracing::error!(%error, count, "calls are missing from the audit log"),
                Err(error) => tracing::error!(%error, count, "calls are missing from the audit log"),
            }
        }
        for done in flushed {
            // Nobody waits any more: nobody is told.
            let _ = done.send(());
        }
    }
}
