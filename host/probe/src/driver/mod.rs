//! One file per kind of driver. The only room of the probe with `unsafe`: foreign libraries are opened and called here.

mod cuda;
mod library;
mod nvml;
mod openvino;
mod qnn;
mod rocm;
mod vulkan;

use dyno_core::model::{DeviceInfo, DeviceKind};

/// The devices of a kind, or one entry that says why there are none.
pub(crate) fn probe(kind: DeviceKind) -> Vec<DeviceInfo> {
    let found = match kind {
        DeviceKind::Cuda => cuda::devices(),
        DeviceKind::Rocm => rocm::devices(),
        DeviceKind::OpenVino => openvino::devices(),
        DeviceKind::Qnn => qnn::devices(),
        DeviceKind::WebGpu => vulkan::devices(),
        DeviceKind::Cpu | DeviceKind::Mps | DeviceKind::WebNn => {
            Err(format!("{kind} needs no driver that a probe could ask"))
        }
    };
    found.unwrap_or_else(|reason| vec![DeviceInfo::unavailable(kind, reason)])
}
