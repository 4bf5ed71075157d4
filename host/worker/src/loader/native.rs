//! Native libraries: two entry points, one table, and every word of it checked before it is used.
#![allow(unsafe_code, reason = "a loader: it opens foreign libraries and calls their functions")]

use std::{
    env,
    error::Error,
    ffi::c_void,
    mem::{ManuallyDrop, offset_of},
    os::fd::AsRawFd,
    sync::Arc,
};

use abi_stable::library::{AbiHeaderRef, LibHeader, ROOT_MODULE_LOADER_NAME_WITH_NUL};
use dyno_confine::Foreign;
use dyno_core::{
    model::{EngineInfo, ParamValue, Work},
    protocol::{self, Load, missing_libraries},
};
use dyno_plugin_api::{
    abi::{
        DYNO_ABI_VERSION, DYNO_ENTRY_SYMBOL, DYNO_LOG_DEBUG, DYNO_LOG_ERROR, DYNO_LOG_WARN, DYNO_OK,
        DYNO_PARAM_BOOL, DYNO_PARAM_FLOAT, DYNO_PARAM_INTEGER, DYNO_PARAM_TEXT, DYNO_SKIPPED, DynoBenchmark,
        DynoDevice, DynoEntry, DynoHost, DynoParam, DynoPlugin, DynoReport, DynoSample, DynoStr,
    },
    layout::{self, LAYOUT_HASH_TEXT},
    root::DynoRootRef,
};
use libloading::os::unix::{Library, RTLD_LOCAL, RTLD_NOW};

use super::{
    bytes::{Copy, Verified},
    gate::Gate,
    loaded::Loaded,
    text,
};
use crate::{
    host_side::{HostSide, Level},
    instance::{Failure, Instance, Report},
};

/// Maximum number of benchmarks in a table: more mean that it is not a table.
const MAX_BENCHMARKS: usize = 10_000;

pub(super) fn load(
    load: &Load,
    verified: &Verified,
    host: Arc<HostSide>,
    gate: &mut dyn Gate,
) -> Result<Loaded, Failure> {
    let plugin = verified.private_copy()?;
    let copy = |library| Verified::of_library(library).and_then(|verified| verified.copy());
    // Each keeps its descriptor until all are open: the linker would take a number that comes again for the same library.
    let brought = load.libraries.iter().map(copy).collect::<Result<Vec<Copy>, Failure>>()?;
    // A worker runs in the folder of its launch.
    let folder =
        env::current_dir().map_err(|error| Failure::host("cannot find the worker's own folder", &error))?;
    gate.confine(Foreign::Native { folder: &folder, uses_accelerator: !load.device.is_cpu() })?;
    gate.enter();
    let refused = |what: String, said: String| {
        missing_libraries(&load.missing)
            .unwrap_or_else(|| format!("the dynamic linker refused the library{what}: {said}"))
    };
    for (protocol::Library { name, .. }, copy) in load.libraries.iter().zip(&brought) {
        // The linker then knows it by its SONAME, and looks for no file when the plugin needs it.
        open(copy, name).map_err(|said| refused(format!(" `{name}`"), said))?;
    }
    let library = open(&plugin, "plugin").map_err(|said| refused(String::new(), said))?;
    let (table, doors) = enter(&library)?;
    let benchmark = find(check_table(table)?, &load.benchmark)?;
    Ok(Loaded {
        instance: Box::new(Native::new(load, benchmark, host)),
        engine: EngineInfo {
            name: "native".to_owned(),
            version: DYNO_ABI_VERSION.to_string(),
            settings: vec![format!("doors={doors}")],
        },
        layers: vec!["fresh_copy".to_owned()],
        // They lack the same, for the same reason.
        missing: plugin.missing.into_iter().collect(),
        compiled: None,
    })
}

/// Opens a private copy. The error is what the linker says, with a name instead of the copy's.
fn open(copy: &Copy, name: &str) -> Result<ManuallyDrop<Library>, String> {
    let path = format!("/proc/self/fd/{}", copy.descriptor.as_raw_fd());
    // SAFETY: opening runs the library's initialisers. They are foreign code, which is why this is a process of its
    // own that may die here; the bytes are verified and sealed.
    let opened = unsafe { Library::open(Some(&path), RTLD_NOW | RTLD_LOCAL) };
    // Never closed: a new version is a new worker, and threads of the plugin may outlive any handle.
    opened.map(ManuallyDrop::new).map_err(|error| {
        // The linker's message is the cause of the error, not its text.
        let said = error.source().map_or_else(|| error.to_string(), ToString::to_string);
        said.replace(&path, name)
    })
}

/// Takes the table through every entry point that exists.
fn enter(library: &Library) -> Result<(*const DynoPlugin, &'static str), String> {
    // SAFETY: the contract gives the symbol this type; only its address is taken here.
    let entry = unsafe { library.get::<DynoEntry>(DYNO_ENTRY_SYMBOL.as_bytes()) }.map_err(|_| {
        format!(
            "the library does not export `{DYNO_ENTRY_SYMBOL}`: it is not a dyno plugin, or the symbol is not exported"
        )
    })?;
    // SAFETY: the symbol is there; what it does is foreign code in a process that may die.
    let table = unsafe { entry() };
    // SAFETY: abi_stable gives the symbol this type; what it points to is checked by `upgrade` below.
    let header = unsafe { library.get::<AbiHeaderRef>(ROOT_MODULE_LOADER_NAME_WITH_NUL.as_bytes()) };
    let Ok(header) = header else { return Ok((table, "c")) };
    // A symbol's value is its address, and a reference to the header is just that address.
    let header: AbiHeaderRef = *header;
    let root = header.upgrade().and_then(LibHeader::init_root_module::<DynoRootRef>).map_err(|error| {
        format!("the plugin's types differ from this dyno's: {}", first_lines(&error.to_string()))
    })?;
    // SAFETY: its type has just been checked, recursively; it is the same function as `entry`.
    let checked = unsafe { root.plugin()() };
    if checked == table {
        Ok((table, "c+abi_stable"))
    } else {
        Err("the plugin's two entry points return different tables".to_owned())
    }
}

fn first_lines(text: &str) -> String {
    text.lines().map(str::trim).filter(|line| !line.is_empty()).take(6).collect::<Vec<_>>().join("; ")
}

fn check_table(table: *const DynoPlugin) -> Result<&'static DynoPlugin, String> {
    if table.is_null() || !table.is_aligned() {
        return Err(format!("`{DYNO_ENTRY_SYMBOL}` returned {table:p} instead of a table"));
    }
    // SAFETY: not null and aligned; a table that is unmapped kills this process, which is its purpose.
    let size = unsafe { table.cast::<u32>().read() };
    if (size as usize) < size_of::<DynoPlugin>() {
        return Err(format!(
            "the plugin's table has {size} bytes, this dyno needs {}",
            size_of::<DynoPlugin>()
        ));
    }
    // SAFETY: as above, and it is long enough; all its fields are plain words, so any bits are valid.
    let plugin = unsafe { &*table };
    if plugin.abi_version != DYNO_ABI_VERSION {
        return Err(format!(
            "the plugin's table is of ABI version {}, this dyno speaks {DYNO_ABI_VERSION}; rebuild the plugin",
            plugin.abi_version
        ));
    }
    if !layout::is_known(plugin.layout_hash) {
        return Err(format!(
            "the plugin's table has ABI layout {:#018x}, this dyno has {LAYOUT_HASH_TEXT}; rebuild the plugin",
            plugin.layout_hash
        ));
    }
    if plugin.benchmarks.is_null() || plugin.benchmark_count > MAX_BENCHMARKS {
        return Err(format!(
            "the plugin's table lists {} benchmarks at {:p}",
            plugin.benchmark_count, plugin.benchmarks
        ));
    }
    Ok(plugin)
}

fn find(plugin: &'static DynoPlugin, name: &str) -> Result<&'static DynoBenchmark, String> {
    let mut names = Vec::new();
    for index in 0..plugin.benchmark_count {
        // SAFETY: the table says that so many pointers are there.
        let place = unsafe { plugin.benchmarks.add(index) };
        // SAFETY: as above.
        let entry = unsafe { *place };
        let benchmark = check_benchmark(entry, index)?;
        // SAFETY: the contract makes `name` a text that lives as long as the table.
        let found = unsafe { text::copy(benchmark.name) };
        if found == name {
            return Ok(benchmark);
        }
        names.push(found);
    }
    Err(format!(
        "the descriptor names the benchmark `{name}`, the library has {}: descriptor and code disagree; rebuild the plugin",
        if names.is_empty() { "none".to_owned() } else { names.join(", ") }
    ))
}

fn check_benchmark(entry: *const DynoBenchmark, index: usize) -> Result<&'static DynoBenchmark, String> {
    if entry.is_null() || !entry.is_aligned() {
        return Err(format!("entry {index} of the plugin's table is {entry:p}"));
    }
    // SAFETY: not null and aligned.
    let size = unsafe { entry.cast::<u32>().read() };
    if (size as usize) < size_of::<DynoBenchmark>() {
        return Err(format!(
            "entry {index} of the plugin's table has {size} bytes, this dyno needs {}",
            size_of::<DynoBenchmark>()
        ));
    }
    // A Rust function pointer is never null: look at the words before calling them functions.
    for (name, offset) in [
        ("setup", offset_of!(DynoBenchmark, setup)),
        ("execute", offset_of!(DynoBenchmark, execute)),
        ("cleanup", offset_of!(DynoBenchmark, cleanup)),
    ] {
        // SAFETY: the struct is long enough for all its fields.
        let place = unsafe { entry.byte_add(offset) };
        // SAFETY: the field is a word, and aligned in an aligned struct.
        let word = unsafe { place.cast::<usize>().read() };
        if word == 0 {
            return Err(format!("the function `{name}` of entry {index} of the plugin's table is null"));
        }
    }
    // SAFETY: long enough, aligned, and no function that must be there is null.
    Ok(unsafe { &*entry })
}

/// A benchmark behind the C table.
struct Native {
    table: &'static DynoBenchmark,
    instance: *mut c_void,
    /// Lives as long as the process: threads of the plugin may call it at any time.
    host: &'static DynoHost,
    side: Arc<HostSide>,
    params: Vec<(String, ParamValue)>,
}

impl Native {
    fn new(load: &Load, table: &'static DynoBenchmark, side: Arc<HostSide>) -> Self {
        let device_name: &'static str = Box::leak(load.device.name.clone().into_boxed_str());
        let device = Box::leak(Box::new(DynoDevice {
            size: size_of::<DynoDevice>() as u32,
            index: load.device.index,
            name: text::lend(device_name),
            threads: load.device.threads,
            reserved: 0,
        }));
        let host = Box::leak(Box::new(DynoHost {
            size: size_of::<DynoHost>() as u32,
            abi_version: DYNO_ABI_VERSION,
            context: Arc::into_raw(Arc::clone(&side)).cast_mut().cast(),
            seed: load.seed,
            device,
            log,
            progress,
            cancelled,
            metric,
            fail,
        }));
        let params = load.params.iter().map(|(name, value)| (name.clone(), value.clone())).collect();
        Self { table, instance: std::ptr::null_mut(), host, side, params }
    }

    /// The status of a call as a result, with the reason that the plugin gave.
    fn judge(&self, status: i32, call: &str) -> Result<(), Failure> {
        let reason = self.side.take_failure();
        match status {
            DYNO_OK => Ok(()),
            DYNO_SKIPPED => {
                Err(Failure::Skipped(reason.unwrap_or_else(|| "the plugin gave no reason".to_owned())))
            }
            status => Err(Failure::Error(
                reason.unwrap_or_else(|| format!("`{call}` returned {status} and gave no reason")),
            )),
        }
    }
}

fn as_param(name: &str, value: &ParamValue) -> DynoParam {
    let mut param = DynoParam {
        name: text::lend(name),
        kind: 0,
        reserved: 0,
        integer: 0,
        number: 0.0,
        text: DynoStr { ptr: std::ptr::null(), len: 0 },
    };
    match value {
        ParamValue::Integer(integer) => (param.kind, param.integer) = (DYNO_PARAM_INTEGER, *integer),
        ParamValue::Float(number) => (param.kind, param.number) = (DYNO_PARAM_FLOAT, *number),
        ParamValue::Bool(flag) => (param.kind, param.integer) = (DYNO_PARAM_BOOL, i64::from(*flag)),
        ParamValue::Text(given) => (param.kind, param.text) = (DYNO_PARAM_TEXT, text::lend(given)),
    }
    param
}

impl Instance for Native {
    fn setup(&mut self) -> Result<(), Failure> {
        let params: Vec<DynoParam> = self.params.iter().map(|(name, value)| as_param(name, value)).collect();
        let setup = self.table.setup;
        // SAFETY: the table is checked; host and parameters outlive the call, as the contract asks.
        let status = unsafe { setup(self.host, params.as_ptr(), params.len(), &raw mut self.instance) };
        self.judge(status, "setup")
    }

    fn verify(&mut self) -> Result<bool, Failure> {
        let Some(verify) = self.table.verify else { return Ok(false) };
        // SAFETY: `instance` came from this table's `setup`.
        let status = unsafe { verify(self.instance) };
        self.judge(status, "verify").map(|()| true)
    }

    fn prepare(&mut self, iterations: u64) -> Result<(), Failure> {
        let Some(prepare) = self.table.prepare else { return Ok(()) };
        // SAFETY: as above.
        let status = unsafe { prepare(self.instance, iterations) };
        self.judge(status, "prepare")
    }

    fn execute(&mut self, iterations: u64) -> Result<Report, Failure> {
        let mut report = DynoReport {
            size: size_of::<DynoReport>() as u32,
            reserved: 0,
            items: 0.0,
            bytes: 0.0,
            flop: 0.0,
            device_ns: 0.0,
            checksum: 0,
        };
        let execute = self.table.execute;
        // SAFETY: as above; `report` outlives the call.
        let status = unsafe { execute(self.instance, iterations, &raw mut report) };
        if status != DYNO_OK {
            self.judge(status, "execute")?;
        }
        Ok(Report {
            work: Work { items: report.items, bytes: report.bytes, flop: report.flop },
            device_ns: report.device_ns,
            checksum: report.checksum,
        })
    }

    fn process_results(&mut self, samples: &[(u64, u64)]) -> Result<(), Failure> {
        let Some(process_results) = self.table.process_results else { return Ok(()) };
        let samples: Vec<DynoSample> = samples
            .iter()
            .map(|(iterations, wall_ns)| DynoSample { iterations: *iterations, wall_ns: *wall_ns })
            .collect();
        // SAFETY: as above; `samples` outlives the call.
        let status = unsafe { process_results(self.instance, samples.as_ptr(), samples.len()) };
        self.judge(status, "process_results")
    }

    fn cleanup(&mut self) -> Result<(), Failure> {
        let cleanup = self.table.cleanup;
        // SAFETY: called once, after a `setup` that succeeded.
        unsafe { cleanup(self.instance) };
        self.side.take_failure().map_or(Ok(()), |reason| Err(Failure::Error(reason)))
    }
}

/// The host side behind a context pointer.
///
/// # Safety
/// `context` must be the one in the table that the plugin was given.
unsafe fn side<'a>(context: *mut c_void) -> Option<&'a HostSide> {
    // SAFETY: the table's context is an `Arc` that is never given back; a plugin that passes null gets nothing.
    unsafe { context.cast::<HostSide>().as_ref() }
}

unsafe extern "C" fn log(context: *mut c_void, level: u32, message: DynoStr) {
    let level = match level {
        DYNO_LOG_ERROR => Level::Error,
        DYNO_LOG_WARN => Level::Warn,
        DYNO_LOG_DEBUG => Level::Debug,
        _ => Level::Info,
    };
    // SAFETY: the contract makes `message` readable until we return.
    let message = unsafe { text::copy(message) };
    // SAFETY: the contract makes `context` ours.
    if let Some(side) = unsafe { side(context) } {
        side.log(level, &message);
    }
}

unsafe extern "C" fn progress(context: *mut c_void, fraction: f64) {
    // SAFETY: the contract makes `context` ours.
    if let Some(side) = unsafe { side(context) } {
        side.progress(fraction);
    }
}

unsafe extern "C" fn cancelled(context: *mut c_void) -> u32 {
    // SAFETY: the contract makes `context` ours.
    u32::from(unsafe { side(context) }.is_some_and(HostSide::is_cancelled))
}

unsafe extern "C" fn metric(context: *mut c_void, name: DynoStr, value: f64) {
    // SAFETY: the contract makes `name` readable until we return.
    let name = unsafe { text::copy(name) };
    // SAFETY: the contract makes `context` ours.
    if let Some(side) = unsafe { side(context) } {
        side.metric(&name, value);
    }
}

unsafe extern "C" fn fail(context: *mut c_void, message: DynoStr) {
    // SAFETY: the contract makes `message` readable until we return.
    let message = unsafe { text::copy(message) };
    // SAFETY: the contract makes `context` ours.
    if let Some(side) = unsafe { side(context) } {
        side.fail(&message);
    }
}
