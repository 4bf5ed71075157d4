//! One launch: all stages of a fresh worker process, recorded in a [`LaunchRecord`].

use std::{path::Path, time::Duration};

use dyno_core::{
    model::{CaseStatus, DeviceKind, Environment, LaunchRecord, LoadRecord, PluginKind, SideEffects},
    protocol::Quota,
};
use indexmap::IndexMap;

use super::session::{
    Assignment, Batch, Calibrated, Closed, Ended, LoadReport, Notice, Over, Reached, Session, Spawned,
};
use crate::{
    devices::{EnergyMeter, Joined, Probe, Sampling},
    fault::HostFault,
};

/// Longest wait for a worker that has nothing more to do.
const FAREWELL: Duration = Duration::from_secs(5);

/// Runs one launch. What goes wrong in the plugin is the status of the record.
///
/// # Errors
/// When the host could not do its part: that says nothing about the plugin, and is no status.
pub(super) fn launch(
    assignment: &Assignment<'_>,
    index: u32,
    quota: Quota,
    notice: &mut dyn FnMut(Notice<'_>),
) -> Result<LaunchRecord, HostFault> {
    let mut record = begun(assignment, index);
    let probe = Probe::start(&assignment.placement.cpus);
    let joined = assignment.join();
    let session = Session::spawn(assignment, Box::new(notice))?;
    let over = match all_stages(session, joined, quota, &mut record) {
        Ok(over) | Err(Ended::Case(over)) => over,
        Err(Ended::Host(fault)) => return Err(fault),
    };
    let Closed { status, stages, captured, stuck, folder } = over.close(FAREWELL);
    (record.status, record.stages) = (status, stages);
    record.missing.extend(stuck);
    (record.output, record.output_dropped) = captured.into_lines();
    record.environment = probe.finish(Sampling::of(&record));
    // A component writes none. On other devices it is the home of drivers, which keep their caches there.
    if assignment.case.plugin.kind == PluginKind::Native && assignment.case.device.kind == DeviceKind::Cpu {
        record.side_effects.files_left = files_in(folder.path());
    }
    Ok(record)
}

/// The record of a launch before anything happened.
fn begun(assignment: &Assignment<'_>, index: u32) -> LaunchRecord {
    let permitted = assignment.worker.rights.permitted(assignment.case);
    LaunchRecord {
        index,
        started_at: crate::timestamp::now(),
        status: CaseStatus::Running,
        plan: None,
        samples: Vec::new(),
        samples_taken: None,
        load: None,
        retaken: 0,
        custom: IndexMap::new(),
        peak_memory_bytes: None,
        huge_bytes: 0,
        base_memory_bytes: None,
        engine: None,
        device: Some(assignment.case.device.clone()).filter(|device| device.kind != DeviceKind::Cpu),
        isolation: Vec::new(),
        store_bypass: None,
        pinned_cpu: None,
        pinned_cpus: Vec::new(),
        counters: IndexMap::new(),
        energy_j: None,
        granted: permitted.words(),
        missing: permitted.withheld.clone(),
        stages: Vec::new(),
        environment: Environment::default(),
        output: Vec::new(),
        output_dropped: 0,
        seed: Some(assignment.seed),
        side_effects: SideEffects::default(),
        refused_calls: Vec::new(),
    }
}

/// Goes through all stages. The record keeps their reports, even if a later stage fails.
fn all_stages<'a>(
    session: Session<'a, Spawned>,
    joined: Option<Joined>,
    quota: Quota,
    record: &mut LaunchRecord,
) -> Reached<'a, Over> {
    let (session, base_memory_bytes) = session.greet()?;
    record.base_memory_bytes = Some(base_memory_bytes);
    let (session, loaded) = session.load()?;
    keep_loaded(record, loaded);
    let (session, set_up) = session.set_up()?;
    record.huge_bytes = set_up.huge_bytes;
    record.missing.extend(set_up.missing);
    let (session, _) = session.verify()?;
    // From here on it would look up beside what is measured.
    drop(joined);
    let (session, plan) = session.calibrate()?;
    record.plan = Some(plan);
    let session = match session.settings().scenario {
        None => sample(session, quota, record)?,
        Some(scenario) => {
            let (session, queries) = session.play(scenario, quota.budget_ns)?;
            record.load = Some(LoadRecord::new(scenario, queries));
            session
        }
    };
    let (session, metrics) = session.process_results()?;
    record.custom = metrics;
    let (over, finished) = session.finish()?;
    record.peak_memory_bytes = Some(finished.peak_memory_bytes);
    record.side_effects = finished.side_effects;
    record.refused_calls = finished.refused_calls;
    Ok(over)
}

fn keep_loaded(record: &mut LaunchRecord, loaded: LoadReport) {
    record.engine = Some(loaded.engine);
    record.isolation = loaded.isolation;
    record.store_bypass = loaded.store_bypass;
    match loaded.pinned_cpus.as_slice() {
        [one] => record.pinned_cpu = Some(*one),
        _ => record.pinned_cpus = loaded.pinned_cpus,
    }
    record.counters = loaded.counters.into_iter().map(|name| (name, Vec::new())).collect();
    record.missing.extend(loaded.missing);
}

/// Takes samples, and also measures the energy if counters were requested.
fn sample<'a>(
    session: Session<'a, Calibrated>,
    quota: Quota,
    record: &mut LaunchRecord,
) -> Reached<'a, Calibrated> {
    let meter = session.settings().counters.then(EnergyMeter::start);
    let (session, report) = session.sample(quota, &mut |batch| keep_batch(record, batch))?;
    record.retaken = report.retaken;
    record.environment.preemptions = Some(report.preemptions);
    if !record.counters.is_empty() && record.counters.values().all(Vec::is_empty) {
        record.missing.push("nothing was counted: other programs had the processor's counters".to_owned());
        record.counters.clear();
    }
    let iterations: u64 = record.samples.iter().map(|sample| sample.iterations).sum();
    match meter.map(EnergyMeter::stop) {
        Some(Ok(joules)) => record.energy_j = Some(joules / iterations.max(1) as f64),
        Some(Err(why)) => record.missing.push(why),
        None => {}
    }
    Ok(session)
}

/// Keeps samples, and the counts during them per iteration.
fn keep_batch(record: &mut LaunchRecord, Batch { samples, counts }: Batch) {
    for (sample, row) in samples.iter().zip(counts) {
        for (values, count) in record.counters.values_mut().zip(row.into_iter().flatten()) {
            values.push(count / sample.iterations.max(1) as f64);
        }
    }
    record.samples.extend(samples);
}

/// Files and folders that lie in the worker's directory, which was empty. What cannot be read counts as nothing.
fn files_in(directory: &Path) -> u32 {
    std::fs::read_dir(directory).map_or(0, |entries| u32::try_from(entries.count()).unwrap_or(u32::MAX))
}
