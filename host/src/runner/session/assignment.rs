//! The assignment of a worker: a case, and the conditions under which it is measured.

use std::path::{Path, PathBuf};

use dyno_core::{
    model::{DeviceKind, Params, Settings},
    protocol::{DeviceGrant, Library, Load},
};

use crate::{
    catalog::Verified,
    devices::{Joined, Placement, join},
    pool::WorkerCommand,
    runner::{Cancel, Planned, Workers},
};

/// Everything that a session needs.
#[derive(Debug)]
pub(in crate::runner) struct Assignment<'a> {
    pub(in crate::runner) case: &'a Planned,
    pub(in crate::runner) settings: &'a Settings,
    /// The program of workers, and what plugins may do.
    pub(in crate::runner) worker: Workers,
    /// The verified bytes of the plugin.
    pub(in crate::runner) bytes: Verified,
    /// Where compiled WASM code is kept.
    pub(in crate::runner) code_cache: PathBuf,
    /// Where the worker runs.
    pub(in crate::runner) placement: Placement,
    /// The seed of its inputs.
    pub(in crate::runner) seed: u64,
    pub(in crate::runner) cancel: &'a Cancel,
}

impl Assignment<'_> {
    /// How its worker is started in an empty folder.
    pub(super) fn command(&self, folder: &Path) -> WorkerCommand {
        WorkerCommand {
            program: self.worker.program.clone(),
            directory: folder.to_owned(),
            layout: self.settings.layout,
            memory_limit_bytes: self.settings.memory_limit_bytes,
        }
    }

    /// Moves this thread to the worker's processor while the two take turns. Not with real-time priority: the host could not
    /// interrupt such a worker on its own processor.
    pub(in crate::runner) fn join(&self) -> Option<Joined> {
        if self.settings.realtime { None } else { join(&self.placement.cpus) }
    }

    /// The request that names the plugin and the case.
    pub(super) fn load(&self) -> Load {
        let case = self.case;
        Load {
            path: self.bytes.path.clone(),
            sealed: self.bytes.sealed.as_ref().map(|sealed| sealed.plugin()),
            sha256: case.plugin.sha256.clone(),
            libraries: self.libraries(),
            missing: self.bytes.libraries.missing.clone(),
            kind: case.plugin.kind,
            benchmark: case.benchmark.clone(),
            params: Params::clone(&case.params),
            seed: self.seed,
            device: DeviceGrant {
                name: case.device.name.clone(),
                index: case.device.index,
                threads: if case.device.kind == DeviceKind::Cpu { self.placement.threads } else { 0 },
            },
            metrics: case.metrics.iter().map(|metric| metric.name.clone()).collect(),
            code_cache: self.code_cache.clone(),
            memory_limit_bytes: self.settings.memory_limit_bytes,
            pages: self.settings.pages,
            cpus: self.placement.cpus.clone(),
            realtime: self.settings.realtime,
            counters: self.settings.counters,
            confinement: self.worker.rights.confinement(case, &self.settings.require_isolation),
        }
    }

    /// The libraries that the plugin brings along, with where they are in memory.
    fn libraries(&self) -> Vec<Library> {
        let mut libraries = self.bytes.libraries.brought.clone();
        let sealed = self.bytes.sealed.iter().flat_map(|sealed| sealed.libraries());
        libraries.iter_mut().zip(sealed).for_each(|(library, sealed)| library.sealed = sealed);
        libraries
    }
}
