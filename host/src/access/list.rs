//! The tokens of one file, and whose a given token is.

use std::collections::BTreeSet;

use jiff::Timestamp;
use subtle::ConstantTimeEq;

use super::{
    Identity,
    entry::{File, Hash, SHORTEST, digest},
};
use crate::toml_text;

/// Maximum number of tokens. Every call is compared with each.
const MOST: usize = 10_000;

/// Why a caller is nobody that the server knows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Stranger {
    /// It sent no token.
    Nameless,
    /// It sent a token that is not in the file.
    Unknown,
    /// Its token has expired.
    Expired {
        /// Name of the token.
        name: String,
        /// When it expired.
        at: Timestamp,
    },
}

/// The tokens of one file. It can be empty: then all calls are refused.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct TokenList(Vec<Identity>);

impl TokenList {
    /// Reads the text of a token file. `Err` continues "is not valid: ".
    pub(super) fn parse(text: &str) -> Result<Self, String> {
        if text.trim().is_empty() {
            return Err("it is empty; write `token = []` to refuse every call".to_owned());
        }
        let file: File = toml::from_str(text).map_err(|error| {
            format!(
                "{}; an entry is written like\n[[token]]\nname = \"ci\"\nscope = \"run\" # read, run or admin\n\
                 token = \"at least {SHORTEST} characters that nobody guesses\"",
                toml_text::fault(text, &error)
            )
        })?;
        if file.token.len() > MOST {
            return Err(format!("it holds {} tokens; at most {MOST} are accepted", file.token.len()));
        }
        let (mut names, mut hashes) = (BTreeSet::new(), BTreeSet::new());
        let mut tokens = Vec::with_capacity(file.token.len());
        for entry in file.token {
            let identity = entry.identity()?;
            if !names.insert(identity.name.clone()) {
                return Err(format!("two tokens have the name `{}`", identity.name));
            }
            if !hashes.insert(identity.hash) {
                return Err(format!("`{}` has the same token as another entry", identity.name));
            }
            tokens.push(identity);
        }
        Ok(Self(tokens))
    }

    /// The owner of a token. Compares all hashes in constant time, so the duration reveals nothing.
    pub(super) fn identify(&self, given: Option<&str>, now: Timestamp) -> Result<Identity, Stranger> {
        let given: Hash = digest(given.ok_or(Stranger::Nameless)?);
        let mut found = None;
        for identity in &self.0 {
            if identity.hash.is_some_and(|known| bool::from(known.ct_eq(&given))) {
                found = Some(identity);
            }
        }
        let found = found.ok_or(Stranger::Unknown)?;
        match found.expires {
            Some(at) if found.has_expired(now) => Err(Stranger::Expired { name: found.name.clone(), at }),
            _ => Ok(found.clone()),
        }
    }

    /// Whether this list would admit the caller as it was admitted.
    pub(super) fn holds(&self, identity: &Identity, now: Timestamp) -> bool {
        self.0.contains(identity) && !identity.has_expired(now)
    }

    pub(super) fn all(&self) -> &[Identity] {
        &self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::access::Scope;

    const FILE: &str = "[[token]]\nname = \"ci\"\nscope = \"run\"\ntoken = \"0123456789abcdef\"\nrequire-isolation = \
                        [\"no_network\"]\n[[token]]\nname = \"eve\"\nscope = \"read\"\nexpires = 2026-11-30\nsha256 = \
                        \"9aa94f61b5ed4c2c26c1ff13d5832f3bb47df32d37d5ec29cf6e57d5a63b4a9c\"\n";

    fn at(text: &str) -> Timestamp {
        text.parse().unwrap_or_default()
    }

    #[test]
    fn a_token_tells_who_asks_until_it_expires() {
        let file = FILE.replace(
            "9aa94f61b5ed4c2c26c1ff13d5832f3bb47df32d37d5ec29cf6e57d5a63b4a9c",
            &dyno_core::text::hex(&digest("fedcba9876543210")),
        );
        let tokens = TokenList::parse(&file).unwrap();
        let before = at("2026-11-30T23:59:59Z");
        let ci = tokens.identify(Some("0123456789abcdef"), before).unwrap();
        assert_eq!((ci.scope, ci.require_isolation.len()), (Scope::Run, 1));
        let eve = tokens.identify(Some("fedcba9876543210"), before).unwrap();
        assert_eq!(eve.name, "eve");
        assert_eq!(tokens.identify(Some("0123456789abcdee"), before), Err(Stranger::Unknown));
        assert_eq!(tokens.identify(None, before), Err(Stranger::Nameless));
        assert!(tokens.holds(&ci, before) && tokens.holds(&eve, before));
        let end = at("2026-12-01T00:00:00Z");
        let expired = Stranger::Expired { name: "eve".to_owned(), at: end };
        assert_eq!(tokens.identify(Some("fedcba9876543210"), end), Err(expired));
        assert!(tokens.holds(&ci, end) && !tokens.holds(&eve, end));
        assert!(!TokenList::default().holds(&ci, before), "it was revoked");
        let less = TokenList::parse(&FILE.replace("\"run\"", "\"read\"")).unwrap();
        assert!(!less.holds(&ci, before), "its scope was changed");
    }

    #[test]
    fn what_is_wrong_with_a_file_is_said() {
        let entry = |rest: &str| format!("[[token]]\nname = \"a\"\nscope = \"read\"\n{rest}");
        for (text, said) in [
            (String::new(), "`token = []`"),
            ("[x]".to_owned(), "unknown field"),
            (
                "[[token]]\nname = \"a\"\nscope = \"god\"\ntoken = \"0123456789abcdef\"".to_owned(),
                "unknown variant",
            ),
            (entry("token = \"short\""), "shorter than 16"),
            (entry("sha256 = \"short\""), "is no SHA-256"),
            (entry(""), "either `token` or `sha256`"),
            (entry("token = \"0123456789abcdef\"\nexpires = \"soon\""), "`expires` of `a`: `soon`"),
            (entry("token = \"0123456789abcdef\"\nrequire-isolation = [\"walls\"]"), "walls"),
            (format!("{FILE}{FILE}"), "two tokens have the name `ci`"),
            (FILE.replace("0123456789abcdef", "\\n"), "shorter"),
            (FILE.replace("\"ci\"", "\"\""), "cannot name a token"),
            (
                format!("{FILE}[[token]]\nname = \"b\"\nscope = \"run\"\ntoken = \"0123456789abcdef\""),
                "the same token",
            ),
        ] {
            let error = TokenList::parse(&text).unwrap_err();
            assert!(error.contains(said), "{text}: {error}");
        }
        assert_eq!(TokenList::parse("token = []"), Ok(TokenList::default()));
    }

    #[test]
    fn the_tokens_of_the_example_are_nobodys() {
        let error = TokenList::parse(include_str!("../../../examples/deploy/tokens.toml")).unwrap_err();
        assert!(error.contains("`ci`") && error.contains("dyno token new"), "{error}");
    }
}
