//! OpenVINO: its library says its version, and on what devices its own plugins can run.
#![allow(unsafe_code, reason = "the functions of OpenVINO are called")]

use std::{
    ffi::{c_char, c_int, c_void},
    ptr,
};

use dyno_core::model::{DeviceInfo, DeviceKind};

use super::library;

/// `ov_version_t`.
#[repr(C)]
struct Version {
    build: *const c_char,
    description: *const c_char,
}

/// `ov_available_devices_t`.
#[repr(C)]
struct Available {
    names: *mut *mut c_char,
    count: usize,
}

/// What the dynamic linker may know it by.
const NAMES: [&str; 4] =
    ["libopenvino_c.so", "libopenvino_c.so.2600", "libopenvino_c.so.2500", "libopenvino_c.so.2400"];

type OfVersion = unsafe extern "C" fn(*mut Version) -> c_int;
type OfCore = unsafe extern "C" fn(*mut *mut c_void) -> c_int;
type OfDevices = unsafe extern "C" fn(*mut c_void, *mut Available) -> c_int;

pub(super) fn devices() -> Result<Vec<DeviceInfo>, String> {
    let in_python = usual_folders::of_python("openvino/libs");
    let in_python = in_python.iter().flat_map(|folder| usual_folders::beginning(folder, "libopenvino_c.so"));
    let mut names = NAMES.map(str::to_owned).to_vec();
    names.extend(in_python.map(|file| file.display().to_string()));
    let library = library::open(&names).map_err(|error| {
        if error.contains("cannot open shared object file") {
            "no OpenVINO: neither the dynamic linker nor a package of Python has libopenvino_c.so; install OpenVINO's \
             run time, or `openvino` of PyPI for this user or the system"
                .to_owned()
        } else {
            format!("the library of OpenVINO cannot be loaded: {error}")
        }
    })?;
    // SAFETY: the types are those of the C interface, stable since 2022.1.
    let version: OfVersion = *unsafe { library::function(library, "ov_get_openvino_version") }?;
    // SAFETY: as above.
    let core: OfCore = *unsafe { library::function(library, "ov_core_create") }?;
    // SAFETY: as above.
    let list: OfDevices = *unsafe { library::function(library, "ov_core_get_available_devices") }?;
    let mut about = Version { build: ptr::null(), description: ptr::null() };
    // SAFETY: it fills the two pointers, with strings that we leave to the end of the process.
    check(unsafe { version(&raw mut about) }, "does not report its version")?;
    // SAFETY: null, or a string of the library.
    let build = unsafe { library::text(about.build) };
    let mut handle = ptr::null_mut();
    // SAFETY: it writes one pointer.
    check(unsafe { core(&raw mut handle) }, "cannot be started")?;
    let mut available = Available { names: ptr::null_mut(), count: 0 };
    // SAFETY: the handle is its own, and it fills the list.
    check(unsafe { list(handle, &raw mut available) }, "does not list its devices")?;
    let count = if available.names.is_null() { 0 } else { available.count.min(64) };
    let mut devices = Vec::new();
    for (at, index) in (0..count).zip(0..) {
        // SAFETY: the list has that many pointers.
        let name = unsafe { available.names.add(at) };
        // SAFETY: within the list, as above.
        let name = unsafe { name.read() };
        // SAFETY: null, or a string of the library.
        let name = unsafe { library::text(name) };
        devices.push(of(&name, &build, index));
    }
    if devices.is_empty() {
        return Err(format!("OpenVINO {build} is installed, but its plugins find no device"));
    }
    Ok(devices)
}

fn of(name: &str, build: &str, index: u32) -> DeviceInfo {
    let mut device = DeviceInfo::new(DeviceKind::OpenVino, index);
    name.clone_into(&mut device.model);
    device.interface = Some(format!("OpenVINO {build}"));
    device.software = name == "CPU";
    if device.software {
        device.remark = Some("the CPU, through OpenVINO".to_owned());
    }
    device
}

fn check(code: c_int, what: &str) -> Result<(), String> {
    if code == 0 { Ok(()) } else { Err(format!("OpenVINO {what} (error {code})")) }
}
