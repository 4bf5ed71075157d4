//! WebAssembly components: wasmtime, ahead-of-time code in a cache, and no import but ours.

use std::sync::Arc;

use dyno_confine::Foreign;
use dyno_core::{
    binary,
    model::{EngineInfo, ParamValue, Work},
    protocol::{Load, WASM_ENGINE_VERSION},
};
use wasmtime::{
    Engine, Store,
    component::{HasSelf, Linker},
};

use super::{
    bytes::Verified,
    code::{Code, Compiled},
    engine,
    gate::Gate,
    guest::{Guest, Wasi},
    loaded::Loaded,
    wasi::{self, Stopped},
};
use crate::{
    host_side::{HostSide, Level, printable},
    instance::{self, Instance},
};

mod bindings {
    wasmtime::component::bindgen!({
        path: "../../plugin-api/wit/v1",
        world: "benchmark",
    });
}

use bindings::{
    Benchmark,
    dyno::plugin::{
        host,
        types::{Failure, Param, ParamValue as WitValue, Sample},
    },
};

pub(super) fn load(
    load: &Load,
    verified: &Verified,
    side: Arc<HostSide>,
    gate: &mut dyn Gate,
) -> Result<Loaded, instance::Failure> {
    let engine = Engine::new(&engine::config())
        .map_err(|error| engine::fault("cannot start the WASM engine", &error))?;
    let code = Code::find(&engine, load);
    // Opened before the worker may no longer.
    let granted = wasi::open(&load.confinement.read);
    gate.confine(Foreign::Component { compiled: code.kept() })?;
    let Compiled { component, code, missing } = code.load(&engine, verified)?;
    let mut linker = Linker::new(&engine);
    if let Some(why) =
        binary::unknown_imports(component.component_type().imports(&engine).map(|(name, _)| name))
    {
        return Err(why.into());
    }
    Benchmark::add_to_linker::<_, HasSelf<Guest>>(&mut linker, |guest| guest)
        .map_err(|error| engine::fault("cannot offer the host's functions to a component", &error))?;
    // What is imported, and how, is the component's doing.
    wasi::link(&mut linker, &engine, &component, !load.confinement.connect.is_empty())
        .map_err(|error| format!("the component's imports cannot be linked: {}", engine::words(&error)))?;
    let limit = usize::try_from(load.memory_limit_bytes).unwrap_or(usize::MAX);
    let environment = load.confinement.environment.clone().into_iter().collect();
    let wasi = Wasi::new(load.seed, environment, granted, load.confinement.connect.clone());
    let guest = Guest::new(side, limit, wasi);
    let mut store = Store::new(&engine, guest);
    // The limiter also records a denied growth, which explains the trap that follows.
    store.limiter(|guest| guest);
    // Instantiation runs the start functions of the component.
    gate.enter();
    let bindings = Benchmark::instantiate(&mut store, &component, &linker)
        .map_err(|error| refusal(&error, &mut store))?;
    Ok(Loaded {
        instance: Box::new(Wasm {
            bindings,
            store,
            benchmark: load.benchmark.clone(),
            params: params(load),
            seed: load.seed,
        }),
        engine: EngineInfo {
            name: "wasmtime".to_owned(),
            version: WASM_ENGINE_VERSION.to_owned(),
            settings: ["compiler=cranelift", "opt_level=speed", "simd=on", "fuel=off", "epochs=off"]
                .map(str::to_owned)
                .to_vec(),
        },
        layers: vec!["wasm".to_owned()],
        missing: missing.into_iter().collect(),
        compiled: code,
    })
}

/// Why instantiation or a call failed, with facts that only the host knows: a denied growth, a logged panic, the exception
/// that a run time wrote before its trap.
fn refusal(error: &wasmtime::Error, store: &mut Store<Guest>) -> String {
    let guest = store.data_mut();
    let complaint = guest.wasi.take_complaint();
    // What the guest was stopped for, or wrote before its trap, says why; the trap is only how.
    let mut message = match (error.downcast_ref::<Stopped>(), complaint) {
        (Some(stopped), _) => stopped.to_string(),
        (None, Some(complaint)) => format!("{} ({})", printable(&complaint), engine::words(error)),
        (None, None) => engine::words(error),
    };
    if let Some((wanted, limit)) = guest.denied {
        message.push_str(&format!(
            "; its memory was not allowed to grow to {wanted} bytes, the limit is {limit}"
        ));
    }
    if let Some(logged) = guest.side.take_last_error() {
        message.push_str(&format!("; it had logged: {logged}"));
    }
    message
}

fn params(load: &Load) -> Vec<Param> {
    load.params
        .iter()
        .map(|(name, value)| Param {
            name: name.clone(),
            value: match value {
                ParamValue::Integer(value) => WitValue::Integer(*value),
                ParamValue::Float(value) => WitValue::Float(*value),
                ParamValue::Bool(value) => WitValue::Flag(*value),
                ParamValue::Text(value) => WitValue::Text(value.clone()),
            },
        })
        .collect()
}

impl host::Host for Guest {
    fn log(&mut self, level: host::Level, message: String) {
        let level = match level {
            host::Level::Error => Level::Error,
            host::Level::Warn => Level::Warn,
            host::Level::Info => Level::Info,
            host::Level::Debug => Level::Debug,
        };
        self.side.log(level, &message);
    }

    fn progress(&mut self, fraction: f64) {
        self.side.progress(fraction);
    }

    fn cancelled(&mut self) -> bool {
        self.side.is_cancelled()
    }

    fn metric(&mut self, name: String, value: f64) {
        self.side.metric(&name, value);
    }

    fn clock(&mut self) -> u64 {
        self.clock_ns()
    }
}

impl bindings::dyno::plugin::types::Host for Guest {}

struct Wasm {
    bindings: Benchmark,
    store: Store<Guest>,
    benchmark: String,
    params: Vec<Param>,
    seed: u64,
}

impl Wasm {
    /// A call's outcome: what the guest says of itself, or how it trapped.
    fn judge<T>(&mut self, outcome: wasmtime::Result<Result<T, Failure>>) -> Result<T, instance::Failure> {
        // What was written in a call that went well explains no later one.
        if outcome.is_ok() {
            self.store.data_mut().wasi.forget_complaint();
        }
        match outcome {
            Ok(Ok(value)) => Ok(value),
            Ok(Err(Failure::Error(message))) => Err(instance::Failure::Error(printable(&message))),
            Ok(Err(Failure::Skipped(message))) => Err(instance::Failure::Skipped(printable(&message))),
            Err(error) => Err(instance::Failure::Error(format!(
                "the component trapped: {}",
                refusal(&error, &mut self.store)
            ))),
        }
    }
}

impl Instance for Wasm {
    fn setup(&mut self) -> Result<(), instance::Failure> {
        self.store.data_mut().reseed(self.seed);
        let lifecycle = self.bindings.dyno_plugin_lifecycle();
        let outcome = lifecycle.call_setup(&mut self.store, &self.benchmark, &self.params, self.seed);
        self.judge(outcome)
    }

    fn verify(&mut self) -> Result<bool, instance::Failure> {
        let outcome = self.bindings.dyno_plugin_lifecycle().call_verify(&mut self.store);
        self.judge(outcome).map(|()| true)
    }

    fn prepare(&mut self, iterations: u64) -> Result<(), instance::Failure> {
        let outcome = self.bindings.dyno_plugin_lifecycle().call_prepare(&mut self.store, iterations);
        self.judge(outcome)
    }

    fn execute(&mut self, iterations: u64) -> Result<instance::Report, instance::Failure> {
        let outcome = self.bindings.dyno_plugin_lifecycle().call_execute(&mut self.store, iterations);
        let report = self.judge(outcome)?;
        Ok(instance::Report {
            work: Work { items: report.items, bytes: report.bytes, flop: report.flop },
            device_ns: 0.0,
            checksum: report.checksum,
        })
    }

    fn process_results(&mut self, samples: &[(u64, u64)]) -> Result<(), instance::Failure> {
        let samples: Vec<Sample> = samples
            .iter()
            .map(|(iterations, wall_ns)| Sample { iterations: *iterations, wall_ns: *wall_ns })
            .collect();
        let outcome = self.bindings.dyno_plugin_lifecycle().call_process_results(&mut self.store, &samples);
        self.judge(outcome)
    }

    fn cleanup(&mut self) -> Result<(), instance::Failure> {
        let outcome = self.bindings.dyno_plugin_lifecycle().call_cleanup(&mut self.store);
        self.judge(outcome.map(Ok))
    }
}
