//! The trust store: which publishers have which keys, which keys are revoked, and what a plugin file must have to be admitted.

use std::{collections::BTreeMap, fmt};

use serde::{Deserialize, Deserializer, Serialize};

use super::{
    comment::check_publisher,
    key::PublicKey,
    sentence::shown,
    signature::{Prehash, Signature},
};
use crate::toml_text;

/// The owner of a key whose owner is not known. No publisher in a configuration file can have this name.
const ANYBODY: &str = "";

/// What a plugin file must have to be admitted, weakest first.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Require {
    /// Nothing.
    #[default]
    None,
    /// An entry in a lock file, or a signature of a publisher in the trust store.
    Either,
    /// An entry in the lock file of its plugin folder.
    Lock,
    /// A signature of a publisher in the trust store.
    Signature,
    /// Both.
    Both,
}

impl Require {
    /// Whether a signature is required.
    #[must_use]
    pub fn signature(self) -> bool {
        matches!(self, Self::Signature | Self::Both)
    }

    /// Whether an entry in a lock file is required.
    #[must_use]
    pub fn lock(self) -> bool {
        matches!(self, Self::Lock | Self::Both)
    }

    /// Whether an entry in a lock file can matter.
    #[must_use]
    pub fn looks_at_locks(self) -> bool {
        self.lock() || self == Self::Either
    }

    /// What both require together.
    #[must_use]
    pub fn and(self, other: Self) -> Self {
        match (self.lock() || other.lock(), self.signature() || other.signature()) {
            (true, true) => Self::Both,
            (true, false) => Self::Lock,
            (false, true) => Self::Signature,
            (false, false) => self.max(other),
        }
    }
}

impl fmt::Display for Require {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::None => "none",
            Self::Either => "either",
            Self::Lock => "lock",
            Self::Signature => "signature",
            Self::Both => "both",
        })
    }
}

/// The table `[trust]` of `dyno.toml`, as written.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TrustTable {
    /// `none`, `either`, `lock`, `signature` or `both`.
    pub require: Option<String>,
    /// Publishers, by name.
    #[serde(default, deserialize_with = "publishers")]
    pub publishers: BTreeMap<String, PublisherTable>,
}

fn publishers<'de, D: Deserializer<'de>>(from: D) -> Result<BTreeMap<String, PublisherTable>, D::Error> {
    toml_text::tables(from, "a table `[trust.publishers.NAME]` for each publisher", |key| {
        format!(
            "a table of the keys of the publisher `{key}`: publishers have names, so write `{key}` below `[trust.publishers.NAME]`"
        )
    })
}

/// A publisher in `dyno.toml`.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PublisherTable {
    /// Public keys; several while one replaces another.
    #[serde(default)]
    pub keys: Vec<String>,
    /// Public keys that count no more, wherever they are listed besides.
    #[serde(default)]
    pub revoked: Vec<String>,
}

/// A publisher and its keys.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Publisher {
    /// Keys that count.
    pub keys: Vec<PublicKey>,
    /// Keys that count no more.
    pub revoked: Vec<PublicKey>,
}

/// The trust store.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct TrustStore {
    /// What a plugin file must have.
    pub require: Require,
    /// Publishers, by name.
    pub publishers: BTreeMap<String, Publisher>,
}

/// Why the table `[trust]` cannot be used: a sentence.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub struct TrustError(String);

/// What is known of the signature of a file.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "state", rename_all = "snake_case")]
pub enum SignatureState {
    /// Nobody looked: there is no trust store.
    #[default]
    NotChecked,
    /// It has none.
    Unsigned,
    /// A publisher in the trust store signed these bytes.
    Signed {
        /// The publisher.
        publisher: String,
        /// Identifier of the key.
        key: String,
    },
    /// It has one that does not count.
    Invalid {
        /// What is wrong, as the rest of a sentence that names the file, and what to do.
        reason: String,
    },
}

impl SignatureState {
    /// Who signed, if the signature counts.
    #[must_use]
    pub fn publisher(&self) -> Option<&str> {
        match self {
            Self::Signed { publisher, .. } => Some(publisher),
            Self::NotChecked | Self::Unsigned | Self::Invalid { .. } => None,
        }
    }
}

impl fmt::Display for SignatureState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotChecked => f.write_str("not checked: there is no trust store"),
            Self::Unsigned => f.write_str("unsigned"),
            Self::Signed { publisher, key } => write!(f, "signed by {publisher} (key {key})"),
            Self::Invalid { reason } => write!(f, "not accepted: the file {reason}"),
        }
    }
}

impl TrustStore {
    /// The trust store that a table describes. Alone, it may not be [usable](Self::usable).
    ///
    /// # Errors
    /// When a name, a key or a requirement is not valid, or a key has two owners.
    pub fn of(table: &TrustTable) -> Result<Self, TrustError> {
        let require = match table.require.as_deref() {
            None | Some("none") => Require::None,
            Some("either") => Require::Either,
            Some("lock") => Require::Lock,
            Some("signature") => Require::Signature,
            Some("both") => Require::Both,
            Some(other) => {
                return Err(TrustError(format!(
                    "`require` is `{}`; give none, either, lock, signature or both",
                    shown(other)
                )));
            }
        };
        let mut store = Self { require, publishers: BTreeMap::new() };
        for (name, table) in &table.publishers {
            check_publisher(name).map_err(TrustError)?;
            let read = |keys: &[String]| -> Result<Vec<PublicKey>, TrustError> {
                let keys = keys.iter().map(|key| PublicKey::parse(key));
                keys.collect::<Result<_, _>>().map_err(|why| TrustError(format!("publisher `{name}`: {why}")))
            };
            let publisher = Publisher { keys: read(&table.keys)?, revoked: read(&table.revoked)? };
            let owned = publisher.keys.iter().find_map(|key| {
                let (other, _) = store.publishers.iter().find(|(_, other)| other.keys.contains(key))?;
                Some((other, key))
            });
            if let Some((other, key)) = owned {
                return Err(TrustError(format!(
                    "the key `{}` is listed for `{other}` and for `{name}`; a key has one owner: remove it from one of them",
                    key.text()
                )));
            }
            store.publishers.insert(name.clone(), publisher);
        }
        Ok(store)
    }

    /// The same store, if it can admit anything.
    ///
    /// # Errors
    /// When a signature is required and no key counts.
    pub fn usable(self) -> Result<Self, TrustError> {
        let counts = |key: &PublicKey| !self.is_revoked(key);
        if self.require.signature() && !self.publishers.values().flat_map(|it| &it.keys).any(counts) {
            return Err(TrustError(format!(
                "`require = \"{}\"` without a key that counts would reject every plugin; add `keys = [\"RW…\"]` below \
                 `[trust.publishers.NAME]`",
                self.require
            )));
        }
        Ok(self)
    }

    /// This store, tightened by another: what both require, and all revoked keys. The other adds no publishers and no keys.
    ///
    /// # Errors
    /// When the other lists a key that this one does not.
    pub fn tightened(mut self, other: &Self) -> Result<Self, TrustError> {
        for (name, publisher) in &other.publishers {
            let known = self.publishers.get(name).map(|it| it.keys.as_slice()).unwrap_or_default();
            if let Some(key) = publisher.keys.iter().find(|key| !known.contains(key)) {
                return Err(TrustError(format!(
                    "the key `{}` of `{name}` is not in the trust store of the user's own configuration file, which other files \
                     can only tighten; add it there",
                    key.text()
                )));
            }
        }
        for (name, publisher) in &other.publishers {
            if !publisher.revoked.is_empty() {
                let own = self.publishers.entry(name.clone()).or_default();
                own.revoked.extend(publisher.revoked.iter().cloned());
            }
        }
        self.require = self.require.and(other.require);
        Ok(self)
    }

    /// This store, which requires at least that much.
    #[must_use]
    pub fn requiring(mut self, least: Require) -> Self {
        self.require = self.require.and(least);
        self
    }

    /// A store that trusts this key alone, whoever owns it: for comparing files with one key.
    #[must_use]
    pub fn of_key(key: PublicKey) -> Self {
        let publisher = Publisher { keys: vec![key], revoked: Vec::new() };
        Self { require: Require::Signature, publishers: [(ANYBODY.to_owned(), publisher)].into() }
    }

    /// Whether signatures are looked at: a signature is required, or there is a publisher.
    #[must_use]
    pub fn checks_signatures(&self) -> bool {
        self.require.signature() || !self.publishers.is_empty()
    }

    fn is_revoked(&self, key: &PublicKey) -> bool {
        self.publishers.values().any(|it| it.revoked.contains(key))
    }

    /// Judges the signature of a file with this hash.
    #[must_use]
    pub fn judged(&self, signature: &Signature, file: &Prehash) -> SignatureState {
        self.judged_by(
            signature,
            |key| signature.is_of(key, file),
            "its bytes are not those that were signed",
        )
    }

    /// Judges the comment of a signature, without the file.
    #[must_use]
    pub fn comment_judged(&self, signature: &Signature) -> SignatureState {
        self.judged_by(
            signature,
            |key| signature.has_comment_of(key),
            "its comment is not the one that was signed",
        )
    }

    fn judged_by(
        &self,
        signature: &Signature,
        is_of: impl Fn(&PublicKey) -> bool,
        mismatch: &str,
    ) -> SignatureState {
        let invalid = |reason: String| SignatureState::Invalid { reason };
        let key = signature.key_id();
        let meant = |list: fn(&Publisher) -> &Vec<PublicKey>| {
            let all = self
                .publishers
                .iter()
                .flat_map(move |(name, it)| list(it).iter().map(move |key| (name, key)));
            all.filter(|(_, key)| key.id == signature.key)
        };
        if let Some((owner, _)) = meant(|it| &it.revoked).find(|(_, key)| is_of(key)) {
            return invalid(format!(
                "is signed with the key {key}, which `{owner}` has revoked; get the file signed with a new key from `{owner}`"
            ));
        }
        let counting = || meant(|it| &it.keys).filter(|(_, key)| !self.is_revoked(key));
        if let Some((owner, _)) = counting().find(|(_, key)| is_of(key)) {
            return match signature.comment().publisher {
                named if owner == ANYBODY => SignatureState::Signed {
                    publisher: named
                        .map_or_else(|| "the owner of that key".to_owned(), |named| shown(&named)),
                    key,
                },
                Some(named) if named != **owner => invalid(format!(
                    "is signed in the name of `{}` with the key {key}, which belongs to `{owner}` in the trust store; ask \
                     `{owner}` which name is right",
                    shown(&named)
                )),
                _ => SignatureState::Signed { publisher: owner.clone(), key },
            };
        }
        if counting().next().is_some() || meant(|it| &it.revoked).next().is_some() {
            return invalid(format!(
                "does not match its signature with the key {key}: {mismatch}; get both files again, together"
            ));
        }
        invalid(format!(
            "is signed with the key {key}, which is not in the trust store; if you trust its owner, add the public key to `keys` \
             below `[trust.publishers.NAME]` in dyno.toml"
        ))
    }
}

#[cfg(test)]
mod tests {
    use minisign::KeyPair;

    use super::{
        super::{comment::Comment, key_files::SecretKey},
        *,
    };

    struct Signer {
        folder: tempfile::TempDir,
        key: PublicKey,
    }

    impl Signer {
        fn new() -> Self {
            let folder = tempfile::tempdir().unwrap();
            let key = super::super::new_pair(&folder.path().join("k"), None).unwrap().key;
            Self { folder, key }
        }

        fn sign(&self, bytes: &[u8], publisher: Option<&str>) -> Signature {
            let key = SecretKey::read(&self.folder.path().join("k"), &mut |_| Err(String::new())).unwrap();
            let comment = Comment { publisher: publisher.map(str::to_owned), ..Comment::default() };
            let text = key.sign(std::path::Path::new("x"), bytes, &comment).unwrap();
            Signature::parse(text.as_bytes()).unwrap()
        }
    }

    fn table(text: &str) -> Result<TrustStore, String> {
        let store = TrustStore::of(&toml::from_str(text).unwrap()).and_then(TrustStore::usable);
        store.map_err(|error| error.to_string())
    }

    fn reason(state: SignatureState) -> String {
        match state {
            SignatureState::Invalid { reason } => reason,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn every_key_of_a_publisher_counts_until_it_is_revoked() {
        let (old, new, stranger) = (Signer::new(), Signer::new(), Signer::new());
        let keys = format!("keys = ['{}', '{}']", old.key.text(), new.key.text());
        let both = table(&format!("require = 'signature'\n[publishers.acme]\n{keys}")).unwrap();
        let file = Prehash::of(b"bytes");
        for signer in [&old, &new] {
            let state = both.judged(&signer.sign(b"bytes", None), &file);
            assert_eq!(state.to_string(), format!("signed by acme (key {})", signer.key.id()));
            let tampered = reason(both.judged(&signer.sign(b"other", None), &file));
            assert!(tampered.contains("not those that were signed"), "{tampered}");
        }
        let unknown = reason(both.judged(&stranger.sign(b"bytes", None), &file));
        assert!(unknown.contains("not in the trust store") && unknown.contains("dyno.toml"), "{unknown}");
        let revoked = format!("[publishers.acme]\n{keys}\nrevoked = ['{}']", old.key.text());
        let revoked = table(&revoked).unwrap();
        let said = reason(revoked.judged(&old.sign(b"bytes", None), &file));
        assert!(said.contains("which `acme` has revoked"), "{said}");
        assert!(matches!(revoked.judged(&new.sign(b"bytes", None), &file), SignatureState::Signed { .. }));
    }

    #[test]
    fn a_key_speaks_for_its_owner_alone() {
        let signer = Signer::new();
        let store = table(&format!("[publishers.acme]\nkeys = ['{}']", signer.key.text())).unwrap();
        let file = Prehash::of(b"bytes");
        assert!(matches!(
            store.judged(&signer.sign(b"bytes", Some("acme")), &file),
            SignatureState::Signed { .. }
        ));
        let said = reason(store.judged(&signer.sign(b"bytes", Some("other")), &file));
        assert!(said.contains("in the name of `other`") && said.contains("belongs to `acme`"), "{said}");
        let alone = TrustStore::of_key(signer.key.clone());
        let state = alone.judged(&signer.sign(b"bytes", Some("other")), &file);
        assert_eq!(state.to_string(), format!("signed by other (key {})", signer.key.id()));
    }

    #[test]
    fn a_key_with_the_identifier_of_another_does_not_count() {
        let (trusted, forger) = (Signer::new(), KeyPair::generate_unencrypted_keypair().unwrap());
        let store = TrustStore::of_key(trusted.key.clone());
        let made = minisign::sign(None, &forger.sk, &b"bytes"[..], Some("x"), None).unwrap();
        let mut forged = Signature::parse(made.to_string().as_bytes()).unwrap();
        forged.key = trusted.key.id;
        let said = reason(store.judged(&forged, &Prehash::of(b"bytes")));
        assert!(said.contains("does not match"), "{said}");
    }

    #[test]
    fn a_table_that_cannot_work_says_why() {
        let key = Signer::new().key;
        let twice = format!("[publishers.a]\nkeys = ['{0}']\n[publishers.b]\nkeys = ['{0}']", key.text());
        let revoked =
            format!("require = 'both'\n[publishers.a]\nkeys = ['{0}']\nrevoked = ['{0}']", key.text());
        for (text, part) in [
            ("require = 'all'", "give none, either, lock, signature or both"),
            ("require = 'signature'", "would reject every plugin"),
            (&revoked, "would reject every plugin"),
            ("[publishers.acme]\nkeys = ['RWx']", "publisher `acme`: `RWx` is not a public key"),
            ("[publishers.'a b']\nkeys = []", "is not the name of a publisher"),
            (&twice, "one owner"),
        ] {
            let why = table(text).unwrap_err();
            assert!(why.contains(part), "{text}: {why}");
        }
        assert!(toml::from_str::<TrustTable>("requires = 'none'").is_err());
        assert!(!table("").unwrap().checks_signatures());
    }

    #[test]
    fn another_file_can_only_tighten() {
        let (key, other) = (Signer::new().key, Signer::new().key);
        let own = format!(
            "require = 'signature'\n[publishers.acme]\nkeys = ['{}', '{}']",
            key.text(),
            other.text()
        );
        let own = table(&own).unwrap();
        let tightened =
            |text: &str| own.clone().tightened(&table(text).unwrap()).map_err(|error| error.to_string());
        assert_eq!(tightened("require = 'none'").unwrap(), own);
        assert_eq!(tightened("require = 'lock'").unwrap().require, Require::Both);
        let less = tightened(&format!("[publishers.acme]\nrevoked = ['{}']", key.text())).unwrap();
        assert!(less.is_revoked(&key) && !less.is_revoked(&other));
        let more =
            tightened(&format!("[publishers.acme]\nkeys = ['{}']", Signer::new().key.text())).unwrap_err();
        assert!(more.contains("can only tighten"), "{more}");
        let renamed = tightened(&format!("[publishers.evil]\nkeys = ['{}']", key.text())).unwrap_err();
        assert!(renamed.contains("can only tighten"), "{renamed}");
    }
}
