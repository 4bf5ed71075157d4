//! ROCm: the kernel's list of compute devices (KFD) has the devices; they can be used if the run-time library can be
//! loaded.

use std::{
    fs,
    path::{Path, PathBuf},
};

use dyno_core::model::{DeviceInfo, DeviceKind, DeviceState};

use super::library;

const NODE: &str = "/dev/kfd";

pub(super) fn devices() -> Result<Vec<DeviceInfo>, String> {
    let mut devices = listed(Path::new("/sys"));
    if devices.is_empty() {
        return Err(if Path::new(NODE).exists() {
            format!("{NODE} exists, but the kernel lists no AMD GPU that can compute")
        } else {
            format!(
                "no AMD ROCm: there is no {NODE}; it requires an AMD GPU and a kernel with the amdgpu driver"
            )
        });
    }
    let found = devices.iter().map(|device| device.model.as_str()).collect::<Vec<_>>().join(", ");
    if let Err(error) = fs::File::options().read(true).write(true).open(NODE) {
        return Err(format!(
            "{found} is present, but {NODE} cannot be opened: {error}; add the user to the group `render`, or give the \
             container the device"
        ));
    }
    let names = ["libamdhip64.so", "libamdhip64.so.7", "libamdhip64.so.6", "libamdhip64.so.5"];
    if let Err(error) = library::open(&names) {
        return Err(format!(
            "{found} is present, but the HIP run-time library cannot be loaded: {error}; install ROCm"
        ));
    }
    let version = text(Path::new("/opt/rocm/.info/version"));
    for device in &mut devices {
        device.interface = version.as_ref().map(|version| format!("ROCm {version}"));
    }
    Ok(devices)
}

/// The GPUs of the kernel's topology, below `/sys` or a folder that looks like it.
fn listed(sys: &Path) -> Vec<DeviceInfo> {
    let Ok(entries) = fs::read_dir(sys.join("class/kfd/kfd/topology/nodes")) else { return Vec::new() };
    let mut nodes: Vec<(u32, PathBuf)> = entries
        .flatten()
        .filter_map(|entry| Some((entry.file_name().to_str()?.parse().ok()?, entry.path())))
        .collect();
    nodes.sort();
    // Processors are nodes, too; they have no GPU's identifier.
    let is_gpu = |node: &Path| text(&node.join("gpu_id")).is_some_and(|id| id != "0");
    nodes
        .iter()
        .filter(|(_, node)| is_gpu(node))
        .zip(0..)
        .map(|((_, node), index)| describe(sys, node, index))
        .collect()
}

fn describe(sys: &Path, node: &Path, index: u32) -> DeviceInfo {
    let properties = text(&node.join("properties")).unwrap_or_default();
    let property = |name: &str| -> Option<u64> {
        let value = properties.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(' '))?;
        value.trim().parse().ok()
    };
    let mut device = DeviceInfo::new(DeviceKind::Rocm, index);
    device.compute = property("gfx_target_version").filter(|version| *version > 0).map(target);
    device.compute_units = match (property("simd_count"), property("simd_per_cu")) {
        (Some(simds), Some(per_unit)) if per_unit > 0 => u32::try_from(simds / per_unit).ok(),
        _ => None,
    };
    device.max_core_clock_mhz =
        property("max_engine_clk_fcompute").and_then(|mhz| u32::try_from(mhz).ok()).filter(|mhz| *mhz > 0);
    device.memory_bytes = memory(&node.join("mem_banks"));
    device.uuid = property("unique_id").filter(|id| *id > 0).map(|id| format!("GPU-{id:016x}"));
    if let Some(place) = property("location_id") {
        let domain = property("domain").unwrap_or(0);
        device.pci = Some(format!(
            "{domain:04x}:{:02x}:{:02x}.{}",
            (place >> 8) & 0xff,
            (place >> 3) & 0x1f,
            place & 7
        ));
    }
    let card = property("drm_render_minor").map(|minor| sys.join(format!("class/drm/renderD{minor}/device")));
    let name = card.as_ref().and_then(|card| text(&card.join("product_name")));
    let code = text(&node.join("name"));
    device.model = name.or(code).unwrap_or_else(|| "AMD GPU".to_owned());
    device.driver = text(&sys.join("module/amdgpu/version")).map(|version| format!("amdgpu {version}"));
    device.live = card.map(|card| state(&card, device.memory_bytes));
    device
}

/// 110000 is gfx1100, 90010 is gfx90a: the last two are hexadecimal digits.
fn target(version: u64) -> String {
    format!("gfx{}{:x}{:x}", version / 10_000, version / 100 % 100, version % 100)
}

/// Memory of the GPU itself: heaps 1 (public) and 2 (private).
fn memory(banks: &Path) -> Option<u64> {
    let bank = |path: PathBuf| {
        let properties = text(&path.join("properties"))?;
        let value = |name: &str| -> Option<u64> {
            properties.lines().find_map(|line| line.strip_prefix(name)?.trim().parse().ok())
        };
        matches!(value("heap_type"), Some(1 | 2)).then(|| value("size_in_bytes")).flatten()
    };
    let total: u64 = fs::read_dir(banks).ok()?.flatten().filter_map(|entry| bank(entry.path())).sum();
    (total > 0).then_some(total)
}

fn state(card: &Path, memory_bytes: Option<u64>) -> DeviceState {
    let sensors = fs::read_dir(card.join("hwmon")).ok().and_then(|mut found| found.next()?.ok());
    let sensor = |names: &[&str], scale: f64| {
        let folder = sensors.as_ref()?.path();
        let value = names.iter().find_map(|name| text(&folder.join(name))?.parse::<f64>().ok())?;
        Some(value / scale)
    };
    let megahertz = |name: &str| sensor(&[name], 1e6).map(|mhz| mhz as u32);
    let used = text(&card.join("mem_info_vram_used")).and_then(|used| used.parse::<u64>().ok());
    DeviceState {
        temperature_c: sensor(&["temp1_input"], 1e3),
        power_w: sensor(&["power1_average", "power1_input"], 1e6),
        core_clock_mhz: megahertz("freq1_input"),
        memory_clock_mhz: megahertz("freq2_input"),
        free_memory_bytes: memory_bytes.zip(used).map(|(all, used)| all.saturating_sub(used)),
        busy: text(&card.join("gpu_busy_percent"))
            .and_then(|percent| percent.parse::<f64>().ok())
            .map(|percent| percent.clamp(0.0, 100.0) / 100.0),
        throttled_by: Vec::new(),
    }
}

fn text(path: &Path) -> Option<String> {
    let text = fs::read_to_string(path).ok()?;
    let text = text.trim();
    (!text.is_empty()).then(|| text.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_kernels_topology_is_read() {
        let sys = tempfile::tempdir().unwrap();
        let write = |path: &str, text: &str| {
            let path = sys.path().join(path);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, text).unwrap();
        };
        let nodes = "class/kfd/kfd/topology/nodes";
        write(&format!("{nodes}/0/gpu_id"), "0\n");
        write(&format!("{nodes}/0/properties"), "cpu_cores_count 16\nsimd_count 0\n");
        write(&format!("{nodes}/1/gpu_id"), "32839\n");
        write(&format!("{nodes}/1/name"), "navi31\n");
        write(
            &format!("{nodes}/1/properties"),
            "simd_count 192\nsimd_per_cu 2\ngfx_target_version 110000\nlocation_id 768\ndomain 0\n\
             drm_render_minor 128\nmax_engine_clk_fcompute 2482\nunique_id 255\n",
        );
        write(&format!("{nodes}/1/mem_banks/0/properties"), "heap_type 1\nsize_in_bytes 25753026560\n");
        write(&format!("{nodes}/1/mem_banks/1/properties"), "heap_type 4\nsize_in_bytes 65536\n");
        write("class/drm/renderD128/device/product_name", "Radeon RX 7900 XTX\n");
        write("class/drm/renderD128/device/mem_info_vram_used", "1000000000\n");
        write("class/drm/renderD128/device/hwmon/hwmon3/temp1_input", "45000\n");
        let devices = listed(sys.path());
        assert_eq!(devices.len(), 1);
        let device = &devices[0];
        assert_eq!((device.name.as_str(), device.model.as_str()), ("rocm:0", "Radeon RX 7900 XTX"));
        assert_eq!((device.compute.as_deref(), device.compute_units), (Some("gfx1100"), Some(96)));
        assert_eq!(
            (device.pci.as_deref(), device.memory_bytes),
            (Some("0000:03:00.0"), Some(25_753_026_560))
        );
        let live = device.live.as_ref().unwrap();
        assert_eq!((live.temperature_c, live.free_memory_bytes), (Some(45.0), Some(24_753_026_560)));
        assert!(listed(Path::new("/nowhere")).is_empty());
    }

    #[test]
    fn targets_have_hexadecimal_steppings() {
        assert_eq!((target(90_010).as_str(), target(90_402).as_str()), ("gfx90a", "gfx942"));
    }
}
