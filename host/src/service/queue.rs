//! The order in which runs start: by priority; at equal priority, the owner who waited longest for a start goes first; and each
//! owner's runs start in the order of submission. Runs on different devices run concurrently, those on one device in turn.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

use crate::app::Queued;

/// Interval of checks without a wake-up.
const LOOK: Duration = Duration::from_secs(5);
/// Delay before a run is retried that the host could not start or end. Doubles with each attempt, …
const FIRST_REST: Duration = Duration::from_secs(1);
/// … up to this limit.
const LONGEST_REST: Duration = Duration::from_secs(60);

/// The queue, shared by the executor and the request handlers.
#[derive(Debug, Default)]
pub(crate) struct Queue {
    inner: Mutex<Inner>,
    changed: Condvar,
}

#[derive(Debug, Default)]
struct Inner {
    ending: bool,
    /// Devices in use, by running run.
    running: BTreeMap<String, BTreeSet<String>>,
    /// Value of `count` when a run of each owner last started.
    served: BTreeMap<String, u64>,
    count: u64,
    /// Runs that the host could not start or end, for lack of a thread or disk space.
    resting: BTreeMap<String, Rest>,
}

/// A delayed retry.
#[derive(Debug, Clone)]
struct Rest {
    until: Instant,
    next: Duration,
    /// A sentence on the cause.
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

    /// Time until the next retry is due, at most [`LOOK`].
    fn patience(&self) -> Duration {
        let now = Instant::now();
        let ends = self.resting.values().map(|rest| rest.until.saturating_duration_since(now));
        ends.min().unwrap_or(LOOK).clamp(Duration::from_millis(10), LOOK)
    }

    /// The next run to start among those whose devices are free.
    fn next<'a>(&self, waiting: &'a [Queued]) -> Option<&'a Queued> {
        let is_free = |queued: &&Queued| {
            !self.running.contains_key(&queued.run)
                && !self.rests(&queued.run)
                && self
                    .running
                    .values()
                    .all(|used| queued.devices.iter().all(|device| !used.contains(device)))
        };
        let served = |queued: &Queued| self.served.get(&queued.owner).copied().unwrap_or(0);
        // The first of the smallest: the one that was submitted first.
        waiting
            .iter()
            .filter(is_free)
            .min_by_key(|queued| (std::cmp::Reverse(queued.priority), served(queued)))
    }

    /// Marks a run as running.
    fn begin(&mut self, next: &Queued) {
        self.count += 1;
        self.served.insert(next.owner.clone(), self.count);
        self.running.insert(next.run.clone(), next.devices.iter().cloned().collect());
    }
}

/// The executor's next step.
#[derive(Debug)]
pub(super) enum Turn {
    /// Start this run. `is_first`: no other run is running.
    Begin { place: Place, is_first: bool },
    /// Read the queue again.
    Look,
    /// Stop: the server shuts down.
    End,
}

/// The devices of a running run. Dropping it releases them, however the run's thread ends.
#[derive(Debug)]
pub(super) struct Place {
    queue: Arc<Queue>,
    run: String,
}

impl Place {
    /// Identifier of the run.
    pub(super) fn run(&self) -> &str {
        &self.run
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        self.queue.lock().running.remove(&self.run);
        self.queue.wake();
    }
}

impl Queue {
    /// Wakes the executor: a run was added or removed.
    pub(super) fn wake(&self) {
        self.changed.notify_all();
    }

    /// The next step with these waiting runs. Blocks while there is nothing to do.
    pub(super) fn turn(self: &Arc<Self>, waiting: &[Queued]) -> Turn {
        let mut inner = self.lock();
        if inner.ending {
            return Turn::End;
        }
        if let Some(next) = inner.next(waiting) {
            let is_first = inner.running.is_empty();
            inner.begin(next);
            let place = Place { queue: Arc::clone(self), run: next.run.clone() };
            return Turn::Begin { place, is_first };
        }
        let patience = inner.patience();
        drop(self.changed.wait_timeout(inner, patience));
        Turn::Look
    }

    /// Starts no further runs; returns the running ones.
    pub(super) fn end(&self) -> Vec<String> {
        self.lock().ending = true;
        self.wake();
        self.running()
    }

    /// Waits until no run is running, at most `patience`.
    pub(super) fn wait_for_all(&self, patience: Duration) {
        let begin = Instant::now();
        let mut inner = self.lock();
        while !inner.running.is_empty() && begin.elapsed() < patience {
            let left = patience.saturating_sub(begin.elapsed());
            inner = self.changed.wait_timeout(inner, left).unwrap_or_else(PoisonError::into_inner).0;
        }
    }

    /// Cancels a waiting run by `give_up`, under the lock, so that it cannot start meanwhile; `false` if it is running already.
    pub(super) fn give_up<E>(&self, run: &str, give_up: impl FnOnce() -> Result<bool, E>) -> Result<bool, E> {
        let mut inner = self.lock();
        if inner.running.contains_key(run) {
            return Ok(false);
        }
        let given_up = give_up()?;
        inner.resting.remove(run);
        Ok(given_up)
    }

    /// Delays a run that the host could not start or end.
    pub(super) fn rest(&self, run: &str, why: String) {
        self.lock().rest(run, why);
    }

    /// Ends the delay of a run.
    pub(super) fn recover(&self, run: &str) {
        self.lock().resting.remove(run);
    }

    /// Runs due for a retry that are neither waiting nor running: their end could not be stored.
    pub(super) fn left_over(&self, waiting: &[Queued]) -> Vec<String> {
        let inner = self.lock();
        let is_left_over = |run: &&String| {
            !inner.rests(run)
                && !inner.running.contains_key(*run)
                && waiting.iter().all(|queued| queued.run != **run)
        };
        inner.resting.keys().filter(is_left_over).cloned().collect()
    }

    /// Why the host currently cannot carry out runs; `None` if it can.
    pub(crate) fn trouble(&self) -> Option<String> {
        self.lock().resting.values().next().map(|rest| rest.why.clone())
    }

    /// Identifiers of the running runs.
    pub(crate) fn running(&self) -> Vec<String> {
        self.lock().running.keys().cloned().collect()
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use dyno_core::model::Priority;

    use super::*;

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
        while let Some(run) = inner.next(&waiting).cloned() {
            inner.begin(&run);
            inner.running.clear();
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
    fn a_run_that_the_host_could_not_carry_out_rests_longer_each_time_and_blocks_nobody() {
        let waiting = [queued("a", Priority::High, "a", "cpu"), queued("b", Priority::Low, "b", "cpu")];
        let mut inner = Inner::default();
        assert_eq!(inner.patience(), LOOK);
        inner.rest("a", "no space is left".to_owned());
        assert!(inner.rests("a") && inner.patience() <= FIRST_REST);
        assert_eq!(inner.next(&waiting).map(|it| it.run.as_str()), Some("b"));
        for _ in 0..10 {
            inner.rest("a", "no space is left".to_owned());
        }
        assert_eq!(inner.resting["a"].next, LONGEST_REST);
        // When its time has come it goes first again.
        inner.resting.get_mut("a").unwrap().until = Instant::now();
        assert_eq!(inner.next(&waiting).map(|it| it.run.as_str()), Some("a"));
    }

    #[test]
    fn a_device_is_used_by_one_run_at_a_time() {
        let waiting = [queued("a", Priority::High, "a", "cpu"), queued("b", Priority::Low, "b", "cuda:0")];
        let mut inner = Inner::default();
        inner.running.insert("x".to_owned(), BTreeSet::from(["cpu".to_owned()]));
        assert_eq!(inner.next(&waiting).map(|it| it.run.as_str()), Some("b"));
        inner.running.insert("b".to_owned(), BTreeSet::from(["cuda:0".to_owned()]));
        assert!(inner.next(&waiting).is_none());
    }
}
