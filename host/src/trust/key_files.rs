//! Key files: a pair is made, a secret key is read for signing, a public key for comparing. A secret key leaves this file only
//! as signatures.

use std::{
    fmt,
    fs::{self, File},
    io::{self, Read, Write},
    os::unix::fs::{MetadataExt, OpenOptionsExt},
    path::{Path, PathBuf},
};

use base64::{Engine, engine::general_purpose::STANDARD};
use minisign::{KeyPair, SecretKeyBox};

use super::{comment::Comment, key::PublicKey};
use crate::{
    fault::{HostFault, Place, Resource},
    regular_file,
};

/// Maximum length of a key file [bytes]: some times what its two lines need.
const MAX_BYTES: u64 = 4 << 10;
/// Maximum length of a password [bytes], as minisign has it.
const MAX_PASSWORD: usize = 1024;

/// Asks for the password of a key file. Fails with a sentence where nobody can be asked.
pub type Password<'a> = &'a mut dyn FnMut(&Path) -> Result<String, String>;

/// Why a key file cannot be made or used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum KeyError {
    /// The file.
    #[error("the key file `{}` {why}", path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// The rest of the sentence.
        why: String,
    },
    /// The password is missing or wrong.
    #[error("{0}")]
    Password(String),
    /// The file to sign cannot be signed.
    #[error("`{}` cannot be signed: {why}", path.display())]
    Signing {
        /// The file.
        path: PathBuf,
        /// The reason.
        why: String,
    },
    /// The host lacks a resource.
    #[error(transparent)]
    Host(#[from] HostFault),
}

impl KeyError {
    /// Whether the user can correct it; otherwise the host is at fault.
    #[must_use]
    pub fn is_usage(&self) -> bool {
        !matches!(self, Self::Host(_))
    }
}

/// A pair of keys that was made.
#[derive(Debug)]
pub struct NewPair {
    /// The file of the secret key.
    pub secret: PathBuf,
    /// The file of the public key.
    pub public: PathBuf,
    /// The public key.
    pub key: PublicKey,
}

/// Makes a pair of keys: the secret one in this file, which only its owner can read, the public one in the same with `.pub`
/// behind its name. `password` protects the secret key.
///
/// # Errors
/// When one of the files is there already, or cannot be written.
pub fn new_pair(secret: &Path, password: Option<String>) -> Result<NewPair, KeyError> {
    let refused = |path: &Path, why: String| KeyError::File { path: path.to_owned(), why };
    let mut public = secret.as_os_str().to_owned();
    public.push(".pub");
    let public = PathBuf::from(public);
    if let Some(there) = [secret, &public].into_iter().find(|path| path.symlink_metadata().is_ok()) {
        return Err(is_there(there));
    }
    if password.as_ref().is_some_and(|password| password.len() > MAX_PASSWORD) {
        return Err(KeyError::Password(format!(
            "the password has more than {MAX_PASSWORD} bytes; give a shorter one"
        )));
    }
    let failed = |error: minisign::PError| refused(secret, format!("cannot be made: {error}"));
    let (pair, comment) = match password {
        Some(password) => (
            KeyPair::generate_encrypted_keypair(Some(password)).map_err(failed)?,
            "minisign encrypted secret key",
        ),
        None => (
            KeyPair::generate_unencrypted_keypair().map_err(failed)?,
            "minisign secret key without a password",
        ),
    };
    let key_text = pair.sk.to_box(Some(comment)).map_err(failed)?.into_string();
    let public_text = pair.pk.to_box().map_err(failed)?.into_string();
    create(secret, 0o600, &key_text)?;
    if let Err(error) = create(&public, 0o644, &public_text) {
        // A pair is there whole or not at all.
        let _ = fs::remove_file(secret);
        return Err(error);
    }
    Ok(NewPair { secret: secret.to_owned(), public, key: PublicKey::of(pair.pk) })
}

fn is_there(path: &Path) -> KeyError {
    let why = "is there already, and is never overwritten; name another file, or move it away";
    KeyError::File { path: path.to_owned(), why: why.to_owned() }
}

fn create(path: &Path, mode: u32, text: &str) -> Result<(), KeyError> {
    let written = fs::OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(mode)
        .open(path)
        .and_then(|mut file| file.write_all(text.as_bytes()).and_then(|()| file.sync_all()));
    written.map_err(|error| match error.kind() {
        io::ErrorKind::AlreadyExists => is_there(path),
        _ => HostFault::new(format!("cannot write `{}`", path.display()), &error, Place::Named).into(),
    })
}

/// A secret key, ready for signing.
pub struct SecretKey {
    key: minisign::SecretKey,
    public: PublicKey,
}

impl SecretKey {
    /// Reads a secret key. `password` is asked only if the key has one.
    ///
    /// # Errors
    /// When others can read the file, it is not a secret key, or the password is wrong.
    pub fn read(path: &Path, password: Password<'_>) -> Result<Self, KeyError> {
        let refused = |why: String| KeyError::File { path: path.to_owned(), why };
        let file = open(path)?;
        let about = file.metadata().map_err(|error| refused(format!("cannot be read: {error}")))?;
        let mode = about.mode() & 0o7777;
        if mode & 0o077 != 0 {
            return Err(refused(format!(
                "can be used by others (mode {mode:o}, expected 600); run `chmod 600 {}`, and make a new key if anyone may \
                 have copied this one",
                path.display()
            )));
        }
        let text = read(path, file)?;
        let not_one =
            "is not a secret key of minisign; give the file that `dyno key new` makes, not its `.pub`";
        let boxed = || SecretKeyBox::from_string(&text).map_err(|_| refused(not_one.to_owned()));
        let key = if has_password(&text) {
            let word = password(path).map_err(KeyError::Password)?;
            boxed()?.into_secret_key(Some(word)).map_err(|error| match error.kind() {
                minisign::ErrorKind::Verify => {
                    let shown = path.display();
                    KeyError::Password(format!(
                        "the password does not open the key file `{shown}`; try again"
                    ))
                }
                _ => refused(not_one.to_owned()),
            })?
        } else {
            boxed()?.into_unencrypted_secret_key().map_err(|_| refused(not_one.to_owned()))?
        };
        let public = minisign::PublicKey::from_secret_key(&key).map_err(|_| refused(not_one.to_owned()))?;
        Ok(Self { key, public: PublicKey::of(public) })
    }

    /// Its public key.
    #[must_use]
    pub fn public(&self) -> &PublicKey {
        &self.public
    }

    /// Signs everything that can be read: the contents of a `.minisig` file.
    ///
    /// # Errors
    /// When `file`, which is named in the sentence, cannot be read, or its comment cannot be written.
    pub fn sign(&self, file: &Path, bytes: impl Read, comment: &Comment) -> Result<String, KeyError> {
        let refused = |why: String| KeyError::Signing { path: file.to_owned(), why };
        let comment = comment.line().map_err(refused)?;
        let untrusted = format!("signature from minisign secret key {}", self.public.id());
        let signature = minisign::sign(None, &self.key, bytes, Some(&comment), Some(&untrusted));
        Ok(signature.map_err(|error| refused(error.to_string()))?.into_string())
    }
}

impl fmt::Debug for SecretKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SecretKey({})", self.public.id())
    }
}

/// Whether the text of a key file says that the key was encrypted with a password.
fn has_password(text: &str) -> bool {
    let bytes = text.lines().nth(1).and_then(|line| STANDARD.decode(line.trim()).ok()).unwrap_or_default();
    // Behind the name of the algorithm; zeros stand for none.
    bytes.get(2..4).is_some_and(|derivation| derivation == b"Sc")
}

/// The public key in a file: with its comment, as `.pub` files are, or alone.
///
/// # Errors
/// When the file cannot be read, or holds no public key.
pub fn public_key_in(path: &Path) -> Result<PublicKey, KeyError> {
    let text = read(path, open(path)?)?;
    let line = text.lines().find(|line| !line.trim().is_empty() && !line.starts_with("untrusted comment:"));
    PublicKey::parse(line.unwrap_or_default())
        .map_err(|why| KeyError::File { path: path.to_owned(), why: format!("holds no public key: {why}") })
}

fn open(path: &Path) -> Result<File, KeyError> {
    regular_file::open(path).map_err(|error| unread(path, &error))
}

fn unread(path: &Path, error: &io::Error) -> KeyError {
    if Resource::of(error).is_exhausted() {
        return HostFault::new(format!("cannot read `{}`", path.display()), error, Place::Machine).into();
    }
    let why = format!("cannot be read: {error}; `dyno key new` makes a key");
    KeyError::File { path: path.to_owned(), why }
}

fn read(path: &Path, file: File) -> Result<String, KeyError> {
    let refused = |why: &str| KeyError::File { path: path.to_owned(), why: why.to_owned() };
    let bytes = regular_file::read_opened(file, MAX_BYTES).map_err(|error| unread(path, &error))?;
    if bytes.len() as u64 > MAX_BYTES {
        return Err(refused(
            "is not a key: it has more than 4096 bytes; give a file that `dyno key new` made",
        ));
    }
    String::from_utf8(bytes)
        .map_err(|_| refused("is not a key: it is not text; give a file that `dyno key new` made"))
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::{
        super::signature::{Prehash, Signature},
        *,
    };

    fn nobody(_: &Path) -> Result<String, String> {
        Err("nobody can be asked".to_owned())
    }

    fn mode(path: &Path) -> u32 {
        fs::metadata(path).unwrap().mode() & 0o777
    }

    #[test]
    fn a_new_pair_signs_and_the_crate_for_verifying_agrees() {
        let folder = tempfile::tempdir().unwrap();
        let pair = new_pair(&folder.path().join("k"), None).unwrap();
        assert_eq!((mode(&pair.secret), mode(&pair.public)), (0o600, 0o644));
        assert_eq!(public_key_in(&pair.public).unwrap(), pair.key);
        let key = SecretKey::read(&pair.secret, &mut nobody).unwrap();
        assert_eq!(*key.public(), pair.key);
        assert!(!format!("{key:?}").contains("RW"), "a log must not hold a key");
        let text = key.sign(Path::new("x"), &b"bytes"[..], &Comment::default()).unwrap();
        let signature = Signature::parse(text.as_bytes()).unwrap();
        assert!(signature.is_of(&pair.key, &Prehash::of(b"bytes")));
        // As the program minisign does: without its legacy mode.
        let theirs = minisign::SignatureBox::from_string(&text).unwrap();
        let public = minisign::PublicKey::from_file(&pair.public).unwrap();
        minisign::verify(&public, &theirs, io::Cursor::new(b"bytes"), true, false, false).unwrap();
    }

    #[test]
    fn a_password_opens_its_key_and_no_other_does() {
        let folder = tempfile::tempdir().unwrap();
        let pair = new_pair(&folder.path().join("k"), Some("word".to_owned())).unwrap();
        let read = |word: &str| SecretKey::read(&pair.secret, &mut |_| Ok(word.to_owned()));
        assert_eq!(*read("word").unwrap().public(), pair.key);
        assert!(read("other").unwrap_err().to_string().contains("password does not open"));
        let said = SecretKey::read(&pair.secret, &mut nobody).unwrap_err().to_string();
        assert_eq!(said, "nobody can be asked");
    }

    #[test]
    fn a_key_is_never_overwritten_and_never_alone() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("k");
        new_pair(&path, None).unwrap();
        let before = fs::read(&path).unwrap();
        assert!(new_pair(&path, None).unwrap_err().to_string().contains("never overwritten"));
        assert_eq!(fs::read(&path).unwrap(), before);
        fs::remove_file(&path).unwrap();
        assert!(new_pair(&path, None).unwrap_err().to_string().contains("k.pub"));
        assert!(!path.exists());
    }

    #[test]
    fn a_key_that_others_can_use_and_what_is_no_key_are_refused() {
        let folder = tempfile::tempdir().unwrap();
        let pair = new_pair(&folder.path().join("k"), None).unwrap();
        let said = |path: &Path| SecretKey::read(path, &mut nobody).unwrap_err().to_string();
        fs::set_permissions(&pair.secret, fs::Permissions::from_mode(0o640)).unwrap();
        let shown = format!("`chmod 600 {}`", pair.secret.display());
        assert!(said(&pair.secret).contains(&shown), "{}", said(&pair.secret));
        let other = folder.path().join("other");
        for bytes in [&b""[..], b"a\nb\n", &[0xff; 9], &[b'x'; 5000], &fs::read(&pair.public).unwrap()] {
            fs::write(&other, bytes).unwrap();
            fs::set_permissions(&other, fs::Permissions::from_mode(0o600)).unwrap();
            assert!(said(&other).contains("`dyno key new`"), "{}", said(&other));
            if bytes.first() != Some(&b'u') {
                assert!(public_key_in(&other).unwrap_err().to_string().contains("key"), "{bytes:?}");
            }
        }
        assert!(said(&folder.path().join("absent")).contains("cannot be read"));
        assert!(public_key_in(&pair.secret).is_err(), "a secret key is not a public one");
    }
}
