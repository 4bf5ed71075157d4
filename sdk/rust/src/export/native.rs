//! The native export: one table of C functions per benchmark, behind the plain symbol and behind `abi_stable`.

use std::{ffi::c_void, marker::PhantomData};

pub use abi_stable::library::LibHeader;
use abi_stable::{
    library::{__call_root_module_loader, CheckTypeLayout, ROOT_MODULE_LOADER_NAME, RootModuleResult},
    prefix_type::PrefixTypeTrait,
};
pub use dyno_plugin_api::abi::{DYNO_ENTRY_SYMBOL, DynoPlugin};
use dyno_plugin_api::{
    abi::{
        DYNO_ABI_VERSION, DYNO_OK, DYNO_PARAM_BOOL, DYNO_PARAM_FLOAT, DYNO_PARAM_INTEGER, DYNO_PARAM_TEXT,
        DynoBenchmark, DynoHost, DynoParam, DynoReport, DynoSample, DynoStr,
    },
    layout,
    root::{DynoRoot, DynoRootRef},
};

pub use super::link::Link;
use super::{constants::same, link::read_text};
use crate::{
    Benchmark, Context, Failure, Level, Params, Sample,
    panics::catch,
    params::{Value, Values},
};

/// The value of `abi` in the descriptor.
pub const ABI_JSON: &str =
    crate::__join!("{\"kind\":\"native\",\"version\":1,\"layout_hash\":\"", layout::LAYOUT_HASH_TEXT, "\"}");

const _: () = assert!(DYNO_ABI_VERSION == 1, "ABI_JSON and the name of the entry function say 1");
const _: () = assert!(same(DYNO_ENTRY_SYMBOL, "dyno_plugin_v1"), "the name that __export_plugin! exports");
const _: () = assert!(
    same(ROOT_MODULE_LOADER_NAME, "_1as_0lib_1header_0root_bmodule_bloader"),
    "as __export_plugin! says"
);

/// Reports a panic that aborts: only on stderr, which the worker captures.
pub(crate) const LAST_WORDS: Option<fn(&str)> = None;

/// Tables of pointers to constants, which is why they may be shared.
#[repr(transparent)]
#[derive(Debug)]
pub struct Shared<T>(pub T);

// SAFETY: only for tables of the ABI, which point to constants and functions and are never written.
unsafe impl<T> Sync for Shared<T> {}

/// The table of one benchmark.
#[derive(Debug)]
pub struct Table<B>(PhantomData<B>);

impl<B: Benchmark> Table<B> {
    /// Lives as long as the process.
    pub const POINTER: *const DynoBenchmark = &const {
        DynoBenchmark {
            size: size_of::<DynoBenchmark>() as u32,
            reserved: 0,
            name: DynoStr { ptr: B::NAME.as_ptr(), len: B::NAME.len() },
            setup: setup::<B>,
            verify: Some(verify::<B>),
            prepare: Some(prepare::<B>),
            execute: execute::<B>,
            process_results: Some(process_results::<B>),
            cleanup: cleanup::<B>,
        }
    };
}

/// The table of a plugin.
#[must_use]
pub const fn plugin(
    descriptor: &'static [u8],
    benchmarks: &'static [*const DynoBenchmark],
) -> Shared<DynoPlugin> {
    Shared(DynoPlugin {
        size: size_of::<DynoPlugin>() as u32,
        abi_version: DYNO_ABI_VERSION,
        layout_hash: layout::LAYOUT_HASH,
        descriptor: DynoStr { ptr: descriptor.as_ptr(), len: descriptor.len() },
        benchmarks: benchmarks.as_ptr(),
        benchmark_count: benchmarks.len(),
    })
}

/// A plugin as a type, so that the second entry point can be a constant.
pub trait Plugin {
    /// The plain entry function.
    const ENTRY: unsafe extern "C" fn() -> *const DynoPlugin;
}

/// The second entry point, which `abi_stable` looks for in a library.
#[must_use]
pub const fn root_header<P: Plugin>() -> LibHeader {
    // SAFETY: `root::<P>` returns a module of the type `DynoRootRef`.
    unsafe { LibHeader::from_constructor::<DynoRootRef>(root::<P>, CheckTypeLayout::Yes) }
}

extern "C" fn root<P: Plugin>() -> RootModuleResult {
    __call_root_module_loader(|| DynoRoot { plugin: P::ENTRY }.leak_into_prefix())
}

/// What the host holds by a pointer between `setup` and `cleanup`.
struct Instance<B> {
    benchmark: B,
    context: Context,
    link: Link,
}

unsafe extern "C" fn setup<B: Benchmark>(
    host: *const DynoHost,
    params: *const DynoParam,
    count: usize,
    instance: *mut *mut c_void,
) -> i32 {
    // SAFETY: the host passes a table that lives until `cleanup` returns, or until here when `setup` fails.
    let link = unsafe { Link::new(host) };
    let made = catch(|| {
        let context = link.context().ok_or("the host passed a table that is too short for ABI version 1")?;
        // SAFETY: the host passes `count` parameters that live until `setup` returns.
        let values = unsafe { read_params(params, count) }?;
        let benchmark = B::setup(B::Params::from_values(&values)?, &context)?;
        Ok(Box::new(Instance { benchmark, context, link }))
    });
    match made {
        Ok(made) => {
            // SAFETY: the host passes a place for the pointer.
            unsafe { instance.write(Box::into_raw(made).cast()) };
            DYNO_OK
        }
        Err(failure) => link.fail(&failure),
    }
}

/// Runs one stage of an instance.
///
/// # Safety
/// `instance` must be what `setup::<B>` stored, not yet cleaned up, and not in use by another call.
unsafe fn stage<B: Benchmark>(
    instance: *mut c_void,
    run: impl FnOnce(&mut Instance<B>) -> Result<(), Failure>,
) -> i32 {
    // SAFETY: the caller vouches for it.
    let instance = unsafe { &mut *instance.cast::<Instance<B>>() };
    let link = instance.link;
    match catch(|| run(instance)) {
        Ok(()) => DYNO_OK,
        Err(failure) => link.fail(&failure),
    }
}

unsafe extern "C" fn verify<B: Benchmark>(instance: *mut c_void) -> i32 {
    // SAFETY: the host passes what `setup` stored, on one thread.
    unsafe { stage::<B>(instance, |it| it.benchmark.verify(&it.context)) }
}

unsafe extern "C" fn prepare<B: Benchmark>(instance: *mut c_void, iterations: u64) -> i32 {
    // SAFETY: the host passes what `setup` stored, on one thread.
    unsafe { stage::<B>(instance, |it| it.benchmark.prepare(iterations)) }
}

unsafe extern "C" fn execute<B: Benchmark>(
    instance: *mut c_void,
    iterations: u64,
    out: *mut DynoReport,
) -> i32 {
    let work = |it: &mut Instance<B>| {
        let done = it.benchmark.execute(iterations)?;
        // SAFETY: the host passes a report that nobody else uses during the call.
        let out = unsafe { &mut *out };
        out.items = done.items;
        out.bytes = done.bytes;
        out.flop = done.flop;
        out.device_ns = done.device_ns;
        out.checksum = done.checksum;
        Ok(())
    };
    // SAFETY: the host passes what `setup` stored, on one thread.
    unsafe { stage::<B>(instance, work) }
}

unsafe extern "C" fn process_results<B: Benchmark>(
    instance: *mut c_void,
    samples: *const DynoSample,
    count: usize,
) -> i32 {
    // SAFETY: the host passes `count` samples that live until the call returns.
    let samples: Vec<Sample> = unsafe { slice(samples, count) }
        .iter()
        .map(|sample| Sample { iterations: sample.iterations, wall_ns: sample.wall_ns })
        .collect();
    // SAFETY: the host passes what `setup` stored, on one thread.
    unsafe { stage::<B>(instance, |it| it.benchmark.process_results(&samples, &it.context)) }
}

unsafe extern "C" fn cleanup<B: Benchmark>(instance: *mut c_void) {
    // SAFETY: the host passes what `setup` stored, once.
    let instance = unsafe { Box::from_raw(instance.cast::<Instance<B>>()) };
    let link = instance.link;
    let dropped = catch(|| {
        drop(instance);
        Ok(())
    });
    if let Err(failure) = dropped {
        // `cleanup` returns nothing, so the reason goes both to the host and to the log.
        link.log(Level::Error, &format!("cleanup {failure}"));
        link.fail(&failure);
    }
}

/// # Safety
/// `params` must point to `count` parameters, whose texts live as long as they do.
unsafe fn read_params(params: *const DynoParam, count: usize) -> Result<Values, Failure> {
    let mut values = Values::default();
    // SAFETY: the caller vouches for it.
    for param in unsafe { slice(params, count) } {
        // SAFETY: the caller vouches for it.
        let name = unsafe { read_text(param.name) }.into_owned();
        let value = match param.kind {
            DYNO_PARAM_INTEGER => Value::Integer(param.integer),
            DYNO_PARAM_FLOAT => Value::Float(param.number),
            DYNO_PARAM_BOOL => Value::Bool(param.integer != 0),
            // SAFETY: the caller vouches for it.
            DYNO_PARAM_TEXT => Value::Text(unsafe { read_text(param.text) }.into_owned()),
            other => return Err(Failure::error(format!("parameter `{name}` has the unknown kind {other}"))),
        };
        values.0.push((name, value));
    }
    Ok(values)
}

/// # Safety
/// `first` must point to `count` items that live as long as `'a`; it may be null when `count` is 0.
unsafe fn slice<'a, T>(first: *const T, count: usize) -> &'a [T] {
    if first.is_null() || count == 0 {
        return &[];
    }
    // SAFETY: the caller vouches for it.
    unsafe { std::slice::from_raw_parts(first, count) }
}

/// Exports a native plugin: the descriptor section, the plain symbol and the `abi_stable` root module.
#[doc(hidden)]
#[macro_export]
macro_rules! __export_plugin {
    (descriptor: $json:expr, benchmarks: [$($benchmark:ty),* $(,)?]) => {
        #[allow(unsafe_code, reason = "exported symbols and sections")]
        const _: () = {
            const JSON: &str = $json;
            const _: () = assert!(JSON.len() <= $crate::__private::MAX_BYTES, "the descriptor is longer than 1 MiB");

            #[used]
            #[cfg_attr(target_vendor = "apple", unsafe(link_section = "__DATA,__dyno_desc"))]
            #[cfg_attr(windows, unsafe(link_section = ".dynodsc"))]
            #[cfg_attr(not(any(target_vendor = "apple", windows)), unsafe(link_section = ".dyno_descriptor"))]
            static DESCRIPTOR: [u8; JSON.len()] = $crate::__private::bytes(JSON);

            static PLUGIN: $crate::__private::Shared<$crate::__private::DynoPlugin> =
                $crate::__private::plugin(&DESCRIPTOR, &[$($crate::__private::Table::<$benchmark>::POINTER),*]);

            /// The entry point of the plugin: does nothing but return its table.
            #[unsafe(no_mangle)]
            pub extern "C" fn dyno_plugin_v1() -> *const $crate::__private::DynoPlugin {
                &raw const PLUGIN.0
            }

            enum Exported {}
            impl $crate::__private::Plugin for Exported {
                const ENTRY: unsafe extern "C" fn() -> *const $crate::__private::DynoPlugin = dyno_plugin_v1;
            }

            #[unsafe(export_name = "_1as_0lib_1header_0root_bmodule_bloader")]
            pub static ROOT: $crate::__private::LibHeader = $crate::__private::root_header::<Exported>();
        };
    };
}
