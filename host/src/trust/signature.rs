//! The contents of a `.minisig` file: read from bytes that are not trusted, made, and compared with a key.

use std::{
    fmt,
    io::{self, Read},
    path::{Path, PathBuf},
};

use base64::{Engine, engine::general_purpose::STANDARD};
use blake2::{Blake2b512, Digest};

use super::{
    comment::Comment,
    key::{KeyId, PLAIN, PublicKey},
};

/// Maximum length of a `.minisig` file [bytes]: some times what its four lines need.
pub const MAX_SIGNATURE_BYTES: u64 = 8 << 10;
/// The algorithm of a signature over the BLAKE2b hash of a file. dyno takes no other.
const PREHASHED: [u8; 2] = *b"ED";
/// Length of algorithm, identifier and signature [bytes].
const BYTES: usize = 74;
/// How much of a file is read at a time [bytes].
const CHUNK: usize = 64 << 10;

/// The BLAKE2b hash of a file, which is what is signed.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Prehash([u8; 64]);

impl Prehash {
    /// Of bytes.
    #[must_use]
    pub fn of(bytes: &[u8]) -> Self {
        Self(Blake2b512::digest(bytes).into())
    }

    /// Of everything that can be read.
    ///
    /// # Errors
    /// Those of the reader.
    pub fn of_reader(mut reader: impl Read) -> io::Result<Self> {
        let (mut state, mut chunk) = (Blake2b512::new(), vec![0; CHUNK]);
        loop {
            match reader.read(&mut chunk) {
                Ok(0) => return Ok(Self(state.finalize().into())),
                Ok(read) => state.update(&chunk[..read]),
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
    }
}

impl fmt::Debug for Prehash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Prehash")
    }
}

/// A signature.
#[derive(Clone, PartialEq, Eq)]
pub struct Signature {
    pub(super) key: KeyId,
    /// Of the hash of the file.
    of_file: [u8; 64],
    comment: String,
    /// Of `of_file` and the comment.
    of_comment: [u8; 64],
}

impl Signature {
    /// Reads the contents of a `.minisig` file.
    ///
    /// # Errors
    /// What is wrong with it, as the rest of a sentence that names the file.
    pub fn parse(bytes: &[u8]) -> Result<Self, String> {
        let refused = |why: &str| {
            format!(
                "is not a signature: {why}; expected the four lines that `dyno sign` or `minisign -S` writes"
            )
        };
        if bytes.len() as u64 > MAX_SIGNATURE_BYTES {
            return Err(refused(&format!("it has more than {MAX_SIGNATURE_BYTES} bytes")));
        }
        let text = std::str::from_utf8(bytes).map_err(|_| refused("it is not text"))?;
        let lines: Vec<&str> = text.lines().collect();
        let [untrusted, of_file, comment, of_comment] = lines.as_slice() else {
            return Err(refused(&format!("it has {} lines", lines.len())));
        };
        if !untrusted.starts_with("untrusted comment:") {
            return Err(refused("its first line is not an untrusted comment"));
        }
        let comment = comment
            .strip_prefix("trusted comment: ")
            .ok_or_else(|| refused("its third line is not a trusted comment"))?;
        let of_file =
            STANDARD.decode(of_file.trim()).map_err(|_| refused("its second line is not base64"))?;
        let of_comment =
            STANDARD.decode(of_comment.trim()).map_err(|_| refused("its fourth line is not base64"))?;
        let of_file: [u8; BYTES] =
            of_file.try_into().map_err(|_| refused("its second line has the wrong length"))?;
        let of_comment =
            of_comment.try_into().map_err(|_| refused("its fourth line has the wrong length"))?;
        let (algorithm, rest) = of_file.split_at(2);
        let (key, of_file) = rest.split_at(8);
        if algorithm == PLAIN {
            return Err(
                "is a legacy signature, which dyno does not accept; sign the file again with `dyno sign` or \
                        `minisign -S` (version 0.10 or newer)"
                    .to_owned(),
            );
        }
        let (Ok(key), Ok(of_file)) = (key.try_into(), of_file.try_into()) else {
            return Err(refused("its second line has the wrong length"));
        };
        if algorithm != PREHASHED {
            return Err(refused("its algorithm is unknown"));
        }
        Ok(Self { key: KeyId(key), of_file, comment: comment.to_owned(), of_comment })
    }

    /// Identifier of the key that it names: 16 hexadecimal digits.
    #[must_use]
    pub fn key_id(&self) -> String {
        self.key.to_string()
    }

    /// Whether the key made it for a file with this hash, comment included.
    #[must_use]
    pub fn is_of(&self, key: &PublicKey, file: &Prehash) -> bool {
        key.id == self.key && key.made(&self.of_file, &file.0) && self.has_comment_of(key)
    }

    /// Whether the key made its comment. Of the file, this says only what the comment says.
    #[must_use]
    pub fn has_comment_of(&self, key: &PublicKey) -> bool {
        let signed = [self.of_file.as_slice(), self.comment.as_bytes()].concat();
        key.id == self.key && key.made(&self.of_comment, &signed)
    }

    /// What its comment says, which is true only if [`Self::has_comment_of`] a trusted key.
    #[must_use]
    pub fn comment(&self) -> Comment {
        Comment::of(&self.comment)
    }
}

impl fmt::Debug for Signature {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Signature({}, {:?})", self.key, self.comment)
    }
}

/// Where the signature of a file is: beside it, with `.minisig` behind its whole name.
#[must_use]
pub fn signature_path(file: &Path) -> PathBuf {
    let mut name = file.as_os_str().to_owned();
    name.push(".minisig");
    name.into()
}

#[cfg(test)]
mod tests {
    use std::io::Cursor;

    use minisign::{KeyPair, SignatureBox};
    use proptest::prelude::*;

    use super::*;

    /// A key and a signature of `test`, as the program minisign made them: from the documentation of `minisign-verify`.
    const KEY: &str = "RWQf6LRCGA9i53mlYecO4IzT51TGPpvWucNSCh1CBM0QTaLn73Y7GFO3";
    const OF_TEST: &str = "untrusted comment: signature from minisign secret key\n\
        RUQf6LRCGA9i559r3g7V1qNyJDApGip8MfqcadIgT9CuhV3EMhHoN1mGTkUidF/z7SrlQgXdy8ofjb7bNJJylDOocrCo8KLzZwo=\n\
        trusted comment: timestamp:1633700835\tfile:test\tprehashed\n\
        wLMDjy9FLAuxZ3q4NlEvkgtyhrr0gtTu6KC4KBJdITbbOeAi1zBIYo0v4iTgt8jJpIidRJnp94ABQkJAgAooBQ==";
    /// The same with the algorithm of earlier versions.
    const LEGACY: &str = "untrusted comment: signature from minisign secret key\n\
        RWQf6LRCGA9i59SLOFxz6NxvASXDJeRtuZykwQepbDEGt87ig1BNpWaVWuNrm73YiIiJbq71Wi+dP9eKL8OC351vwIasSSbXxwA=\n\
        trusted comment: timestamp:1555779966\tfile:test\n\
        QtKMXWyYcwdpZAlPF7tE2ENJkRd1ujvKjlj1m9RtHTBnZPa5WKU5uWRs5GoP5M/VqE81QFuMKI5k/SfNQUaOAA==";

    fn key() -> PublicKey {
        PublicKey::parse(KEY).unwrap()
    }

    #[test]
    fn what_the_program_minisign_signed_is_verified() {
        let signature = Signature::parse(OF_TEST.as_bytes()).unwrap();
        assert_eq!(signature.key_id(), "E7620F1842B4E81F");
        assert_eq!(signature.comment().timestamp_s, Some(1_633_700_835));
        assert!(signature.is_of(&key(), &Prehash::of(b"test")) && signature.has_comment_of(&key()));
        assert!(signature.is_of(&key(), &Prehash::of_reader(Cursor::new(b"test")).unwrap()));
        assert!(!signature.is_of(&key(), &Prehash::of(b"Test")));
        let other = PublicKey::of(KeyPair::generate_unencrypted_keypair().unwrap().pk);
        assert!(!signature.is_of(&other, &Prehash::of(b"test")));
    }

    #[test]
    fn a_changed_comment_is_not_that_of_the_key() {
        let changed = OF_TEST.replace("file:test", "file:text");
        let signature = Signature::parse(changed.as_bytes()).unwrap();
        assert!(!signature.is_of(&key(), &Prehash::of(b"test")) && !signature.has_comment_of(&key()));
    }

    #[test]
    fn what_is_not_a_signature_is_refused_with_what_was_expected() {
        let lines: Vec<&str> = OF_TEST.lines().collect();
        let short = lines[..3].join("\n");
        let cut = [lines[0], &lines[1][..50], lines[2], lines[3]].join("\n");
        let unknown = OF_TEST.replace("\nRUQ", "\nQUQ");
        let huge = "x".repeat(8193);
        let short_comment = [lines[0], lines[1], lines[2], "AAAA"].join("\n");
        for (text, part) in [
            ("", "0 lines"),
            ("garbage", "1 lines"),
            (&short, "3 lines"),
            (&cut, "second line"),
            (&unknown, "algorithm is unknown"),
            (&short_comment, "fourth line has the wrong length"),
            (&huge, "more than 8192 bytes"),
            (LEGACY, "legacy"),
        ] {
            let why = Signature::parse(text.as_bytes()).unwrap_err();
            assert!(why.contains(part) && why.contains("`dyno sign` or `minisign -S`"), "{part}: {why}");
        }
        assert!(Signature::parse(&[0xff; 10]).unwrap_err().contains("not text"));
    }

    #[test]
    fn the_hash_is_the_one_that_the_crate_signs() {
        let KeyPair { pk, sk } = KeyPair::generate_unencrypted_keypair().unwrap();
        let key = PublicKey::of(pk);
        for length in [0, 1, 127, 128, 129, 65_536, 65_537, 200_000] {
            let bytes: Vec<u8> = (0..length).map(|at: u32| (at * 7 % 251) as u8).collect();
            let made: SignatureBox = minisign::sign(None, &sk, Cursor::new(&bytes), Some("x"), None).unwrap();
            let signature = Signature::parse(made.to_string().as_bytes()).unwrap();
            assert!(signature.is_of(&key, &Prehash::of(&bytes)), "{length}");
            assert_eq!(Prehash::of(&bytes), Prehash::of_reader(Cursor::new(&bytes)).unwrap(), "{length}");
        }
    }

    proptest! {
        #[test]
        fn a_changed_byte_is_refused_or_is_in_the_comment_that_nobody_trusts(
            at in 0..OF_TEST.len(),
            flip in 1_u8..128,
        ) {
            let mut bytes = OF_TEST.as_bytes().to_vec();
            bytes[at] ^= flip;
            let first = OF_TEST.lines().next().unwrap().len();
            if let Ok(signature) = Signature::parse(&bytes)
                && signature.is_of(&key(), &Prehash::of(b"test"))
            {
                // White space around the base64 says nothing.
                let trimmed: Vec<u8> = bytes.iter().copied().filter(|byte| !byte.is_ascii_whitespace()).collect();
                let original: Vec<u8> = OF_TEST.bytes().filter(|byte| !byte.is_ascii_whitespace()).collect();
                prop_assert!(at < first || trimmed == original, "byte {at} became {:?}", bytes[at] as char);
            }
        }

        #[test]
        fn no_bytes_make_it_panic(bytes in prop::collection::vec(any::<u8>(), 0..600)) {
            let _ = Signature::parse(&bytes);
        }
    }
}
