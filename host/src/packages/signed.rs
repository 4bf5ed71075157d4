//! The signature of a package: found beside it, and judged before anything of the package is installed. What it says of the
//! manifest vouches for the installed files later, when the archive is gone.

use std::path::Path;

use super::{PackageError, archive::Archive, fetch};
use crate::{
    catalog::{self, hash},
    trust::{MAX_SIGNATURE_BYTES, Signature, SignatureState, TrustStore, signature_path},
};

/// What is known of a package's signature, and its bytes if they are kept with the package.
#[derive(Debug)]
pub(super) struct Vouched {
    pub(super) state: SignatureState,
    pub(super) kept: Option<Vec<u8>>,
}

/// The signature beside a package; `None` if there is none.
///
/// # Errors
/// When it cannot be read.
pub(crate) fn signature_beside(package: &Path) -> Result<Option<Vec<u8>>, PackageError> {
    let path = signature_path(package);
    catalog::read_signature(&path).map_err(|error| {
        let why = format!("has the signature `{}`, which cannot be read: {error}", path.display());
        PackageError::package(package.display().to_string(), why)
    })
}

/// The same of a package that a server has. Nothing is downloaded if nobody would look at it.
///
/// # Errors
/// When the server does not answer.
pub(crate) fn signature_at(url: &str, trust: &TrustStore) -> Result<Option<Vec<u8>>, PackageError> {
    if !trust.checks_signatures() {
        return Ok(None);
    }
    let (path, rest) = url.find(['?', '#']).map_or((url, ""), |at| url.split_at(at));
    fetch::bytes_if_there(&format!("{path}.minisig{rest}"), MAX_SIGNATURE_BYTES)
}

/// Judges the signature of a package, and lets it in or not.
///
/// # Errors
/// When the trust store requires a signature and there is none that counts.
pub(super) fn vouched(
    archive: &Archive,
    manifest: &[u8],
    found: Option<Vec<u8>>,
    trust: &TrustStore,
) -> Result<Vouched, PackageError> {
    let vouched = judged(archive, manifest, found, trust)?;
    let why = match &vouched.state {
        SignatureState::Invalid { reason } => reason.clone(),
        SignatureState::Unsigned | SignatureState::NotChecked => format!(
            "is not signed, and `require = \"{}\"` in dyno.toml admits only signed packages; get its `.minisig` from its \
             publisher and put it beside the package, or sign your own with `dyno sign`",
            trust.require
        ),
        SignatureState::Signed { .. } => return Ok(vouched),
    };
    if trust.require.signature() {
        return Err(PackageError::package(archive.label.clone(), why));
    }
    Ok(vouched)
}

/// Who signed the package in a file.
///
/// # Errors
/// When it is not a package, or cannot be read.
pub(crate) fn signature_of(package: &Path, trust: &TrustStore) -> Result<SignatureState, PackageError> {
    let archive = Archive::open(package)?;
    let (_, manifest) = archive.manifest()?;
    Ok(judged(&archive, &manifest, signature_beside(package)?, trust)?.state)
}

fn judged(
    archive: &Archive,
    manifest: &[u8],
    found: Option<Vec<u8>>,
    trust: &TrustStore,
) -> Result<Vouched, PackageError> {
    let Some(bytes) = found else {
        let is_checked = trust.checks_signatures();
        let state = if is_checked { SignatureState::Unsigned } else { SignatureState::NotChecked };
        return Ok(Vouched { state, kept: None });
    };
    let signature = match Signature::parse(&bytes) {
        Ok(signature) => signature,
        Err(why) => {
            let reason = format!("has a `.minisig` that {why}");
            return Ok(Vouched { state: SignatureState::Invalid { reason }, kept: None });
        }
    };
    if !trust.checks_signatures() {
        return Ok(Vouched { state: SignatureState::NotChecked, kept: Some(bytes) });
    }
    let mut state = trust.judged(&signature, &archive.prehash()?);
    let is_covered = signature.comment().manifest_sha256 == Some(hash(manifest));
    if matches!(state, SignatureState::Signed { .. }) && !is_covered {
        let reason = "has a signature that does not name its manifest, so its files could not be verified once they are \
                      installed; ask its publisher to sign it with `dyno sign`";
        state = SignatureState::Invalid { reason: reason.to_owned() };
    }
    Ok(Vouched { state, kept: Some(bytes) })
}

#[cfg(test)]
mod tests {
    use std::fs;

    use serde_json::json;

    use super::*;
    use crate::{
        packages::archive,
        trust::{Comment, SecretKey, TrustTable, new_pair},
    };

    struct Signed {
        folder: tempfile::TempDir,
        manifest: Vec<u8>,
        archive: Archive,
        key: SecretKey,
    }

    impl Signed {
        fn new() -> Self {
            let folder = tempfile::tempdir().unwrap();
            new_pair(&folder.path().join("key"), None).unwrap();
            let key = SecretKey::read(&folder.path().join("key"), &mut |_| Err(String::new())).unwrap();
            let manifest = json!({
                "schema": "dyno.package", "version": 1, "plugin": {"id": "p", "version": "1.0.0"}, "benchmarks": [],
                "files": [],
            });
            let manifest = manifest.to_string().into_bytes();
            let package = folder.path().join("p.dyno");
            archive::write(fs::File::create(&package).unwrap(), &manifest, &[]).unwrap();
            let archive = Archive::open(&package).unwrap();
            Self { folder, manifest, archive, key }
        }

        fn signature(&self, manifest: Option<&[u8]>) -> Vec<u8> {
            let package = self.folder.path().join("p.dyno");
            let comment = Comment { manifest_sha256: manifest.map(hash), ..Comment::default() };
            self.key.sign(&package, fs::File::open(&package).unwrap(), &comment).unwrap().into_bytes()
        }

        fn vouched(&self, found: Option<Vec<u8>>, require: &str) -> Result<Vouched, String> {
            let text =
                format!("require = '{require}'\n[publishers.acme]\nkeys = ['{}']", self.key.public().text());
            let table: TrustTable = toml::from_str(&text).unwrap();
            let trust = TrustStore::of(&table).unwrap();
            vouched(&self.archive, &self.manifest, found, &trust).map_err(|error| error.to_string())
        }
    }

    #[test]
    fn a_package_is_let_in_by_a_signature_that_covers_its_manifest() {
        let signed = Signed::new();
        let good = signed.signature(Some(&signed.manifest));
        let vouched = signed.vouched(Some(good.clone()), "signature").unwrap();
        assert!(matches!(vouched.state, SignatureState::Signed { .. }));
        assert_eq!(vouched.kept, Some(good.clone()));
        assert!(signed.vouched(None, "signature").unwrap_err().contains("put it beside the package"));
        let bare = signed.signature(None);
        assert!(signed.vouched(Some(bare), "both").unwrap_err().contains("does not name its manifest"));
        let garbage = signed.vouched(Some(vec![0; 9000]), "signature").unwrap_err();
        assert!(garbage.contains("has a `.minisig` that is not a signature"), "{garbage}");
        fs::OpenOptions::new()
            .append(true)
            .open(signed.folder.path().join("p.dyno"))
            .and_then(|mut file| std::io::Write::write_all(&mut file, b"more"))
            .unwrap();
        assert!(
            signed.vouched(Some(good), "signature").unwrap_err().contains("does not match its signature")
        );
    }

    #[test]
    fn what_does_not_count_is_said_where_nothing_is_required() {
        let signed = Signed::new();
        assert_eq!(signed.vouched(None, "none").unwrap().state, SignatureState::Unsigned);
        let garbage = signed.vouched(Some(b"x".to_vec()), "none").unwrap();
        assert!(matches!(garbage.state, SignatureState::Invalid { .. }) && garbage.kept.is_none());
    }

    #[test]
    fn nothing_is_downloaded_for_an_empty_trust_store() {
        assert_eq!(signature_at("https://192.0.2.1/p.dyno", &TrustStore::default()).unwrap(), None);
    }
}
