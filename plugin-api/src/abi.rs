//! The native ABI: tables of function pointers that cross the boundary between the worker and a plugin.
//!
//! Rules that hold for every item here:
//!
//! * Structs are append-only. A struct that starts with `size` may be longer than the reader knows; fields past
//!   `size` are absent. `DynoStr`, `DynoParam` and `DynoSample` have no `size` and never change.
//! * Every function of a benchmark is called on one thread, never two at once. Functions of [`DynoHost`] may be
//!   called from any thread, from the start of `setup` to the end of `cleanup`.
//! * The side that passes a pointer owns its memory, which is valid until the call returns unless stated otherwise.
//! * No panic, exception or `longjmp` crosses the boundary.

use core::ffi::c_void;

/// The version of this ABI. It changes only when a plugin built for the last one could not run.
pub const DYNO_ABI_VERSION: u32 = 1;

/// The exported symbol of every native plugin: a function of type [`DynoEntry`].
pub const DYNO_ENTRY_SYMBOL: &str = "dyno_plugin_v1";

/// The call succeeded.
pub const DYNO_OK: i32 = 0;
/// The call failed; the reason was passed to [`DynoHost::fail`].
pub const DYNO_ERROR: i32 = 1;
/// This case cannot run here, which is not a failure; the reason was passed to [`DynoHost::fail`].
pub const DYNO_SKIPPED: i32 = 2;

/// [`DynoParam::integer`] holds the value.
pub const DYNO_PARAM_INTEGER: u32 = 1;
/// [`DynoParam::number`] holds the value.
pub const DYNO_PARAM_FLOAT: u32 = 2;
/// [`DynoParam::integer`] holds the value: 0 for false, 1 for true.
pub const DYNO_PARAM_BOOL: u32 = 3;
/// [`DynoParam::text`] holds the value: a string, or one of the choices of an enum.
pub const DYNO_PARAM_TEXT: u32 = 4;

/// Level of a log line: something is wrong.
pub const DYNO_LOG_ERROR: u32 = 1;
/// Level of a log line: something may be wrong.
pub const DYNO_LOG_WARN: u32 = 2;
/// Level of a log line: worth knowing.
pub const DYNO_LOG_INFO: u32 = 3;
/// Level of a log line: details for debugging.
pub const DYNO_LOG_DEBUG: u32 = 4;

/// A piece of UTF-8 text: not terminated by a zero byte, and `ptr` may be null when `len` is 0.
#[repr(C)]
#[derive(Debug, Clone, Copy)]
#[cfg_attr(feature = "abi-stable", derive(abi_stable::StableAbi))]
pub struct DynoStr {
    /// First byte.
    pub ptr: *const u8,
    /// Length [bytes].
    pub len: usize,
}

/// One parameter of a case, of the type that the descriptor gives it and inside its range.
#[repr(C)]
#[derive(Debug, Clone, Copy)]
#[cfg_attr(feature = "abi-stable", derive(abi_stable::StableAbi))]
pub struct DynoParam {
    /// Name, as in the descriptor.
    pub name: DynoStr,
    /// One of `DYNO_PARAM_*`: says which of the next fields holds the value.
    pub kind: u32,
    /// Always 0.
    pub reserved: u32,
    /// The value of an integer or a bool.
    pub integer: i64,
    /// The value of a float.
    pub number: f64,
    /// The value of a string or an enum.
    pub text: DynoStr,
}

/// The device that a case runs on.
#[repr(C)]
#[derive(Debug, Clone, Copy)]
#[cfg_attr(feature = "abi-stable", derive(abi_stable::StableAbi))]
pub struct DynoDevice {
    /// Size of this struct [bytes].
    pub size: u32,
    /// Number of the device among those of its kind, from 0.
    pub index: u32,
    /// Name: a kind, or kind and number. // eg: "cpu", "cuda:0"
    pub name: DynoStr,
    /// How many threads the case may use [threads]; 0 when the device is not a CPU.
    pub threads: u32,
    /// Always 0.
    pub reserved: u32,
}

/// What the host offers a plugin. Valid from the start of `setup` to the end of `cleanup`.
#[repr(C)]
#[derive(Debug, Clone, Copy)]
#[cfg_attr(feature = "abi-stable", derive(abi_stable::StableAbi))]
pub struct DynoHost {
    /// Size of this struct [bytes].
    pub size: u32,
    /// [`DYNO_ABI_VERSION`] of the host.
    pub abi_version: u32,
    /// To be passed back as the first argument of every function of this table.
    pub context: *mut c_void,
    /// Seed of all random numbers in the case. With the same seed, the plugin must do the same work.
    pub seed: u64,
    /// The device of the case.
    pub device: *const DynoDevice,
    /// Writes a line to the log of the launch. `level` is one of `DYNO_LOG_*`. [any thread]
    pub log: unsafe extern "C" fn(context: *mut c_void, level: u32, message: DynoStr),
    /// Reports the progress of a long stage: `fraction` from 0 to 1. Not for `execute`. [any thread]
    pub progress: unsafe extern "C" fn(context: *mut c_void, fraction: f64),
    /// Whether the user has cancelled: 1, otherwise 0. A long stage should ask now and then, and return early. [any thread]
    pub cancelled: unsafe extern "C" fn(context: *mut c_void) -> u32,
    /// Reports a metric that the descriptor declares; the last value of a name counts. [any thread]
    pub metric: unsafe extern "C" fn(context: *mut c_void, name: DynoStr, value: f64),
    /// Gives the reason why the current call is about to return `DYNO_ERROR` or `DYNO_SKIPPED`. [any thread]
    pub fail: unsafe extern "C" fn(context: *mut c_void, message: DynoStr),
}

/// What one call of `execute` did, summed over all its iterations. The host passes it zeroed, with `size` set.
#[repr(C)]
#[derive(Debug, Clone, Copy)]
#[cfg_attr(feature = "abi-stable", derive(abi_stable::StableAbi))]
pub struct DynoReport {
    /// Size of this struct [bytes].
    pub size: u32,
    /// Always 0.
    pub reserved: u32,
    /// Things processed [items]; 0 when not reported.
    pub items: f64,
    /// Memory or data traffic that the work needs [bytes]; 0 when not reported.
    pub bytes: f64,
    /// Floating-point operations that the work needs [FLOP]; 0 when not reported.
    pub flop: f64,
    /// Time that the device itself measured [ns]; 0 when it cannot tell.
    pub device_ns: f64,
    /// Anything computed from the output: keeps the optimiser honest and lets two builds be compared.
    pub checksum: u64,
}

/// One timed call of `execute`, as `process_results` sees it.
#[repr(C)]
#[derive(Debug, Clone, Copy)]
#[cfg_attr(feature = "abi-stable", derive(abi_stable::StableAbi))]
pub struct DynoSample {
    /// Iterations of the call.
    pub iterations: u64,
    /// Wall time of the call [ns].
    pub wall_ns: u64,
}

/// One benchmark of a plugin: `setup`, `verify`, then `prepare` and `execute` per sample, `process_results`, `cleanup`.
///
/// Each function that returns `i32` returns one of `DYNO_OK`, `DYNO_ERROR`, `DYNO_SKIPPED`.
#[repr(C)]
#[derive(Debug, Clone, Copy)]
#[cfg_attr(feature = "abi-stable", derive(abi_stable::StableAbi))]
pub struct DynoBenchmark {
    /// Size of this struct [bytes].
    pub size: u32,
    /// Always 0.
    pub reserved: u32,
    /// Name, as in the descriptor.
    pub name: DynoStr,
    /// Makes an instance from `count` parameters (all that the descriptor declares, in its order) and stores it in
    /// `instance`. `params` lives until `setup` returns, `host` until `cleanup` returns. Untimed.
    pub setup: unsafe extern "C" fn(
        host: *const DynoHost,
        params: *const DynoParam,
        count: usize,
        instance: *mut *mut c_void,
    ) -> i32,
    /// Checks the output against an independent reference. Untimed; may be null.
    pub verify: Option<unsafe extern "C" fn(instance: *mut c_void) -> i32>,
    /// Makes fresh input for the next `execute`, which will do `iterations` iterations. Untimed; may be null.
    pub prepare: Option<unsafe extern "C" fn(instance: *mut c_void, iterations: u64) -> i32>,
    /// Does the work `iterations` times. The only timed call.
    pub execute: unsafe extern "C" fn(instance: *mut c_void, iterations: u64, report: *mut DynoReport) -> i32,
    /// Derives metrics from the samples of the launch and reports them with [`DynoHost::metric`]. Untimed; may be null.
    pub process_results:
        Option<unsafe extern "C" fn(instance: *mut c_void, samples: *const DynoSample, count: usize) -> i32>,
    /// Frees the instance. The host calls it once after each `setup` that returned `DYNO_OK`.
    pub cleanup: unsafe extern "C" fn(instance: *mut c_void),
}

/// A plugin: what its entry function returns. Lives as long as the process.
#[repr(C)]
#[derive(Debug, Clone, Copy)]
#[cfg_attr(feature = "abi-stable", derive(abi_stable::StableAbi))]
pub struct DynoPlugin {
    /// Size of this struct [bytes].
    pub size: u32,
    /// [`DYNO_ABI_VERSION`] that the plugin was built for.
    pub abi_version: u32,
    /// `DYNO_LAYOUT_HASH` that the plugin was built with.
    pub layout_hash: u64,
    /// The descriptor: the same bytes as in the descriptor section of the file.
    pub descriptor: DynoStr,
    /// The benchmarks, in any order.
    pub benchmarks: *const *const DynoBenchmark,
    /// Length of `benchmarks`.
    pub benchmark_count: usize,
}

/// The type of the exported function `dyno_plugin_v1`. It must do nothing but return the table.
pub type DynoEntry = unsafe extern "C" fn() -> *const DynoPlugin;
