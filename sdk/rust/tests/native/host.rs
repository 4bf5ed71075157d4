//! A host that writes down what a plugin tells it, and calls the plugin's table as the worker does.

use std::{
    ffi::c_void,
    ptr::null_mut,
    sync::{Mutex, MutexGuard, PoisonError},
};

use dyno_plugin_api::abi::{
    DYNO_ABI_VERSION, DYNO_OK, DYNO_PARAM_BOOL, DYNO_PARAM_FLOAT, DYNO_PARAM_INTEGER, DYNO_PARAM_TEXT,
    DynoBenchmark, DynoDevice, DynoHost, DynoParam, DynoPlugin, DynoReport, DynoSample, DynoStr,
};

unsafe extern "C" {
    fn dyno_plugin_v1() -> *const DynoPlugin;
}

/// The plugin's table.
pub(crate) fn plugin() -> &'static DynoPlugin {
    // SAFETY: `export_plugin!` in this binary defines the symbol with this type.
    let table = unsafe { dyno_plugin_v1() };
    // SAFETY: the contract: it lives as long as the process.
    unsafe { table.as_ref() }.expect("the plugin has a table")
}

/// The table of one of its benchmarks.
pub(crate) fn benchmark(name: &str) -> &'static DynoBenchmark {
    let plugin = plugin();
    // SAFETY: the contract: so many pointers are there.
    let all = unsafe { std::slice::from_raw_parts(plugin.benchmarks, plugin.benchmark_count) };
    // SAFETY: the contract: each leads to a table that lives as long as the process.
    let tables = all.iter().map(|pointer| unsafe { &**pointer });
    tables.into_iter().find(|table| text(table.name) == name).expect("the benchmark is in the table")
}

/// What a text of the plugin says.
pub(crate) fn text(text: DynoStr) -> String {
    // SAFETY: the contract: readable for as long as the call that brought it.
    let bytes = unsafe { std::slice::from_raw_parts(text.ptr, text.len) };
    std::str::from_utf8(bytes).expect("texts are UTF-8").to_owned()
}

fn lend(text: &str) -> DynoStr {
    DynoStr { ptr: text.as_ptr(), len: text.len() }
}

/// What the plugin has told the host.
#[derive(Debug, Default)]
pub(crate) struct Told {
    pub(crate) log: Vec<(u32, String)>,
    pub(crate) metrics: Vec<(String, f64)>,
    pub(crate) progress: Vec<f64>,
    pub(crate) failure: Option<String>,
    pub(crate) cancelled: bool,
}

/// A parameter as a test writes it.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Value {
    Integer(i64),
    Float(f64),
    Bool(bool),
    Text(&'static str),
}

/// One instance under test: at most one at a time, because a worker has one too.
pub(crate) struct Case {
    table: &'static DynoBenchmark,
    instance: *mut c_void,
    host: &'static DynoHost,
    pub(crate) told: &'static Mutex<Told>,
    _alone: MutexGuard<'static, ()>,
}

/// What a stage came to: the status, and the reason that was given.
type Outcome = (i32, Option<String>);

impl Case {
    pub(crate) fn new(name: &str) -> Self {
        static ALONE: Mutex<()> = Mutex::new(());
        let alone = ALONE.lock().unwrap_or_else(PoisonError::into_inner);
        let told: &Mutex<Told> = Box::leak(Box::default());
        let device = Box::leak(Box::new(DynoDevice {
            size: size_of::<DynoDevice>() as u32,
            index: 3,
            name: lend("cuda:3"),
            threads: 0,
            reserved: 0,
        }));
        let host = Box::leak(Box::new(DynoHost {
            size: size_of::<DynoHost>() as u32,
            abi_version: DYNO_ABI_VERSION,
            context: std::ptr::from_ref(told).cast_mut().cast(),
            seed: 7,
            device,
            log,
            progress,
            cancelled,
            metric,
            fail,
        }));
        Self { table: benchmark(name), instance: null_mut(), host, told, _alone: alone }
    }

    pub(crate) fn told(&self) -> MutexGuard<'static, Told> {
        self.told.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn outcome(&self, status: i32) -> Outcome {
        (status, self.told().failure.take())
    }

    pub(crate) fn setup(&mut self, params: &[(&str, Value)]) -> Outcome {
        let params: Vec<DynoParam> = params.iter().map(|(name, value)| param(name, *value)).collect();
        // SAFETY: the host lives for ever, the parameters until the call returns.
        let status =
            unsafe { (self.table.setup)(self.host, params.as_ptr(), params.len(), &raw mut self.instance) };
        assert_eq!(
            status == DYNO_OK,
            !self.instance.is_null(),
            "an instance comes with success, and only then"
        );
        self.outcome(status)
    }

    /// Sets up with a host's table that is cut short.
    pub(crate) fn setup_with_short_host(&mut self) -> Outcome {
        let short: &DynoHost = Box::leak(Box::new(DynoHost { size: 8, ..*self.host }));
        // SAFETY: as above.
        let status = unsafe { (self.table.setup)(short, std::ptr::null(), 0, &raw mut self.instance) };
        self.outcome(status)
    }

    pub(crate) fn verify(&self) -> Outcome {
        let verify = self.table.verify.expect("the SDK always offers verify");
        // SAFETY: `setup` made the instance.
        self.outcome(unsafe { verify(self.instance) })
    }

    pub(crate) fn prepare(&self, iterations: u64) -> Outcome {
        let prepare = self.table.prepare.expect("the SDK always offers prepare");
        // SAFETY: `setup` made the instance.
        self.outcome(unsafe { prepare(self.instance, iterations) })
    }

    pub(crate) fn execute(&self, iterations: u64) -> (Outcome, DynoReport) {
        let mut report = DynoReport {
            size: size_of::<DynoReport>() as u32,
            reserved: 0,
            items: 0.0,
            bytes: 0.0,
            flop: 0.0,
            device_ns: 0.0,
            checksum: 0,
        };
        // SAFETY: `setup` made the instance; the report lives until the call returns.
        let status = unsafe { (self.table.execute)(self.instance, iterations, &raw mut report) };
        (self.outcome(status), report)
    }

    pub(crate) fn process_results(&self, samples: &[(u64, u64)]) -> Outcome {
        let samples: Vec<DynoSample> = samples
            .iter()
            .map(|(iterations, wall_ns)| DynoSample { iterations: *iterations, wall_ns: *wall_ns })
            .collect();
        let process = self.table.process_results.expect("the SDK always offers process_results");
        let first = if samples.is_empty() { std::ptr::null() } else { samples.as_ptr() };
        // SAFETY: `setup` made the instance; the samples live until the call returns.
        self.outcome(unsafe { process(self.instance, first, samples.len()) })
    }

    pub(crate) fn cleanup(self) -> Option<String> {
        // SAFETY: `setup` made the instance, and this is the only call.
        unsafe { (self.table.cleanup)(self.instance) };
        self.told().failure.take()
    }
}

fn param(name: &str, value: Value) -> DynoParam {
    let mut param = DynoParam {
        name: lend(name),
        kind: 0,
        reserved: 0,
        integer: 0,
        number: 0.0,
        text: DynoStr { ptr: std::ptr::null(), len: 0 },
    };
    match value {
        Value::Integer(value) => (param.kind, param.integer) = (DYNO_PARAM_INTEGER, value),
        Value::Float(value) => (param.kind, param.number) = (DYNO_PARAM_FLOAT, value),
        Value::Bool(value) => (param.kind, param.integer) = (DYNO_PARAM_BOOL, value.into()),
        Value::Text(value) => (param.kind, param.text) = (DYNO_PARAM_TEXT, lend(value)),
    }
    param
}

fn with<T>(context: *mut c_void, act: impl FnOnce(&mut Told) -> T) -> T {
    // SAFETY: every context is a leaked `Mutex<Told>`, see `Case::new`.
    let told = unsafe { &*context.cast::<Mutex<Told>>() };
    act(&mut told.lock().unwrap_or_else(PoisonError::into_inner))
}

unsafe extern "C" fn log(context: *mut c_void, level: u32, message: DynoStr) {
    with(context, |told| told.log.push((level, text(message))));
}

unsafe extern "C" fn progress(context: *mut c_void, fraction: f64) {
    with(context, |told| told.progress.push(fraction));
}

unsafe extern "C" fn cancelled(context: *mut c_void) -> u32 {
    with(context, |told| told.cancelled.into())
}

unsafe extern "C" fn metric(context: *mut c_void, name: DynoStr, value: f64) {
    with(context, |told| told.metrics.push((text(name), value)));
}

unsafe extern "C" fn fail(context: *mut c_void, message: DynoStr) {
    with(context, |told| told.failure = Some(text(message)));
}
