//! Compiled code of components. The first launch of these bytes by this engine compiles, which takes seconds; what it makes is kept.

use std::{
    fs,
    io::{self, Read},
    path::Path,
    time::Duration,
};

use dyno_core::{
    model::{PluginKind, PluginRef},
    protocol::{COMPILED_FILE, CompiledCode, compiled_name, compiled_prefix},
};

use super::Planned;
use crate::regular_file;

/// Longest time for compiling a component: a run time of some script language takes ten seconds.
pub(super) const PATIENCE: Duration = Duration::from_secs(600);

/// More compiled code of one component is not kept [bytes].
const MAX_BYTES: u64 = 1 << 30;

/// Whether nothing compiled of the case's component is in the cache.
pub(super) fn will_compile(code_cache: &Path, case: &Planned) -> bool {
    if case.plugin.kind != PluginKind::Wasm {
        return false;
    }
    let prefix = compiled_prefix(&case.plugin.sha256);
    let is_there = fs::read_dir(code_cache).is_ok_and(|files| {
        files.flatten().any(|file| file.file_name().to_string_lossy().starts_with(&prefix))
    });
    !is_there
}

/// Copies what a worker has compiled from the folder of its launch to the cache, or removes from the cache what the worker found damaged.
/// The worker says for which engine; whatever it says, only launches of the same bytes read the file, behind the same layers. Returns a
/// sentence if the code is not kept.
pub(super) fn keep(
    launch: &Path,
    code_cache: &Path,
    plugin: &PluginRef,
    code: CompiledCode,
) -> Option<String> {
    if plugin.kind != PluginKind::Wasm {
        return None;
    }
    let place = |compatibility| code_cache.join(compiled_name(&plugin.sha256, compatibility));
    let done = match code {
        CompiledCode::New(compatibility) => copy(&launch.join(COMPILED_FILE), &place(compatibility)),
        CompiledCode::Damaged(compatibility) => fs::remove_file(place(compatibility)),
    };
    // Without the name of a file that nobody has seen.
    let error = done.err().map(|error| error.raw_os_error().map_or(error, io::Error::from_raw_os_error))?;
    let folder = code_cache.display();
    Some(format!(
        "compiled code could not be kept in `{folder}` ({error}), so that every launch compiles the component again"
    ))
}

fn copy(made: &Path, kept: &Path) -> io::Result<()> {
    let made = regular_file::open_no_link(made)?;
    if made.metadata()?.len() > MAX_BYTES {
        return Err(io::Error::other(format!("it has more than {} GiB", MAX_BYTES >> 30)));
    }
    let mut partial = tempfile::NamedTempFile::new_in(kept.parent().unwrap_or(Path::new(".")))?;
    io::copy(&mut made.take(MAX_BYTES), &mut partial)?;
    partial.persist(kept)?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_worker_compiled_is_kept_until_it_is_damaged_and_no_link_is_followed() {
        let (launch, cache) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        let made = launch.path().join(COMPILED_FILE);
        let kept = cache.path().join(compiled_name("ab", 7));
        let plugin = PluginRef {
            id: "p".to_owned(),
            version: "1.0.0".to_owned(),
            kind: PluginKind::Wasm,
            sha256: "ab".to_owned(),
            path: String::new(),
            build: None,
        };
        let told = |code| keep(launch.path(), cache.path(), &plugin, code);
        let keep = || told(CompiledCode::New(7));
        assert!(keep().unwrap().starts_with("compiled code could not be kept in `"), "there is none");
        fs::write(&made, "code").unwrap();
        assert_eq!(keep(), None);
        assert_eq!(fs::read_to_string(&kept).unwrap(), "code");
        assert_eq!(told(CompiledCode::Damaged(7)), None);
        assert!(!kept.exists());
        fs::remove_file(&made).unwrap();
        let secret = cache.path().join("secret");
        fs::write(&secret, "s").unwrap();
        std::os::unix::fs::symlink(&secret, &made).unwrap();
        assert!(keep().is_some() && !kept.exists() && secret.exists());
    }
}
