//! The layers between a plugin and the machine: those that the host puts on, and those that the kernel refused.

use dyno_core::{
    model::{IsolationLayer, Layout},
    protocol::Load,
};

use super::Assignment;
use crate::pool::{self, Worker};

/// Checks the layer that the host puts on, if it is demanded, and takes it from those that the worker is to check. `Err`: the sentence
/// of the failure.
pub(super) fn demand_of_host(load: &mut Load, worker: &Worker) -> Result<(), String> {
    let required = &mut load.confinement.required;
    let before = required.len();
    required.retain(|layer| *layer != IsolationLayer::ControlGroup);
    if required.len() == before {
        return Ok(());
    }
    if let Some(why) = worker.ungrouped() {
        return Err(IsolationLayer::ControlGroup.lacking(Some(why)));
    }
    IsolationLayer::demand(required, &[IsolationLayer::KEEPS_IN_GROUP]);
    Ok(())
}

/// A sentence for each layer that this worker needs and that is not in `layers`, and one if processes that leave its group cannot
/// be adopted.
pub(super) fn unmet(assignment: &Assignment<'_>, layers: &[String]) -> Vec<String> {
    let always = [
        (
            "closed_descriptors",
            "the kernel refused to close what the worker inherited (close_range, Linux 5.9): the plugin may find it open",
        ),
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
