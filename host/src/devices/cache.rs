//! The drivers' answers, in the user's cache: a file per kind. A lost one is only asked for again, so nothing here
//! fails.

use std::{
    fs, io,
    path::{Path, PathBuf},
    time::{Duration, SystemTime},
};

use dyno_core::model::{DeviceInfo, DeviceKind};
use serde::{Deserialize, Serialize};

/// How long a failure is cached. It may have been chance, but a driver that hangs must not delay every command.
const FAULT_LIFE: Duration = Duration::from_secs(600);

#[derive(Debug, Serialize, Deserialize)]
struct Kept {
    /// Hash of everything that the answer depends on.
    key: String,
    /// Whether the driver gave no valid answer.
    is_fault: bool,
    devices: Vec<DeviceInfo>,
}

fn path(cache: &Path, kind: DeviceKind) -> PathBuf {
    cache.join("devices").join(format!("{kind}.json"))
}

/// The answer, if it was given under the same circumstances.
pub(super) fn read(cache: &Path, kind: DeviceKind, key: &str) -> Option<Vec<DeviceInfo>> {
    let path = path(cache, kind);
    let kept: Kept = serde_json::from_slice(&fs::read(&path).ok()?).ok()?;
    if kept.is_fault {
        let age = SystemTime::now().duration_since(fs::metadata(&path).ok()?.modified().ok()?).ok()?;
        if age > FAULT_LIFE {
            return None;
        }
    }
    (kept.key == key && kept.devices.iter().all(|device| device.kind == kind)).then_some(kept.devices)
}

pub(super) fn write(cache: &Path, kind: DeviceKind, key: &str, is_fault: bool, devices: &[DeviceInfo]) {
    let kept = Kept { key: key.to_owned(), is_fault, devices: devices.to_vec() };
    let path = path(cache, kind);
    let written = || -> io::Result<()> {
        let folder = path.parent().unwrap_or(cache);
        fs::create_dir_all(folder)?;
        let mut file = tempfile::NamedTempFile::new_in(folder)?;
        serde_json::to_writer(&mut file, &kept)?;
        file.persist(&path)?;
        Ok(())
    };
    // A cache that cannot be written is asked about again.
    let _ = written();
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_is_known_under_its_key_alone() {
        let cache = tempfile::tempdir().unwrap();
        let devices = [DeviceInfo::new(DeviceKind::Cuda, 0)];
        assert_eq!(read(cache.path(), DeviceKind::Cuda, "a"), None);
        write(cache.path(), DeviceKind::Cuda, "a", false, &devices);
        assert_eq!(read(cache.path(), DeviceKind::Cuda, "a").as_deref(), Some(&devices[..]));
        assert_eq!(read(cache.path(), DeviceKind::Cuda, "b"), None);
        assert_eq!(read(cache.path(), DeviceKind::Rocm, "a"), None);
        fs::write(path(cache.path(), DeviceKind::Cuda), "{").unwrap();
        assert_eq!(read(cache.path(), DeviceKind::Cuda, "a"), None);
    }

    #[test]
    fn a_fault_is_believed_for_a_while() {
        let cache = tempfile::tempdir().unwrap();
        let devices = [DeviceInfo::unavailable(DeviceKind::Cuda, "it hung")];
        write(cache.path(), DeviceKind::Cuda, "a", true, &devices);
        assert!(read(cache.path(), DeviceKind::Cuda, "a").is_some());
        let file = fs::File::options().write(true).open(path(cache.path(), DeviceKind::Cuda)).unwrap();
        file.set_modified(SystemTime::now() - 2 * FAULT_LIFE).unwrap();
        assert_eq!(read(cache.path(), DeviceKind::Cuda, "a"), None);
    }
}
