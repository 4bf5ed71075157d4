//! Inside the plugin: the adapters of this machine, in the order in which `webgpu:0`, `webgpu:1`, … number them.

use dyno_sdk::prelude::*;
use wgpu::{Adapter, AdapterInfo, Backends, DeviceType, Instance, InstanceDescriptor, InstanceFlags};

/// What to do on a machine that has none.
const NONE: &str = "no Vulkan driver offers an adapter here; install the driver of your GPU (on Debian `mesa-vulkan-drivers` with \
     `libvulkan1`, which also bring one in software, or NVIDIA's `nvidia-vulkan-icd`)";

/// Every adapter, in the order of their numbers: that in which wgpu lists them, which the host's detection keeps as well.
pub(crate) fn all() -> Vec<Adapter> {
    let instance = Instance::new(InstanceDescriptor {
        backends: Backends::VULKAN,
        // Neither validation layers nor debug markers, however this was built: they would be measured.
        flags: InstanceFlags::empty(),
        ..InstanceDescriptor::new_without_display_handle()
    });
    pollster::block_on(instance.enumerate_adapters(Backends::VULKAN))
}

/// The adapter of that number.
pub(crate) fn choose(index: u32) -> Result<Adapter, Failure> {
    let mut adapters = all();
    if (index as usize) < adapters.len() {
        return Ok(adapters.swap_remove(index as usize));
    }
    if adapters.is_empty() {
        return Err(Failure::skipped(NONE));
    }
    let names: Vec<String> =
        adapters.iter().enumerate().map(|(i, it)| format!("{i} is {}", it.get_info().name)).collect();
    Err(Failure::skipped(format!("there is no WebGPU adapter {index}; {}", names.join(", "))))
}

/// What an adapter is, on one line. // eg: "llvmpipe (LLVM 15.0.6, 256 bits), software on the CPU, driver llvmpipe Mesa 22.3.6"
pub(crate) fn describe(info: &AdapterInfo) -> String {
    let kind = match info.device_type {
        DeviceType::DiscreteGpu => "discrete GPU",
        DeviceType::IntegratedGpu => "integrated GPU",
        DeviceType::VirtualGpu => "virtual GPU",
        DeviceType::Cpu => "software on the CPU",
        DeviceType::Other => "of unknown kind",
    };
    let driver = format!("{} {}", info.driver, info.driver_info);
    format!("{}, {kind}, driver {}", info.name, driver.trim())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_that_no_adapter_has_is_a_skip_that_says_what_there_is() {
        let failure = choose(1000).unwrap_err();
        assert!(failure.is_skipped());
        let message = failure.message();
        assert!(message.contains("no WebGPU adapter 1000; 0 is ") || message == NONE, "{message}");
    }
}
