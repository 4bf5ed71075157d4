//! What vouches for a plugin file: the signature beside it or that of its package, and the lock file of its plugin folder. Read
//! for the very bytes that were described, so that nothing is read again between this and loading them by their hash.

use std::{fmt::Write, fs, io, path::Path};

use dyno_core::model::PackageManifest;
use sha2::{Digest, Sha256};

use super::{
    entry::{Entry, Problem, Stamp, Unread, hash},
    locks::{Locked, lock_of, locked},
    voucher_files::{
        MAX_MANIFEST_BYTES, PACKAGE_MANIFEST, PACKAGE_SIGNATURE, package_of, read_at_most, read_voucher,
    },
};
use crate::{
    fault::HostFault,
    trust::{MAX_SIGNATURE_BYTES, Prehash, Require, Signature, SignatureState, TrustStore, signature_path},
};

/// What is known of the signature of a plugin file with these bytes.
///
/// # Errors
/// When the host lacks a resource to read what vouches for it.
pub(super) fn signature_of(
    path: &Path,
    bytes: &[u8],
    sha256: &str,
    trust: &TrustStore,
) -> Result<SignatureState, HostFault> {
    if !trust.checks_signatures() {
        return Ok(SignatureState::NotChecked);
    }
    let invalid = |reason: String| Ok(SignatureState::Invalid { reason });
    let beside = signature_path(path);
    if let Some(found) = signature_in(&beside)? {
        return match found {
            Ok(signature) => Ok(trust.judged(&signature, &Prehash::of(bytes))),
            Err(why) => invalid(format!("has the signature `{}`, which {why}", beside.display())),
        };
    }
    let Some(package) = package_of(path) else { return Ok(SignatureState::Unsigned) };
    let place = package.join(PACKAGE_SIGNATURE);
    let signature = match signature_in(&place)? {
        None => return Ok(SignatureState::Unsigned),
        Some(Ok(signature)) => signature,
        Some(Err(why)) => {
            return invalid(format!("is of a package with the signature `{}`, which {why}", place.display()));
        }
    };
    let state = match trust.comment_judged(&signature) {
        SignatureState::Invalid { reason } => return invalid(format!("is of a package that {reason}")),
        state => state,
    };
    match names(&signature, &package, path, sha256)? {
        Ok(()) => Ok(state),
        Err(reason) => invalid(reason),
    }
}

/// Whether the manifest that was signed with a package names a file with this hash; if not, the rest of a sentence.
fn names(
    signature: &Signature,
    package: &Path,
    path: &Path,
    sha256: &str,
) -> Result<Result<(), String>, HostFault> {
    let place = package.join(PACKAGE_MANIFEST);
    let changed = || {
        Err(format!(
            "is of a package whose manifest `{}` is not the one that was signed; install the package again",
            place.display()
        ))
    };
    let bytes = match read_voucher(&place, MAX_MANIFEST_BYTES)? {
        Some(Ok(bytes)) if bytes.len() as u64 <= MAX_MANIFEST_BYTES => bytes,
        _ => return Ok(changed()),
    };
    if signature.comment().manifest_sha256 != Some(hash(&bytes)) {
        return Ok(changed());
    }
    let Ok(manifest) = PackageManifest::from_json(&bytes) else { return Ok(changed()) };
    let inside = path.strip_prefix(package).ok().and_then(Path::to_str);
    if manifest.files.iter().any(|file| Some(file.path.as_str()) == inside && file.sha256 == sha256) {
        return Ok(Ok(()));
    }
    Ok(Err("is not the file that its signed package contains; install the package again".to_owned()))
}

/// Lets through only what the trust store admits. A signature that does not count is a warning where none is required.
///
/// # Errors
/// A line about the file, which says how to proceed.
pub(super) fn admitted(mut entry: Entry, trust: &TrustStore) -> Result<Entry, Unread> {
    if let Some(why) = refusal(&entry.path, &entry.sha256, &entry.signature, trust)? {
        return Err(Problem::error(&entry.path, why).into());
    }
    if let SignatureState::Invalid { reason } = &entry.signature {
        let warning = format!("its signature does not count: the file {reason}");
        entry.warnings.push(warning);
    }
    Ok(entry)
}

/// Why a library that a plugin brings along is not admitted. It runs with the plugin, so it needs what the plugin needs.
///
/// # Errors
/// When the host lacks a resource to read what vouches for it.
pub(super) fn library_refusal(
    path: &Path,
    bytes: &[u8],
    sha256: &str,
    trust: &TrustStore,
) -> Result<Option<String>, HostFault> {
    refusal(path, sha256, &signature_of(path, bytes, sha256, trust)?, trust)
}

/// Why a file is not admitted: the rest of a sentence that names it.
fn refusal(
    path: &Path,
    sha256: &str,
    signature: &SignatureState,
    trust: &TrustStore,
) -> Result<Option<String>, HostFault> {
    match signature {
        SignatureState::Unsigned | SignatureState::NotChecked if trust.require.signature() => {
            return Ok(Some(format!(
                "is not signed, and {} admits only signed plugins; get `{}` from its publisher and put it beside the file, or \
                 sign your own with `dyno sign`",
                required(trust.require),
                signature_path(path).file_name().unwrap_or_default().to_string_lossy()
            )));
        }
        SignatureState::Invalid { reason } if trust.require.signature() => return Ok(Some(reason.clone())),
        _ => {}
    }
    match trust.require {
        Require::Either if matches!(signature, SignatureState::Signed { .. }) => Ok(None),
        require if require.looks_at_locks() => unlocked(path, sha256, require),
        _ => Ok(None),
    }
}

fn required(require: Require) -> String {
    match require {
        // Who set nothing has it by the profile.
        Require::Either => "`require = \"either\"`, which profile `server` sets at least,".to_owned(),
        require => format!("`require = \"{require}\"` in dyno.toml"),
    }
}

/// Why no lock file vouches for a file: the rest of a sentence.
fn unlocked(path: &Path, sha256: &str, require: Require) -> Result<Option<String>, HostFault> {
    Ok(match locked(path, sha256)? {
        Locked::Yes => None,
        Locked::Unknown => Some(format!(
            "is in no lock file{}, as {} demands; if you trust the file, run `dyno lock` on its plugin folder, or pack it and \
             use `dyno install`",
            if require == Require::Either { " and not signed by a publisher of the trust store" } else { "" },
            required(require)
        )),
        Locked::Changed(lock) => Some(format!(
            "has other bytes than the lock file `{}` says; install its package again, or, if you trust the change, run `dyno lock` on \
             its plugin folder",
            lock.display()
        )),
        Locked::Unusable(lock, why) => Some(format!(
            "cannot be admitted: the lock file `{}` {why}; restore it, or install again",
            lock.display()
        )),
    })
}

/// Changes whenever anything changes that vouches for a plugin file.
pub(super) fn witness(path: &Path, trust: &TrustStore) -> u64 {
    let mut places = Vec::new();
    if trust.checks_signatures() {
        places.push(signature_path(path));
    }
    if let Some(package) = package_of(path).filter(|_| trust.checks_signatures()) {
        places.extend([package.join(PACKAGE_SIGNATURE), package.join(PACKAGE_MANIFEST)]);
    }
    if trust.require.looks_at_locks() {
        places.extend(lock_of(path));
    }
    if places.is_empty() {
        return 0;
    }
    let mut text = String::new();
    for place in places {
        // Writing to a string cannot fail.
        let _ = write!(text, "{:?};", fs::metadata(place).ok().map(|about| Stamp::of(&about)));
    }
    let hash = Sha256::digest(text);
    hash.iter().take(8).fold(0, |number, byte| number << 8 | u64::from(*byte))
}

/// The signature in a file; `None` if there is no such file. If it cannot be used, the rest of a sentence.
fn signature_in(path: &Path) -> Result<Option<Result<Signature, String>>, HostFault> {
    let read = read_voucher(path, MAX_SIGNATURE_BYTES)?;
    Ok(read.map(|read| read.and_then(|bytes| Signature::parse(&bytes))))
}

/// The bytes of a `.minisig` file, at most one more than it may have; `None` if there is none.
///
/// # Errors
/// When it cannot be read, or is not a regular file.
pub(crate) fn read_signature(path: &Path) -> io::Result<Option<Vec<u8>>> {
    read_at_most(path, MAX_SIGNATURE_BYTES)
}

#[cfg(test)]
mod tests {
    use std::path::PathBuf;

    use dyno_core::model::PluginKind;
    use serde_json::json;

    use super::*;
    use crate::{
        catalog::LOCK,
        trust::{Comment, SecretKey, TrustTable, new_pair},
    };

    const BYTES: &[u8] = b"the bytes of a plugin";

    /// A folder with a plugin file, and the key of a publisher.
    struct Place {
        folder: tempfile::TempDir,
        plugin: PathBuf,
        key: SecretKey,
    }

    impl Place {
        /// The plugin is at this path in the folder.
        fn new(plugin: &str) -> Self {
            let folder = tempfile::tempdir().unwrap();
            let secret = folder.path().join("key");
            new_pair(&secret, None).unwrap();
            let key = SecretKey::read(&secret, &mut |_| Err(String::new())).unwrap();
            let plugin = folder.path().join(plugin);
            fs::create_dir_all(plugin.parent().unwrap()).unwrap();
            fs::write(&plugin, BYTES).unwrap();
            Self { folder, plugin, key }
        }

        fn trust(&self, require: &str) -> TrustStore {
            let table =
                format!("require = '{require}'\n[publishers.acme]\nkeys = ['{}']", self.key.public().text());
            let table: TrustTable = toml::from_str(&table).unwrap();
            TrustStore::of(&table).unwrap()
        }

        fn sign(&self, bytes: &[u8], manifest: Option<&[u8]>, to: &Path) {
            let comment = Comment { manifest_sha256: manifest.map(hash), ..Comment::default() };
            fs::write(to, self.key.sign(to, bytes, &comment).unwrap()).unwrap();
        }

        /// What the trust store makes of the plugin: its state, or why it is not admitted.
        fn outcome(&self, trust: &TrustStore) -> Result<Entry, String> {
            let bytes = fs::read(&self.plugin).unwrap();
            let sha256 = hash(&bytes);
            let signature = signature_of(&self.plugin, &bytes, &sha256, trust).unwrap();
            let descriptor = json!({
                "schema": "dyno.descriptor/1", "plugin": {"id": "p", "version": "1.0.0"},
                "abi": {"kind": "wasm", "version": 1}, "benchmarks": [],
            });
            let entry = Entry {
                path: self.plugin.clone(),
                sha256,
                size: 0,
                kind: PluginKind::Wasm,
                descriptor: serde_json::from_value(descriptor).unwrap(),
                incompatible: None,
                warnings: Vec::new(),
                signature,
            };
            admitted(entry, trust).map_err(|unread| unread.of(&self.plugin).message)
        }
    }

    #[test]
    fn only_what_a_publisher_signed_is_admitted_where_that_is_required() {
        let place = Place::new("p.wasm");
        let (require, look) = (place.trust("signature"), place.trust("none"));
        let beside = signature_path(&place.plugin);
        assert!(place.outcome(&require).unwrap_err().contains("put it beside the file"));
        assert_eq!(place.outcome(&look).unwrap().signature, SignatureState::Unsigned);
        assert_eq!(place.outcome(&TrustStore::default()).unwrap().signature, SignatureState::NotChecked);
        place.sign(BYTES, None, &beside);
        assert!(matches!(place.outcome(&require).unwrap().signature, SignatureState::Signed { .. }));
        fs::write(&place.plugin, "other bytes").unwrap();
        assert!(place.outcome(&require).unwrap_err().contains("does not match its signature"));
        let warnings = place.outcome(&look).unwrap().warnings;
        assert!(
            warnings[0].starts_with("its signature does not count: the file does not match"),
            "{warnings:?}"
        );
    }

    #[test]
    fn whatever_is_in_the_place_of_a_signature_is_refused_without_hanging() {
        let place = Place::new("p.wasm");
        let require = place.trust("signature");
        let beside = signature_path(&place.plugin);
        for (bytes, part) in [
            (vec![b'x'; 1 << 20], "more than 8192 bytes"),
            (vec![0xff; 9], "not text"),
            (Vec::new(), "0 lines"),
        ] {
            fs::write(&beside, bytes).unwrap();
            let why = place.outcome(&require).unwrap_err();
            assert!(why.contains(part) && why.contains("p.wasm.minisig"), "{why}");
        }
        fs::remove_file(&beside).unwrap();
        nix::unistd::mkfifo(&beside, nix::sys::stat::Mode::S_IRWXU).unwrap();
        assert!(place.outcome(&require).unwrap_err().contains("not a regular file"));
        fs::remove_file(&beside).unwrap();
        fs::create_dir(&beside).unwrap();
        assert!(place.outcome(&require).unwrap_err().contains("not a regular file"));
    }

    fn manifest(sha256: &str) -> Vec<u8> {
        let file = json!({
            "path": "wasm-abi1/p.wasm", "sha256": sha256, "size_bytes": BYTES.len(), "role": "plugin", "target": "any",
            "abi": {"kind": "wasm", "version": 1},
        });
        let manifest = json!({
            "schema": "dyno.package", "version": 1, "plugin": {"id": "p", "version": "1.0.0"}, "benchmarks": [],
            "files": [file],
        });
        manifest.to_string().into_bytes()
    }

    #[test]
    fn the_signature_of_a_package_vouches_for_the_files_that_its_manifest_names() {
        let place = Place::new("p@1.0.0/wasm-abi1/p.wasm");
        let (require, package) = (place.trust("signature"), place.folder.path().join("p@1.0.0"));
        let named = manifest(&hash(BYTES));
        fs::write(package.join(PACKAGE_MANIFEST), &named).unwrap();
        place.sign(b"the archive, which is gone", Some(&named), &package.join(PACKAGE_SIGNATURE));
        assert!(matches!(place.outcome(&require).unwrap().signature, SignatureState::Signed { .. }));
        // Another plugin in its place, and another manifest that names it.
        fs::write(&place.plugin, "other bytes").unwrap();
        assert!(
            place.outcome(&require).unwrap_err().contains("not the file that its signed package contains")
        );
        fs::write(package.join(PACKAGE_MANIFEST), manifest(&hash(b"other bytes"))).unwrap();
        assert!(place.outcome(&require).unwrap_err().contains("is not the one that was signed"));
        // A signature of the archive that names no manifest says nothing of the file.
        place.sign(b"the archive", None, &package.join(PACKAGE_SIGNATURE));
        assert!(place.outcome(&require).unwrap_err().contains("is not the one that was signed"));
        let text = fs::read_to_string(package.join(PACKAGE_SIGNATURE)).unwrap();
        let forged =
            text.replace("trusted comment: ", &format!("trusted comment: manifest:{}\t", hash(&named)));
        fs::write(package.join(PACKAGE_SIGNATURE), forged).unwrap();
        assert!(place.outcome(&require).unwrap_err().contains("its comment is not the one that was signed"));
    }

    #[test]
    fn a_lock_file_admits_the_bytes_that_it_names() {
        let place = Place::new("p@1.0.0/wasm-abi1/p.wasm");
        let (lock, both) = (place.trust("lock"), place.trust("both"));
        let package = place.folder.path().join("p@1.0.0");
        assert!(place.outcome(&lock).unwrap_err().contains("use `dyno install`"));
        fs::write(package.join(PACKAGE_MANIFEST), manifest(&hash(BYTES))).unwrap();
        assert!(place.outcome(&lock).unwrap_err().contains("use `dyno install`"));
        let locked = json!({
            "schema": "dyno.lock", "version": 1, "packages": [{
                "id": "p", "version": "1.0.0", "source": "/p.dyno", "archive_sha256": "0".repeat(64),
                "manifest_sha256": "0".repeat(64),
                "files": [{"path": "wasm-abi1/p.wasm", "sha256": hash(BYTES), "size_bytes": BYTES.len()}],
            }],
        });
        let file = place.folder.path().join(LOCK);
        fs::write(&file, locked.to_string()).unwrap();
        place.outcome(&lock).unwrap();
        assert!(place.outcome(&both).unwrap_err().contains("is not signed"));
        place.sign(BYTES, None, &signature_path(&place.plugin));
        place.outcome(&both).unwrap();
        fs::write(&place.plugin, "other bytes").unwrap();
        assert!(place.outcome(&lock).unwrap_err().contains("has other bytes than the lock file"));
        fs::write(&file, "{}").unwrap();
        assert!(place.outcome(&lock).unwrap_err().contains("cannot be admitted: the lock file"));
        fs::remove_file(&file).unwrap();
        nix::unistd::mkfifo(&file, nix::sys::stat::Mode::S_IRWXU).unwrap();
        let said = place.outcome(&lock).unwrap_err();
        assert!(said.contains("` cannot be read: it is not a regular file; restore it"), "{said}");
    }

    #[test]
    fn a_change_of_what_vouches_is_a_change_of_the_file() {
        let place = Place::new("p@1.0.0/wasm-abi1/p.wasm");
        let (look, lock) = (place.trust("none"), place.trust("both"));
        let of = |trust: &TrustStore| witness(&place.plugin, trust);
        assert_eq!(of(&TrustStore::default()), 0, "nothing is looked at");
        let before = of(&look);
        place.sign(BYTES, None, &signature_path(&place.plugin));
        let signed = of(&look);
        assert_ne!(before, signed);
        fs::write(place.folder.path().join("p@1.0.0").join(PACKAGE_MANIFEST), "{}").unwrap();
        assert_ne!(signed, of(&look));
        let (looked, locked) = (of(&look), of(&lock));
        fs::write(place.folder.path().join(LOCK), "{}").unwrap();
        assert_eq!(looked, of(&look));
        assert_ne!(locked, of(&lock));
    }
}
