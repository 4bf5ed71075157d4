//! Authorisation: named tokens with a scope, from a file that only the operator can read.

use std::{fs, os::unix::fs::MetadataExt, path::Path};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;

use crate::user_file::read_text;

/// What a token permits. Each scope includes the previous ones.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub(super) enum Scope {
    /// View results and run SQL queries.
    Read,
    /// Also start, cancel and tag runs.
    Run,
    /// Also delete runs, disable plugins and read the audit log.
    Admin,
}

/// The caller.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Identity {
    pub(super) name: String,
    pub(super) scope: Scope,
}

impl Identity {
    /// Any caller of a server without tokens, which listens on this machine only.
    pub(super) fn local() -> Self {
        Self { name: "local".to_owned(), scope: Scope::Admin }
    }
}

/// The accepted tokens. If there are none, every caller has scope `admin`.
#[derive(Debug, Default)]
pub(super) struct Tokens(Vec<(Identity, [u8; 32])>);

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    token: Vec<Entry>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Entry {
    name: String,
    scope: Scope,
    token: String,
}

/// Minimum length: shorter tokens can be guessed.
const SHORTEST: usize = 16;
/// Prefix of the example tokens, which are public and therefore refused.
const EXAMPLE: &str = "replace-me";

impl Tokens {
    /// Reads a token file.
    ///
    /// # Errors
    /// A sentence when the file cannot be read, other users can read it, or an entry is invalid.
    pub(super) fn read(path: &Path) -> Result<Self, String> {
        let refused = |why: String| format!("the token file `{}` {why}", path.display());
        let about = fs::metadata(path).map_err(|error| refused(format!("cannot be read: {error}")))?;
        if !is_private(about.uid(), about.mode()) {
            return Err(refused(format!(
                "can be read or changed by others (mode {:o}, owned by user {}); `chmod 600` it, or give it to root and `chmod \
                 640` it, so that only a group of the server's reads it",
                about.mode() & 0o777,
                about.uid()
            )));
        }
        let text = read_text(path).map_err(|error| refused(error.to_string()))?;
        Self::parse(&text).map_err(|why| refused(format!("is not valid: {why}")))
    }

    fn parse(text: &str) -> Result<Self, String> {
        let file: File = toml::from_str(text).map_err(|error| {
            format!(
                "{}; an entry is written like\n[[token]]\nname = \"ci\"\nscope = \"run\" # read, run or admin\n\
                 token = \"at least {SHORTEST} characters that nobody guesses\"",
                error.message()
            )
        })?;
        let mut tokens: Vec<(Identity, [u8; 32])> = Vec::new();
        for Entry { name, scope, token } in file.token {
            if token.len() < SHORTEST {
                return Err(format!("the token of `{name}` is shorter than {SHORTEST} characters"));
            }
            if token.starts_with(EXAMPLE) {
                return Err(format!(
                    "the token of `{name}` is that of the example, which everybody knows; make one with `head -c 24 \
                     /dev/urandom | base64`"
                ));
            }
            if name.is_empty() || tokens.iter().any(|(other, _)| other.name == name) {
                return Err(format!("`{name}` is no name, or two tokens have it"));
            }
            tokens.push((Identity { name, scope }, digest(&token)));
        }
        if tokens.is_empty() {
            return Err("it holds no token".to_owned());
        }
        Ok(Self(tokens))
    }

    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The owner of a token. Compares all hashes in constant time, so the duration reveals nothing.
    pub(super) fn identify(&self, given: Option<&str>) -> Option<Identity> {
        if self.0.is_empty() {
            return Some(Identity::local());
        }
        let given = digest(given?);
        let mut found = None;
        for (identity, known) in &self.0 {
            if bool::from(known.ct_eq(&given)) {
                found = Some(identity.clone());
            }
        }
        found
    }
}

/// Whether only its owner can read a file, or only root and one group. The latter suits a server whose user must not change its
/// tokens.
fn is_private(owner: u32, mode: u32) -> bool {
    mode & 0o077 == 0 || (owner == 0 && mode & 0o037 == 0)
}

fn digest(token: &str) -> [u8; 32] {
    Sha256::digest(token.as_bytes()).into()
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    const FILE: &str = "[[token]]\nname = \"ci\"\nscope = \"run\"\ntoken = \"0123456789abcdef\"\n\
                        [[token]]\nname = \"eve\"\nscope = \"read\"\ntoken = \"fedcba9876543210\"\n";

    #[test]
    fn a_token_tells_who_asks() {
        let tokens = Tokens::parse(FILE).unwrap();
        assert_eq!(tokens.identify(Some("0123456789abcdef")).unwrap().scope, Scope::Run);
        assert_eq!(tokens.identify(Some("fedcba9876543210")).unwrap().name, "eve");
        assert_eq!(tokens.identify(Some("0123456789abcdee")), None);
        assert_eq!(tokens.identify(None), None);
        assert_eq!(Tokens::default().identify(None), Some(Identity::local()));
    }

    #[test]
    fn a_group_may_only_read_what_is_roots() {
        for (owner, mode, expected) in [
            (1000, 0o100_600, true),
            (1000, 0o100_400, true),
            (1000, 0o100_640, false),
            (0, 0o100_640, true),
            (0, 0o100_440, true),
            (0, 0o100_660, false),
            (0, 0o100_644, false),
        ] {
            assert_eq!(is_private(owner, mode), expected, "{owner} {mode:o}");
        }
    }

    #[test]
    fn the_tokens_of_the_example_are_nobodys() {
        let error = Tokens::parse(include_str!("../../../examples/deploy/tokens.toml")).unwrap_err();
        assert!(error.contains("`ci`") && error.contains("base64"), "{error}");
    }

    #[test]
    fn what_is_wrong_with_a_file_is_said() {
        for (text, said) in [
            ("", "missing field"),
            ("token = []", "no token"),
            ("[[token]]\nname = \"a\"\nscope = \"god\"\ntoken = \"0123456789abcdef\"", "unknown variant"),
            ("[[token]]\nname = \"a\"\nscope = \"read\"\ntoken = \"short\"", "shorter than 16"),
            (&format!("{FILE}{FILE}"), "two tokens have it"),
        ] {
            let error = Tokens::parse(text).unwrap_err();
            assert!(error.contains(said), "{error}");
        }
        let file = tempfile::NamedTempFile::new().unwrap();
        fs::write(file.path(), FILE).unwrap();
        fs::set_permissions(file.path(), fs::Permissions::from_mode(0o644)).unwrap();
        assert!(Tokens::read(file.path()).unwrap_err().contains("chmod 600"));
        fs::set_permissions(file.path(), fs::Permissions::from_mode(0o600)).unwrap();
        assert!(!Tokens::read(file.path()).unwrap().is_empty());
    }
}
