//! Vulkan, on which WebGPU runs here: the adapters, in the order in which wgpu lists them to plugins too.

use std::{
    pin::pin,
    task::{Context, Poll, Waker},
};

use dyno_core::model::{DeviceInfo, DeviceKind};
use wgpu::{Adapter, AdapterInfo, Backends, DeviceType, Instance, InstanceDescriptor};

use super::library;

pub(super) fn devices() -> Result<Vec<DeviceInfo>, String> {
    library::open(&["libvulkan.so.1", "libvulkan.so"]).map_err(|error| {
        if error.contains("cannot open shared object file") {
            "no Vulkan: there is no libvulkan.so.1; install the Vulkan loader and the driver of the GPU (Debian: \
             libvulkan1; mesa-vulkan-drivers has drivers for AMD and Intel, and a software adapter)"
                .to_owned()
        } else {
            format!("the Vulkan loader cannot be opened: {error}")
        }
    })?;
    let mut descriptor = InstanceDescriptor::new_without_display_handle();
    descriptor.backends = Backends::VULKAN;
    let instance = Instance::new(descriptor);
    let adapters = ready(instance.enumerate_adapters(Backends::VULKAN))
        .ok_or("wgpu did not list its adapters at once, which it always has")?;
    if adapters.is_empty() {
        return Err(
            "the Vulkan loader is installed, but no driver offers an adapter; install the driver of the GPU (Debian: \
             mesa-vulkan-drivers has drivers for AMD and Intel, and a software adapter)"
                .to_owned(),
        );
    }
    Ok(adapters.iter().zip(0..).map(|(adapter, index)| describe(adapter, index)).collect())
}

fn describe(adapter: &Adapter, index: u32) -> DeviceInfo {
    let mut device = of(&adapter.get_info(), index);
    if !adapter.features().contains(wgpu::Features::TIMESTAMP_QUERY) {
        let remark = "the adapter has no timestamps: device time cannot be measured";
        device.remark =
            Some(device.remark.map_or_else(|| remark.to_owned(), |before| format!("{before}; {remark}")));
    }
    device
}

fn of(info: &AdapterInfo, index: u32) -> DeviceInfo {
    let mut device = DeviceInfo::new(DeviceKind::WebGpu, index);
    device.model.clone_from(&info.name);
    device.software = info.device_type == DeviceType::Cpu;
    if device.software {
        device.remark = Some("a software adapter: its numbers are those of the CPU".to_owned());
    }
    let driver = format!("{} {}", info.driver, info.driver_info);
    device.driver = Some(driver.trim().to_owned()).filter(|driver| !driver.is_empty());
    device.interface = Some("WebGPU on Vulkan".to_owned());
    device.pci =
        Some(info.device_pci_bus_id.to_lowercase()).filter(|pci| !pci.is_empty() && !device.software);
    device
}

/// The output of a future that is ready at once: wgpu's futures that list adapters never wait.
fn ready<T>(future: impl Future<Output = T>) -> Option<T> {
    match pin!(future).poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(value) => Some(value),
        Poll::Pending => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_software_adapter_is_labelled_and_is_on_no_bus() {
        let mut info = AdapterInfo::new(DeviceType::Cpu, wgpu::Backend::Vulkan);
        info.name = "llvmpipe".to_owned();
        info.device_pci_bus_id = "0000:00:00.0".to_owned();
        let device = of(&info, 1);
        assert_eq!((device.name.as_str(), device.label().as_str()), ("webgpu:1", "webgpu:1 (software)"));
        assert_eq!((device.resource().as_str(), device.pci), ("cpu", None));
        info.device_type = DeviceType::DiscreteGpu;
        assert_eq!(of(&info, 0).resource(), "pci-0000:00:00.0");
    }
}
