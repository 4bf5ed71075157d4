//! Execution of the queue: one thread starts runs, and each run has a thread.

use std::{
    io,
    panic::{self, AssertUnwindSafe},
    sync::Arc,
    thread,
    time::Duration,
};

use dyno_core::model::Event;

use super::{
    ending::{self, trouble},
    queue::{Place, Turn},
    root::Service,
};
use crate::{
    app::Cancel,
    fault::{self, HostFault},
};

/// At shutdown, running launches may take this long to end by themselves.
const GRACE: Duration = Duration::from_secs(20);
/// After that, stopped launches may take this long.
const KILL: Duration = Duration::from_secs(8);

impl Service {
    /// Starts the threads that carry out waiting runs and remove outdated ones, until [`Service::end`].
    ///
    /// # Errors
    /// When no thread can be started.
    pub(crate) fn start(self: &Arc<Self>) -> io::Result<thread::JoinHandle<()>> {
        self.keep_up()?;
        let service = Arc::clone(self);
        thread::Builder::new().name("executor".to_owned()).spawn(move || execute(&service))
    }

    /// Starts no further runs, and watches no longer. Waits for the running ones, and stops them after [`GRACE`].
    pub(crate) fn end(&self) {
        if let Some(watching) = self.serving.watching() {
            watching.end();
        }
        self.upkeep.end();
        let running = self.queue.end();
        let cancels: Vec<Cancel> = running.iter().filter_map(|run| self.table.cancel(run)).collect();
        cancels.iter().for_each(Cancel::wind_down);
        self.queue.wait_for_all(GRACE);
        cancels.iter().for_each(Cancel::set);
        self.queue.wait_for_all(KILL);
        if let Some(watching) = self.serving.watching() {
            watching.wait_for_end();
        }
    }
}

fn execute(service: &Arc<Service>) {
    loop {
        // The database is the queue: it survives this process.
        let mut waiting = match service.serving.queue().waiting() {
            Ok(waiting) => waiting,
            Err(error) => {
                tracing::error!(%error, "the queue cannot be read");
                Vec::new()
            }
        };
        // A run that is stored but not in the table yet starts a moment later, so that no client misses its first event.
        waiting.retain(|queued| service.table.knows(&queued.run));
        for run in service.queue.left_over(&waiting) {
            ending::fail(service, &run);
        }
        match service.queue.turn(&waiting) {
            Turn::Begin { place, is_first } => {
                if is_first {
                    service.app().hardware().choose_processors_again();
                }
                begin(service, place);
            }
            Turn::Look => {}
            Turn::End => return,
        }
    }
}

fn begin(service: &Arc<Service>, place: Place) {
    let name = place.run().to_owned();
    let service_of_run = Arc::clone(service);
    let started = on_a_thread(thread::Builder::new().name("run".to_owned()), place, move |run| {
        // A panic of the host must not leave a run `running` indefinitely.
        let ran = panic::catch_unwind(AssertUnwindSafe(|| run_to_its_end(&service_of_run, run)));
        if ran.is_err() {
            tracing::error!(run, "a run ended in a panic");
            ending::fail(&service_of_run, run);
        }
    });
    if let Err(error) = started {
        let fault = HostFault::new("cannot start a thread for a run", &error, fault::Place::Machine);
        tracing::error!(%fault, run = name, "a run stays in the queue");
        service.queue.rest(&name, trouble(Some(fault.resource())));
    }
}

/// Starts a thread that owns `place`. If that fails, `place` is dropped, which releases the devices of its run.
fn on_a_thread(
    thread: thread::Builder,
    place: Place,
    work: impl FnOnce(&str) + Send + 'static,
) -> io::Result<()> {
    thread.spawn(move || work(place.run())).map(drop)
}

fn run_to_its_end(service: &Service, run: &str) {
    if let Some(why) = service.full_disk() {
        // It could begin, and then not go on.
        tracing::warn!(run, why, "a run stays in the queue");
        return service.queue.rest(run, why);
    }
    let cancel = service.table.cancel(run).unwrap_or_default();
    tracing::info!(run, "a run begins");
    let mut tell = |event: &Event| {
        // The end is announced once the reports are written.
        if !matches!(event, Event::RunFinished { .. }) {
            service.table.tell(run, event);
        }
    };
    match service.serving.queue().carry_out(run, &cancel, &mut tell) {
        Ok(record) => {
            tracing::info!(run, status = record.status.word(), "a run ended");
            service.queue.recover(run);
            ending::ended(service, &record);
        }
        Err(error) => {
            tracing::error!(run, %error, "a run could not go on");
            ending::fail(service, run);
        }
    }
}

#[cfg(test)]
mod tests {
    use dyno_core::model::Priority;

    use super::*;
    use crate::{app::Queued, service::queue::Queue};

    #[test]
    fn without_a_thread_the_devices_of_a_run_are_free_again() {
        let queue = Arc::new(Queue::default());
        let waiting = Queued {
            run: "a".to_owned(),
            priority: Priority::Medium,
            owner: "a".to_owned(),
            submitted_at: String::new(),
            cases: 1,
            devices: vec!["cpu".to_owned()],
        };
        let Turn::Begin { place, is_first: true } = queue.turn(&[waiting]) else { panic!("it is free") };
        assert_eq!(queue.running(), ["a"]);
        // No machine has room for such a stack.
        let thread = thread::Builder::new().stack_size(1 << 60);
        assert!(on_a_thread(thread, place, |_| unreachable!("there is no thread")).is_err());
        assert!(queue.running().is_empty());
    }
}
