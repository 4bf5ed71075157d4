//! The layers that are put on between reading a plugin and loading it: what they forbid, its initialisers cannot do either.

#![allow(unsafe_code, reason = "variables of a process are only safe to set while it has one thread")]

use std::{env, fs, os::fd::OwnedFd};

use dyno_core::{model::IsolationLayer, protocol::Confinement};

use super::{calls, capabilities, connect, files, foreign::Foreign, proof, speculation::store_bypass};

/// Layers that are in force and proven, and a sentence about each that is not.
#[derive(Debug, Default)]
pub struct Confined {
    /// Layers that hold.
    pub layers: Vec<IsolationLayer>,
    /// What foreign code can do without those that are not in force, and why they are not.
    pub absent: Vec<(IsolationLayer, String)>,
    /// What else is not as it was asked for.
    pub remarks: Vec<String>,
}

impl Confined {
    /// The words of the layers that hold.
    pub fn words(&self) -> impl Iterator<Item = String> {
        self.layers.iter().map(|layer| layer.word().to_owned())
    }

    /// All sentences about what is missing.
    #[must_use]
    pub fn into_missing(self) -> Vec<String> {
        self.absent.into_iter().map(|(_, sentence)| sentence).chain(self.remarks).collect()
    }
}

/// Puts the layers on this process. `host`: the process that nothing here may reach. `connections`: where the host is asked for
/// those to what was granted.
pub fn confine(asked: &Confinement, foreign: Foreign<'_>, host: u32, connections: Vec<OwnedFd>) -> Confined {
    for (name, value) in &asked.environment {
        // SAFETY: a process that confines itself has one thread, since it has loaded nothing of others yet.
        unsafe { env::set_var(name, value) };
    }
    let mut confined = Confined::default();
    if !asked.full {
        confined.remarks.push(
            match foreign {
                Foreign::Native { .. } => {
                    "the plugin has this user's rights, as `--isolation basic` asks for"
                }
                Foreign::Component { .. } => {
                    "only the WASM engine isolates the plugin, as `--isolation basic` asks for"
                }
            }
            .to_owned(),
        );
        return confined;
    }
    // Both kinds of rules bind the thread that asks for them, and what it starts.
    if fs::read_dir("/proc/self/task").map_or(0, Iterator::count) != 1 {
        confined.remarks.push(
            "the process has several threads, so that no rules would bind all of them; please report it"
                .to_owned(),
        );
        return confined;
    }
    let bypass = store_bypass();
    let given_up = capabilities::give_up();
    let filed = files::confine(foreign, &asked.read);
    let is_networked = !connections.is_empty();
    let filtered = calls::filter(is_networked);
    connect::through(connections);
    let closed = filtered.clone().and_then(|()| {
        if is_networked {
            proof::other_network().and(Err(asked.connections().unwrap_or_default()))
        } else {
            proof::network()
        }
    });
    let mut put_on = |layer: IsolationLayer, outcome: Result<(), String>| match outcome {
        Ok(()) => confined.layers.push(layer),
        Err(why) => {
            // A connection that was granted needs no fault.
            let is_granted = layer == IsolationLayer::NoNetwork && is_networked;
            let how = match foreign {
                Foreign::Component { .. } if !is_granted => "with a fault of the WASM engine, ",
                _ => "",
            };
            confined.absent.push((layer, format!("{how}{}: {why}", layer.absent())));
        }
    };
    put_on(IsolationLayer::NoCapabilities, given_up);
    put_on(IsolationLayer::FileRules, filed.and_then(|()| proof::files()));
    put_on(IsolationLayer::NoNetwork, closed);
    put_on(IsolationLayer::NoSignals, filtered.clone().and_then(|()| proof::signals(host)));
    put_on(IsolationLayer::CallFilter, filtered.and_then(|()| proof::memory(host)));
    // The proofs are not the plugin's doing.
    drop(calls::take_refused_calls());
    if store_bypass() != bypass {
        confined.remarks.push(
            "the filter of system calls changed how the processor speculates past stores, which changes times"
                .to_owned(),
        );
    }
    confined
}
