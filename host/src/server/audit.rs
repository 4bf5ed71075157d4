//! The audit log: calls wait in a bounded queue for one writer, which stores many in one transaction.

use std::{sync::Arc, time::Duration};

use tokio::sync::{mpsc, oneshot};

use crate::{app::Audited, service::Service};

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
pub(super) struct Audit(mpsc::Sender<Message>);

/// The calls that wait to be stored.
#[derive(Debug)]
pub(super) struct Waiting(mpsc::Receiver<Message>);

/// An empty audit log, and what stores its calls.
pub(super) fn audit() -> (Audit, Waiting) {
    let (calls, waiting) = mpsc::channel(WAITING);
    (Audit(calls), Waiting(waiting))
}

impl Audit {
    /// Queues a call to be stored. Waits only if the database is slower than the callers.
    pub(super) async fn note(&self, call: Audited) {
        let (who, path) = (call.who.clone(), call.path.clone());
        let noted = tokio::time::timeout(PATIENCE, self.0.send(Message::Call(call))).await;
        if !matches!(noted, Ok(Ok(()))) {
            tracing::error!(who, path, "a call is missing from the audit log: the database does not keep up");
        }
    }

    /// Queues a call without waiting, for code that cannot be async.
    pub(super) fn note_in_passing(&self, call: Audited) {
        if let Err(error) = self.0.try_send(Message::Call(call)) {
            tracing::error!(%error, "a call is missing from the audit log");
        }
    }

    /// Waits until every queued call is stored, or the writer has ended.
    pub(super) async fn flush(&self) {
        let (done, stored) = oneshot::channel();
        if self.0.send(Message::Flush(done)).await.is_ok() {
            // An error means that the writer is gone, which it has logged.
            let _ = stored.await;
        }
    }
}

impl Waiting {
    /// Stores queued calls until the server ends.
    pub(super) async fn store(mut self, service: Arc<Service>) {
        let mut taken = Vec::with_capacity(BATCH);
        while self.0.recv_many(&mut taken, BATCH).await > 0 {
            let (mut calls, mut flushed) = (Vec::new(), Vec::new());
            for message in taken.drain(..) {
                match message {
                    Message::Call(call) => calls.push(call),
                    Message::Flush(done) => flushed.push(done),
                }
            }
            if !calls.is_empty() {
                let (service, count) = (Arc::clone(&service), calls.len());
                let stored =
                    tokio::task::spawn_blocking(move || service.serving().operator().audit(&calls)).await;
                match stored {
                    Ok(Ok(())) => {}
                    Ok(Err(error)) => tracing::error!(%error, count, "calls are missing from the audit log"),
                    Err(error) => tracing::error!(%error, count, "calls are missing from the audit log"),
                }
            }
            for done in flushed {
                // An error means that nobody waits any more.
                let _ = done.send(());
            }
        }
    }
}
