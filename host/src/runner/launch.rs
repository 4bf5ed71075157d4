//! One launch: the stages of a fresh worker process, in order, each with its deadline, ending in a [`LaunchRecord`].

use std::{
    path::{Path, PathBuf},
    time::{Duration, Instant},
};

use dyno_core::{
    model::{
        CaseStatus, DeviceKind, Environment, Exit, LaunchRecord, Layout, LoadRecord, MIN_NS_PER_ITERATION,
        Query, Reason, Sample, Scenario, Settings, SideEffects, SkipCause, Stage,
    },
    protocol::{DeviceGrant, Load, PROTOCOL_VERSION, Quota, Reply, Request},
};

use super::{Cancel, Planned, folder::LaunchFolder, intake::Intake};
use crate::{
    devices::{EnergyMeter, Placement, Probe, Sampling},
    fault::{HostFault, Place},
    pool::{self, Farewell, Interruption, Unsolicited, Worker, WorkerCommand},
};

/// Longest wait for a worker that has nothing more to do.
pub(super) const FAREWELL: Duration = Duration::from_secs(5);
/// Bounds for numbers that a hostile worker sends: beyond these it is not measuring.
const MAX_SAMPLE_NS: u64 = 365 * 24 * 3600 * 1_000_000_000;
/// Most queries of one launch.
const MAX_QUERIES: u32 = 200_000;

/// Everything that a launch needs beside its case.
#[derive(Debug)]
pub(super) struct Assignment<'a> {
    pub(super) case: &'a Planned,
    pub(super) settings: &'a Settings,
    /// The `dyno-worker` binary.
    pub(super) worker: PathBuf,
    /// The verified bytes of the plugin.
    pub(super) bytes: PathBuf,
    /// Where compiled WASM code is kept.
    pub(super) code_cache: PathBuf,
    /// Where the worker runs.
    pub(super) placement: Placement,
    pub(super) quota: Quota,
    /// The seed of its inputs.
    pub(super) seed: u64,
    pub(super) cancel: &'a Cancel,
}

/// What a launch tells while it goes on.
#[derive(Debug)]
pub(super) enum Notice {
    Entered(Stage),
    Progress(Stage, f64),
    Logged(String),
    /// Samples of this launch so far.
    Sampled(Vec<Sample>),
}

/// How a launch ends before its last stage.
enum End {
    Status(CaseStatus),
    Interrupted(Interruption),
    Host(HostFault),
}

impl From<Interruption> for End {
    fn from(interruption: Interruption) -> Self {
        Self::Interrupted(interruption)
    }
}

/// Runs one launch. What goes wrong in the plugin is the status of the record.
///
/// # Errors
/// When the host could not do its part: that says nothing about the plugin, and is no status.
pub(super) fn launch(
    assignment: &Assignment<'_>,
    index: u32,
    notice: &mut dyn FnMut(Notice),
) -> Result<LaunchRecord, HostFault> {
    let mut record = LaunchRecord {
        index,
        started_at: crate::timestamp::now(),
        status: CaseStatus::Running,
        plan: None,
        samples: Vec::new(),
        load: None,
        retaken: 0,
        custom: indexmap::IndexMap::new(),
        peak_memory_bytes: None,
        huge_bytes: 0,
        base_memory_bytes: None,
        engine: None,
        device: Some(assignment.case.device.clone()).filter(|device| device.kind != DeviceKind::Cpu),
        isolation: Vec::new(),
        pinned_cpu: None,
        pinned_cpus: Vec::new(),
        counters: indexmap::IndexMap::new(),
        energy_j: None,
        missing: Vec::new(),
        stages: Vec::new(),
        environment: Environment::default(),
        output: Vec::new(),
        output_dropped: 0,
        seed: Some(assignment.seed),
        side_effects: SideEffects::default(),
    };
    // Gone with everything in it when the launch ends.
    let directory = LaunchFolder::new()?;
    let probe = Probe::start(&assignment.placement.cpus);
    notice(Notice::Entered(Stage::Spawn));
    let worker = Worker::spawn(&WorkerCommand {
        program: assignment.worker.clone(),
        directory: directory.path().to_owned(),
        layout: assignment.settings.layout,
        memory_limit_bytes: assignment.settings.memory_limit_bytes,
    })?;
    let mut script = Script { assignment, worker, record: &mut record, notice, stage: Stage::Spawn };
    let end = script.play();
    let stage = script.stage;
    let status = match end {
        Ok(()) => CaseStatus::Completed,
        Err(End::Status(status)) => status,
        Err(End::Interrupted(interruption)) => {
            status_of(interruption, stage, assignment.settings, script.worker.last_output())?
        }
        Err(End::Host(fault)) => return Err(fault),
    };
    let worker = script.worker;
    let patience = if status == CaseStatus::Completed { FAREWELL } else { Duration::ZERO };
    let Farewell { exit, captured, left_behind, stuck } = worker.finish(Instant::now() + patience);
    record.missing.extend(stuck);
    record.status = judge_exit(status, exit, left_behind, captured.tail(10));
    (record.output, record.output_dropped) = captured.into_lines();
    record.environment = probe.finish(Sampling::of(&record));
    if assignment.case.device.kind == DeviceKind::Cpu {
        // On other devices it is the home of drivers, which keep their caches there.
        record.side_effects.files_left = files_in(directory.path());
    }
    Ok(record)
}

/// Files and folders that lie in the worker's directory, which was empty. What cannot be read counts as nothing.
fn files_in(directory: &Path) -> u32 {
    std::fs::read_dir(directory).map_or(0, |entries| u32::try_from(entries.count()).unwrap_or(u32::MAX))
}

/// The stages of a launch, and where it stands.
struct Script<'a, 'b> {
    assignment: &'a Assignment<'a>,
    worker: Worker,
    record: &'b mut LaunchRecord,
    notice: &'b mut dyn FnMut(Notice),
    stage: Stage,
}

impl Script<'_, '_> {
    fn play(&mut self) -> Result<(), End> {
        let settings = self.assignment.settings;
        match self.ask(Stage::Spawn, &Request::Hello { protocol: PROTOCOL_VERSION })? {
            Reply::Hello { protocol: PROTOCOL_VERSION, base_memory_bytes, .. } => {
                self.record.base_memory_bytes = Some(base_memory_bytes);
            }
            Reply::Hello { protocol, version, .. } => {
                return Err(End::Host(wrong_worker(self.assignment, protocol, &version)));
            }
            other => return Err(self.unexpected(&other)),
        }
        match self.ask(Stage::Load, &Request::Load(Box::new(load_of(self.assignment))))? {
            Reply::Loaded { engine, isolation, pinned_cpus, counters, missing } => {
                self.record.engine = Some(engine);
                self.record.isolation = isolation;
                match pinned_cpus.as_slice() {
                    [one] => self.record.pinned_cpu = Some(*one),
                    _ => self.record.pinned_cpus = pinned_cpus,
                }
                self.record.counters = counters.into_iter().map(|name| (name, Vec::new())).collect();
                self.record.missing = unmet(self.assignment, &self.record.isolation);
                self.record.missing.extend(missing);
            }
            other => return Err(self.unexpected(&other)),
        }
        match self.ask(Stage::Setup, &Request::Setup)? {
            Reply::SetUp { huge_bytes, missing } => {
                self.record.huge_bytes = huge_bytes;
                self.record.missing.extend(missing);
            }
            other => return Err(self.unexpected(&other)),
        }
        match self.ask(Stage::Verify, &Request::Verify)? {
            Reply::Verified { .. } => {}
            other => return Err(self.unexpected(&other)),
        }
        let calibrate = Request::Calibrate {
            slice_ns: settings.slice_ns,
            warm_up_ns: settings.warm_up_ns,
            iterations: None,
        };
        match self.ask(Stage::Calibrate, &calibrate)? {
            Reply::Calibrated(plan) if plan.iterations > 0 => self.record.plan = Some(plan),
            other => return Err(self.unexpected(&other)),
        }
        match settings.scenario {
            None => self.sample()?,
            Some(scenario) => self.play_scenario(scenario)?,
        }
        match self.ask(Stage::ProcessResults, &Request::ProcessResults)? {
            Reply::Processed { metrics } => {
                for (name, value) in metrics {
                    let declared = self.assignment.case.metrics.iter().any(|metric| metric.name == name);
                    if !declared || !value.is_finite() {
                        return Err(self.failed(format!("the worker reported the metric `{name}` = {value}, which is not declared or not finite")));
                    }
                    self.record.custom.insert(name, value);
                }
            }
            other => return Err(self.unexpected(&other)),
        }
        match self.ask(Stage::Cleanup, &Request::Finish)? {
            Reply::Finished { peak_memory_bytes, side_effects } => {
                self.record.peak_memory_bytes = Some(peak_memory_bytes);
                self.record.side_effects = side_effects;
            }
            other => return Err(self.unexpected(&other)),
        }
        Ok(())
    }

    fn sample(&mut self) -> Result<(), End> {
        let meter = self.assignment.settings.counters.then(EnergyMeter::start);
        self.take_samples()?;
        let counters = &self.record.counters;
        if !counters.is_empty() && counters.values().all(Vec::is_empty) {
            self.record
                .missing
                .push("nothing was counted: other programs had the processor's counters".to_owned());
            self.record.counters.clear();
        }
        let iterations: u64 = self.record.samples.iter().map(|sample| sample.iterations).sum();
        match meter.map(EnergyMeter::stop) {
            Some(Ok(joules)) => self.record.energy_j = Some(joules / iterations.max(1) as f64),
            Some(Err(why)) => self.record.missing.push(why),
            None => {}
        }
        Ok(())
    }

    fn take_samples(&mut self) -> Result<(), End> {
        let quota = self.assignment.quota;
        let mut intake = Intake::of_samples(quota, self.assignment.settings.timeout());
        let mut reply = self.ask(Stage::Sample, &Request::Sample(quota))?;
        loop {
            match reply {
                Reply::Batch { samples, counts } => {
                    intake.take(samples.len()).map_err(|message| self.failed(message))?;
                    for sample in &samples {
                        check(sample).map_err(|message| self.failed(message))?;
                    }
                    self.count(&samples, &counts)?;
                    self.record.samples.extend(samples);
                    (self.notice)(Notice::Sampled(self.record.samples.clone()));
                }
                Reply::Sampled { retaken, preemptions } => {
                    self.record.retaken = retaken;
                    self.record.environment.preemptions = Some(preemptions);
                    if intake.is_empty() {
                        return Err(self.failed("the worker sent no sample".to_owned()));
                    }
                    return Ok(());
                }
                other => return Err(self.unexpected(&other)),
            }
            // Each batch is a sign of life: the limit of the stage is for the time between two of them.
            reply = self.listen(&intake)?;
        }
    }

    /// Keeps what was counted during samples, per iteration.
    fn count(&mut self, samples: &[Sample], counts: &[Option<Vec<f64>>]) -> Result<(), End> {
        if self.record.counters.is_empty() || counts.is_empty() {
            return Ok(());
        }
        let expected = self.record.counters.len();
        let possible = |count: &f64| count.is_finite() && *count >= 0.0;
        if counts.len() != samples.len()
            || counts.iter().flatten().any(|row| row.len() != expected || !row.iter().all(possible))
        {
            return Err(self.failed("the worker sent counts that do not fit its samples".to_owned()));
        }
        for (sample, row) in samples.iter().zip(counts) {
            let Some(row) = row else { continue };
            for (values, count) in self.record.counters.values_mut().zip(row) {
                values.push(count / sample.iterations.max(1) as f64);
            }
        }
        Ok(())
    }

    fn play_scenario(&mut self, scenario: Scenario) -> Result<(), End> {
        let duration_ns = self.assignment.quota.budget_ns;
        let request = Request::Play { scenario, duration_ns, max_queries: MAX_QUERIES };
        let mut intake = Intake::of_queries(MAX_QUERIES, duration_ns, self.assignment.settings.timeout());
        let mut queries: Vec<Query> = Vec::new();
        let mut reply = self.ask(Stage::Sample, &request)?;
        loop {
            match reply {
                Reply::Queries { queries: more } => {
                    intake.take(more.len()).map_err(|message| self.failed(message))?;
                    let possible = |query: &Query| {
                        query.scheduled_ns <= query.start_ns
                            && query.start_ns <= query.end_ns
                            && query.end_ns <= MAX_SAMPLE_NS
                    };
                    if let Some(query) = more.iter().find(|query| !possible(query)) {
                        return Err(self.failed(format!("the worker sent an impossible query: {query:?}")));
                    }
                    queries.extend(more);
                }
                Reply::Sampled { .. } if intake.is_empty() => {
                    return Err(self.failed(
                        "no query arrived in the time of the scenario; give more --time, or a higher --target-qps"
                            .to_owned(),
                    ));
                }
                Reply::Sampled { .. } => {
                    self.record.load = Some(LoadRecord::new(scenario, queries));
                    return Ok(());
                }
                other => return Err(self.unexpected(&other)),
            }
            reply = self.listen(&intake)?;
        }
    }

    /// Enters a stage, and measures how long its answer takes.
    fn ask(&mut self, stage: Stage, request: &Request) -> Result<Reply, End> {
        self.stage = stage;
        if stage != Stage::Spawn {
            (self.notice)(Notice::Entered(stage));
        }
        let start = Instant::now();
        let deadline = self.deadline();
        let Self { assignment, worker, notice, .. } = self;
        let answer = worker.ask(request, deadline, &|| assignment.cancel.is_set(), &mut |heard| {
            relay(*notice, stage, heard);
        });
        let elapsed = u64::try_from(start.elapsed().as_nanos()).unwrap_or(u64::MAX);
        self.record.stages.push((stage, elapsed));
        self.judge(answer?)
    }

    fn listen(&mut self, intake: &Intake) -> Result<Reply, End> {
        let deadline = intake.capped(self.deadline());
        let stage = self.stage;
        let start = Instant::now();
        let Self { assignment, worker, notice, .. } = self;
        let answer = worker
            .listen(deadline, &|| assignment.cancel.is_set(), &mut |heard| relay(*notice, stage, heard));
        let elapsed = u64::try_from(start.elapsed().as_nanos()).unwrap_or(u64::MAX);
        if let Some((_, total)) = self.record.stages.last_mut() {
            *total = total.saturating_add(elapsed);
        }
        if let (Err(Interruption::TimedOut), Some(limit)) = (&answer, intake.spent()) {
            let (limit_s, last_output) = (limit.as_secs_f64(), self.worker.last_output());
            return Err(End::Status(CaseStatus::TimedOut { stage, limit_s, last_output }));
        }
        self.judge(answer?)
    }

    fn deadline(&self) -> Instant {
        Instant::now() + self.assignment.settings.timeout()
    }

    fn judge(&self, reply: Reply) -> Result<Reply, End> {
        match reply {
            Reply::Failed { message } => Err(self.failed(message)),
            Reply::Skipped { message } => Err(End::Status(CaseStatus::skipped(SkipCause::Plugin, message))),
            reply => Ok(reply),
        }
    }

    fn failed(&self, message: String) -> End {
        let reason = Reason { message, exit: None, last_output: self.worker.last_output() };
        End::Status(CaseStatus::Failed { stage: self.stage, reason })
    }

    fn unexpected(&self, reply: &Reply) -> End {
        let mut shown = format!("{reply:?}");
        shown.truncate(shown.floor_char_boundary(200));
        self.failed(format!("the worker gave an answer that does not fit the stage: {shown}"))
    }
}

/// What was asked of the kernel for this launch and is not among the layers that hold, a sentence each.
pub(super) fn unmet(assignment: &Assignment<'_>, layers: &[String]) -> Vec<String> {
    let always = [
        ("death_signal", "the kernel refused the death signal (prctl): the worker may outlive its host"),
        (
            "no_new_privs",
            "the kernel refused no_new_privs (prctl): what the plugin starts may gain privileges",
        ),
        ("no_core_dump", "the kernel refused to switch core dumps off (setrlimit)"),
        (
            "memory_limit",
            "the kernel refused to bound the worker's memory (setrlimit); the host watches it all the same",
        ),
    ];
    let fixed = (
        "fixed_layout",
        "the kernel refused a fixed layout of memory (personality): addresses are random, and launches differ more",
    );
    let pinned = (
        "pinned",
        "the kernel refused to keep the worker on its processor (sched_setaffinity): it may be moved while it is measured",
    );
    let asked = always
        .into_iter()
        .chain((assignment.settings.layout == Layout::Fixed).then_some(fixed))
        .chain((!assignment.placement.cpus.is_empty()).then_some(pinned));
    let missing = asked.filter(|(layer, _)| !layers.iter().any(|held| held == layer));
    missing.map(|(_, sentence)| sentence.to_owned()).chain(pool::unadopted()).collect()
}

/// What a worker is told of the case.
pub(super) fn load_of(assignment: &Assignment<'_>) -> Load {
    let case = assignment.case;
    Load {
        path: assignment.bytes.clone(),
        sha256: case.plugin.sha256.clone(),
        kind: case.plugin.kind,
        benchmark: case.benchmark.clone(),
        params: case.params.clone(),
        seed: assignment.seed,
        device: DeviceGrant {
            name: case.device.name.clone(),
            index: case.device.index,
            threads: if case.device.kind == DeviceKind::Cpu { assignment.placement.threads } else { 0 },
        },
        metrics: case.metrics.iter().map(|metric| metric.name.clone()).collect(),
        code_cache: assignment.code_cache.clone(),
        memory_limit_bytes: assignment.settings.memory_limit_bytes,
        pages: assignment.settings.pages,
        cpus: assignment.placement.cpus.clone(),
        realtime: assignment.settings.realtime,
        counters: assignment.settings.counters,
    }
}

fn relay(notice: &mut dyn FnMut(Notice), stage: Stage, heard: Unsolicited) {
    match heard {
        Unsolicited::Progress(fraction) => notice(Notice::Progress(stage, fraction)),
        Unsolicited::Log(line) => notice(Notice::Logged(line)),
    }
}

/// Refuses numbers that a worker taken over by its plugin might send.
pub(super) fn check(sample: &Sample) -> Result<(), String> {
    if sample.iterations == 0 || sample.wall_ns == 0 || sample.wall_ns > MAX_SAMPLE_NS {
        return Err(format!(
            "the worker sent an impossible sample: {} iterations in {} ns",
            sample.iterations, sample.wall_ns
        ));
    }
    if sample.ns_per_iteration() < MIN_NS_PER_ITERATION {
        return Err(format!(
            "{} iterations took {} ns, less than one instruction each: the work was done in other samples and not in this \
             one; do it in every iteration of `execute`",
            sample.iterations, sample.wall_ns
        ));
    }
    if !sample.device_ns.is_finite() || sample.device_ns < 0.0 {
        return Err(format!("the worker sent an impossible device time: {} ns", sample.device_ns));
    }
    sample.work.check(sample.wall_ns)
}

/// A worker of another release.
pub(super) fn wrong_worker(assignment: &Assignment<'_>, protocol: u32, version: &str) -> HostFault {
    HostFault::other(
        format!("cannot use the worker `{}`", assignment.worker.display()),
        format!(
            "it is of dyno {version} and speaks protocol {protocol}, this dyno speaks {PROTOCOL_VERSION}; install both \
             from one release"
        ),
        Place::Worker,
    )
}

/// What an answer that did not come makes of the case.
///
/// # Errors
/// When it says nothing about the plugin, since none of its code had run.
pub(super) fn status_of(
    interruption: Interruption,
    stage: Stage,
    settings: &Settings,
    last_output: Vec<String>,
) -> Result<CaseStatus, HostFault> {
    let unready = |why: String| {
        let said = last_output.last().map_or_else(|| why.clone(), |line| format!("{why}; it said: {line}"));
        Err(HostFault::other("the worker ended before it was given a plugin", said, Place::Worker))
    };
    let failed = |message: String, exit: Option<Exit>| CaseStatus::Failed {
        stage,
        reason: Reason { message, exit, last_output: last_output.clone() },
    };
    Ok(match interruption {
        Interruption::Host(fault) => return Err(fault),
        // No plugin was named to it yet.
        Interruption::Died(exit) if stage == Stage::Spawn => return unready(format!("it ended with {exit}")),
        Interruption::LeftChannel if stage == Stage::Spawn => {
            return unready("it closed its channel to the host".to_owned());
        }
        Interruption::Babbled(error) if stage == Stage::Spawn => {
            return unready(format!("it sent data that is not a message ({error})"));
        }
        Interruption::TimedOut => {
            CaseStatus::TimedOut { stage, limit_s: settings.timeout().as_secs_f64(), last_output }
        }
        Interruption::Cancelled => CaseStatus::Cancelled,
        Interruption::Died(exit) => {
            failed(format!("the worker process ended in this stage with {exit}"), Some(exit))
        }
        Interruption::OverMemory { used, limit } => failed(
            format!(
                "the worker used {} of memory, more than its limit of {}; raise it with --memory",
                dyno_core::units::bytes(used as f64),
                dyno_core::units::bytes(limit as f64)
            ),
            None,
        ),
        Interruption::LeftChannel => failed(
            "the plugin closed the worker's channel to the host; the worker was killed".to_owned(),
            None,
        ),
        Interruption::Flooded { what, most } => failed(
            format!("the worker sent more than {most} {what}; the plugin may have written to its channel"),
            None,
        ),
        Interruption::Babbled(error) => failed(
            format!(
                "the worker's channel carried what is no message ({error}); the plugin may have written to it"
            ),
            None,
        ),
    })
}

/// A launch whose work is done can still fail by how its process ends.
fn judge_exit(
    status: CaseStatus,
    exit: Option<Exit>,
    left_behind: usize,
    last_output: Vec<String>,
) -> CaseStatus {
    match (status, exit) {
        (CaseStatus::Completed, Some(Exit::Code(0))) if left_behind == 0 => CaseStatus::Completed,
        (CaseStatus::Completed, Some(Exit::Code(0))) => {
            let message = format!(
                "the plugin left {left_behind} running processes behind; they were killed; `cleanup` must end what \
                 the plugin started"
            );
            CaseStatus::Failed { stage: Stage::Cleanup, reason: Reason { message, exit: None, last_output } }
        }
        (CaseStatus::Completed, exit) => {
            let message = match &exit {
                Some(exit) => format!("the worker process ended after its last stage with {exit}"),
                None => format!(
                    "the worker process did not end within {} s after its last stage; it was killed",
                    FAREWELL.as_secs()
                ),
            };
            CaseStatus::Failed { stage: Stage::Cleanup, reason: Reason { message, exit, last_output } }
        }
        // What the plugin wrote while it died may have come after the failure was noticed.
        (CaseStatus::Failed { stage, mut reason }, exit) => {
            reason.last_output = last_output;
            reason.exit = reason.exit.or(exit.filter(|exit| *exit != Exit::Code(0)));
            CaseStatus::Failed { stage, reason }
        }
        (CaseStatus::TimedOut { stage, limit_s, .. }, _) => {
            CaseStatus::TimedOut { stage, limit_s, last_output }
        }
        (status, _) => status,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_worker_that_ends_before_it_has_a_plugin_is_the_hosts() {
        let ended = |stage| {
            let settings = Settings::default();
            status_of(Interruption::Died(Exit::Code(3)), stage, &settings, vec!["no libc".to_owned()])
        };
        let fault = ended(Stage::Spawn).unwrap_err().to_string();
        assert!(fault.contains("exit code 3") && fault.contains("no libc"), "{fault}");
        assert!(matches!(ended(Stage::Load), Ok(CaseStatus::Failed { stage: Stage::Load, .. })));
        let full = HostFault::other("cannot write", "full", Place::Cache);
        let host = status_of(Interruption::Host(full.clone()), Stage::Load, &Settings::default(), Vec::new());
        assert_eq!(host.unwrap_err(), full);
    }
}
