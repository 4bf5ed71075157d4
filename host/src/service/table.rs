//! The table of waiting and running runs, and the clients that follow them: some get every event, some the latest status.
//!
//! The server never waits for a client. One that reads events too slowly is disconnected; one that watches a status misses
//! intermediate states.

use std::{
    collections::HashMap,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

use bytes::Bytes;
use dyno_core::model::{Event, PluginEvent};
use serde::Serialize;
use tokio::sync::{broadcast, watch};

use super::{progress::Progress, status::Status};
use crate::app::{Cancel, Outline, RunEnd};

/// Maximum number of events a client may lag behind.
const BEHIND: usize = 1_024;
/// Maximum number of past events kept per run for later clients. Estimates are not kept.
const KEPT: usize = 20_000;
/// Minimum interval between status updates, except when something starts or ends.
const PACE: Duration = Duration::from_millis(200);

/// A serialised event.
#[derive(Debug)]
pub(crate) struct Told {
    /// `None`: it is about the plugins.
    pub(crate) run: Option<String>,
    /// Sequence number of the event on this server, from 1.
    pub(crate) number: u64,
    /// The event, JSON.
    pub(crate) text: String,
    /// Whether this is the last event of its run.
    pub(crate) is_last: bool,
}

/// Future events of all runs, and of the plugins.
pub(crate) type Rest = broadcast::Receiver<Arc<Told>>;

/// A waiting or running run.
#[derive(Debug)]
struct Live {
    progress: Progress,
    events: Vec<Arc<Told>>,
    status: watch::Sender<Bytes>,
    told_at: Instant,
    cancel: Cancel,
}

/// The table of waiting and running runs.
#[derive(Debug)]
pub(crate) struct RunTable {
    feed: broadcast::Sender<Arc<Told>>,
    live: Mutex<HashMap<String, Live>>,
    number: AtomicU64,
}

impl RunTable {
    pub(crate) fn new() -> Self {
        Self {
            feed: broadcast::channel(BEHIND).0,
            live: Mutex::new(HashMap::new()),
            number: AtomicU64::new(0),
        }
    }

    /// Adds a run that was put in the queue.
    pub(crate) fn queue(&self, outline: Outline) {
        let run = outline.run.clone();
        let progress = Progress::new(outline);
        let live = Live {
            status: watch::Sender::new(text(&progress.status())),
            progress,
            events: Vec::new(),
            told_at: Instant::now(),
            cancel: Cancel::default(),
        };
        self.lock().insert(run, live);
    }

    /// Announces an event of a run.
    pub(crate) fn tell(&self, run: &str, event: &Event) {
        let mut all = self.lock();
        let Some(live) = all.get_mut(run) else { return };
        let told = self.told(Some(run), event, false);
        let passes = matches!(event, Event::Estimated { .. } | Event::Progress { .. });
        if !passes && live.events.len() < KEPT {
            live.events.push(Arc::clone(&told));
        }
        if live.progress.learn(event) || live.told_at.elapsed() >= PACE {
            live.told_at = Instant::now();
            live.status.send_replace(text(&live.progress.status()));
        }
        // An error means that no client listens.
        let _ = self.feed.send(told);
    }

    /// Announces the end of a run with its final status, and removes it from the table in the same moment: a client that asks
    /// after the announcement gets the stored run.
    pub(crate) fn end(&self, run: &str, event: &Event, status: &Status) {
        let mut all = self.lock();
        let Some(live) = all.remove(run) else { return };
        let _ = self.feed.send(self.told(Some(run), event, true));
        live.status.send_replace(text(status));
    }

    /// Announces a change of the plugins.
    pub(crate) fn tell_of_plugins(&self, event: &PluginEvent) {
        // In the order of the numbers, as all others.
        let _all = self.lock();
        let _ = self.feed.send(self.told(None, event, false));
    }

    fn told(&self, run: Option<&str>, event: &impl Serialize, is_last: bool) -> Arc<Told> {
        Arc::new(Told {
            run: run.map(str::to_owned),
            number: self.number.fetch_add(1, Ordering::Relaxed) + 1,
            text: serde_json::to_string(event).unwrap_or_default(),
            is_last,
        })
    }

    /// Duration and progress of a run whose last event but one was announced; stops its clock. `None` if it is not in the table.
    pub(crate) fn ended(&self, run: &str) -> Option<RunEnd> {
        self.lock().get_mut(run).map(|live| live.progress.end())
    }

    /// The status of a run in the table.
    pub(crate) fn status(&self, run: &str) -> Option<Status> {
        self.lock().get(run).map(|live| live.progress.status())
    }

    /// The status of a run, now and after every change.
    pub(crate) fn watch(&self, run: &str) -> Option<watch::Receiver<Bytes>> {
        self.lock().get(run).map(|live| live.status.subscribe())
    }

    /// The handle that cancels a run.
    pub(crate) fn cancel(&self, run: &str) -> Option<Cancel> {
        self.lock().get(run).map(|live| live.cancel.clone())
    }

    /// Past events of a run, and a receiver of future ones. `None` if the run is not in the table.
    pub(crate) fn follow(&self, run: &str) -> Option<(Vec<Arc<Told>>, Rest)> {
        let all = self.lock();
        let live = all.get(run)?;
        Some((live.events.clone(), self.feed.subscribe()))
    }

    /// A receiver of future events of all runs, and of the plugins.
    pub(crate) fn listen(&self) -> Rest {
        self.feed.subscribe()
    }

    /// Whether a run is in the table.
    pub(crate) fn knows(&self, run: &str) -> bool {
        self.lock().contains_key(run)
    }

    /// Number of cases of a run in the table.
    pub(crate) fn cases(&self, run: &str) -> Option<u32> {
        self.lock().get(run).map(|live| live.progress.cases())
    }

    /// Number of runs in the table.
    pub(crate) fn len(&self) -> usize {
        self.lock().len()
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, HashMap<String, Live>> {
        self.live.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn text(status: &impl Serialize) -> Bytes {
    serde_json::to_vec(status).unwrap_or_default().into()
}
