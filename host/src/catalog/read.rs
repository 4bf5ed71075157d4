//! From a plugin file to its entry: read once, described, and compared with what vouches for it.

use std::path::Path;

use dyno_core::{
    binary::{self, NotAPlugin},
    model::Capability,
};
use dyno_plugin_api::descriptor::UnknownKey;

use super::{
    entry::{Entry, Problem, Unread, hash, read_bytes},
    vouched::{admitted, signature_of},
};
use crate::trust::{SignatureState, TrustStore};

/// Reads and describes a file, whether or not the trust store admits it.
///
/// # Errors
/// One line that says what is wrong with it.
pub fn read_file(path: &Path, trust: &TrustStore) -> Result<Entry, Problem> {
    described(path, trust).map_err(|unread| unread.of(path))
}

/// The same for a file that is to be run: only if the trust store admits it.
///
/// # Errors
/// One line that says what is wrong with it, or what it lacks.
pub fn admitted_file(path: &Path, trust: &TrustStore) -> Result<Entry, Problem> {
    described_and_admitted(path, trust).map_err(|unread| unread.of(path))
}

/// Who signed a file, whatever it is.
///
/// # Errors
/// When it cannot be read.
pub fn signature_of_file(path: &Path, trust: &TrustStore) -> Result<SignatureState, Problem> {
    let judged = |bytes: &[u8]| Ok(signature_of(path, bytes, &hash(bytes), trust)?);
    read_bytes(path).and_then(|bytes| judged(&bytes)).map_err(|unread| unread.of(path))
}

/// As [`admitted_file`], but tells faults of the file from faults of the host.
pub(super) fn described_and_admitted(path: &Path, trust: &TrustStore) -> Result<Entry, Unread> {
    admitted(described(path, trust)?, trust)
}

/// Reads and describes a file; tells faults of the file from faults of the host.
fn described(path: &Path, trust: &TrustStore) -> Result<Entry, Unread> {
    let bytes = read_bytes(path)?;
    let (kind, descriptor) = binary::describe(&bytes).map_err(|error| match error {
        NotAPlugin::Foreign | NotAPlugin::ForCompiler => Problem::aside(path, error.to_string()),
        other => Problem::error(path, other.to_string()),
    })?;
    let incompatible = descriptor.abi.mismatch();
    let sha256 = hash(&bytes);
    let unknown_keys = binary::unknown_keys(&bytes);
    let faults = Capability::faults(&descriptor.capabilities)
        .map(|(text, why)| format!("its descriptor asks for `{text}`, {why}"));
    let warnings = unknown_keys.iter().map(unread).chain(faults).collect();
    Ok(Entry {
        path: path.to_owned(),
        signature: signature_of(path, &bytes, &sha256, trust)?,
        sha256,
        size: bytes.len() as u64,
        kind,
        descriptor,
        incompatible,
        warnings,
    })
}

/// The remark on an unknown key, with the key that may have been meant.
fn unread(found: &UnknownKey) -> String {
    /// Minimum similarity of a misspelt key to a known one, 0 to 1.
    const ALIKE: f64 = 0.8;
    let place = if found.place.is_empty() { String::new() } else { format!(" in `{}`", found.place) };
    let likeness = |name: &String| strsim::jaro_winkler(name, &found.key.to_lowercase());
    let nearest = found.known.iter().max_by(|a, b| likeness(a).total_cmp(&likeness(b)));
    let hint = match nearest.filter(|name| likeness(name) >= ALIKE) {
        Some(name) => format!("did you mean `{name}`?"),
        None => format!("the keys known there are {}", found.known.join(", ")),
    };
    format!("its descriptor has the unknown key `{}`{place}, which is ignored; {hint}", found.key)
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    fn read(path: &Path) -> Result<Entry, Problem> {
        read_file(path, &TrustStore::default())
    }

    #[test]
    fn what_is_no_file_is_refused_without_hanging() {
        let folder = tempfile::tempdir().unwrap();
        let pipe = folder.path().join("x.so");
        nix::unistd::mkfifo(&pipe, nix::sys::stat::Mode::S_IRWXU).unwrap();
        assert!(read(&pipe).unwrap_err().message.contains("not a regular file"));
        assert!(read(folder.path()).unwrap_err().message.contains("not a regular file"));
        assert!(read(&folder.path().join("none.so")).unwrap_err().message.contains("cannot be read"));
    }

    #[test]
    fn an_unknown_key_names_the_nearest() {
        let known = vec!["description".to_owned(), "name".to_owned()];
        let unknown = |place: &str, key: &str| {
            unread(&UnknownKey { place: place.to_owned(), key: key.to_owned(), known: known.clone() })
        };
        let misspelt = unknown("benchmarks[0]", "descriptin");
        assert!(
            misspelt.contains("`descriptin` in `benchmarks[0]`")
                && misspelt.contains("did you mean `description`?"),
            "{misspelt}"
        );
        assert!(unknown("", "zzz").ends_with("known there are description, name"));
    }

    #[test]
    fn an_empty_file_and_a_text_are_named() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("x.so");
        fs::write(&path, "").unwrap();
        assert_eq!(read(&path).unwrap_err().message, "the file is empty");
        fs::write(&path, "hello").unwrap();
        assert!(read(&path).unwrap_err().message.contains("is not a library"));
    }
}
