//! The devices of this machine. The host never loads a driver: what would need one is looked for by its files, and
//! reported with the reason why it cannot be used.

use std::path::{Path, PathBuf};

use dyno_core::model::{DeviceInfo, DeviceKind};

/// A device that nobody knows.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("there is no device `{name}`; known are {known}")]
pub struct UnknownDevice {
    name: String,
    known: String,
}

/// Every kind of device: those that can be used, and the others with the reason.
#[must_use]
pub fn detect() -> Vec<DeviceInfo> {
    DeviceKind::ALL.into_iter().map(one).collect()
}

fn one(kind: DeviceKind) -> DeviceInfo {
    let mut device = DeviceInfo {
        name: kind.word().to_owned(),
        kind,
        index: 0,
        model: String::new(),
        software: false,
        memory_bytes: None,
        unavailable: None,
    };
    match kind {
        DeviceKind::Cpu => {
            let machine = super::machine();
            device.model = machine.cpu.model;
            device.memory_bytes = Some(machine.memory_bytes);
        }
        DeviceKind::Mps => device.unavailable = Some(mps()),
        DeviceKind::Cuda => {
            device.unavailable = Some(driver("NVIDIA", "libcuda.so.1", &["/dev/nvidiactl", "/dev/dxg"]));
        }
        DeviceKind::Rocm => device.unavailable = Some(driver("AMD ROCm", "libamdhip64.so", &["/dev/kfd"])),
        DeviceKind::OpenVino => device.unavailable = Some(library("OpenVINO", "libopenvino_c.so")),
        DeviceKind::Qnn => device.unavailable = Some(library("Qualcomm QNN", "libQnnHtp.so")),
        DeviceKind::WebGpu => device.unavailable = Some(library("Vulkan", "libvulkan.so.1")),
        DeviceKind::WebNn => {
            device.unavailable =
                Some("WebNN needs a browser or its runtime, which this dyno does not start".to_owned());
        }
    }
    device
}

fn mps() -> String {
    if cfg!(target_os = "macos") {
        "Metal is not supported by this dyno yet".to_owned()
    } else {
        format!("Metal exists on macOS only, this is {}", std::env::consts::OS)
    }
}

fn driver(vendor: &str, library: &str, nodes: &[&str]) -> String {
    match (find_library(library), nodes.iter().find(|node| Path::new(node).exists())) {
        (None, None) => format!("no {vendor} driver: neither {library} nor {} is there", nodes.join(" nor ")),
        (None, Some(node)) => {
            format!("{node} is there, but not the {vendor} driver library {library}; install it")
        }
        (Some(path), None) => {
            format!("{} is there, but no device node ({})", path.display(), nodes.join(", "))
        }
        (Some(_), Some(_)) => format!("an {vendor} driver is there, but this dyno does not probe it yet"),
    }
}

fn library(name: &str, file: &str) -> String {
    match find_library(file) {
        None => format!("no {name}: {file} is not there"),
        Some(path) => format!("{} is there, but this dyno does not probe it yet", path.display()),
    }
}

/// A shared library in the places where the dynamic linker would look, found by its name only.
fn find_library(file: &str) -> Option<PathBuf> {
    let arch = std::env::consts::ARCH;
    [
        "/lib",
        "/usr/lib",
        "/usr/lib64",
        "/usr/local/lib",
        "/usr/local/cuda/lib64",
        "/opt/rocm/lib",
        "/usr/lib/wsl/lib",
    ]
    .into_iter()
    .map(PathBuf::from)
    .chain([PathBuf::from(format!("/usr/lib/{arch}-linux-gnu"))])
    .map(|folder| folder.join(file))
    .find(|path| path.exists())
}

/// The devices that `name` means: one by its name, or all of a kind.
///
/// # Errors
/// When there is none, with the known names.
pub fn find<'a>(devices: &'a [DeviceInfo], name: &str) -> Result<Vec<&'a DeviceInfo>, UnknownDevice> {
    let wanted = name.trim().to_lowercase();
    let found: Vec<&DeviceInfo> =
        devices.iter().filter(|device| device.name == wanted || device.kind.word() == wanted).collect();
    if found.is_empty() {
        let known: Vec<&str> = devices.iter().map(|device| device.name.as_str()).collect();
        return Err(UnknownDevice { name: name.to_owned(), known: known.join(", ") });
    }
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_kind_is_listed_and_only_with_a_reason_when_it_cannot_be_used() {
        let devices = detect();
        assert_eq!(devices.len(), DeviceKind::ALL.len());
        assert!(devices[0].unavailable.is_none(), "a CPU is always there");
        assert!(
            devices[1..].iter().all(|device| device.unavailable.as_ref().is_some_and(|why| why.len() > 10))
        );
    }

    #[test]
    fn an_unknown_device_names_the_known() {
        let message = find(&detect(), "gpu").unwrap_err().to_string();
        assert!(message.contains("`gpu`") && message.contains("cpu, cuda"), "{message}");
        assert_eq!(find(&detect(), "CPU").unwrap()[0].kind, DeviceKind::Cpu);
    }
}
