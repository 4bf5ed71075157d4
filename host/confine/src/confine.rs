//! The layers that are put on between reading a plugin and loading it: what they forbid, its initialisers cannot do either.

#![allow(unsafe_code, reason = "variables of a process are only safe to set while it has one thread")]

use std::{env, fs, os::fd::OwnedFd, path::Path};

use dyno_core::{model::IsolationLayer, protocol::Confinement};

use super::{calls, capabilities, connect, files, proof};

/// Layers that are in force and proven, and a sentence for each that is not.
#[derive(Debug, Default)]
pub struct Confined {
    /// Words of the layers.
    pub layers: Vec<String>,
    /// What foreign code can do without those that are not in force, and why they are not.
    pub missing: Vec<String>,
}

/// Puts the layers on this process. `folder`: where foreign code may write. `host`: the process that nothing here may reach.
/// `uses_accelerator`: whether it may use a device besides the CPU. `connections`: where the host is asked for those to what was granted.
pub fn confine(
    asked: &Confinement,
    folder: &Path,
    host: u32,
    uses_accelerator: bool,
    connections: Vec<OwnedFd>,
) -> Confined {
    for (name, value) in &asked.environment {
        // SAFETY: a process that confines itself has one thread, since it has loaded nothing of others yet.
        unsafe { env::set_var(name, value) };
    }
    let mut confined = Confined::default();
    if !asked.full {
        confined
            .missing
            .push("the plugin has this user's rights, as `--isolation basic` asks for".to_owned());
        return confined;
    }
    // Both kinds of rules bind the thread that asks for them, and what it starts.
    if fs::read_dir("/proc/self/task").map_or(0, Iterator::count) != 1 {
        confined.missing.push(
            "the process has several threads, so that no rules would bind all of them; please report it"
                .to_owned(),
        );
        return confined;
    }
    let speculation = speculation();
    let given_up = capabilities::give_up();
    let filed = files::confine(folder, &asked.read, uses_accelerator);
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
        Ok(()) => confined.layers.push(layer.word().to_owned()),
        Err(why) => confined.missing.push(format!("{}: {why}", layer.absent())),
    };
    put_on(IsolationLayer::NoCapabilities, given_up);
    put_on(IsolationLayer::FileRules, filed.and_then(|()| proof::files()));
    put_on(IsolationLayer::NoNetwork, closed);
    put_on(IsolationLayer::NoSignals, filtered.clone().and_then(|()| proof::signals(host)));
    put_on(IsolationLayer::CallFilter, filtered.and_then(|()| proof::memory(host)));
    // The proofs are not the plugin's doing.
    drop(calls::take_refused_calls());
    let now = self::speculation();
    if now != speculation {
        confined.missing.push(format!(
            "the filter of system calls changed how the processor speculates, which changes times (from {speculation} to {now})"
        ));
    }
    confined
}

/// How the kernel lets this thread speculate past stores.
fn speculation() -> String {
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("Speculation_Store_Bypass:"));
    line.map_or_else(|| "not known".to_owned(), |value| value.trim().to_owned())
}
