//! What a name of the user means: a device, all devices of a kind, or `all`.

use dyno_core::model::{DeviceInfo, DeviceKind};

/// Every device of every kind.
pub const ALL: &str = "all";

/// An unknown device.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("there is no device `{name}`; known are {known}; several of a kind have numbers, like `cuda:1`")]
pub struct UnknownDevice {
    name: String,
    known: String,
}

impl UnknownDevice {
    fn new(name: &str) -> Self {
        let known: Vec<&str> = DeviceKind::ALL.iter().map(|kind| kind.word()).chain([ALL]).collect();
        Self { name: name.to_owned(), known: known.join(", ") }
    }
}

/// Kind and number of a name.
fn parts(name: &str) -> Option<(DeviceKind, Option<u32>)> {
    match name.split_once(':') {
        None => Some((DeviceKind::from_word(name)?, None)),
        Some((kind, number)) => Some((DeviceKind::from_word(kind)?, Some(number.parse().ok()?))),
    }
}

/// The kinds that these names are about, each once, in the order of all kinds. Unknown names are about none.
#[must_use]
pub fn kinds_of<'a>(names: impl IntoIterator<Item = &'a str>) -> Vec<DeviceKind> {
    let names: Vec<String> = names.into_iter().map(|name| name.trim().to_lowercase()).collect();
    let wanted = |kind: &DeviceKind| {
        names.iter().any(|name| name == ALL || parts(name).is_some_and(|(of, _)| of == *kind))
    };
    DeviceKind::ALL.into_iter().filter(wanted).collect()
}

/// The devices that `name` means among `devices`: one by its name, or all of a kind. An adapter in software counts as
/// one of its kind only where there is no other; its name always means it. A known device that is not available is
/// among them, with the reason.
///
/// # Errors
/// When it is not the name of a device.
pub fn find(devices: &[DeviceInfo], name: &str) -> Result<Vec<DeviceInfo>, UnknownDevice> {
    let wanted = name.trim().to_lowercase();
    if wanted == ALL {
        let kinds =
            DeviceKind::ALL.into_iter().filter(|kind| devices.iter().any(|device| device.kind == *kind));
        return Ok(kinds.flat_map(|kind| of_kind(devices, kind)).collect());
    }
    let Some((kind, number)) = parts(&wanted) else { return Err(UnknownDevice::new(name)) };
    let Some(number) = number else { return Ok(of_kind(devices, kind)) };
    let there =
        |device: &&DeviceInfo| device.kind == kind && device.index == number && device.unavailable.is_none();
    Ok(vec![devices.iter().find(there).cloned().unwrap_or_else(|| absent(devices, kind, number))])
}

fn of_kind(devices: &[DeviceInfo], kind: DeviceKind) -> Vec<DeviceInfo> {
    let all = || devices.iter().filter(|device| device.kind == kind);
    let real: Vec<DeviceInfo> = all().filter(|device| !device.software).cloned().collect();
    if real.is_empty() { all().cloned().collect() } else { real }
}

/// A device whose number this machine does not have, with the reason.
fn absent(devices: &[DeviceInfo], kind: DeviceKind, number: u32) -> DeviceInfo {
    let others: Vec<&DeviceInfo> = devices.iter().filter(|device| device.kind == kind).collect();
    let reason = others.iter().find_map(|device| device.unavailable.clone()).unwrap_or_else(|| {
        let names: Vec<&str> = others.iter().map(|device| device.name.as_str()).collect();
        format!("this machine has only {}", names.join(", "))
    });
    let name = format!("{kind}:{number}");
    DeviceInfo { name, index: number, ..DeviceInfo::unavailable(kind, reason) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn devices() -> Vec<DeviceInfo> {
        let software = DeviceInfo { software: true, ..DeviceInfo::new(DeviceKind::WebGpu, 1) };
        vec![
            DeviceInfo::new(DeviceKind::Cpu, 0),
            DeviceInfo::new(DeviceKind::Cuda, 0),
            DeviceInfo::new(DeviceKind::Cuda, 1),
            DeviceInfo::unavailable(DeviceKind::Rocm, "no AMD ROCm"),
            DeviceInfo::new(DeviceKind::WebGpu, 0),
            software,
        ]
    }

    fn named(name: &str) -> Vec<String> {
        find(&devices(), name).unwrap().into_iter().map(|device| device.name).collect()
    }

    #[test]
    fn a_kind_means_all_of_it_and_a_name_one() {
        assert_eq!(named("CPU"), ["cpu"]);
        assert_eq!(named("cpu:0"), ["cpu"]);
        assert_eq!(named(" cuda "), ["cuda:0", "cuda:1"]);
        assert_eq!(named("cuda:1"), ["cuda:1"]);
        assert_eq!(named("webgpu"), ["webgpu:0"], "software only where there is nothing else");
        assert_eq!(named("webgpu:1"), ["webgpu:1"]);
        assert_eq!(named("all"), ["cpu", "cuda:0", "cuda:1", "rocm", "webgpu:0"]);
        let only_software = vec![DeviceInfo { software: true, ..DeviceInfo::new(DeviceKind::WebGpu, 0) }];
        assert_eq!(find(&only_software, "webgpu").unwrap().len(), 1);
    }

    #[test]
    fn what_is_not_there_says_why() {
        let reason = |name: &str| find(&devices(), name).unwrap().remove(0).unavailable.unwrap();
        assert_eq!(reason("rocm"), "no AMD ROCm");
        assert_eq!(reason("rocm:3"), "no AMD ROCm");
        assert_eq!(named("cuda:7"), ["cuda:7"]);
        assert_eq!(reason("cuda:7"), "this machine has only cuda:0, cuda:1");
    }

    #[test]
    fn an_unknown_device_names_the_known() {
        for name in ["gpu", "cuda:", "cuda:x", "cuda:-1", ""] {
            let message = find(&devices(), name).unwrap_err().to_string();
            assert!(message.contains(&format!("`{name}`")) && message.contains("cpu, cuda"), "{message}");
        }
    }

    #[test]
    fn only_the_kinds_that_are_named_are_asked_about() {
        assert_eq!(kinds_of(["cpu"]), [DeviceKind::Cpu]);
        assert_eq!(kinds_of(["webgpu:0", "CUDA", "gpu", "cuda:1"]), [DeviceKind::Cuda, DeviceKind::WebGpu]);
        assert_eq!(kinds_of(["all"]).len(), 8);
    }
}
