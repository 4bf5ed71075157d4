//! Use cases: running a request.

use std::{path::PathBuf, sync::Arc};

use dyno_core::model::{
    DeviceInfo, DeviceKind, Event, Machine, PluginRef, RESULT_SCHEMA, RESULT_VERSION, RunRecord, RunSpec,
    RunStatus, Source,
};

use dyno_plugin_api::descriptor::Descriptor;

use super::{backend::Backend, error::AppError, root::App, workers::workers};
use crate::{
    catalog::{self, CachePart, Catalog, ContentStore},
    devices, pool,
    runner::{self, Cancel, Dispatcher, LaunchFolder, Planned},
    source,
    store::Store,
};

/// Running requests.
#[derive(Debug, Clone, Copy)]
pub struct Runs<'a>(&'a App);

impl App {
    /// The use cases of running.
    #[must_use]
    pub fn runs(&self) -> Runs<'_> {
        Runs(self)
    }
}

impl Runs<'_> {
    /// The cases of a request.
    ///
    /// # Errors
    /// When a benchmark, parameter or device is not known.
    pub fn plan(&self, spec: &RunSpec) -> Result<Vec<Planned>, AppError> {
        devices::check_cpus(&spec.settings.cpus)?;
        let catalog = self.0.plugins().catalog();
        self.expanded(spec, &catalog, &self.builds(spec, &catalog)?)
    }

    /// Runs a request. Everything is in the database before it is announced.
    ///
    /// # Errors
    /// When the request cannot be met or the host fails; never because a benchmark fails.
    pub fn run(
        &self,
        spec: RunSpec,
        cancel: &Cancel,
        announce: &mut dyn FnMut(&Event),
    ) -> Result<RunRecord, AppError> {
        let source = source::current();
        let local = match &self.0.backend {
            Backend::Local(local) => local,
            Backend::Remote(server) => return server.carry_out(&spec, source.as_ref(), cancel, announce),
        };
        let mut prepared = self.prepare(spec, source)?;
        if cancel.is_set() {
            return Err(AppError::Cancelled);
        }
        let mut store = local.store(cancel, announce)?;
        self.carry_out(&mut prepared, &mut store, cancel, announce)?;
        Ok(prepared.record)
    }

    /// The record and cases of a request, before anything runs.
    pub(super) fn prepare(&self, spec: RunSpec, source: Option<Source>) -> Result<Prepared, AppError> {
        spec.check().map_err(AppError::Settings)?;
        devices::check_cpus(&spec.settings.cpus)?;
        let catalog = self.0.plugins().catalog();
        let builds = self.builds(&spec, &catalog)?;
        let planned = self.expanded(&spec, &catalog, &builds)?;
        let record = RunRecord {
            schema: RESULT_SCHEMA.to_owned(),
            version: RESULT_VERSION,
            id: uuid::Uuid::now_v7().to_string(),
            created_at: crate::timestamp::now(),
            finished_at: None,
            status: RunStatus::Running,
            spec,
            dyno_version: env!("CARGO_PKG_VERSION").to_owned(),
            source,
            machine: Machine { devices: used_devices(&planned), ..self.0.hardware().machine() },
            cases: planned.iter().zip(0..).map(|(case, index)| case.record(index)).collect(),
        };
        Ok(Prepared { record, planned, catalog, builds })
    }

    /// The builds that a request names by their hash.
    fn builds(&self, spec: &RunSpec, catalog: &Catalog) -> Result<Catalog, AppError> {
        let hashes = spec.requests.iter().filter_map(|request| request.sha256.as_deref());
        let settings = &self.0.settings;
        let store = CachePart::Plugins.folder(settings.cache_folder()?);
        Ok(catalog.builds(hashes, &store, &settings.trust.value))
    }

    fn expanded(
        &self,
        spec: &RunSpec,
        catalog: &Catalog,
        builds: &Catalog,
    ) -> Result<Vec<Planned>, AppError> {
        let devices = self.0.hardware().requested(&spec.requests)?;
        runner::expand(spec, catalog, builds, &devices).map_err(|error| {
            // The missing plugin may be in a file that could not be read.
            catalog.fault.clone().map_or_else(|| error.into(), AppError::Host)
        })
    }

    /// Prepares for launches: opens the store of verified bytes and a private folder for compiled code, and makes this process the
    /// parent of processes that plugins leave behind.
    pub(super) fn ready_to_launch(&self) -> Result<(ContentStore, PathBuf), AppError> {
        let cache = self.0.settings.cache_folder()?;
        let content = ContentStore::open(&CachePart::Plugins.folder(cache), &self.0.settings.trust.value)?;
        let code_cache = CachePart::CompiledCode.folder(cache);
        catalog::own_folder(&code_cache, "compiled code")?;
        catalog::prune_cache(cache, self.0.settings.cache_limit_bytes.value);
        pool::adopt_orphans();
        runner::sweep();
        // A fault of the folder is reported before anything is measured.
        drop(LaunchFolder::new()?);
        Ok((content, code_cache))
    }

    /// Runs a prepared request.
    pub(super) fn carry_out(
        &self,
        prepared: &mut Prepared,
        store: &mut Store,
        cancel: &Cancel,
        announce: &mut dyn FnMut(&Event),
    ) -> Result<(), AppError> {
        let (content, code_cache) = self.ready_to_launch()?;
        let Prepared { record, planned, catalog, builds } = prepared;
        let used: Vec<(&PluginRef, &Descriptor)> = catalog
            .entries
            .iter()
            .chain(
                builds
                    .entries
                    .iter()
                    .filter(|build| catalog.entries.iter().all(|it| it.sha256 != build.sha256)),
            )
            .filter_map(|entry| {
                let used = planned.iter().find(|case| case.plugin.sha256 == entry.sha256)?;
                Some((used.plugin.as_ref(), &entry.descriptor))
            })
            .collect();
        store.record_plugins(&used, &record.created_at)?;
        let mut dispatcher = Dispatcher {
            store,
            content: &content,
            worker: workers(&self.0.settings),
            code_cache,
            leases: self.0.hardware().leases()?,
            missing: &|device, freshness| self.0.hardware().missing(device, freshness),
            cancel: cancel.clone(),
            announce,
        };
        Ok(dispatcher.run(record, planned)?)
    }
}

/// A request with its cases.
pub(super) struct Prepared {
    pub(super) record: RunRecord,
    pub(super) planned: Vec<Planned>,
    catalog: Arc<Catalog>,
    /// Those that the request names by their hash.
    builds: Catalog,
}

/// The distinct devices of the cases, except the CPU, which the machine describes.
fn used_devices(planned: &[Planned]) -> Vec<DeviceInfo> {
    let mut used: Vec<DeviceInfo> = Vec::new();
    for device in planned.iter().map(|case| &case.device).filter(|device| device.kind != DeviceKind::Cpu) {
        if used.iter().all(|other| other.name != device.name) {
            used.push(device.clone());
        }
    }
    used
}
