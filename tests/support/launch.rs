//! A worker, spoken to as the host does, whatever the host thinks of the device.

use std::{
    fs,
    path::Path,
    process::Command,
    time::{Duration, Instant},
};

use dyno_core::{
    model::{DeviceKind, Layout, Pages, ParamValue, Params, PluginKind},
    protocol::{Confinement, DeviceGrant, Load, PROTOCOL_VERSION, Reply, Request},
    text::hex,
};
use dyno_host::pool::{Unsolicited, Worker, WorkerCommand};
use indexmap::IndexMap;
use sha2::{Digest, Sha256};

const MEMORY_LIMIT_BYTES: u64 = 8 << 30;
/// No answer takes longer, however busy the machine is.
const PATIENCE: Duration = Duration::from_secs(60);

/// One launch of a plugin in a worker, which ends with it.
pub(crate) struct Launch {
    pub(crate) worker: Worker,
    directory: tempfile::TempDir,
    pub(crate) log: Vec<String>,
}

impl Launch {
    pub(crate) fn new() -> Self {
        let directory = tempfile::tempdir().expect("the temporary directory is writable");
        // The pool takes children of this process that it did not start for orphans of its worker, and kills them, unless
        // there were children already when its first worker began: here, those of other tests come and go. An unburied
        // child is one.
        let mut stranger = Command::new("true").spawn().expect("`true` is a program");
        let worker = Worker::spawn(&WorkerCommand {
            program: Path::new(env!("CARGO_BIN_EXE_dyno")).with_file_name("dyno-worker"),
            directory: directory.path().to_owned(),
            layout: Layout::Fixed,
            memory_limit_bytes: MEMORY_LIMIT_BYTES,
        });
        stranger.wait().expect("it was started here");
        let mut launch = Self { worker: worker.expect("the worker starts"), directory, log: Vec::new() };
        launch.ask(&Request::Hello { protocol: PROTOCOL_VERSION });
        launch
    }

    /// Asks and waits for the answer; what is logged meanwhile is kept.
    pub(crate) fn ask(&mut self, request: &Request) -> Reply {
        let Self { worker, log, .. } = self;
        let deadline = Instant::now() + PATIENCE;
        let asked = worker.request(request, deadline, &|| false);
        let answer = asked.and_then(|()| {
            worker.listen(deadline, &|| false, &mut |heard| {
                if let Unsolicited::Log(line) = heard {
                    log.push(line);
                }
            })
        });
        answer.unwrap_or_else(|why| panic!("{why:?} at {request:?}: {:?}", worker.last_output()))
    }

    /// Loads a benchmark for the device of that kind and number, whether or not there is one.
    pub(crate) fn load(
        &mut self,
        plugin: &Path,
        benchmark: &str,
        params: Params,
        kind: DeviceKind,
        index: u32,
    ) -> Reply {
        let bytes = fs::read(plugin).expect("the plugin is readable");
        let named = params.values().filter_map(|value| match value {
            ParamValue::Text(text) if text.starts_with('/') => Some(text.into()),
            _ => None,
        });
        let confinement = Confinement {
            full: true,
            read: named.collect(),
            environment: IndexMap::new(),
            connect: Vec::new(),
            required: Vec::new(),
        };
        self.ask(&Request::Load(Box::new(Load {
            path: plugin.to_owned(),
            sealed: None,
            sha256: hex(&Sha256::digest(&bytes)),
            libraries: Vec::new(),
            missing: Vec::new(),
            kind: PluginKind::Native,
            benchmark: benchmark.to_owned(),
            params,
            seed: 1,
            device: DeviceGrant { name: format!("{kind}:{index}"), index, threads: 0 },
            metrics: Vec::new(),
            code_cache: self.directory.path().to_owned(),
            memory_limit_bytes: MEMORY_LIMIT_BYTES,
            pages: Pages::Normal,
            cpus: Vec::new(),
            realtime: false,
            counters: false,
            confinement,
        })))
    }
}
