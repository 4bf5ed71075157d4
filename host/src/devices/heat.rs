//! How hot the machine is, and how often heat slowed it down.

use super::files::Files;

/// The hottest sensor of the kernel's thermal zones [°C].
pub(super) fn temperature_c(files: &Files) -> Option<f64> {
    let zones = files.names("sys/class/thermal").into_iter().filter(|name| name.starts_with("thermal_zone"));
    let degrees = zones.filter_map(|zone| files.number::<f64>(&format!("sys/class/thermal/{zone}/temp")));
    let sane = |degrees: &f64| (-50.0..200.0).contains(degrees);
    // Broken sensors report nonsense.
    degrees.map(|milli| milli / 1000.0).filter(sane).max_by(f64::total_cmp)
}

/// How often these processors were slowed down by heat since the machine started, their packages included.
pub(super) fn throttles(files: &Files, cpus: &[u32]) -> Option<u64> {
    let count = |cpu: &u32, what: &str| {
        files
            .number::<u64>(&format!("sys/devices/system/cpu/cpu{cpu}/thermal_throttle/{what}_throttle_count"))
    };
    let cores = cpus.iter().filter_map(|cpu| count(cpu, "core")).reduce(u64::saturating_add);
    // Every processor of a package says the same of it.
    let package = cpus.iter().filter_map(|cpu| count(cpu, "package")).max();
    cores.map(|cores| cores.saturating_add(package.unwrap_or(0))).or(package)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_hottest_sane_sensor_and_all_slow_downs_count() {
        let root = tempfile::tempdir().unwrap();
        let write = |path: &str, text: &str| {
            let path = root.path().join(path);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, text).unwrap();
        };
        let files = Files::below(root.path());
        assert_eq!((temperature_c(&files), throttles(&files, &[0, 1])), (None, None));
        write("sys/class/thermal/thermal_zone0/temp", "45000");
        write("sys/class/thermal/thermal_zone1/temp", "-274000");
        write("sys/class/thermal/cooling_device0/temp", "99000");
        for (cpu, core) in [(0, "4"), (1, "1"), (2, "100")] {
            let folder = format!("sys/devices/system/cpu/cpu{cpu}/thermal_throttle");
            write(&format!("{folder}/core_throttle_count"), core);
            write(&format!("{folder}/package_throttle_count"), "7");
        }
        assert_eq!(temperature_c(&files), Some(45.0));
        assert_eq!(throttles(&files, &[0, 1]), Some(12));
    }
}
