//! The worker's life: one request, one answer, in the order of the stages; then the end.

use std::{
    panic::{self, AssertUnwindSafe},
    process::ExitCode,
    sync::{Arc, Mutex, PoisonError, atomic::AtomicBool},
};

use dyno_core::{
    model::{Pages, Query, SideEffects, Work},
    protocol::{DeviceGrant, Load, PROTOCOL_VERSION, Reply, Request},
};

use crate::{
    channel::{self, Replies, Requests},
    footprint::Footprint,
    host_side::HostSide,
    instance::{Failure, Instance},
    loader,
    measure::{Batch, Counters, Demand, Goal, Sampler, SystemClock, Tally, calibrate, play, warm_up},
    sandbox,
};

/// Runs the worker of this process.
#[must_use]
pub fn main() -> ExitCode {
    let Some(host) = parent_from_arguments() else {
        return refuse("dyno-worker is started by `dyno`, not by hand; try `dyno run`");
    };
    let Ok((requests, replies)) = channel::take_stdin() else {
        return refuse(
            "dyno-worker has no channel to a host on its standard input; it is started by `dyno run`",
        );
    };
    let Some(layers) = sandbox::enter(host) else { return ExitCode::SUCCESS };
    let cancelled = Arc::new(AtomicBool::new(false));
    // Without the handler, a cancelled launch is killed after its grace period instead of stopping by itself.
    let _ = signal_hook::flag::register(signal_hook::consts::SIGTERM, Arc::clone(&cancelled));

    // A panic of ours must reach the host as a sentence. (A plugin's own panics never come here: they are caught in it.)
    let message = Arc::new(Mutex::new(String::new()));
    let hook_message = Arc::clone(&message);
    panic::set_hook(Box::new(move |info| {
        *hook_message.lock().unwrap_or_else(PoisonError::into_inner) = info.to_string();
    }));
    let mut session = Session { requests, replies: replies.clone(), cancelled, layers };
    match panic::catch_unwind(AssertUnwindSafe(|| session.serve())) {
        Ok(()) => ExitCode::SUCCESS,
        Err(_) => {
            let said = message.lock().unwrap_or_else(PoisonError::into_inner).replace('\n', " ");
            // The host trusts this only if no code of the plugin had run; otherwise the plugin may have caused it.
            replies.send(&Reply::HostFailed {
                doing: "the worker itself failed, please report it".to_owned(),
                code: None,
                said,
            });
            ExitCode::FAILURE
        }
    }
}

/// `--parent PID`: the process that started this one.
fn parent_from_arguments() -> Option<u32> {
    let mut arguments = std::env::args().skip(1);
    (arguments.next()? == "--parent").then(|| arguments.next()?.parse().ok()).flatten()
}

fn refuse(message: &str) -> ExitCode {
    use std::io::Write;

    // A failed write is ignored: standard error is closed.
    let _ = writeln!(std::io::stderr(), "{message}");
    ExitCode::from(2)
}

/// Why the session is over.
enum Over {
    /// The host asked for it, or has gone.
    Done,
    /// A stage failed.
    Failed(Failure),
}

impl From<Failure> for Over {
    fn from(failure: Failure) -> Self {
        Self::Failed(failure)
    }
}

struct Session {
    requests: Requests,
    replies: Replies,
    cancelled: Arc<AtomicBool>,
    layers: Vec<String>,
}

impl Session {
    fn serve(&mut self) {
        if let Err(Over::Failed(failure)) = self.greet_and_load() {
            self.report(failure);
        }
    }

    fn report(&self, failure: Failure) {
        self.replies.send(&match failure {
            Failure::Error(message) => Reply::Failed { message },
            Failure::Skipped(message) => Reply::Skipped { message },
            Failure::Host { doing, code, said } => Reply::HostFailed { doing, code, said },
        });
    }

    fn next(&mut self) -> Result<Request, Over> {
        match self.requests.next() {
            Ok(Some(request)) => Ok(request),
            Ok(None) => Err(Over::Done),
            Err(error) => {
                Err(Failure::Error(format!("the host sent data that is not a valid request: {error}")).into())
            }
        }
    }

    fn greet_and_load(&mut self) -> Result<(), Over> {
        match self.next()? {
            Request::Hello { protocol: PROTOCOL_VERSION } => {}
            Request::Hello { protocol } => {
                let message = format!(
                    "the host speaks protocol {protocol}, this worker speaks {PROTOCOL_VERSION}; install both from one release"
                );
                return Err(Failure::Error(message).into());
            }
            other => return Err(out_of_order(&other, "hello")),
        }
        self.replies.send(&Reply::Hello {
            protocol: PROTOCOL_VERSION,
            version: env!("CARGO_PKG_VERSION").to_owned(),
            base_memory_bytes: sandbox::memory().0,
        });
        let load = match self.next()? {
            Request::Load(load) => load,
            other => return Err(out_of_order(&other, "load")),
        };
        let mut layers = self.layers.clone();
        layers.extend(sandbox::limit_memory(load.memory_limit_bytes).map(str::to_owned));
        // State that a driver keeps from an earlier launch would make launches differ.
        layers.extend((load.device.name != "cpu").then(sandbox::private_home).flatten().map(str::to_owned));
        let side =
            Arc::new(HostSide::new(self.replies.clone(), Arc::clone(&self.cancelled), load.metrics.clone()));
        let replies = self.replies.clone();
        let mut loaded = loader::load(&load, Arc::clone(&side), &mut || replies.send(&Reply::Entering))?;
        layers.append(&mut loaded.layers);
        // Only now: compiling a component may use every processor.
        let pinned = sandbox::pin(&load.cpus);
        layers.extend(pinned.map(str::to_owned));
        let pinned_cpus = if pinned.is_some() { load.cpus.clone() } else { Vec::new() };
        let (counters, uncounted) = if load.counters { Counters::open() } else { (None, Vec::new()) };
        let mut missing = loaded.missing;
        missing.extend(uncounted);
        if load.realtime {
            match sandbox::realtime(&pinned_cpus) {
                Ok(word) => layers.push(word.to_owned()),
                Err(why) => missing.push(why),
            }
        }
        let engine = loaded.engine;
        let names: Vec<&str> = counters.as_ref().map(Counters::names).unwrap_or_default();
        self.replies.send(&Reply::Loaded {
            engine,
            isolation: layers,
            pinned_cpus,
            counters: names.into_iter().map(str::to_owned).collect(),
            missing,
        });

        match self.next()? {
            Request::Setup => {}
            other => return Err(out_of_order(&other, "setup")),
        }
        let mut instance = loaded.instance;
        checked(&side, instance.setup())?;
        let (huge_bytes, refused) = match load.pages {
            Pages::Normal => (0, None),
            Pages::Huge => sandbox::use_huge_pages(),
        };
        self.replies.send(&Reply::SetUp { huge_bytes, missing: refused.into_iter().collect() });
        let outcome = self.measure(&load, &side, instance.as_mut(), counters);
        // The reason of a failure is sent first, because cleaning up after it may kill the worker.
        let side_effects = match outcome {
            Ok(side_effects) => Some(side_effects),
            Err(Over::Failed(failure)) => {
                self.report(failure);
                None
            }
            Err(Over::Done) => None,
        };
        let cleaned = checked(&side, instance.cleanup());
        if let Some(side_effects) = side_effects {
            cleaned?;
            self.replies.send(&Reply::Finished { peak_memory_bytes: sandbox::memory().1, side_effects });
        }
        Ok(())
    }

    /// From `verify` to the request that ends the launch; returns the side effects of the plugin.
    fn measure(
        &mut self,
        load: &Load,
        side: &HostSide,
        instance: &mut dyn Instance,
        counters: Option<Counters>,
    ) -> Result<SideEffects, Over> {
        let names = counters.as_ref().map_or(0, |counters| counters.names().len());
        let clock = SystemClock::new(counters);
        let (mut verified, mut plan) = (false, None);
        let mut taken: Vec<(u64, u64)> = Vec::new();
        // From the end of the first calibration, when pools of threads and other lazy things are there.
        let (mut before, mut left): (Option<Footprint>, Option<SideEffects>) = (None, None);
        loop {
            match self.next()? {
                Request::Verify if !verified => {
                    let has_check = checked(side, instance.verify())?;
                    verified = true;
                    self.replies.send(&Reply::Verified { checked: has_check });
                }
                Request::Calibrate { slice_ns, warm_up_ns, iterations } => {
                    let found = match iterations {
                        // The other side, or an earlier launch of the same bytes, was verified and calibrated.
                        Some(iterations) => warm_up(instance, &clock, iterations, warm_up_ns),
                        None if verified => {
                            let work_limit_per_ns = work_limit_per_ns(load);
                            calibrate(instance, &clock, &Goal { slice_ns, warm_up_ns, work_limit_per_ns })
                        }
                        None => {
                            let request = Request::Calibrate { slice_ns, warm_up_ns, iterations };
                            return Err(out_of_order(&request, "verify"));
                        }
                    };
                    let found = checked(side, found)?;
                    plan = Some(found);
                    before.get_or_insert_with(Footprint::read);
                    self.replies.send(&Reply::Calibrated(found));
                }
                Request::Sample(quota) => {
                    let Some(plan) = plan else {
                        return Err(out_of_order(&Request::Sample(quota), "calibrate"));
                    };
                    let sampler = Sampler {
                        iterations: plan.iterations,
                        quota,
                        single_threaded: is_single_threaded(load),
                        counters: names,
                    };
                    let replies = self.replies.clone();
                    let outcome = sampler.run(instance, &clock, &|| side.is_cancelled(), &mut |batch| {
                        let Batch { samples, counts } = batch;
                        taken.extend(samples.iter().map(|sample| (sample.iterations, sample.wall_ns)));
                        replies.send(&Reply::Batch { samples, counts });
                    });
                    let Tally { retaken, preemptions } = checked(side, outcome)?;
                    self.replies.send(&Reply::Sampled { retaken, preemptions });
                }
                Request::Play { scenario, duration_ns, max_queries } => {
                    let Some(plan) = plan else {
                        let request = Request::Play { scenario, duration_ns, max_queries };
                        return Err(out_of_order(&request, "calibrate"));
                    };
                    let demand = Demand {
                        scenario,
                        seed: load.seed,
                        duration_ns,
                        max_queries,
                        iterations: plan.iterations,
                        slice_ns: plan.slice_ns,
                    };
                    let replies = self.replies.clone();
                    let outcome = play(instance, &clock, &demand, &|| side.is_cancelled(), &mut |queries| {
                        let timed = |query: &Query| (query.samples, query.end_ns - query.start_ns);
                        taken.extend(queries.iter().map(timed));
                        replies.send(&Reply::Queries { queries });
                    });
                    checked(side, outcome)?;
                    self.replies.send(&Reply::Sampled { retaken: 0, preemptions: 0 });
                }
                Request::ProcessResults if plan.is_some() => {
                    left = before.map(|before| Footprint::read().since(before));
                    checked(side, instance.process_results(&taken))?;
                    self.replies.send(&Reply::Processed { metrics: side.metrics() });
                }
                Request::Finish => {
                    let left_by_now = || before.map(|before| Footprint::read().since(before));
                    return Ok(left.or_else(left_by_now).unwrap_or_default());
                }
                other => return Err(out_of_order(&other, "another stage")),
            }
        }
    }
}

/// A stage also fails when the plugin broke a rule during it, whatever it returned.
fn checked<T>(side: &HostSide, outcome: Result<T, Failure>) -> Result<T, Failure> {
    let value = outcome?;
    side.take_violation().map_or(Ok(value), |violation| Err(Failure::Error(violation)))
}

fn out_of_order(request: &Request, expected: &str) -> Over {
    let mut shown = format!("{request:?}");
    shown.truncate(shown.floor_char_boundary(60));
    Over::Failed(Failure::Error(format!("the host asked for `{shown}`, but `{expected}` was expected")))
}

/// Maximum work of any kind that the device of the case can do [1/ns].
fn work_limit_per_ns(load: &Load) -> f64 {
    if load.device.name != "cpu" {
        return Work::MAX_PER_ACCELERATOR_NS;
    }
    let threads = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
    Work::MAX_PER_THREAD_NS * threads as f64
}

/// Whether the case computes on one thread, by its parameter `threads`.
fn is_single_threaded(load: &Load) -> bool {
    let DeviceGrant { name, .. } = &load.device;
    let threads = load.params.get("threads");
    name == "cpu" && !matches!(threads, Some(dyno_core::model::ParamValue::Integer(threads)) if *threads > 1)
}
