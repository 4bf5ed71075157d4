//! Cores, their threads, packages and nodes; caches and the threads that share them: from `/sys/devices/system`.

use std::{collections::BTreeSet, path::Path};

use dyno_core::{
    model::{Cache, Core},
    units,
};

use super::files::{Files, numbers, text};

/// A list of processors in a file; empty where there is none.
pub(super) fn list(path: &Path) -> Vec<u32> {
    text(path).as_deref().map(numbers).unwrap_or_default()
}

/// What a cache is called. // eg: "L1d"
pub(super) fn cache_name(level: &str, kind: &str) -> String {
    let suffix = match kind {
        "Data" => "d",
        "Instruction" => "i",
        _ => "",
    };
    format!("L{level}{suffix}")
}

/// The cores, by their first thread.
pub(super) fn cores(system: &Path) -> Vec<Core> {
    let mut seen = BTreeSet::new();
    let mut out = Vec::new();
    for cpu in list(&system.join("cpu/online")) {
        let folder = system.join(format!("cpu/cpu{cpu}"));
        let number = |path: &str| text(&folder.join(path)).and_then(|text| text.parse::<u32>().ok());
        let mut threads = list(&folder.join("topology/thread_siblings_list"));
        if !threads.contains(&cpu) {
            threads = vec![cpu];
        }
        if !seen.insert(threads.clone()) {
            continue;
        }
        out.push(Core {
            threads: units::cpus(&threads),
            package: number("topology/physical_package_id").unwrap_or(0),
            node: node(&folder).unwrap_or(0),
        });
    }
    out
}

/// The threads of a processor's core, itself included.
pub(super) fn siblings(files: &Files, cpu: u32) -> Vec<u32> {
    let list = files.text(&format!("sys/devices/system/cpu/cpu{cpu}/topology/thread_siblings_list"));
    let found = list.as_deref().map(numbers).unwrap_or_default();
    if found.contains(&cpu) { found } else { vec![cpu] }
}

/// The node of a processor: its folder holds a link `nodeN`.
fn node(folder: &Path) -> Option<u32> {
    let entries = std::fs::read_dir(folder).into_iter().flatten().flatten();
    let mut nodes =
        entries.filter_map(|entry| entry.file_name().to_str()?.strip_prefix("node")?.parse::<u32>().ok());
    nodes.next()
}

/// The kernel writes `32K` and `1024K`.
pub(super) fn cache_bytes(size: &str) -> Option<u64> {
    let (number, factor) = match size.strip_suffix('K') {
        Some(number) => (number, 1024),
        None => (size.strip_suffix('M')?, 1024 * 1024),
    };
    number.parse::<u64>().ok().map(|number| number * factor)
}

/// All caches, those that are alike together, smallest level first.
pub(super) fn caches(system: &Path) -> Vec<Cache> {
    let mut seen = BTreeSet::new();
    let mut out: Vec<Cache> = Vec::new();
    for cpu in list(&system.join("cpu/online")) {
        for index in 0..8 {
            let folder = system.join(format!("cpu/cpu{cpu}/cache/index{index}"));
            let read = |name: &str| text(&folder.join(name));
            let (Some(level), Some(kind), Some(bytes)) =
                (read("level"), read("type"), read("size").as_deref().and_then(cache_bytes))
            else {
                continue;
            };
            let name = cache_name(&level, &kind);
            let mut sharers = list(&folder.join("shared_cpu_list"));
            if !sharers.contains(&cpu) {
                sharers = vec![cpu];
            }
            let shared_by = u32::try_from(sharers.len()).unwrap_or(u32::MAX);
            if !seen.insert((name.clone(), sharers)) {
                continue;
            }
            let alike = |cache: &&mut Cache| {
                cache.name == name && cache.bytes == bytes && cache.shared_by == shared_by
            };
            match out.iter_mut().find(alike) {
                Some(cache) => cache.count += 1,
                None => out.push(Cache { name, bytes, count: 1, shared_by }),
            }
        }
    }
    out.sort_by(|a, b| a.name.cmp(&b.name));
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Two cores of two threads each on one package, and a level-3 cache for all.
    fn system() -> tempfile::TempDir {
        let root = tempfile::tempdir().unwrap();
        let write = |path: String, text: &str| {
            let path = root.path().join(path);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, text).unwrap();
        };
        write("cpu/online".to_owned(), "0-3");
        for (cpu, siblings) in [(0, "0,2"), (1, "1,3"), (2, "0,2"), (3, "1,3")] {
            let folder = format!("cpu/cpu{cpu}");
            write(format!("{folder}/topology/thread_siblings_list"), siblings);
            write(format!("{folder}/topology/physical_package_id"), "0");
            write(format!("{folder}/node1/x"), "");
            let caches = [("1", "Data", "32K", siblings), ("3", "Unified", "8M", "0-3")];
            for (index, (level, kind, size, shared)) in caches.into_iter().enumerate() {
                let cache = format!("{folder}/cache/index{index}");
                write(format!("{cache}/level"), level);
                write(format!("{cache}/type"), kind);
                write(format!("{cache}/size"), size);
                write(format!("{cache}/shared_cpu_list"), shared);
            }
        }
        root
    }

    #[test]
    fn cores_are_counted_once_with_their_threads() {
        let core = |threads: &str| Core { threads: threads.to_owned(), package: 0, node: 1 };
        assert_eq!(cores(system().path()), [core("0,2"), core("1,3")]);
    }

    #[test]
    fn caches_that_are_alike_stand_together() {
        let cache =
            |name: &str, bytes, count, shared_by| Cache { name: name.to_owned(), bytes, count, shared_by };
        assert_eq!(caches(system().path()), [cache("L1d", 32 << 10, 2, 2), cache("L3", 8 << 20, 1, 4)]);
    }

    #[test]
    fn sizes_are_read_as_the_kernel_writes_them() {
        assert_eq!(
            (cache_bytes("1024K"), cache_bytes("8M"), cache_bytes("8")),
            (Some(1 << 20), Some(8 << 20), None)
        );
    }

    #[test]
    fn nothing_said_is_nothing_known() {
        let nowhere = Path::new("/nonexistent");
        assert!(cores(nowhere).is_empty() && caches(nowhere).is_empty() && list(nowhere).is_empty());
    }
}
