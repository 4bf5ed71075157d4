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
