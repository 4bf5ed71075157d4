//! A public key, as `dyno.toml` and `.pub` files name it.

use std::fmt;

use base64::{Engine, engine::general_purpose::STANDARD};
use minisign::SignatureBones;
use serde::{Serialize, Serializer};

use super::sentence::shown;

/// Length of a key: algorithm, identifier, Ed25519 point [bytes].
const BYTES: usize = 42;
/// The algorithm's name at the front of keys, and of signatures over a message as it is.
pub(super) const PLAIN: [u8; 2] = *b"Ed";

/// The number by which a signature names its key. Anyone can make a key with the number of another, so it proves nothing.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) struct KeyId(pub(super) [u8; 8]);

impl fmt::Display for KeyId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // As minisign writes it.
        write!(f, "{:016X}", u64::from_le_bytes(self.0))
    }
}

/// A public key.
#[derive(Clone)]
pub struct PublicKey {
    text: String,
    pub(super) id: KeyId,
    key: minisign::PublicKey,
}

impl PublicKey {
    /// Reads the line of a `.pub` file that begins with `RW`.
    ///
    /// # Errors
    /// A sentence that says what is wrong with it.
    pub fn parse(text: &str) -> Result<Self, String> {
        let text = text.trim();
        let refused = |why: &str| {
            format!(
                "`{}` is not a public key of minisign ({why}); give the line of 56 characters that begins with `RW`, from the \
                 `.pub` file that `dyno key new` writes",
                shown(text)
            )
        };
        let bytes = STANDARD.decode(text).map_err(|_| refused("it is not base64"))?;
        if bytes.len() != BYTES {
            return Err(refused(&format!("it has {} bytes, expected {BYTES}", bytes.len())));
        }
        if bytes[..2] != PLAIN {
            return Err(refused("its algorithm is unknown"));
        }
        let key = minisign::PublicKey::from_bytes(&bytes).map_err(|error| refused(&error.to_string()))?;
        Ok(Self::of(key))
    }

    pub(super) fn of(key: minisign::PublicKey) -> Self {
        let mut id = [0; 8];
        // The crate has no other length.
        id.iter_mut().zip(key.keynum()).for_each(|(to, from)| *to = *from);
        Self { text: key.to_base64(), id: KeyId(id), key }
    }

    /// Whether this key made this Ed25519 signature of the message.
    pub(super) fn made(&self, signature: &[u8; 64], message: &[u8]) -> bool {
        let signature = [PLAIN.as_slice(), &self.id.0, signature].concat();
        SignatureBones::from_bytes(&signature).is_ok_and(|signature| {
            let message = std::io::Cursor::new(message);
            // Of what is `PLAIN`, the crate takes the message as it is, not its hash.
            minisign::verify(&self.key, &signature.into(), message, true, false, true).is_ok()
        })
    }

    /// The identifier, as minisign prints it: 16 hexadecimal digits.
    #[must_use]
    pub fn id(&self) -> String {
        self.id.to_string()
    }

    /// The line of a `.pub` file.
    #[must_use]
    pub fn text(&self) -> &str {
        &self.text
    }
}

impl PartialEq for PublicKey {
    fn eq(&self, other: &Self) -> bool {
        self.text == other.text
    }
}

impl Eq for PublicKey {}

impl fmt::Debug for PublicKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "PublicKey({})", self.text)
    }
}

impl Serialize for PublicKey {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The key on minisign's own page.
    const KNOWN: &str = "RWQf6LRCGA9i53mlYecO4IzT51TGPpvWucNSCh1CBM0QTaLn73Y7GFO3";

    #[test]
    fn a_key_is_read_and_has_the_identifier_that_minisign_prints() {
        let key = PublicKey::parse(&format!("  {KNOWN}\n")).unwrap();
        assert_eq!((key.text(), key.id().as_str()), (KNOWN, "E7620F1842B4E81F"));
    }

    #[test]
    fn what_is_not_a_key_is_named_with_what_was_expected() {
        let unknown = STANDARD.encode([b"XX".as_slice(), &[7; 40]].concat());
        for (text, part) in [
            ("", "0 bytes"),
            ("secret!", "not base64"),
            (&KNOWN[..52], "39 bytes"),
            (&unknown, "algorithm is unknown"),
            ("a\u{1b}[31m", "a\u{fffd}[31m"),
        ] {
            let why = PublicKey::parse(text).unwrap_err();
            assert!(why.contains(part) && why.contains("begins with `RW`"), "{text}: {why}");
        }
        assert!(PublicKey::parse(&"A".repeat(100_000)).unwrap_err().len() < 400);
    }
}
