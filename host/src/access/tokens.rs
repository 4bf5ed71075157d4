//! The tokens that a server accepts. The file is read again when it changes, so that a token can be added or revoked while the
//! server runs.

use std::path::Path;

use jiff::Timestamp;

use super::{AccessError, Identity, Stranger, file, list::TokenList};
use crate::reread::Reread;

/// The tokens that a server accepts.
#[derive(Debug)]
pub struct Tokens(Option<Reread<TokenList>>);

impl Tokens {
    /// No tokens: every caller has scope `admin`.
    #[must_use]
    pub fn none() -> Self {
        Self(None)
    }

    /// The tokens of a file.
    ///
    /// # Errors
    /// When the file cannot be read, others can read it, an entry is invalid, or there is none.
    pub fn open(path: &Path) -> Result<Self, AccessError> {
        let read = {
            let path = path.to_owned();
            move || file::read(&path)
        };
        let list = Reread::new(vec![path.to_owned()], read)?;
        if list.current().all().is_empty() {
            return Err(AccessError::file(path, "holds no token; add one with `dyno token new NAME`"));
        }
        Ok(Self(Some(list)))
    }

    /// Whether callers need a token.
    #[must_use]
    pub fn are_needed(&self) -> bool {
        self.0.is_some()
    }

    /// The owner of a token.
    ///
    /// # Errors
    /// When the token is missing, unknown or expired.
    pub fn identify(&self, given: Option<&str>) -> Result<Identity, Stranger> {
        match &self.0 {
            None => Ok(Identity::local()),
            Some(list) => list.current().identify(given, Timestamp::now()),
        }
    }

    /// Whether a caller still has the rights with which it was admitted: its token is in the file, unchanged, and has not expired.
    #[must_use]
    pub fn hold(&self, identity: &Identity) -> bool {
        self.0.as_ref().is_none_or(|list| list.current().holds(identity, Timestamp::now()))
    }

    /// Whether the file, as it is now, cannot be used, so that the tokens of before still count.
    #[must_use]
    pub fn are_outdated(&self) -> bool {
        self.0.as_ref().is_some_and(Reread::is_outdated)
    }
}

#[cfg(test)]
mod tests {
    use std::{fs, thread, time::Duration};

    use super::*;
    use crate::access::{NewToken, Scope, add, remove};

    #[test]
    fn a_token_is_added_and_revoked_while_the_server_runs() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("tokens.toml");
        let new = |name: &str| {
            let require_isolation = Vec::new();
            let new = NewToken { name: name.to_owned(), scope: Scope::Run, expires: None, require_isolation };
            add(&path, &new).unwrap()
        };
        let first = new("first");
        let tokens = Tokens::open(&path).unwrap();
        let identity = tokens.identify(Some(&first)).unwrap();
        let until = |so: &dyn Fn() -> bool| {
            (0..1200).any(|_| {
                thread::sleep(Duration::from_millis(50));
                so()
            })
        };
        let second = new("second");
        assert!(until(&|| tokens.identify(Some(&second)).is_ok()));
        fs::write(&path, "half a fi").unwrap();
        assert!(until(&|| tokens.are_outdated()));
        assert!(tokens.hold(&identity) && tokens.identify(Some(&second)).is_ok(), "those of before count");
        fs::remove_file(&path).unwrap();
        let third = new("third");
        assert!(until(&|| tokens.identify(Some(&third)).is_ok()));
        assert!(!tokens.are_outdated() && !tokens.hold(&identity), "the file that came has no other");
        remove(&path, "third").unwrap();
        assert!(until(&|| tokens.identify(Some(&third)) == Err(Stranger::Unknown)));
        assert!(tokens.are_needed() && tokens.identify(None).is_err(), "without any, none is accepted");
        assert!(Tokens::open(&path).unwrap_err().to_string().contains("holds no token"));
        assert_eq!(Tokens::none().identify(None), Ok(Identity::local()));
    }
}
