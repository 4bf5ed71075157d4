//! Which run is next. The most urgent first; among equals, whoever was served longest ago; and of one owner, what was asked for
//! first. Runs on different devices go on at the same time; on one device one after the other.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

use crate::app::Queued;

/// The queue is looked at so often even if nobody says that it changed.
const LOOK: Duration = Duration::from_secs(5);
/// A run that the host could not carry out rests so long before it is tried again; each time twice as long, …
const FIRST_REST: Duration = Duration::from_secs(1);
/// … up to this.
const LONGEST_REST: Duration = Duration::from_secs(60);

/// What the executor and those who ask for runs share.
#[derive(Debug, Default)]
pub(crate) struct Queue {
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

    /// The run to begin next, among those whose devices nobody here uses.
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
        // The first of the smallest: what was asked for first.
        waiting
            .iter()
            .filter(is_free)
            .min_by_key(|queued| (std::cmp::Reverse(queued.priority), served(queued)))
    }

    /// Counts a run among those that go on.
    fn begin(&mut self, next: &Queued) {
        self.count += 1;
        self.served.insert(next.owner.clone(), self.count);
        self.running.insert(next.run.clone(), next.devices.iter().cloned().collect());
    }
}

/// What the executor is to do.
#[derive(Debug)]
pub(super) enum Turn {
    /// Begin this run. `is_first` where nothing else goes on.
    Begin { place: Place, is_first: bool },
    /// Look again: something changed, or it was time.
    Look,
    /// Begin nothing more.
    End,
}

/// The devices of a run, given back however its thread ends, and where there is none.
#[derive(Debug)]
pub(super) struct Place {
    queue: Arc<Queue>,
    run: String,
}

impl Place {
    /// The run that has it.
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
    /// Something was put in, or taken out.
    pub(super) fn wake(&self) {
        self.changed.notify_all();
    }

    /// What is to be done while these runs wait. Waits until that may have changed, where it is nothing.
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

    /// Nothing more is begun. Gives the runs that go on.
    pub(super) fn end(&self) -> Vec<String> {
        self.lock().ending = true;
        self.wake();
        self.running()
    }

    /// Waits until no run goes on, for so long at most.
    pub(super) fn wait_for_all(&self, patience: Duration) {
        let begin = Instant::now();
        let mut inner = self.lock();
        while !inner.running.is_empty() && begin.elapsed() < patience {
            let left = patience.saturating_sub(begin.elapsed());
            inner = self.changed.wait_timeout(inner, left).unwrap_or_else(PoisonError::into_inner).0;
        }
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

    /// Lets a run rest that the host could not begin or end, and says why.
    pub(super) fn rest(&self, run: &str, why: String) {
        self.lock().rest(run, why);
    }

    /// A run that the host could begin or end rests no longer.
    pub(super) fn recover(&self, run: &str) {
        self.lock().resting.remove(run);
    }

    /// Runs that have rested long enough, and neither wait nor go on: their end could not be stored.
    pub(super) fn left_over(&self, waiting: &[Queued]) -> Vec<String> {
        let inner = self.lock();
        let is_left_over = |run: &&String| {
            !inner.rests(run)
                && !inner.running.contains_key(*run)
                && waiting.iter().all(|queued| queued.run != **run)
        };
        inner.resting.keys().filter(is_left_over).cloned().collect()
    }

    /// Why the host cannot do its part at present; `None` where it can.
    pub(crate) fn trouble(&self) -> Option<String> {
        self.lock().resting.values().next().map(|rest| rest.why.clone())
    }

    /// Runs that go on.
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
