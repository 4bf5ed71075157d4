//! The queue at work: which run is next, and a thread for each that runs.
//!
//! The most urgent first; among equals, whoever was served longest ago; and of one owner, what was asked for first. Runs on
//! different devices go on at the same time; on one device one after the other.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    panic::{self, AssertUnwindSafe},
    sync::{Arc, Condvar, Mutex, PoisonError},
    thread,
    time::{Duration, Instant},
};

use dyno_core::model::{Event, RunRecord, RunStatus};
use serde_json::Value;

use super::{reports, state::State, status::Status};
use crate::{
    app::{AppError, Cancel, CompareOptions, Queued},
    fault::{self, HostFault, Resource},
};

/// The queue is looked at so often even if nobody says that it changed.
const LOOK: Duration = Duration::from_secs(5);
/// A run that the host could not carry out rests so long before it is tried again; each time twice as long, …
const FIRST_REST: Duration = Duration::from_secs(1);
/// … up to this.
const LONGEST_REST: Duration = Duration::from_secs(60);
/// How long running launches may go on when the server ends.
const GRACE: Duration = Duration::from_secs(20);
/// How long a launch that was told to stop may take to do so.
const KILL: Duration = Duration::from_secs(8);

/// What the executor and those who ask for runs share.
#[derive(Debug, Default)]
pub(super) struct Queue {
    inner: Mutex<Inner>,
    changed: Condvar,
}

#[derive(Debug, Default)]
struct Inner {
    ending: bool,
    /// Runs that go on, with the devices that they use.
    running: BTreeMap<String, BTreeSet<String>>,
    /// When each owner was served last: a count of runs.
    served: BTreeMap<String, u64>,
    count: u64,
    /// Runs that the host could not begin or end: for want of a thread, of room for what it writes.
    resting: BTreeMap<String, Rest>,
}

/// How long a run rests before the host tries again what it could not do.
#[derive(Debug, Clone)]
struct Rest {
    until: Instant,
    next: Duration,
    /// Why, a sentence.
    why: String,
}

impl Inner {
    fn rest(&mut self, run: &str, why: String) {
        let next = self.resting.get(run).map_or(FIRST_REST, |rest| rest.next);
        let rest = Rest { until: Instant::now() + next, next: (next * 2).min(LONGEST_REST), why };
        self.resting.insert(run.to_owned(), rest);
    }

    fn rests(&self, run: &str) -> bool {
        self.resting.get(run).is_some_and(|rest| rest.until > Instant::now())
    }

    /// How long nothing is to be done, if nothing changes.
    fn patience(&self) -> Duration {
        let now = Instant::now();
        let ends = self.resting.values().map(|rest| rest.until.saturating_duration_since(now));
        ends.min().unwrap_or(LOOK).clamp(Duration::from_millis(10), LOOK)
    }
}

impl Queue {
    /// Something was put in, or taken out.
    pub(super) fn wake(&self) {
        self.changed.notify_all();
    }

    /// Nothing more is begun; waits for what runs: first until launches end by themselves, then by stopping them.
    pub(super) fn end(&self, state: &State) {
        let mut inner = self.lock();
        inner.ending = true;
        self.changed.notify_all();
        let cancels: Vec<Cancel> = inner.running.keys().filter_map(|run| state.hub.cancel(run)).collect();
        cancels.iter().for_each(Cancel::wind_down);
        inner = self.wait_for_all(inner, GRACE);
        cancels.iter().for_each(Cancel::set);
        drop(self.wait_for_all(inner, KILL));
    }

    fn wait_for_all<'a>(
        &'a self,
        mut inner: std::sync::MutexGuard<'a, Inner>,
        patience: Duration,
    ) -> std::sync::MutexGuard<'a, Inner> {
        let begin = Instant::now();
        while !inner.running.is_empty() && begin.elapsed() < patience {
            let left = patience.saturating_sub(begin.elapsed());
            inner = self.changed.wait_timeout(inner, left).unwrap_or_else(PoisonError::into_inner).0;
        }
        inner
    }

    /// Gives up a run that waits, by `give_up`, so that it is not begun meanwhile; `false` where it goes on already.
    pub(super) fn give_up<E>(&self, run: &str, give_up: impl FnOnce() -> Result<bool, E>) -> Result<bool, E> {
        let mut inner = self.lock();
        if inner.running.contains_key(run) {
            return Ok(false);
        }
        let given_up = give_up()?;
        inner.resting.remove(run);
        Ok(given_up)
    }

    /// Why the host cannot do its part at present; `None` where it can.
    pub(super) fn trouble(&self) -> Option<String> {
        self.lock().resting.values().next().map(|rest| rest.why.clone())
    }

    /// Runs that go on.
    pub(super) fn running(&self) -> Vec<String> {
        self.lock().running.keys().cloned().collect()
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Starts the executor: it begins what is in the queue, until the queue ends.
pub(super) fn start(state: &Arc<State>) -> std::io::Result<thread::JoinHandle<()>> {
    let state = Arc::clone(state);
    thread::Builder::new().name("executor".to_owned()).spawn(move || execute(&state))
}

fn execute(state: &Arc<State>) {
    loop {
        // What is in the database counts: it survives us.
        let mut waiting = match state.app.queued() {
            Ok(waiting) => waiting,
            Err(error) => {
                tracing::error!(%error, "the queue cannot be read");
                Vec::new()
            }
        };
        // What is stored a moment before it is known here is begun a moment later, so that nobody misses its first event.
        waiting.retain(|queued| state.hub.knows(&queued.run));
        end_left_over(state, &waiting);
        let mut inner = state.queue.lock();
        if inner.ending {
            return;
        }
        if let Some(next) = next(&waiting, &inner) {
            inner.count += 1;
            let count = inner.count;
            inner.served.insert(next.owner.clone(), count);
            if inner.running.is_empty() {
                state.app.choose_processors_again();
            }
            inner.running.insert(next.run.clone(), next.devices.iter().cloned().collect());
            drop(inner);
            begin(state, next.run.clone());
            continue;
        }
        let patience = inner.patience();
        drop(state.queue.changed.wait_timeout(inner, patience));
    }
}

/// Why runs cannot be carried out, without a path: strangers may read it.
fn trouble(resource: Option<Resource>) -> String {
    let what = resource
        .and_then(|resource| resource.sentence(fault::Place::Machine))
        .unwrap_or_else(|| "the log says why".to_owned());
    format!("runs cannot be carried out: {what}")
}

/// Ends runs that were begun, could not go on, and whose end could not be stored then.
fn end_left_over(state: &State, waiting: &[Queued]) {
    let inner = state.queue.lock();
    let due: Vec<String> = inner
        .resting
        .keys()
        .filter(|run| !inner.rests(run) && !inner.running.contains_key(*run))
        .filter(|run| waiting.iter().all(|queued| queued.run != **run))
        .cloned()
        .collect();
    drop(inner);
    due.iter().for_each(|run| fail(state, run));
}

/// The run to begin next, among those whose devices nobody here uses.
fn next<'a>(waiting: &'a [Queued], inner: &Inner) -> Option<&'a Queued> {
    let is_free = |queued: &&Queued| {
        !inner.running.contains_key(&queued.run)
            && !inner.rests(&queued.run)
            && inner.running.values().all(|used| queued.devices.iter().all(|device| !used.contains(device)))
    };
    let served = |queued: &Queued| inner.served.get(&queued.owner).copied().unwrap_or(0);
    // The first of the smallest: what was asked for first.
    waiting.iter().filter(is_free).min_by_key(|queued| (std::cmp::Reverse(queued.priority), served(queued)))
}

fn begin(state: &Arc<State>, run: String) {
    let name = run.clone();
    // Before there is a thread: without one it is dropped, and the devices of the run are free again.
    let place = Place { queue: Arc::clone(&state.queue), run };
    let state_of_run = Arc::clone(state);
    let started = on_a_thread(thread::Builder::new().name("run".to_owned()), place, move |run| {
        // A panic of ours must not leave a run that goes on for ever.
        let ran = panic::catch_unwind(AssertUnwindSafe(|| run_to_its_end(&state_of_run, run)));
        if ran.is_err() {
            tracing::error!(run, "a run ended in a panic");
            fail(&state_of_run, run);
        }
    });
    if let Err(error) = started {
        let fault = HostFault::new("cannot start a thread for a run", &error, fault::Place::Machine);
        tracing::error!(%fault, run = name, "a run stays in the queue");
        state.queue.lock().rest(&name, trouble(Some(fault.resource())));
    }
}

/// The devices of a run, given back however its thread ends, and where there is none.
struct Place {
    queue: Arc<Queue>,
    run: String,
}

impl Drop for Place {
    fn drop(&mut self) {
        self.queue.lock().running.remove(&self.run);
        self.queue.wake();
    }
}

fn on_a_thread(
    thread: thread::Builder,
    place: Place,
    work: impl FnOnce(&str) + Send + 'static,
) -> std::io::Result<()> {
    thread.spawn(move || work(&place.run)).map(drop)
}

fn run_to_its_end(state: &State, run: &str) {
    let cancel = state.hub.cancel(run).unwrap_or_default();
    tracing::info!(run, "a run begins");
    let mut tell = |event: &Event| {
        if matches!(
            event,
            Event::RunStarted { .. }
                | Event::LaunchFinished { .. }
                | Event::CaseFinished { .. }
                | Event::RunFinished { .. }
        ) {
            state.answers.outdate();
        }
        // The end is told when its reports are written.
        if !matches!(event, Event::RunFinished { .. }) {
            state.hub.tell(run, event);
        }
    };
    match state.app.run_queued(run, &cancel, &mut tell) {
        Ok(record) => {
            tracing::info!(run, status = record.status.word(), "a run ended");
            state.queue.lock().resting.remove(run);
            ended(state, &record);
        }
        Err(error) => {
            tracing::error!(run, %error, "a run could not go on");
            fail(state, run);
        }
    }
}

/// Writes the reports of a run, and tells its end.
pub(super) fn ended(state: &State, record: &RunRecord) {
    let end = state.hub.ended(&record.id);
    if let Some(end) = end
        && let Err(error) = state.app.record_end(&record.id, end)
    {
        tracing::error!(run = record.id, %error, "how long a run took cannot be stored");
    }
    if let Err(error) = reports::write(&state.results, record) {
        tracing::error!(run = record.id, %error, "the reports of a run cannot be written");
    }
    let submission = state.app.submission(&record.id).ok().flatten();
    judge(state, record, &submission.map(|it| it.request).unwrap_or_default());
    state.answers.outdate();
    let event = Event::RunFinished { run: record.id.clone(), status: record.status };
    state.hub.end(&record.id, &event, &Status::of(record, end));
}

/// Compares a run with the baseline that it was asked for with, and tells of a regression.
fn judge(state: &State, record: &RunRecord, request: &str) {
    let request: Value = serde_json::from_str(request).unwrap_or_default();
    let Some(name) = request["baseline"].as_str().filter(|_| record.status == RunStatus::Completed) else {
        return;
    };
    let options = CompareOptions::default();
    let compared =
        state.app.compare_runs(&format!("baseline:{name}"), &record.id, &options).and_then(|found| {
            state.app.record_comparison(&found, &Cancel::default(), &mut |_| {})?;
            Ok(found)
        });
    match compared {
        Ok(comparison) => {
            if let Err(error) = reports::write_comparison(&state.results, &record.id, &comparison) {
                tracing::warn!(run = record.id, %error, "the comparison of a run cannot be written");
            }
            for why in state.app.notify(&comparison) {
                tracing::warn!(run = record.id, why, "a notification was lost");
            }
        }
        Err(error) => tracing::warn!(run = record.id, %error, "a run cannot be compared with its baseline"),
    }
}

/// The host itself failed: what is stored says how far it came. Where not even that can be stored, it is tried again later.
fn fail(state: &State, run: &str) {
    match state.app.interrupt(run) {
        Ok(record) => {
            state.queue.lock().resting.remove(run);
            ended(state, &record);
        }
        // It was deleted meanwhile.
        Err(AppError::Store(error)) if error.is_usage() => {
            state.queue.lock().resting.remove(run);
        }
        Err(error) => {
            tracing::error!(run, %error, "the end of a run cannot be stored yet");
            state.queue.lock().rest(run, trouble(error.resource()));
        }
    }
}

/// Makes the folders that the executor writes to.
pub(super) fn make_folders(state: &State) -> std::io::Result<()> {
    fs::create_dir_all(&state.results)?;
    fs::create_dir_all(&state.scratch)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::app::Priority;

    fn queued(run: &str, priority: Priority, owner: &str, device: &str) -> Queued {
        Queued {
            run: run.to_owned(),
            priority,
            owner: owner.to_owned(),
            submitted_at: String::new(),
            cases: 1,
            devices: vec![device.to_owned()],
        }
    }

    /// The order in which runs are begun, one at a time.
    fn order(mut waiting: Vec<Queued>) -> Vec<String> {
        let mut inner = Inner::default();
        let mut order = Vec::new();
        while let Some(run) = next(&waiting, &inner).cloned() {
            inner.count += 1;
            inner.served.insert(run.owner.clone(), inner.count);
            waiting.retain(|other| other.run != run.run);
            order.push(run.run);
        }
        order
    }

    #[test]
    fn urgent_runs_go_first_and_owners_take_turns() {
        use Priority::{Critical, Low, Medium};
        let waiting = vec![
            queued("a1", Medium, "a", "cpu"),
            queued("a2", Medium, "a", "cpu"),
            queued("a3", Medium, "a", "cpu"),
            queued("b1", Medium, "b", "cpu"),
            queued("c1", Low, "c", "cpu"),
            queued("b2", Critical, "b", "cpu"),
        ];
        assert_eq!(order(waiting), ["b2", "a1", "b1", "a2", "a3", "c1"]);
    }

    #[test]
    fn without_a_thread_the_devices_of_a_run_are_free_again() {
        let queue = Arc::new(Queue::default());
        queue.lock().running.insert("a".to_owned(), BTreeSet::from(["cpu".to_owned()]));
        let place = Place { queue: Arc::clone(&queue), run: "a".to_owned() };
        // No machine has room for such a stack.
        let thread = thread::Builder::new().stack_size(1 << 60);
        assert!(on_a_thread(thread, place, |_| unreachable!("there is no thread")).is_err());
        assert!(queue.running().is_empty());
    }

    #[test]
    fn a_run_that_the_host_could_not_carry_out_rests_longer_each_time_and_blocks_nobody() {
        let waiting = [queued("a", Priority::High, "a", "cpu"), queued("b", Priority::Low, "b", "cpu")];
        let mut inner = Inner::default();
        assert_eq!(inner.patience(), LOOK);
        inner.rest("a", "no space is left".to_owned());
        assert!(inner.rests("a") && inner.patience() <= FIRST_REST);
        assert_eq!(next(&waiting, &inner).map(|it| it.run.as_str()), Some("b"));
        for _ in 0..10 {
            inner.rest("a", "no space is left".to_owned());
        }
        assert_eq!(inner.resting["a"].next, LONGEST_REST);
        // When its time has come it goes first again.
        inner.resting.get_mut("a").unwrap().until = Instant::now();
        assert_eq!(next(&waiting, &inner).map(|it| it.run.as_str()), Some("a"));
    }

    #[test]
    fn a_device_is_used_by_one_run_at_a_time() {
        let waiting = [queued("a", Priority::High, "a", "cpu"), queued("b", Priority::Low, "b", "cuda:0")];
        let mut inner = Inner::default();
        inner.running.insert("x".to_owned(), BTreeSet::from(["cpu".to_owned()]));
        assert_eq!(next(&waiting, &inner).map(|it| it.run.as_str()), Some("b"));
        inner.running.insert("b".to_owned(), BTreeSet::from(["cuda:0".to_owned()]));
        assert!(next(&waiting, &inner).is_none());
    }
}
