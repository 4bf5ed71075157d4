//! The stages in which a benchmark is measured, each as the answer to one request of the host.

use dyno_core::{
    model::{ParamValue, Plan, Query, SideEffects, Work},
    protocol::{Load, Quota, Renewal, Reply, Request},
};

use crate::{
    channel::Replies,
    footprint::Footprint,
    host_side::HostSide,
    instance::{Failure, Instance},
    measure::{
        Batch, Clock, Counters, Demand, Goal, Sampler, SystemClock, Tally, calibrate, play, timed, warm_up,
    },
    sandbox,
};

/// Share of the instances that are made before anything is compared.
const SETTLED: u32 = 10;

/// A benchmark that is set up, and how far it has come.
pub(crate) struct Stages<'a> {
    load: &'a Load,
    side: &'a HostSide,
    instance: &'a mut dyn Instance,
    replies: Replies,
    clock: SystemClock,
    /// Number of hardware counters that are read with each sample.
    counters: usize,
    is_verified: bool,
    /// Highest memory before the result was verified [bytes]: what a check needs is not what the benchmark needs.
    peak_memory_before: u64,
    plan: Option<Plan>,
    /// Iterations and time [ns] of each sample or query, for `process_results`.
    taken: Vec<(u64, u64)>,
    /// From the end of the first calibration, when pools of threads and other lazy things are there.
    before: Option<Footprint>,
    /// From before `process_results`, if that was called.
    left: Option<SideEffects>,
    /// Whether there is an instance to clean up.
    is_set_up: bool,
}

impl<'a> Stages<'a> {
    pub(crate) fn new(
        load: &'a Load,
        side: &'a HostSide,
        instance: &'a mut dyn Instance,
        replies: Replies,
        counters: Option<Counters>,
    ) -> Self {
        Self {
            load,
            side,
            instance,
            replies,
            counters: counters.as_ref().map_or(0, |counters| counters.names().len()),
            clock: SystemClock::new(counters),
            is_verified: false,
            peak_memory_before: 0,
            plan: None,
            taken: Vec::new(),
            before: None,
            left: None,
            is_set_up: true,
        }
    }

    /// Whether there is an instance to clean up.
    pub(crate) fn is_set_up(&self) -> bool {
        self.is_set_up
    }

    /// Carries out the stage that is asked for.
    pub(crate) fn answer(&mut self, request: Request) -> Result<Reply, Failure> {
        match (request, self.plan) {
            (Request::Verify, _) if !self.is_verified => self.verify(),
            // The other side, or an earlier launch of the same bytes, was verified and calibrated.
            (Request::Calibrate { warm_up_ns, iterations: Some(iterations), .. }, _) => {
                let found = warm_up(self.instance, &self.clock, iterations, warm_up_ns);
                self.calibrated(found)
            }
            (Request::Calibrate { slice_ns, warm_up_ns, iterations: None }, _) if self.is_verified => {
                let goal = Goal { slice_ns, warm_up_ns, work_limit_per_ns: work_limit_per_ns(self.load) };
                let found = calibrate(self.instance, &self.clock, &goal);
                self.calibrated(found)
            }
            (Request::Sample(quota), Some(plan)) => self.sample(quota, plan),
            (Request::Play { scenario, duration_ns, max_queries }, Some(plan)) => self.play(&Demand {
                scenario,
                seed: self.load.seed,
                duration_ns,
                max_queries,
                iterations: plan.iterations,
                slice_ns: plan.slice_ns,
            }),
            (Request::ProcessResults, Some(_)) => self.process_results(),
            (Request::Call { iterations }, _) if self.is_verified => {
                let called = timed(self.instance, &self.clock, iterations);
                Ok(Reply::Called(checked(self.side, called)?))
            }
            (Request::Renew { times, budget_ns }, _) if self.is_verified => self.renew(times, budget_ns),
            (other, _) => Err(out_of_order(&other, missing_before(&other))),
        }
    }

    /// Highest memory of this process but for verifying [bytes].
    pub(crate) fn peak_memory(&self) -> u64 {
        self.peak_memory_before.max(sandbox::peak_bytes())
    }

    /// What the plugin changed in its process since it was calibrated.
    pub(crate) fn side_effects(&self) -> SideEffects {
        self.left.or_else(|| self.effects_by_now()).unwrap_or_default()
    }

    fn effects_by_now(&self) -> Option<SideEffects> {
        let now = Footprint::read();
        // A pool that waits awake for its next work is part of a case with several threads. So are the threads of a device's
        // driver, which nobody could tell from the plugin's.
        let thread_running = || is_single_threaded(self.load) && now.others_run();
        self.before.map(|before| SideEffects { thread_running: thread_running(), ..now.since(before) })
    }

    fn verify(&mut self) -> Result<Reply, Failure> {
        let highest = sandbox::peak_bytes();
        let has_check = checked(self.side, self.instance.verify())?;
        self.is_verified = true;
        if sandbox::forget_peak_memory() {
            self.peak_memory_before = highest;
        }
        Ok(Reply::Verified { checked: has_check })
    }

    fn calibrated(&mut self, found: Result<Plan, Failure>) -> Result<Reply, Failure> {
        let plan = checked(self.side, found)?;
        self.plan = Some(plan);
        self.before.get_or_insert_with(Footprint::read);
        Ok(Reply::Calibrated(plan))
    }

    fn sample(&mut self, quota: Quota, plan: Plan) -> Result<Reply, Failure> {
        let Self { side, replies, taken, .. } = self;
        let sampler = Sampler {
            iterations: plan.iterations,
            quota,
            single_threaded: is_single_threaded(self.load),
            counters: self.counters,
        };
        let outcome = sampler.run(self.instance, &self.clock, &|| side.is_cancelled(), &mut |batch| {
            let Batch { samples, counts, is_last } = batch;
            taken.extend(samples.iter().map(|sample| (sample.iterations, sample.wall_ns)));
            let batch = Reply::Batch { samples, counts };
            if is_last {
                replies.send_with_next(&batch);
            } else {
                replies.send(&batch);
            }
        });
        let Tally { retaken, preemptions } = checked(side, outcome)?;
        Ok(Reply::Sampled { retaken, preemptions })
    }

    fn play(&mut self, demand: &Demand) -> Result<Reply, Failure> {
        let Self { side, replies, taken, .. } = self;
        let outcome = play(self.instance, &self.clock, demand, &|| side.is_cancelled(), &mut |queries| {
            let timed = |query: &Query| (query.samples, query.end_ns - query.start_ns);
            taken.extend(queries.iter().map(timed));
            replies.send(&Reply::Queries { queries });
        });
        checked(side, outcome)?;
        Ok(Reply::Sampled { retaken: 0, preemptions: 0 })
    }

    fn renew(&mut self, times: u32, budget_ns: u64) -> Result<Reply, Failure> {
        let begin = self.clock.now_ns();
        let (mut done, mut settled, mut first) = (0, 0, None);
        while done < times {
            self.is_set_up = false;
            checked(self.side, self.instance.cleanup())?;
            checked(self.side, self.instance.setup())?;
            self.is_set_up = true;
            done += 1;
            let spent = self.clock.now_ns() - begin;
            if first.is_none() && (done >= times / SETTLED || spent >= budget_ns / 4) {
                first = Some((Footprint::read(), sandbox::resident_bytes()));
                settled = done;
            }
            // A slow `setup` is repeated as often as the time allows.
            if spent >= budget_ns && budget_ns > 0 {
                break;
            }
        }
        let (before, memory) = first.unwrap_or_default();
        let left = Footprint::read().since(before);
        let memory_bytes = [memory, sandbox::resident_bytes()];
        Ok(Reply::Renewed(Renewal { times: done, settled, memory_bytes, left }))
    }

    fn process_results(&mut self) -> Result<Reply, Failure> {
        self.left = self.effects_by_now();
        checked(self.side, self.instance.process_results(&self.taken))?;
        Ok(Reply::Processed { metrics: self.side.metrics() })
    }
}

/// A stage also fails when the plugin broke a rule during it, whatever it returned.
pub(crate) fn checked<T>(side: &HostSide, outcome: Result<T, Failure>) -> Result<T, Failure> {
    let value = outcome?;
    side.take_violation().map_or(Ok(value), |violation| Err(Failure::Error(violation)))
}

/// The stage without which this one has no meaning.
fn missing_before(request: &Request) -> &'static str {
    match request {
        Request::Calibrate { .. } => "verify",
        Request::Call { .. } | Request::Renew { .. } => "verify",
        Request::Sample(_) | Request::Play { .. } => "calibrate",
        _ => "another stage",
    }
}

pub(crate) fn out_of_order(request: &Request, expected: &str) -> Failure {
    let mut shown = format!("{request:?}");
    shown.truncate(shown.floor_char_boundary(60));
    Failure::Error(format!("the host asked for `{shown}`, but `{expected}` was expected"))
}

/// Maximum work of any kind that the device of the case can do [1/ns].
fn work_limit_per_ns(load: &Load) -> f64 {
    if !load.device.is_cpu() {
        return Work::MAX_PER_ACCELERATOR_NS;
    }
    // Not its share of them: within a sample, it may use them all.
    Work::MAX_PER_THREAD_NS * f64::from(sandbox::processors())
}

/// Whether the case computes on one thread, by its parameter `threads`.
fn is_single_threaded(load: &Load) -> bool {
    let threads = load.params.get("threads");
    load.device.is_cpu() && !matches!(threads, Some(ParamValue::Integer(threads)) if *threads > 1)
}
