//! The composition root: what the command line and the server can ask for. Opens catalog, devices, store and runner;
//! each method is one use case.

mod cache;
mod database;
mod doctor;
mod hardware;
mod queue;
mod remote;
mod seed;
mod verdicts;

use std::{
    collections::BTreeSet,
    fs, io,
    path::{Path, PathBuf},
    sync::OnceLock,
};

use dyno_core::model::{
    DeviceInfo, DeviceKind, Event, Machine, RESULT_SCHEMA, RESULT_VERSION, RunRecord, RunSpec, RunStatus,
    Source,
};

use self::{database::Database, remote::Client};
use crate::{
    catalog::{self, ContentStore, ContentStoreError},
    client::ServerError,
    config::{ConfigError, Resolved},
    devices,
    fault::{HostFault, Place, Resource},
    lease::LeaseError,
    pool,
    runner::{self, Dispatcher, ExpandError, LaunchFolder, RunError},
    store::{Store, StoreError},
};
// What the methods below take and give: `cli` and `server` know no room but this one.
pub use dyno_core::stats::CompareOptions;

pub use self::{queue::NewRun, seed::seed, verdicts::AaNews};
pub use crate::{
    catalog::{Catalog, Entry, Problem, Severity, is_plugin_path},
    devices::Freshness,
    lease::{Holder, Reach, Standing},
    runner::{Cancel, DuelNews, DuelOptions, Obstacle, Planned, is_ignored},
    store::{
        Annotation, Audited, ModelRow, Noise, PerformanceFilter, PerformanceRow, Priority, Queued, RunEnd,
        RunFilter, RunSummary, SqlAnswer, SqlBrake, SqlCaller, SqlColumn, SqlError, SqlLimits, Submission,
    },
};

/// Why a use case could not be carried out.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum AppError {
    /// The request cannot be met; the user can mend it.
    #[error(transparent)]
    Request(#[from] ExpandError),
    /// The database refused.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The run could not go on.
    #[error(transparent)]
    Run(#[from] RunError),
    /// The files of leases cannot be used.
    #[error(transparent)]
    Lease(#[from] LeaseError),
    /// The device is not known.
    #[error(transparent)]
    Device(#[from] devices::UnknownDevice),
    /// The folder of verified bytes cannot be used.
    #[error(transparent)]
    Content(#[from] ContentStoreError),
    /// There is no database yet.
    #[error("there is no database `{}`; run a benchmark first, or give --db-path", .0.display())]
    NoDatabase(PathBuf),
    /// Something of the system is not as it must be.
    #[error("{what}: {source}")]
    System {
        /// What was tried.
        what: String,
        /// What the system said.
        source: io::Error,
    },
    /// A resource of the host ran out, or a folder of it cannot be used.
    #[error(transparent)]
    Host(#[from] HostFault),
    /// A setting of the request is out of bounds.
    #[error("{0}")]
    Settings(String),
    /// A setting is missing.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// A processor that cannot be measured was asked for.
    #[error(transparent)]
    Cpus(#[from] devices::BadCpus),
    /// A side of a comparison is not there.
    #[error("{0}")]
    Side(String),
    /// SQL was refused.
    #[error(transparent)]
    Sql(#[from] SqlError),
    /// A plugin was switched off by the operator.
    #[error("the plugin `{0}` is switched off on this server; an operator can switch it on again")]
    PluginOff(String),
    /// The run is not in a state for that.
    #[error("run `{run}` is {status}; {hint}")]
    State {
        /// The run.
        run: String,
        /// How it stands.
        status: &'static str,
        /// What can be done.
        hint: String,
    },
    /// A plugin file that was named cannot be used.
    #[error("the plugin `{0}`")]
    File(Problem),
    /// A server runs what lies in its own folders.
    #[error(
        "`{}` cannot be run through the server {server}, which runs the plugins in its own folders; copy the file into one of \
         them, or run it here with another database: --db-path FILE", file.display()
    )]
    NotThere {
        /// The file.
        file: PathBuf,
        /// Address of the server.
        server: String,
    },
    /// The server that owns the database refused, or cannot be reached.
    #[error(transparent)]
    Server(#[from] ServerError),
    /// The user gave up before anything began.
    #[error("cancelled")]
    Cancelled,
}

impl AppError {
    /// What the machine did not give, where that is why.
    #[must_use]
    pub fn resource(&self) -> Option<Resource> {
        match self {
            Self::Store(error) | Self::Run(RunError::Store(error)) => error.resource(),
            Self::Host(fault)
            | Self::Run(RunError::Host(fault))
            | Self::Content(ContentStoreError::Host(fault)) => Some(fault.resource()),
            Self::System { source, .. } => Some(Resource::of(source)),
            _ => None,
        }
    }

    /// Whether the request is at fault, as it stands now; else the host is.
    fn is_of_the_request(&self) -> bool {
        match self {
            Self::Request(_)
            | Self::Device(_)
            | Self::Settings(_)
            | Self::Cpus(_)
            | Self::Side(_)
            | Self::File(_)
            | Self::NotThere { .. }
            | Self::PluginOff(_) => true,
            Self::Store(_)
            | Self::Run(_)
            | Self::Lease(_)
            | Self::Content(_)
            | Self::NoDatabase(_)
            | Self::System { .. }
            | Self::Host(_)
            | Self::Config(_)
            | Self::Sql(_)
            | Self::State { .. }
            | Self::Server(_)
            | Self::Cancelled => false,
        }
    }
}

/// The application with its settings.
#[derive(Debug)]
pub struct App {
    settings: Resolved,
    /// The database, where this process keeps it open: a server does.
    database: Option<Database>,
    /// The server that owns the database, where one does: it is asked instead.
    server: Option<Client>,
    /// The plugin files that were named, in place of the plugin folders.
    files: Option<Catalog>,
    /// What a command found in the plugin folders: it looks once, however often it asks.
    scanned: OnceLock<Catalog>,
    /// The user's wish to stop: every wait of this application looks at it.
    cancel: Cancel,
}

impl App {
    /// An application with these settings. Opens nothing yet.
    #[must_use]
    pub fn new(settings: Resolved) -> Self {
        Self {
            settings,
            database: None,
            server: None,
            files: None,
            scanned: OnceLock::new(),
            cancel: Cancel::default(),
        }
    }

    /// The user's wish to stop, which every wait looks at.
    #[must_use]
    pub fn cancel(&self) -> Cancel {
        self.cancel.clone()
    }

    /// The settings.
    #[must_use]
    pub fn settings(&self) -> &Resolved {
        &self.settings
    }

    /// The same application with plugin files in place of the plugin folders; with these where none is given.
    ///
    /// # Errors
    /// When a file is not a plugin, or a server would have to run it.
    pub fn with_files(mut self, files: &[PathBuf]) -> Result<Self, AppError> {
        if let Some(file) = files.first() {
            if let Some(server) = self.server_url() {
                return Err(AppError::NotThere { file: file.clone(), server: server.to_owned() });
            }
            self.files = Some(Catalog::of_files(files).map_err(AppError::File)?);
        }
        Ok(self)
    }

    /// What the authors of the plugins that a request names would want to know, a sentence each.
    ///
    /// # Errors
    /// When a server refuses to list its plugins.
    pub fn warnings(&self, spec: &RunSpec) -> Result<Vec<String>, AppError> {
        let catalog = self.listed()?;
        let found = spec.requests.iter().flat_map(|request| {
            // What cannot be found is said when the request is carried out.
            catalog.resolve(&request.benchmark, request.engine).unwrap_or_default()
        });
        let sentences: BTreeSet<String> = found
            .flat_map(|one| {
                one.entry.warnings.iter().map(|warning| format!("{}: {warning}", one.entry.path.display()))
            })
            .collect();
        Ok(sentences.into_iter().collect())
    }

    /// The plugins in the plugin folders, or those in the files that were named. Reads files, runs nothing.
    #[must_use]
    pub fn catalog(&self) -> Catalog {
        if let Some(named) = &self.files {
            return named.clone();
        }
        let scan = || Catalog::scan(&self.settings.plugins.value, self.settings.cache.value.as_deref());
        // A server lives for months, while plugins come and go.
        let is_serving = self.database.is_some();
        if is_serving { scan() } else { self.scanned.get_or_init(scan).clone() }
    }

    /// One plugin file, wherever it is. Reads it, runs nothing.
    ///
    /// # Errors
    /// One line that says what is wrong with it.
    pub fn plugin_file(&self, path: &Path) -> Result<Entry, Problem> {
        catalog::read_file(path)
    }

    /// The machine.
    #[must_use]
    pub fn machine(&self) -> Machine {
        devices::machine()
    }

    /// The cases that a request makes.
    ///
    /// # Errors
    /// When a benchmark, parameter or device is not known.
    pub fn plan(&self, spec: &RunSpec) -> Result<Vec<Planned>, AppError> {
        devices::check_cpus(&spec.settings.cpus)?;
        self.expanded(spec, &self.catalog())
    }

    fn expanded(&self, spec: &RunSpec, catalog: &Catalog) -> Result<Vec<Planned>, AppError> {
        runner::expand(spec, catalog, &self.devices_for(&spec.requests)?).map_err(|error| {
            // What is not found may be in what could not be read.
            catalog.fault.clone().map_or_else(|| error.into(), AppError::Host)
        })
    }

    /// Runs a request. Everything is in the database before it is announced.
    ///
    /// # Errors
    /// When the request cannot be met or the host itself fails; never because a benchmark fails.
    pub fn run(
        &self,
        spec: RunSpec,
        cancel: &Cancel,
        announce: &mut dyn FnMut(&Event),
    ) -> Result<RunRecord, AppError> {
        let source = crate::source::current();
        if let Some(server) = &self.server {
            return server.run(&spec, source.as_ref(), cancel, announce);
        }
        let mut prepared = self.prepare(spec, source)?;
        if cancel.is_set() {
            return Err(AppError::Cancelled);
        }
        let mut store = self.open_store(cancel, announce)?;
        self.carry_out(&mut prepared, &mut store, cancel, announce)?;
        Ok(prepared.record)
    }

    /// Cases and record of a request, before anything happened.
    fn prepare(&self, spec: RunSpec, source: Option<Source>) -> Result<Prepared, AppError> {
        spec.check().map_err(AppError::Settings)?;
        devices::check_cpus(&spec.settings.cpus)?;
        let catalog = self.catalog();
        let planned = self.expanded(&spec, &catalog)?;
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
            machine: Machine { devices: used_devices(&planned), ..self.machine() },
            cases: planned.iter().zip(0..).map(|(case, index)| case.record(index)).collect(),
        };
        Ok(Prepared { record, planned, catalog })
    }

    /// What every launch needs: the store of verified bytes, a private folder for compiled code, and this process as the
    /// parent of what plugins leave behind.
    fn ready_to_launch(&self) -> Result<(ContentStore, PathBuf), AppError> {
        let cache = self.settings.cache_folder()?;
        let content = ContentStore::open(&cache.join("plugins"))?;
        let code_cache = cache.join("code");
        private_folder(&code_cache)?;
        catalog::prune_cache(cache, self.settings.cache_limit_bytes.value);
        pool::adopt_orphans();
        runner::sweep();
        // Said before anything is measured, too.
        drop(LaunchFolder::new()?);
        Ok((content, code_cache))
    }

    /// Runs what was prepared.
    fn carry_out(
        &self,
        prepared: &mut Prepared,
        store: &mut Store,
        cancel: &Cancel,
        announce: &mut dyn FnMut(&Event),
    ) -> Result<(), AppError> {
        let (content, code_cache) = self.ready_to_launch()?;
        let Prepared { record, planned, catalog } = prepared;
        let used: Vec<_> = catalog
            .entries
            .iter()
            .filter_map(|entry| {
                let used = planned.iter().find(|case| case.plugin.sha256 == entry.sha256)?;
                Some((used.plugin.clone(), &entry.descriptor))
            })
            .collect();
        store.record_plugins(&used, &record.created_at)?;
        let mut dispatcher = Dispatcher {
            store,
            content: &content,
            worker: self.settings.worker.value.clone(),
            code_cache,
            leases: self.leases()?,
            missing: &|device, freshness| self.missing(device, freshness),
            cancel: cancel.clone(),
            announce,
        };
        Ok(dispatcher.run(record, planned)?)
    }

    /// A stored run: by identifier, by an unambiguous beginning of it, or `last`.
    ///
    /// # Errors
    /// When there is no database, or no such run.
    pub fn stored_run(&self, selector: &str, with_samples: bool) -> Result<RunRecord, AppError> {
        if let Some(server) = &self.server {
            return server.stored_run(selector, with_samples);
        }
        Ok(self.read_store()?.run(selector, with_samples)?)
    }

    /// Stored runs, newest first.
    ///
    /// # Errors
    /// When there is no database, or it cannot be read.
    pub fn stored_runs(&self, filter: &RunFilter) -> Result<Vec<RunSummary>, AppError> {
        if let Some(server) = &self.server {
            return server.stored_runs(filter);
        }
        Ok(self.read_store()?.runs(filter)?)
    }

    /// Writes the samples of a stored run as a Parquet file.
    ///
    /// # Errors
    /// When there is no such run, or the file cannot be written.
    pub fn write_parquet(&self, selector: &str, path: &Path) -> Result<(), AppError> {
        if let Some(server) = &self.server {
            return server.write_parquet(selector, path);
        }
        Ok(self.read_store()?.write_parquet(selector, path)?)
    }
}

/// A request with its cases.
struct Prepared {
    record: RunRecord,
    planned: Vec<Planned>,
    catalog: Catalog,
}

/// The devices that cases are to run on, each once. The processor is described by the machine itself.
fn used_devices(planned: &[Planned]) -> Vec<DeviceInfo> {
    let mut used: Vec<DeviceInfo> = Vec::new();
    for device in planned.iter().map(|case| &case.device).filter(|device| device.kind != DeviceKind::Cpu) {
        if used.iter().all(|other| other.name != device.name) {
            used.push(device.clone());
        }
    }
    used
}

/// Makes a folder that only this user can enter: compiled code is loaded from it.
fn private_folder(path: &Path) -> Result<(), AppError> {
    use std::os::unix::fs::{DirBuilderExt, PermissionsExt};

    let made = fs::DirBuilder::new().recursive(true).mode(0o700).create(path);
    made.and_then(|()| fs::set_permissions(path, fs::Permissions::from_mode(0o700))).map_err(|error| {
        HostFault::new(format!("cannot make the folder `{}`", path.display()), &error, Place::Cache).into()
    })
}
