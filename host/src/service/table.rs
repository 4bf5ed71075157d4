//! Who is told what: every event of every run to those who listen, and to those who watch one run how it stands.
//!
//! Nobody is waited for. Who reads events too slowly loses the connection; who watches a status gets the latest one.

use std::{
    collections::HashMap,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

use bytes::Bytes;
use dyno_core::model::{Event, RunRecord};
use serde::Serialize;
use tokio::sync::{broadcast, watch};

use super::{progress::Progress, status::Status};
use crate::app::{Cancel, RunEnd};

/// Events that a listener may be behind.
const BEHIND: usize = 1_024;
/// Events of a run that are kept for those who come later. Estimates are not among them.
const KEPT: usize = 20_000;
/// The status of a run is told no more often than this, except when something begins or ends.
const PACE: Duration = Duration::from_millis(200);

/// An event as it is told.
#[derive(Debug)]
pub(crate) struct Told {
    pub(crate) run: String,
    /// Counts the events of this server, from 1.
    pub(crate) number: u64,
    /// The event, JSON.
    pub(crate) text: String,
    /// Whether it is the last of its run.
    pub(crate) is_last: bool,
}

/// What tells of the events to come.
pub(crate) type Rest = broadcast::Receiver<Arc<Told>>;

/// A run that this server has queued or runs.
#[derive(Debug)]
struct Live {
    progress: Progress,
    events: Vec<Arc<Told>>,
    status: watch::Sender<Bytes>,
    told_at: Instant,
    cancel: Cancel,
}

/// The table.
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

    /// A run is in the queue.
    pub(crate) fn queue(&self, record: &RunRecord) {
        let progress = Progress::new(record);
        let live = Live {
            status: watch::Sender::new(text(&progress.status(None))),
            progress,
            events: Vec::new(),
            told_at: Instant::now(),
            cancel: Cancel::default(),
        };
        self.lock().insert(record.id.clone(), live);
    }

    /// Tells of an event of a run.
    pub(crate) fn tell(&self, run: &str, event: &Event) {
        let mut all = self.lock();
        let Some(live) = all.get_mut(run) else { return };
        let told = self.told(run, event, false);
        let passes = matches!(event, Event::Estimated { .. } | Event::Progress { .. });
        if !passes && live.events.len() < KEPT {
            live.events.push(Arc::clone(&told));
        }
        if live.progress.learn(event) || live.told_at.elapsed() >= PACE {
            live.told_at = Instant::now();
            live.status.send_replace(text(&live.progress.status(None)));
        }
        // Nobody listens: nobody is told.
        let _ = self.feed.send(told);
    }

    /// Tells that a run has ended, and how it stands. In the same moment it is no longer ours: whoever asks because he was
    /// told finds it in the database.
    pub(crate) fn end(&self, run: &str, event: &Event, status: &Status) {
        let mut all = self.lock();
        let Some(live) = all.remove(run) else { return };
        let _ = self.feed.send(self.told(run, event, true));
        live.status.send_replace(text(status));
    }

    fn told(&self, run: &str, event: &Event, is_last: bool) -> Arc<Told> {
        Arc::new(Told {
            run: run.to_owned(),
            number: self.number.fetch_add(1, Ordering::Relaxed) + 1,
            text: serde_json::to_string(event).unwrap_or_default(),
            is_last,
        })
    }

    /// How a run ended of which all events were told. From now on its time stands still. `None`: it is not ours.
    pub(crate) fn ended(&self, run: &str) -> Option<RunEnd> {
        self.lock().get_mut(run).map(|live| live.progress.end())
    }

    /// How a run stands that is queued or running here.
    pub(crate) fn status(&self, run: &str, waits_s: Option<f64>) -> Option<Status> {
        self.lock().get(run).map(|live| live.progress.status(waits_s))
    }

    /// What tells how a run stands, now and whenever that changes.
    pub(crate) fn watch(&self, run: &str) -> Option<watch::Receiver<Bytes>> {
        self.lock().get(run).map(|live| live.status.subscribe())
    }

    /// What a user's wish to stop a run is told to.
    pub(crate) fn cancel(&self, run: &str) -> Option<Cancel> {
        self.lock().get(run).map(|live| live.cancel.clone())
    }

    /// What happened in a run so far, and what tells the rest. `None`: it is not ours.
    pub(crate) fn follow(&self, run: &str) -> Option<(Vec<Arc<Told>>, Rest)> {
        let all = self.lock();
        let live = all.get(run)?;
        Some((live.events.clone(), self.feed.subscribe()))
    }

    /// What tells of all runs, from now on.
    pub(crate) fn listen(&self) -> Rest {
        self.feed.subscribe()
    }

    /// Whether a run is queued or running here.
    pub(crate) fn knows(&self, run: &str) -> bool {
        self.lock().contains_key(run)
    }

    /// How many cases a run has that is queued or running here.
    pub(crate) fn cases(&self, run: &str) -> Option<u32> {
        self.lock().get(run).map(|live| live.progress.cases())
    }

    /// Runs that are queued or running here.
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
