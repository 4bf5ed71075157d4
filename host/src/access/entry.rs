//! One token, as the file writes it and as the server knows it.

use dyno_core::{model::IsolationLayer, text::visible};
use jiff::{Timestamp, ToSpan, civil::Date, tz::TimeZone};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use toml::value::Datetime;

use super::Scope;

/// Minimum length: shorter tokens can be guessed.
pub(super) const SHORTEST: usize = 16;
/// Prefix of the example tokens, which are public and therefore refused.
const EXAMPLE: &str = "replace-me";
/// Longest name [bytes]: it stands in logs, and beside each run.
pub(super) const LONGEST_NAME: usize = 100;

/// The caller.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Identity {
    /// Name of the token; `local` if the server has none.
    pub name: String,
    /// What the caller may do.
    pub scope: Scope,
    /// Layers of isolation without which nothing that the caller submits is loaded.
    pub require_isolation: Vec<IsolationLayer>,
    /// When the token expires.
    pub expires: Option<Timestamp>,
    /// Hash of the token.
    pub(super) hash: Option<Hash>,
}

/// SHA-256 of a token.
pub(super) type Hash = [u8; 32];

/// A token of the file, without its secret.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct TokenInfo {
    /// Name.
    pub name: String,
    /// What it permits.
    pub scope: Scope,
    /// When it expires (RFC 3339, UTC); null: never.
    pub expires_at: Option<String>,
    /// Whether it has expired.
    pub has_expired: bool,
    /// Layers of isolation without which nothing that it submits is loaded.
    pub require_isolation: Vec<IsolationLayer>,
}

impl Identity {
    /// Any caller of a server without tokens, which listens on this machine only.
    #[must_use]
    pub fn local() -> Self {
        let name = "local".to_owned();
        Self { name, scope: Scope::Admin, require_isolation: Vec::new(), expires: None, hash: None }
    }

    /// A caller who needs no token for what it asks.
    #[must_use]
    pub fn nobody() -> Self {
        Self { name: "nobody".to_owned(), scope: Scope::Read, ..Self::local() }
    }

    pub(super) fn has_expired(&self, now: Timestamp) -> bool {
        self.expires.is_some_and(|end| end <= now)
    }

    pub(super) fn info(&self, now: Timestamp) -> TokenInfo {
        TokenInfo {
            name: self.name.clone(),
            scope: self.scope,
            expires_at: self.expires.map(|end| end.to_string()),
            has_expired: self.has_expired(now),
            require_isolation: self.require_isolation.clone(),
        }
    }
}

/// The token file.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct File {
    pub(super) token: Vec<Entry>,
}

/// A token as the file writes it.
#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub(super) struct Entry {
    name: String,
    scope: Scope,
    /// The token, or instead of it
    token: Option<String>,
    /// its SHA-256, hexadecimal.
    sha256: Option<String>,
    expires: Option<When>,
    #[serde(default)]
    require_isolation: Vec<IsolationLayer>,
}

/// A time, as text or as TOML has it.
#[derive(Deserialize)]
#[serde(untagged, expecting = "`expires` is a day like 2027-01-31 or a time like 2027-01-31T18:00:00Z")]
enum When {
    Toml(Datetime),
    Text(String),
}

impl Entry {
    /// The token's owner. `Err` is a sentence that names the token.
    pub(super) fn identity(self) -> Result<Identity, String> {
        let Self { name, scope, token, sha256, expires, require_isolation } = self;
        usable_name(&name)?;
        let hash = match (token, sha256) {
            (Some(token), None) => hash_of(&name, &token)?,
            (None, Some(sha256)) => hash_in(&sha256).ok_or_else(|| {
                format!("`sha256` of `{name}` is no SHA-256: give the 64 hexadecimal digits of `printf %s TOKEN | sha256sum`")
            })?,
            (Some(_), Some(_)) | (None, None) => {
                return Err(format!("`{name}` needs either `token` or `sha256`"));
            }
        };
        let expires = match expires {
            None => None,
            Some(when) => {
                let text = match when {
                    When::Toml(time) => time.to_string(),
                    When::Text(text) => text,
                };
                Some(end(&text).map_err(|why| format!("`expires` of `{name}`: {why}"))?)
            }
        };
        Ok(Identity { name, scope, require_isolation, expires, hash: Some(hash) })
    }
}

/// Whether a token can have this name.
pub(super) fn usable_name(name: &str) -> Result<(), String> {
    let fits = !name.trim().is_empty()
        && name.len() <= LONGEST_NAME
        && name.chars().all(|letter| visible(letter) == letter);
    if fits {
        return Ok(());
    }
    let shown: String = name.chars().map(visible).take(40).collect();
    Err(format!("`{shown}` cannot name a token; give 1 to {LONGEST_NAME} bytes without control characters"))
}

fn hash_of(name: &str, token: &str) -> Result<Hash, String> {
    if token.len() < SHORTEST {
        return Err(format!("the token of `{name}` is shorter than {SHORTEST} characters"));
    }
    if token.starts_with(EXAMPLE) {
        return Err(format!(
            "the token of `{name}` is that of the example, which everybody knows; make one with `dyno token new`"
        ));
    }
    Ok(digest(token))
}

pub(super) fn digest(token: &str) -> Hash {
    Sha256::digest(token.as_bytes()).into()
}

fn hash_in(text: &str) -> Option<Hash> {
    let mut hash = Hash::default();
    let is_hex = text.len() == 64 && text.bytes().all(|letter| letter.is_ascii_hexdigit());
    for (byte, digits) in hash.iter_mut().zip(text.as_bytes().chunks(2)).filter(|_| is_hex) {
        *byte = u8::from_str_radix(str::from_utf8(digits).ok()?, 16).ok()?;
    }
    is_hex.then_some(hash)
}

/// The end of validity: a time, or a day, of which the token is valid until the end (UTC).
pub(super) fn end(text: &str) -> Result<Timestamp, String> {
    if let Ok(time) = text.parse::<Timestamp>() {
        return Ok(time);
    }
    // TOML writes a space for the T, and so does RFC 3339 allow; a date has neither.
    let day = if text.len() == 10 { text.parse::<Date>().ok() } else { None };
    let end =
        day.and_then(|day| TimeZone::UTC.to_timestamp(day.checked_add(1.day()).ok()?.at(0, 0, 0, 0)).ok());
    end.ok_or_else(|| {
        format!("`{text}` is neither a day like `2027-01-31` nor a time like `2027-01-31T18:00:00Z`")
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_is_valid_to_the_end_of_its_last_day() {
        let at = |text: &str| text.parse::<Timestamp>().unwrap();
        assert_eq!(end("2027-01-31"), Ok(at("2027-02-01T00:00:00Z")));
        assert_eq!(end("2027-01-31T18:00:00+01:00"), Ok(at("2027-01-31T17:00:00Z")));
        assert_eq!(end("2027-01-31 18:00:00Z"), Ok(at("2027-01-31T18:00:00Z")));
        for text in ["", "soon", "2027-02-30", "31.1.2027", "2027-01-31T18:00:00", "90d"] {
            assert!(end(text).unwrap_err().contains(&format!("`{text}`")), "{text}");
        }
    }

    #[test]
    fn a_hash_is_64_hexadecimal_digits() {
        let text = "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08";
        assert_eq!(hash_in(text), Some(digest("test")));
        assert_eq!(hash_in(&text.to_uppercase()), Some(digest("test")));
        for text in ["", "9f", &text[1..], &format!("{text}0"), &text.replace('9', "x"), &"ä".repeat(32)] {
            assert_eq!(hash_in(text), None, "{text}");
        }
    }
}
