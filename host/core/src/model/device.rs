//! Devices that benchmarks run on.

use std::fmt;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// The kinds of device that dyno knows: the eight of the original suite.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
#[expect(missing_docs, reason = "the names are the documentation")]
pub enum DeviceKind {
    Cpu,
    Cuda,
    Rocm,
    Mps,
    OpenVino,
    Qnn,
    WebGpu,
    WebNn,
}

impl DeviceKind {
    /// Every kind, in the order in which they are listed.
    pub const ALL: [Self; 8] =
        [Self::Cpu, Self::Cuda, Self::Rocm, Self::Mps, Self::OpenVino, Self::Qnn, Self::WebGpu, Self::WebNn];

    /// The word for it, as in flags, JSON and SQL.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Cpu => "cpu",
            Self::Cuda => "cuda",
            Self::Rocm => "rocm",
            Self::Mps => "mps",
            Self::OpenVino => "openvino",
            Self::Qnn => "qnn",
            Self::WebGpu => "webgpu",
            Self::WebNn => "webnn",
        }
    }

    /// The kind of that word.
    #[must_use]
    pub fn from_word(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.word() == word)
    }
}

impl fmt::Display for DeviceKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.word())
    }
}

/// One device as the host sees it, or an unavailable kind with the reason. A value that a device does not report is
/// absent.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct DeviceInfo {
    /// Name in flags and results. // eg: "cpu", "cuda:0"
    pub name: String,
    /// Kind of the device.
    pub kind: DeviceKind,
    /// Number among those of its kind, from 0.
    pub index: u32,
    /// Model name. // eg: "AMD EPYC 9R14"
    #[serde(default)]
    pub model: String,
    /// Its memory [bytes].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub memory_bytes: Option<u64>,
    /// Whether it is a software adapter: the CPU does its work, so its numbers say nothing about a GPU.
    #[serde(default, skip_serializing_if = "is_false")]
    pub software: bool,
    /// Driver and its version. // eg: "NVIDIA 550.54.15"
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub driver: Option<String>,
    /// The interface that it is used through, and its version. // eg: "CUDA 12.4"
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub interface: Option<String>,
    /// Compute capability, or name of the instruction set. // eg: "9.0", "gfx1100"
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub compute: Option<String>,
    /// Multiprocessors or compute units.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub compute_units: Option<u32>,
    /// Highest clock of its cores [MHz].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_core_clock_mhz: Option<u32>,
    /// Highest clock of its memory [MHz].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_memory_clock_mhz: Option<u32>,
    /// Power limit [W].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub power_limit_w: Option<f64>,
    /// Address on the bus. // eg: "0000:65:00.0"
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pci: Option<String>,
    /// The identifier that its driver gives it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub uuid: Option<String>,
    /// A remark about the device, a sentence.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub remark: Option<String>,
    /// Why its driver was asked with the user's rights, a sentence; absent if it was asked behind the layers that isolate plugins.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unconfined: Option<String>,
    /// Its current state, if requested.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub live: Option<DeviceState>,
    /// Why it cannot be used; absent if it can.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unavailable: Option<String>,
}

/// The state of a device at one moment.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct DeviceState {
    /// Temperature [°C].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub temperature_c: Option<f64>,
    /// Power that it draws [W].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub power_w: Option<f64>,
    /// Clock of its cores [MHz].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub core_clock_mhz: Option<u32>,
    /// Clock of its memory [MHz].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub memory_clock_mhz: Option<u32>,
    /// Free memory [bytes].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub free_memory_bytes: Option<u64>,
    /// Share of the last moments in which it was busy, 0 to 1.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub busy: Option<f64>,
    /// Causes that slow it down now. // eg: ["sw_power_cap"]
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub throttled_by: Vec<String>,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde passes a reference")]
fn is_false(value: &bool) -> bool {
    !value
}

impl DeviceInfo {
    /// Whether both are the same piece of hardware, as far as its driver tells.
    #[must_use]
    pub fn is_same_as(&self, other: &Self) -> bool {
        let identity = |it: &Self| (it.name.clone(), it.model.clone(), it.pci.clone(), it.uuid.clone());
        identity(self) == identity(other)
    }

    /// A device of which only its existence is known yet. Kinds of which a machine has only one have no number.
    #[must_use]
    pub fn new(kind: DeviceKind, index: u32) -> Self {
        let name = if kind == DeviceKind::Cpu { kind.word().to_owned() } else { format!("{kind}:{index}") };
        Self {
            name,
            kind,
            index,
            model: String::new(),
            memory_bytes: None,
            software: false,
            driver: None,
            interface: None,
            compute: None,
            compute_units: None,
            max_core_clock_mhz: None,
            max_memory_clock_mhz: None,
            power_limit_w: None,
            pci: None,
            uuid: None,
            remark: None,
            unconfined: None,
            live: None,
            unavailable: None,
        }
    }

    /// A kind without a usable device.
    #[must_use]
    pub fn unavailable(kind: DeviceKind, reason: impl Into<String>) -> Self {
        Self { name: kind.word().to_owned(), unavailable: Some(reason.into()), ..Self::new(kind, 0) }
    }

    /// The resource behind this device: two names for one card, or a software adapter and the CPU, must not be measured
    /// at the same time.
    #[must_use]
    pub fn resource(&self) -> String {
        match &self.pci {
            _ if self.software || self.kind == DeviceKind::Cpu => DeviceKind::Cpu.word().to_owned(),
            Some(pci) => format!("pci-{}", pci.to_lowercase()),
            None => self.name.clone(),
        }
    }

    /// Its name for people, marked if it is a software adapter. // eg: "webgpu:0 (software)"
    #[must_use]
    pub fn label(&self) -> String {
        if self.software { format!("{} (software)", self.name) } else { self.name.clone() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_card_under_two_names_is_one_resource() {
        let on =
            |kind, pci: Option<&str>| DeviceInfo { pci: pci.map(str::to_owned), ..DeviceInfo::new(kind, 0) };
        assert_eq!(on(DeviceKind::Cuda, Some("0000:0A:00.0")).resource(), "pci-0000:0a:00.0");
        assert_eq!(on(DeviceKind::WebGpu, Some("0000:0a:00.0")).resource(), "pci-0000:0a:00.0");
        assert_eq!(on(DeviceKind::Cuda, None).resource(), "cuda:0");
        let adapter = DeviceInfo { software: true, ..on(DeviceKind::WebGpu, None) };
        assert_eq!(adapter.resource(), on(DeviceKind::Cpu, None).resource());
        assert_eq!((adapter.label().as_str(), adapter.name.as_str()), ("webgpu:0 (software)", "webgpu:0"));
    }

    #[test]
    fn what_is_not_known_is_not_written_and_old_documents_are_read() {
        let text = serde_json::to_string(&DeviceInfo::new(DeviceKind::Cuda, 1)).unwrap();
        assert_eq!(text, r#"{"name":"cuda:1","kind":"cuda","index":1,"model":""}"#);
        assert_eq!(serde_json::from_str::<DeviceInfo>(&text).unwrap(), DeviceInfo::new(DeviceKind::Cuda, 1));
    }
}
