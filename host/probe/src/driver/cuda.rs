//! CUDA: the driver's own interface lists the devices, in the order in which plugins see them.
#![allow(unsafe_code, reason = "the functions of the CUDA driver are called")]

use std::{
    ffi::{c_char, c_int, c_uint},
    path::Path,
};

use dyno_core::model::{DeviceInfo, DeviceKind};
use libloading::{Library, Symbol};

use super::{library, nvml};

/// Oldest interface that dyno's CUDA plugins can be used with: 12.0.
const OLDEST: c_int = 12_000;
/// Maximum number of devices: no machine has more.
const MOST_DEVICES: c_int = 64;

/// `CU_DEVICE_ATTRIBUTE_…`, by the numbers of `cuda.h`.
const CLOCK_RATE_KHZ: c_int = 13;
const MULTIPROCESSORS: c_int = 16;
const MEMORY_CLOCK_RATE_KHZ: c_int = 36;
const CAPABILITY_MAJOR: c_int = 75;
const CAPABILITY_MINOR: c_int = 76;

type Result<T> = std::result::Result<T, String>;

/// The functions that are called. All return a `CUresult`, 0 on success.
struct Driver {
    init: Symbol<'static, unsafe extern "C" fn(c_uint) -> c_int>,
    version: Symbol<'static, unsafe extern "C" fn(*mut c_int) -> c_int>,
    count: Symbol<'static, unsafe extern "C" fn(*mut c_int) -> c_int>,
    get: Symbol<'static, unsafe extern "C" fn(*mut c_int, c_int) -> c_int>,
    name: Symbol<'static, unsafe extern "C" fn(*mut c_char, c_int, c_int) -> c_int>,
    memory: Symbol<'static, unsafe extern "C" fn(*mut usize, c_int) -> c_int>,
    attribute: Symbol<'static, unsafe extern "C" fn(*mut c_int, c_int, c_int) -> c_int>,
    bus: Symbol<'static, unsafe extern "C" fn(*mut c_char, c_int, c_int) -> c_int>,
}

pub(super) fn devices() -> Result<Vec<DeviceInfo>> {
    let library = library::open(&["libcuda.so.1", "libcuda.so", "/usr/lib/wsl/lib/libcuda.so.1"])
        .map_err(|error| no_library(&error))?;
    let driver = Driver::of(library)?;
    let version = driver.version()?;
    if version < OLDEST {
        return Err(format!(
            "the NVIDIA driver is too old: it offers CUDA {}, and {} is needed; install driver 525 or newer",
            shown(version),
            shown(OLDEST)
        ));
    }
    // SAFETY: the flags must be 0, says the interface.
    let code = unsafe { (driver.init)(0) };
    check(code, "cannot be started")?;
    let count = driver.count()?;
    if count <= 0 {
        return Err("the NVIDIA driver works, but lists no device".to_owned());
    }
    let management = nvml::Management::open();
    (0..count.min(MOST_DEVICES))
        .map(|index| {
            let mut device = driver.device(index)?;
            device.interface = Some(format!("CUDA {}", shown(version)));
            management.describe(&mut device);
            Ok(device)
        })
        .collect()
}

impl Driver {
    fn of(library: &'static Library) -> Result<Self> {
        macro_rules! find {
            ($name:literal) => {
                // SAFETY: the types of the fields are those of `cuda.h`, unchanged since CUDA 4.
                unsafe { library::function(library, $name) }?
            };
        }
        Ok(Self {
            init: find!("cuInit"),
            version: find!("cuDriverGetVersion"),
            count: find!("cuDeviceGetCount"),
            get: find!("cuDeviceGet"),
            name: find!("cuDeviceGetName"),
            memory: find!("cuDeviceTotalMem_v2"),
            attribute: find!("cuDeviceGetAttribute"),
            bus: find!("cuDeviceGetPCIBusId"),
        })
    }

    fn version(&self) -> Result<c_int> {
        let mut version = 0;
        // SAFETY: it writes one int, and may be called before `cuInit`.
        let code = unsafe { (self.version)(&raw mut version) };
        check(code, "does not report its version")?;
        Ok(version)
    }

    fn count(&self) -> Result<c_int> {
        let mut count = 0;
        // SAFETY: it writes one int.
        let code = unsafe { (self.count)(&raw mut count) };
        check(code, "does not report the number of its devices")?;
        Ok(count)
    }

    fn device(&self, index: c_int) -> Result<DeviceInfo> {
        let mut handle = 0;
        // SAFETY: it writes one int.
        let code = unsafe { (self.get)(&raw mut handle, index) };
        check(code, &format!("does not give device {index}"))?;
        let mut device = DeviceInfo::new(DeviceKind::Cuda, index.unsigned_abs());
        device.model = filled(|buffer, length| {
            // SAFETY: it writes at most `length` bytes, the zero at the end included.
            unsafe { (self.name)(buffer, length, handle) }
        })
        .unwrap_or_default();
        device.pci = filled(|buffer, length| {
            // SAFETY: as above.
            unsafe { (self.bus)(buffer, length, handle) }
        })
        .map(|bus| bus.to_lowercase());
        let mut bytes = 0;
        // SAFETY: it writes one size_t.
        if unsafe { (self.memory)(&raw mut bytes, handle) } == 0 {
            device.memory_bytes = Some(bytes as u64);
        }
        let attribute = |which| self.attribute(which, handle);
        if let (Some(major), Some(minor)) = (attribute(CAPABILITY_MAJOR), attribute(CAPABILITY_MINOR)) {
            device.compute = Some(format!("{major}.{minor}"));
        }
        device.compute_units = attribute(MULTIPROCESSORS);
        // Newer drivers answer 0 here, and leave clocks to NVML.
        let megahertz = |which| attribute(which).map(|khz| khz / 1000).filter(|mhz| *mhz > 0);
        device.max_core_clock_mhz = megahertz(CLOCK_RATE_KHZ);
        device.max_memory_clock_mhz = megahertz(MEMORY_CLOCK_RATE_KHZ);
        Ok(device)
    }

    fn attribute(&self, which: c_int, handle: c_int) -> Option<u32> {
        let mut value = 0;
        // SAFETY: it writes one int; an attribute that it does not know is an error code.
        let code = unsafe { (self.attribute)(&raw mut value, which, handle) };
        u32::try_from(value).ok().filter(|_| code == 0)
    }
}

/// What a function wrote into a buffer, up to the first zero.
fn filled(write: impl FnOnce(*mut c_char, c_int) -> c_int) -> Option<String> {
    let mut buffer = [0u8; 256];
    let code = write(buffer.as_mut_ptr().cast(), 256);
    let end = buffer.iter().position(|byte| *byte == 0)?;
    let text = String::from_utf8_lossy(buffer.get(..end)?).trim().to_owned();
    (code == 0 && !text.is_empty()).then_some(text)
}

/// 12040 is 12.4.
fn shown(version: c_int) -> String {
    format!("{}.{}", version / 1000, version % 1000 / 10)
}

fn check(code: c_int, what: &str) -> Result<()> {
    let hint = match code {
        0 => return Ok(()),
        2 => "it is out of memory",
        3 => "it reports that it was not initialised",
        34 => "it is only a stub, not a driver; install the NVIDIA driver",
        100 => {
            return Err(if Path::new("/dev/nvidiactl").exists() {
                "the NVIDIA driver works, but finds no device".to_owned()
            } else {
                "the NVIDIA driver library is installed, but there is no device node (/dev/nvidiactl); load the kernel \
                 module, or give the container its devices"
                    .to_owned()
            });
        }
        101 => "it has no such device",
        304 => "the operating system refused access; check that this user may use /dev/nvidia*",
        802 => "the system is not ready yet; check that the fabric manager is running",
        803 => "library and kernel module are of different versions; restart after updating the driver",
        804 => "this device does not support forward compatibility; install the driver that belongs to it",
        _ => "see the driver's messages in `dmesg`",
    };
    Err(format!("the NVIDIA driver {what}: {hint} (CUDA error {code})"))
}

fn no_library(error: &str) -> String {
    if !error.contains("cannot open shared object file") {
        return format!("the NVIDIA driver's library cannot be loaded: {error}");
    }
    if Path::new("/dev/nvidiactl").exists() || Path::new("/dev/dxg").exists() {
        return "the device node of an NVIDIA driver exists, but its library libcuda.so.1 is missing; install it, or \
                give it to the container"
            .to_owned();
    }
    "no NVIDIA driver: there is no libcuda.so.1 and no /dev/nvidiactl; it requires an NVIDIA GPU with driver 525 or \
     newer"
        .to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn errors_are_sentences_and_versions_are_read() {
        assert_eq!((shown(12_040), shown(11_080)), ("12.4".to_owned(), "11.8".to_owned()));
        assert!(check(0, "").is_ok());
        for code in [2, 34, 100, 304, 803, 999] {
            assert!(check(code, "cannot be started").unwrap_err().contains("NVIDIA driver"), "{code}");
        }
        assert!(no_library("libcuda.so.1: undefined symbol: x").contains("undefined symbol"));
    }

    #[test]
    fn a_buffer_ends_at_its_zero_and_a_failed_call_fills_none() {
        let write = |text: &'static [u8], code| {
            filled(move |buffer, _| {
                // SAFETY: the buffer has 256 bytes, the text fewer.
                unsafe { std::ptr::copy_nonoverlapping(text.as_ptr(), buffer.cast(), text.len()) };
                code
            })
        };
        assert_eq!(write(b"NVIDIA H100\0junk", 0).as_deref(), Some("NVIDIA H100"));
        assert_eq!(write(b"NVIDIA H100\0", 1), None);
        assert_eq!(write(b"\0", 0), None);
    }
}
