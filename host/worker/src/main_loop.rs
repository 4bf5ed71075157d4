//! The worker's life: one request, one answer, in the order of the stages; then the end.

use std::{
    env,
    os::fd::OwnedFd,
    panic::{self, AssertUnwindSafe},
    process::ExitCode,
    sync::{Arc, Mutex, PoisonError, atomic::AtomicBool},
};

use dyno_confine::{Confined, Foreign, confine, store_bypass, take_refused_calls};
use dyno_core::{
    model::{IsolationLayer, Pages, SideEffects, is_of_dyno},
    protocol::{Load, PROTOCOL_VERSION, Reply, Request},
};

use crate::{
    channel::{self, Replies, Requests},
    host_side::HostSide,
    instance::{Failure, Instance},
    layers,
    loader::{self, Gate},
    measure::Counters,
    sandbox,
    stages::{Stages, checked, out_of_order},
};

/// Runs the worker of this process.
#[must_use]
pub fn main() -> ExitCode {
    if env::args().nth(1).as_deref() == Some("--layers") {
        return layers::tell();
    }
    let Some(host) = parent_from_arguments() else {
        return refuse("dyno-worker is started by `dyno`, not by hand; try `dyno run`");
    };
    let closed = sandbox::close_inherited();
    let Ok((requests, replies)) = channel::take_stdin() else {
        return refuse(
            "dyno-worker has no channel to a host on its standard input; it is started by `dyno run`",
        );
    };
    let Some(layers) = sandbox::enter(host, closed) else { return ExitCode::SUCCESS };
    let cancelled = Arc::new(AtomicBool::new(false));
    // Without the handler, a cancelled launch is killed after its grace period instead of stopping by itself.
    let _ = signal_hook::flag::register(signal_hook::consts::SIGTERM, Arc::clone(&cancelled));

    // A panic of ours must reach the host as a sentence. (A plugin's own panics never come here: they are caught in it.)
    let message = Arc::new(Mutex::new(String::new()));
    let hook_message = Arc::clone(&message);
    panic::set_hook(Box::new(move |info| {
        *hook_message.lock().unwrap_or_else(PoisonError::into_inner) = info.to_string();
    }));
    let mut session = Session { requests, replies: replies.clone(), cancelled, host, layers };
    match panic::catch_unwind(AssertUnwindSafe(|| session.serve())) {
        Ok(()) => ExitCode::SUCCESS,
        Err(_) => {
            let said = message.lock().unwrap_or_else(PoisonError::into_inner).replace('\n', " ");
            // The host trusts this only if no code of the plugin had run; otherwise the plugin may have caused it.
            replies.send(&Reply::HostFailed {
                doing: "the worker itself failed, please report it".to_owned(),
                code: None,
                said,
            });
            ExitCode::FAILURE
        }
    }
}

/// `--parent PID`: the process that started this one.
fn parent_from_arguments() -> Option<u32> {
    let mut arguments = env::args().skip(1);
    (arguments.next()? == "--parent").then(|| arguments.next()?.parse().ok()).flatten()
}

/// Refuses to load a plugin behind fewer layers than the launch demands.
fn required(load: &Load, layers: &[String], confined: &Confined) -> Result<(), Failure> {
    let held = |layer: &IsolationLayer| {
        confined.layers.contains(layer) || layers.iter().any(|word| word == layer.word())
    };
    let Some(lacking) = load.confinement.required.iter().find(|layer| !held(layer)) else {
        return Ok(());
    };
    let why = confined.absent.iter().find(|(layer, _)| layer == lacking);
    Err(Failure::Error(lacking.lacking(why.map(|(_, sentence)| sentence.as_str()))))
}

/// Calls that were refused may be why the plugin failed.
fn with_refused_calls(message: String) -> String {
    let calls = take_refused_calls();
    if calls.is_empty() {
        return message;
    }
    format!("{message} (the worker refuses plugins the system calls that it made: {})", calls.join(", "))
}

fn refuse(message: &str) -> ExitCode {
    use std::io::Write;

    // A failed write is ignored: standard error is closed.
    let _ = writeln!(std::io::stderr(), "{message}");
    ExitCode::from(2)
}

/// Why the session is over.
enum Over {
    /// The host asked for it, or has gone.
    Done,
    /// A stage failed.
    Failed(Failure),
}

impl From<Failure> for Over {
    fn from(failure: Failure) -> Self {
        Self::Failed(failure)
    }
}

/// Puts the layers on that the launch asks for.
struct WorkersGate<'a> {
    load: &'a Load,
    host: u32,
    connections: Vec<OwnedFd>,
    /// Layers that are in force already.
    layers: &'a [String],
    replies: &'a Replies,
    confined: Confined,
}

impl Gate for WorkersGate<'_> {
    fn confine(&mut self, plugin: Foreign<'_>) -> Result<(), Failure> {
        let connections = std::mem::take(&mut self.connections);
        self.confined = confine(&self.load.confinement, plugin, self.host, connections);
        required(self.load, self.layers, &self.confined)
    }

    fn enter(&mut self) {
        self.replies.send(&Reply::Entering);
    }
}

struct Session {
    requests: Requests,
    replies: Replies,
    cancelled: Arc<AtomicBool>,
    /// The process that started this one.
    host: u32,
    /// Layers of isolation that are in place before the first request.
    layers: Vec<String>,
}

impl Session {
    fn serve(&mut self) {
        if let Err(Over::Failed(failure)) = self.launch() {
            self.report(failure);
        }
    }

    fn report(&self, failure: Failure) {
        self.replies.send(&match failure {
            Failure::Error(message) => Reply::Failed { message: with_refused_calls(message) },
            Failure::Skipped(message) => Reply::Skipped { message },
            Failure::Host { doing, code, said } => Reply::HostFailed { doing, code, said },
        });
    }

    fn next(&mut self) -> Result<Request, Over> {
        match self.requests.next() {
            Ok(Some(request)) => Ok(request),
            Ok(None) => Err(Over::Done),
            Err(error) => {
                Err(Failure::Error(format!("the host sent data that is not a valid request: {error}")).into())
            }
        }
    }

    /// One launch, from the greeting to the end.
    fn launch(&mut self) -> Result<(), Over> {
        self.greet()?;
        let load = match self.next()? {
            Request::Load(load) => load,
            other => return Err(out_of_order(&other, "load").into()),
        };
        let side =
            Arc::new(HostSide::new(self.replies.clone(), Arc::clone(&self.cancelled), load.metrics.clone()));
        let connections = self.connections(&load)?;
        let (mut instance, counters) = self.load(&load, &side, connections)?;
        match self.next()? {
            Request::Setup => self.set_up(&load, &side, instance.as_mut())?,
            other => return Err(out_of_order(&other, "setup").into()),
        }
        let mut stages = Stages::new(&load, &side, instance.as_mut(), self.replies.clone(), counters);
        let outcome = self.measure(&mut stages);
        let (is_set_up, peak_memory_bytes) = (stages.is_set_up(), stages.peak_memory());
        // The reason of a failure is sent first, because cleaning up after it may kill the worker.
        let side_effects = match outcome {
            Ok(side_effects) => Some(side_effects),
            Err(Over::Failed(failure)) => {
                self.report(failure);
                None
            }
            Err(Over::Done) => None,
        };
        let cleaned = if is_set_up { checked(&side, instance.cleanup()) } else { Ok(()) };
        if let Some(side_effects) = side_effects {
            cleaned?;
            self.replies.send(&Reply::Finished {
                peak_memory_bytes,
                side_effects,
                refused_calls: take_refused_calls(),
            });
        }
        Ok(())
    }

    fn greet(&mut self) -> Result<(), Over> {
        match self.next()? {
            Request::Hello { protocol: PROTOCOL_VERSION } => {}
            Request::Hello { protocol } => {
                let message = format!(
                    "the host speaks protocol {protocol}, this worker speaks {PROTOCOL_VERSION}; install both from one release"
                );
                return Err(Failure::Error(message).into());
            }
            other => return Err(out_of_order(&other, "hello").into()),
        }
        self.replies.send(&Reply::Hello {
            protocol: PROTOCOL_VERSION,
            version: env!("CARGO_PKG_VERSION").to_owned(),
            base_memory_bytes: sandbox::resident_bytes(),
        });
        Ok(())
    }

    /// The channels by which the host is asked for connections; none: the plugin is granted none, or needs no host for them.
    fn connections(&mut self, load: &Load) -> Result<Vec<OwnedFd>, Failure> {
        if !load.needs_connections() {
            return Ok(Vec::new());
        }
        let taken = self.requests.take_descriptors();
        taken.map_err(|error| Failure::host("cannot take the channels for connections", &error))
    }

    /// Isolates this process as far as the launch asks for, and loads the plugin into it.
    fn load(
        &self,
        load: &Load,
        side: &Arc<HostSide>,
        connections: Vec<OwnedFd>,
    ) -> Result<(Box<dyn Instance>, Option<Counters>), Failure> {
        let mut layers = self.layers.clone();
        layers.extend(sandbox::limit_memory(load.memory_limit_bytes).map(str::to_owned));
        // State that a driver keeps from an earlier launch would make launches differ.
        layers.extend((!load.device.is_cpu()).then(sandbox::private_home).flatten().map(str::to_owned));
        // Before a filter forbids it.
        let (counters, uncounted) = if load.counters { Counters::open() } else { (None, Vec::new()) };
        if load.realtime {
            sandbox::allow_realtime();
        }
        // What dyno itself says there is nothing of the user's.
        if !load.confinement.environment.keys().all(|name| is_of_dyno(name)) {
            layers.retain(|layer| layer != "empty_environment");
        }
        let mut gate = WorkersGate {
            load,
            host: self.host,
            connections,
            layers: &layers,
            replies: &self.replies,
            confined: Confined::default(),
        };
        let loaded = loader::load(load, Arc::clone(side), &mut gate)?;
        let confined = gate.confined;
        layers.extend(confined.words());
        layers.extend(loaded.layers);
        // Only now: compiling a component may use every processor.
        let pinned = sandbox::pin(&load.cpus);
        layers.extend(pinned.map(str::to_owned));
        let pinned_cpus = if pinned.is_some() { load.cpus.clone() } else { Vec::new() };
        let mut missing = loaded.missing;
        missing.extend(confined.into_missing());
        missing.extend(uncounted);
        if load.realtime {
            match sandbox::realtime(&pinned_cpus) {
                Ok(word) => layers.push(word.to_owned()),
                Err(why) => missing.push(why),
            }
        }
        let names: Vec<&str> = counters.as_ref().map(Counters::names).unwrap_or_default();
        self.replies.send(&Reply::Loaded {
            engine: loaded.engine,
            isolation: layers,
            store_bypass: store_bypass(),
            pinned_cpus,
            counters: names.into_iter().map(str::to_owned).collect(),
            missing,
            compiled: loaded.compiled,
        });
        Ok((loaded.instance, counters))
    }

    fn set_up(&self, load: &Load, side: &HostSide, instance: &mut dyn Instance) -> Result<(), Failure> {
        checked(side, instance.setup())?;
        let (huge_bytes, refused) = match load.pages {
            Pages::Huge if load.device.is_cpu() => sandbox::use_huge_pages(),
            // A device has pages of its own, and the kernel moves none that a driver has pinned for it.
            Pages::Normal | Pages::Huge => (0, None),
        };
        self.replies.send(&Reply::SetUp { huge_bytes, missing: refused.into_iter().collect() });
        Ok(())
    }

    /// Answers until the host ends the launch; returns the side effects of the plugin.
    fn measure(&mut self, stages: &mut Stages<'_>) -> Result<SideEffects, Over> {
        loop {
            match self.next()? {
                Request::Finish => return Ok(stages.side_effects()),
                request => {
                    let answer = stages.answer(request)?;
                    self.replies.send(&answer);
                }
            }
        }
    }
}
