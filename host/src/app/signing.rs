//! Use cases: making keys, signing plugins and packages, and finding out who signed them. No plugin code runs.

use std::path::{Path, PathBuf};

use dyno_core::binary::{self, NotAPlugin};
use serde::Serialize;

use super::{error::AppError, root::App};
use crate::{
    catalog,
    fault::Place,
    packages::{self, Archive},
    trust::{
        Comment, KeyError, NewPair, Password, Require, SecretKey, SignatureState, TrustStore, new_pair,
        public_key_in, signature_path,
    },
    user_file::replace,
};

/// Signing and verifying.
#[derive(Debug, Clone, Copy)]
pub struct Signing<'a>(&'a App);

impl App {
    /// The use cases of signatures.
    #[must_use]
    pub fn signing(&self) -> Signing<'_> {
        Signing(self)
    }
}

/// A file that was signed.
#[derive(Debug, Clone, Serialize)]
pub struct SignedFile {
    /// The file.
    pub file: PathBuf,
    /// Its signature.
    pub signature: PathBuf,
    /// Identifier of the key.
    pub key: String,
}

/// A file whose signature was judged.
#[derive(Debug, Clone, Serialize)]
pub struct VerifiedFile {
    /// The file.
    pub file: PathBuf,
    /// Who signed it, or what is wrong.
    pub signature: SignatureState,
}

impl Signing<'_> {
    /// Makes a pair of keys.
    ///
    /// # Errors
    /// When a file is there already, or cannot be written.
    pub fn new_key(&self, file: &Path, password: Option<String>) -> Result<NewPair, AppError> {
        Ok(new_pair(file, password)?)
    }

    /// Signs plugins and packages: writes `FILE.minisig` beside each. `told` hears of each that is signed.
    ///
    /// # Errors
    /// When the key cannot be used, or at the first file that cannot be signed.
    pub fn sign(
        &self,
        files: &[PathBuf],
        key: &Path,
        publisher: Option<&str>,
        password: Password<'_>,
        told: &mut dyn FnMut(&SignedFile),
    ) -> Result<Vec<SignedFile>, AppError> {
        let key = SecretKey::read(key, password)?;
        let timestamp_s = u64::try_from(jiff::Timestamp::now().as_second()).ok();
        let mut signed = Vec::new();
        for file in files {
            let comment = Comment {
                timestamp_s,
                file: file.file_name().map(|name| name.to_string_lossy().into_owned()),
                publisher: publisher.map(str::to_owned),
                manifest_sha256: None,
            };
            let text = if is_package(file) {
                let archive = Archive::open(file)?;
                let (_, manifest) = archive.manifest()?;
                let comment = Comment { manifest_sha256: Some(catalog::hash(&manifest)), ..comment };
                key.sign(file, archive.bytes()?, &comment)?
            } else {
                let bytes = catalog::read_bytes_of(file).map_err(AppError::File)?;
                match binary::describe_for(&bytes) {
                    // A library that a plugin brings along is signed like the plugin.
                    Ok(_) | Err(NotAPlugin::Foreign) => {}
                    Err(error) => {
                        let expected = "a plugin or its library (`.so`, `.wasm`), or a package (`.dyno`)";
                        let why = format!("{error}; expected {expected}");
                        return Err(KeyError::Signing { path: file.clone(), why }.into());
                    }
                }
                key.sign(file, bytes.as_slice(), &comment)?
            };
            let signature = signature_path(file);
            replace(&signature, text.as_bytes(), Place::Named)?;
            let one = SignedFile { file: file.clone(), signature, key: key.public().id() };
            told(&one);
            signed.push(one);
        }
        Ok(signed)
    }

    /// Who signed plugins and packages, by the trust store, or by the public key in a file.
    ///
    /// # Errors
    /// When a file cannot be read.
    pub fn verify(&self, files: &[PathBuf], key: Option<&Path>) -> Result<Vec<VerifiedFile>, AppError> {
        let trust = match key {
            Some(key) => TrustStore::of_key(public_key_in(key)?),
            // Signatures are looked at even if the trust store is empty.
            None => TrustStore { require: Require::Signature, ..self.0.settings().trust.value.clone() },
        };
        let state = |file: &PathBuf| -> Result<SignatureState, AppError> {
            if is_package(file) {
                return Ok(packages::signature_of(file, &trust)?);
            }
            catalog::signature_of_file(file, &trust).map_err(AppError::File)
        };
        let judged = |file: &PathBuf| Ok(VerifiedFile { file: file.clone(), signature: state(file)? });
        files.iter().map(judged).collect()
    }
}

fn is_package(file: &Path) -> bool {
    file.extension().is_some_and(|it| it == packages::EXTENSION)
}
