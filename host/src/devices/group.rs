//! What the control group of this process, and every group above it, allows.

use dyno_core::model::GroupReadings;

use super::files::Files;

/// The tightest limits on the way from the process's group to the root: an inner group may say `max` where an outer
/// one does not.
pub(super) fn read(files: &Files) -> GroupReadings {
    let membership = files.text("proc/self/cgroup").unwrap_or_default();
    let mut out = GroupReadings::default();
    for line in membership.lines() {
        let mut parts = line.splitn(3, ':');
        let (Some(_), Some(controllers), Some(path)) = (parts.next(), parts.next(), parts.next()) else {
            continue;
        };
        for folder in upwards(path) {
            match controllers {
                "" => unified(files, &folder, &mut out),
                _ if controllers.split(',').any(|name| name == "cpu") => {
                    old_cpu(files, &format!("sys/fs/cgroup/cpu{folder}"), &mut out);
                    old_cpu(files, &format!("sys/fs/cgroup/{controllers}{folder}"), &mut out);
                }
                _ if controllers.split(',').any(|name| name == "memory") => {
                    let file = format!("sys/fs/cgroup/memory{folder}/memory.limit_in_bytes");
                    // Version 1 expresses "no limit" as a number near the largest.
                    memory(&mut out, &file, files.number::<u64>(&file).filter(|bytes| *bytes < 1 << 60));
                }
                _ => {}
            }
        }
    }
    out
}

/// A group and those above it. // eg: `/a/b` is `/a/b`, `/a` and the root, which has no name
fn upwards(path: &str) -> Vec<String> {
    let mut folder = path.trim_end_matches('/').to_owned();
    let mut out = vec![folder.clone()];
    while let Some((above, _)) = folder.rsplit_once('/') {
        folder = above.to_owned();
        out.push(folder.clone());
    }
    out
}

fn unified(files: &Files, folder: &str, out: &mut GroupReadings) {
    for mount in ["sys/fs/cgroup", "sys/fs/cgroup/unified"] {
        let file = format!("{mount}{folder}/cpu.max");
        if let Some(text) = files.text(&file) {
            let mut words = text.split_whitespace().map(|word| word.parse::<f64>().ok());
            if let (Some(Some(quota)), Some(Some(period))) = (words.next(), words.next()) {
                cpu(out, &file, quota, period);
            }
        }
        throttled(out, files.text(&format!("{mount}{folder}/cpu.stat")));
        let file = format!("{mount}{folder}/memory.max");
        memory(out, &file, files.number(&file));
    }
}

fn old_cpu(files: &Files, folder: &str, out: &mut GroupReadings) {
    let file = format!("{folder}/cpu.cfs_quota_us");
    let period = files.number::<f64>(&format!("{folder}/cpu.cfs_period_us"));
    if let Some((quota, period)) = files.number::<f64>(&file).zip(period) {
        cpu(out, &file, quota, period);
    }
    throttled(out, files.text(&format!("{folder}/cpu.stat")));
}

fn cpu(out: &mut GroupReadings, file: &str, quota: f64, period: f64) {
    // A negative quota is none.
    if quota <= 0.0 || period <= 0.0 {
        return;
    }
    let found = quota / period;
    if out.cpu_quota.is_none_or(|known| found < known) {
        out.cpu_quota = Some(found);
        out.cpu_file = Some(format!("/{file}"));
    }
}

fn throttled(out: &mut GroupReadings, stat: Option<String>) {
    let text = stat.unwrap_or_default();
    let found = text.lines().find_map(|line| line.strip_prefix("nr_throttled ")?.trim().parse::<u64>().ok());
    out.throttled = out.throttled.max(found);
}

fn memory(out: &mut GroupReadings, file: &str, bytes: Option<u64>) {
    if let Some(found) = bytes
        && out.memory_bytes.is_none_or(|known| found < known)
    {
        out.memory_bytes = Some(found);
        out.memory_file = Some(format!("/{file}"));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(tree: &[(&str, &str)]) -> GroupReadings {
        let root = tempfile::tempdir().unwrap();
        for (path, text) in tree {
            let path = root.path().join(path);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, text).unwrap();
        }
        read(&Files::below(root.path()))
    }

    #[test]
    fn the_tightest_limit_on_the_way_up_counts() {
        let found = of(&[
            ("proc/self/cgroup", "0::/a/b\n"),
            ("sys/fs/cgroup/a/b/cpu.max", "max 100000\n"),
            ("sys/fs/cgroup/a/cpu.max", "150000 100000\n"),
            ("sys/fs/cgroup/a/b/cpu.stat", "usage_usec 5\nnr_throttled 7\n"),
            ("sys/fs/cgroup/a/b/memory.max", "max\n"),
            ("sys/fs/cgroup/a/memory.max", "1073741824\n"),
        ]);
        assert_eq!(found.cpu_quota, Some(1.5));
        assert_eq!(found.cpu_file.as_deref(), Some("/sys/fs/cgroup/a/cpu.max"));
        assert_eq!((found.throttled, found.memory_bytes), (Some(7), Some(1 << 30)));
    }

    #[test]
    fn the_old_controllers_are_read_too() {
        let found = of(&[
            ("proc/self/cgroup", "4:memory:/x\n1:cpu,cpuacct:/\n0::/\n"),
            ("sys/fs/cgroup/cpu,cpuacct/cpu.cfs_quota_us", "50000\n"),
            ("sys/fs/cgroup/cpu,cpuacct/cpu.cfs_period_us", "100000\n"),
            ("sys/fs/cgroup/memory/x/memory.limit_in_bytes", "4096\n"),
            ("sys/fs/cgroup/memory/memory.limit_in_bytes", "9223372036854771712\n"),
        ]);
        assert_eq!((found.cpu_quota, found.memory_bytes), (Some(0.5), Some(4096)));
    }

    #[test]
    fn no_group_is_no_limit() {
        assert_eq!(of(&[]), GroupReadings::default());
        assert_eq!(
            of(&[("proc/self/cgroup", "1:cpu:/\n"), ("sys/fs/cgroup/cpu/cpu.cfs_quota_us", "-1")]),
            GroupReadings::default()
        );
    }
}
