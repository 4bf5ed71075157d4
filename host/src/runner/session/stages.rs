//! The states of a session, and the stages that lead from one to the next.

use std::collections::HashSet;

use dyno_core::{
    model::{CaseStatus, EngineInfo, IsolationLayer, Plan, Settings, SideEffects, Stage, StoreBypass},
    protocol::{PROTOCOL_VERSION, Reply, Request},
};
use indexmap::IndexMap;

use super::{
    Assignment, Ended,
    connecting::connect,
    layers::{demand_of_host, unmet},
    line::{Ear, Line},
};
use crate::fault::HostFault;

/// A worker in one state. A stage consumes it; a session that is dropped kills its worker.
pub(in crate::runner) struct Session<'a, State> {
    line: Box<Line<'a>>,
    state: State,
}

/// A session in its next state, or at its end.
pub(in crate::runner) type Reached<'a, State> = Result<Session<'a, State>, Ended<Session<'a, Over>>>;
/// The same, with what the worker reported of the stage.
pub(in crate::runner) type Step<'a, State, Report> =
    Result<(Session<'a, State>, Report), Ended<Session<'a, Over>>>;

/// The process runs.
pub(in crate::runner) struct Spawned;
/// Host and worker speak the same protocol.
pub(in crate::runner) struct Greeted;
/// The worker is asked to load the plugin.
pub(in crate::runner) struct Loading;
/// The plugin is loaded and its contract checked.
pub(in crate::runner) struct Loaded;
/// `setup` made an instance.
pub(in crate::runner) struct SetUp;
/// `verify` agreed, or there is none.
pub(in crate::runner) struct Verified;
/// The iteration count is known, and the instance is warm.
pub(in crate::runner) struct Calibrated;
/// `process_results` is done, or there is none.
pub(in crate::runner) struct Processed;

/// The worker gets no more requests.
pub(in crate::runner) struct Over {
    /// [`CaseStatus::Completed`] if all stages are done.
    pub(super) status: CaseStatus,
}

/// States in which an instance can be warmed up with a known iteration count.
pub(in crate::runner) trait Instance {}
impl Instance for SetUp {}
impl Instance for Calibrated {}

/// States in which the worker can clean up and end.
pub(in crate::runner) trait Measured {}
impl Measured for Calibrated {}
impl Measured for Processed {}

/// The worker's report on loading.
pub(in crate::runner) struct LoadReport {
    pub(in crate::runner) engine: EngineInfo,
    /// Layers that stand between the plugin and the machine.
    pub(in crate::runner) isolation: Vec<String>,
    pub(in crate::runner) store_bypass: Option<StoreBypass>,
    pub(in crate::runner) pinned_cpus: Vec<u32>,
    /// Names of the hardware counters, in the order of the counts of every batch.
    pub(in crate::runner) counters: Vec<String>,
    /// Requested features that are not available, a sentence each.
    pub(in crate::runner) missing: Vec<String>,
}

/// The worker's report on `setup`.
pub(in crate::runner) struct SetUpReport {
    /// Memory of the instance on huge pages [bytes].
    pub(in crate::runner) huge_bytes: u64,
    /// Requested features that are not available, a sentence each.
    pub(in crate::runner) missing: Vec<String>,
}

/// The worker's last report.
pub(in crate::runner) struct FinishReport {
    pub(in crate::runner) peak_memory_bytes: u64,
    /// Side effects of the plugin while it was measured.
    pub(in crate::runner) side_effects: SideEffects,
    pub(in crate::runner) refused_calls: Vec<String>,
}

impl<'a, State> Session<'a, State> {
    /// Goes through a stage: to the next state, or to the end.
    pub(super) fn step<Next, Report>(
        mut self,
        next: Next,
        stage: impl FnOnce(&mut Line<'a>) -> Result<Report, Ended>,
    ) -> Step<'a, Next, Report> {
        match stage(&mut self.line) {
            Ok(report) => Ok((self.enter(next), report)),
            Err(ended) => Err(ended.map(|status| self.enter(Over { status }))),
        }
    }

    pub(in crate::runner) fn settings(&self) -> &'a Settings {
        self.line.assignment.settings
    }

    /// Memory of the worker's process now [bytes].
    pub(in crate::runner) fn resident_bytes(&self) -> Option<u64> {
        self.line.worker.resident_bytes()
    }

    fn enter<Next>(self, state: Next) -> Session<'a, Next> {
        Session { line: self.line, state }
    }

    pub(super) fn into_parts(self) -> (Line<'a>, State) {
        (*self.line, self.state)
    }
}

impl<'a> Session<'a, Spawned> {
    /// Starts a worker in a folder of its own.
    ///
    /// # Errors
    /// When the machine lacks what every worker needs.
    pub(in crate::runner) fn spawn(assignment: &'a Assignment<'a>, ear: Ear<'a>) -> Result<Self, HostFault> {
        Ok(Self { line: Box::new(Line::open(assignment, ear)?), state: Spawned })
    }

    /// Reports the memory of the worker before it loads anything [bytes].
    pub(in crate::runner) fn greet(self) -> Step<'a, Greeted, u64> {
        let hello = Request::Hello { protocol: PROTOCOL_VERSION };
        self.step(Greeted, |line| match line.ask(Stage::Spawn, &hello)? {
            Reply::Hello { protocol: PROTOCOL_VERSION, base_memory_bytes, .. } => Ok(base_memory_bytes),
            Reply::Hello { protocol, version, .. } => {
                Err(Ended::wrong_worker(&line.assignment.worker.program, protocol, &version))
            }
            other => Err(line.unexpected(&other)),
        })
    }
}

impl<'a> Session<'a, Greeted> {
    pub(in crate::runner) fn load(self) -> Step<'a, Loaded, LoadReport> {
        self.ask_to_load()?.load()
    }

    /// Asks for what [`Session::load`] waits for: two workers can load at the same time.
    pub(in crate::runner) fn ask_to_load(self) -> Reached<'a, Loading> {
        let (session, ()) = self.step(Loading, |line| {
            let mut load = line.assignment.load();
            demand_of_host(&mut load, &line.worker).map_err(|why| line.failed(why))?;
            connect(line, &load)?;
            line.begin(Stage::Load, &Request::Load(Box::new(load)))
        })?;
        Ok(session)
    }
}

impl<'a> Session<'a, Loading> {
    pub(in crate::runner) fn load(self) -> Step<'a, Loaded, LoadReport> {
        self.step(Loaded, |line| {
            match line.answer()? {
                Reply::Loaded {
                    engine,
                    mut isolation,
                    store_bypass,
                    pinned_cpus,
                    counters,
                    missing: refused,
                    compiled,
                } => {
                    // A name that is declared twice has one row of counts, too.
                    line.counters = counters.iter().collect::<HashSet<_>>().len();
                    IsolationLayer::add_group(&mut isolation, line.worker.ungrouped().is_none());
                    let mut missing = unmet(line.assignment, &isolation);
                    missing.extend(refused);
                    missing.extend(line.worker.refused_group().map(str::to_owned));
                    missing.extend(compiled.and_then(|code| line.keep_compiled(code)));
                    Ok(LoadReport { engine, isolation, store_bypass, pinned_cpus, counters, missing })
                }
                other => Err(line.unexpected(&other)),
            }
        })
    }
}

impl<'a> Session<'a, Loaded> {
    pub(in crate::runner) fn set_up(self) -> Step<'a, SetUp, SetUpReport> {
        self.step(SetUp, |line| match line.ask(Stage::Setup, &Request::Setup)? {
            Reply::SetUp { huge_bytes, missing } => Ok(SetUpReport { huge_bytes, missing }),
            other => Err(line.unexpected(&other)),
        })
    }
}

impl<'a> Session<'a, SetUp> {
    /// Says whether the plugin has a `verify`.
    pub(in crate::runner) fn verify(self) -> Step<'a, Verified, bool> {
        self.step(Verified, |line| match line.ask(Stage::Verify, &Request::Verify)? {
            Reply::Verified { checked } => Ok(checked),
            other => Err(line.unexpected(&other)),
        })
    }
}

impl<'a> Session<'a, Verified> {
    /// Warms up and finds the iteration count.
    pub(in crate::runner) fn calibrate(self) -> Step<'a, Calibrated, Plan> {
        self.step(Calibrated, |line| plan(line, line.assignment.settings.warm_up_ns, None))
    }
}

impl<'a, State: Instance> Session<'a, State> {
    /// Takes one slice with a known iteration count and discards it; the plan has its time.
    pub(in crate::runner) fn warm_up(self, iterations: u64) -> Step<'a, Calibrated, Plan> {
        self.step(Calibrated, |line| plan(line, 0, Some(iterations)))
    }
}

fn plan(line: &mut Line<'_>, warm_up_ns: u64, iterations: Option<u64>) -> Result<Plan, Ended> {
    let slice_ns = line.assignment.settings.slice_ns;
    match line.ask(Stage::Calibrate, &Request::Calibrate { slice_ns, warm_up_ns, iterations })? {
        Reply::Calibrated(plan) if plan.iterations > 0 => Ok(plan),
        other => Err(line.unexpected(&other)),
    }
}

impl<'a> Session<'a, Calibrated> {
    /// Reports the plugin's own metrics.
    pub(in crate::runner) fn process_results(self) -> Step<'a, Processed, IndexMap<String, f64>> {
        self.step(Processed, |line| match line.ask(Stage::ProcessResults, &Request::ProcessResults)? {
            Reply::Processed { metrics } => {
                let declared = |name: &str| line.assignment.case.metrics.iter().any(|it| it.name == name);
                match metrics.iter().find(|(name, value)| !declared(name) || !value.is_finite()) {
                    None => Ok(metrics),
                    Some((name, value)) => Err(line.failed(format!(
                        "the worker reported the metric `{name}` = {value}, which is not declared or not finite"
                    ))),
                }
            }
            other => Err(line.unexpected(&other)),
        })
    }
}

impl<'a, State: Measured> Session<'a, State> {
    pub(in crate::runner) fn finish(self) -> Step<'a, Over, FinishReport> {
        let over = Over { status: CaseStatus::Completed };
        self.step(over, |line| match line.ask(Stage::Cleanup, &Request::Finish)? {
            Reply::Finished { peak_memory_bytes, side_effects, refused_calls } => {
                Ok(FinishReport { peak_memory_bytes, side_effects, refused_calls })
            }
            other => Err(line.unexpected(&other)),
        })
    }
}
