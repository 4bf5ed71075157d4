//! NVML: facts about a device that the CUDA driver does not report, including its state. Everything here is optional.

use dyno_core::model::{DeviceInfo, DeviceState};
use nvml_wrapper::{
    Nvml,
    bitmasks::device::ThrottleReasons,
    enum_wrappers::device::{Clock, TemperatureSensor},
};

/// The management library, or why it is not available.
pub(super) struct Management(Result<Nvml, String>);

impl Management {
    pub(super) fn open() -> Self {
        // Without the link for compilers, which machines that only run programs do not have.
        let opened = ["libnvidia-ml.so.1", "libnvidia-ml.so"]
            .iter()
            .map(|name| Nvml::builder().lib_path(name.as_ref()).init())
            .reduce(Result::or);
        Self(opened.map_or(Err(String::new()), |opened| opened.map_err(|error| error.to_string())))
    }

    /// Adds the facts of the management library about a device, which is found by its address on the bus.
    pub(super) fn describe(&self, device: &mut DeviceInfo) {
        let nvml = match &self.0 {
            Ok(nvml) => nvml,
            Err(why) => {
                device.remark = Some(format!(
                    "clocks, power and temperature are not known, because the driver's management library is not \
                     available ({why}); install libnvidia-ml.so.1"
                ));
                return;
            }
        };
        device.driver = nvml.sys_driver_version().ok().map(|version| format!("NVIDIA {version}"));
        let Some(found) = device.pci.as_deref().and_then(|pci| nvml.device_by_pci_bus_id(pci).ok()) else {
            return;
        };
        let watts = |milliwatts: u32| f64::from(milliwatts) / 1000.0;
        device.uuid = found.uuid().ok();
        device.power_limit_w = found.enforced_power_limit().ok().map(watts);
        let clock = |which| found.max_clock_info(which).ok();
        device.max_core_clock_mhz = clock(Clock::SM).or(device.max_core_clock_mhz);
        device.max_memory_clock_mhz = clock(Clock::Memory).or(device.max_memory_clock_mhz);
        device.live = Some(DeviceState {
            temperature_c: found.temperature(TemperatureSensor::Gpu).ok().map(f64::from),
            power_w: found.power_usage().ok().map(watts),
            core_clock_mhz: found.clock_info(Clock::SM).ok(),
            memory_clock_mhz: found.clock_info(Clock::Memory).ok(),
            free_memory_bytes: found.memory_info().ok().map(|memory| memory.free),
            busy: found.utilization_rates().ok().map(|rates| f64::from(rates.gpu.min(100)) / 100.0),
            throttled_by: found.current_throttle_reasons().map(throttled_by).unwrap_or_default(),
        });
    }
}

/// The reasons by name. Idling is not one: an idle device is not slowed down.
fn throttled_by(reasons: ThrottleReasons) -> Vec<String> {
    (reasons - ThrottleReasons::GPU_IDLE).iter_names().map(|(name, _)| name.to_lowercase()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_idle_device_is_not_throttled() {
        assert!(throttled_by(ThrottleReasons::GPU_IDLE).is_empty());
        let both = ThrottleReasons::GPU_IDLE | ThrottleReasons::SW_POWER_CAP;
        assert_eq!(throttled_by(both), ["sw_power_cap"]);
    }
}
