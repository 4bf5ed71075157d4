//! Qualcomm QNN: the library of its accelerator lists the interfaces that it provides.
#![allow(unsafe_code, reason = "a function of QNN is called")]

use std::{
    ffi::{c_char, c_uint},
    ptr,
};

use dyno_core::model::{DeviceInfo, DeviceKind};

use super::library;

/// The beginning of `QnnInterface_t`; what follows is its table of functions.
#[repr(C)]
struct Interface {
    backend: c_uint,
    provider: *const c_char,
    core_version: [c_uint; 3],
    backend_version: [c_uint; 3],
}

type Providers = unsafe extern "C" fn(*mut *const *const Interface, *mut c_uint) -> u64;

pub(super) fn devices() -> Result<Vec<DeviceInfo>, String> {
    let library = library::open(&["libQnnHtp.so"]).map_err(|error| {
        if error.contains("cannot open shared object file") {
            "no Qualcomm QNN: the dynamic linker does not find libQnnHtp.so; it requires a Snapdragon with a Hexagon \
             processor, and the QNN SDK"
                .to_owned()
        } else {
            format!("the library of QNN cannot be loaded: {error}")
        }
    })?;
    // SAFETY: the type is that of `QnnInterface.h`, stable since QNN 2.0.
    let providers: Providers = *unsafe { library::function(library, "QnnInterface_getProviders") }?;
    let (mut list, mut count) = (ptr::null(), 0);
    // SAFETY: it writes a pointer to a list of its own, and how long that is.
    let code = unsafe { providers(&raw mut list, &raw mut count) };
    if code != 0 || list.is_null() || count == 0 {
        return Err(format!("QNN is installed, but provides no interface (error {code})"));
    }
    // SAFETY: the list has at least one pointer.
    let first = unsafe { list.read() };
    if first.is_null() {
        return Err("QNN is installed, but its list of interfaces is broken".to_owned());
    }
    // SAFETY: not null, and every interface begins like this.
    let Interface { backend, provider, core_version, backend_version } = unsafe { first.read() };
    let mut device = DeviceInfo::new(DeviceKind::Qnn, 0);
    // SAFETY: null, or a string of the library.
    let provider = unsafe { library::text(provider) };
    device.model = if provider.is_empty() { format!("QNN backend {backend}") } else { provider };
    let dotted = |version: [c_uint; 3]| version.map(|part| part.to_string()).join(".");
    device.interface = Some(format!("QNN {}", dotted(core_version)));
    device.driver = Some(format!("HTP {}", dotted(backend_version)));
    // Everywhere else the same library is a simulator, which runs on the processor.
    device.software = !cfg!(target_arch = "aarch64");
    if device.software {
        device.remark = Some("QNN's simulator: its numbers are those of the CPU".to_owned());
    }
    Ok(vec![device])
}
