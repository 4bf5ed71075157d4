//! The trusted comment of a signature: `name:value`, separated by tabs, as minisign writes it.

use super::sentence::shown;

/// Maximum length of a publisher's name.
const MAX_NAME: usize = 64;

/// What the signer says about a file. The signature covers it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Comment {
    /// When it was signed [s since 1970].
    pub timestamp_s: Option<u64>,
    /// The name that the file had.
    pub file: Option<String>,
    /// Who signed it, as named in trust stores.
    pub publisher: Option<String>,
    /// Of a package: SHA-256 of its manifest, which names the hashes of its files, in hexadecimal.
    pub manifest_sha256: Option<String>,
}

impl Comment {
    /// As one line.
    ///
    /// # Errors
    /// When a value does not fit into a line, or the name of the publisher is not one.
    pub fn line(&self) -> Result<String, String> {
        if let Some(file) = self.file.as_ref().filter(|file| file.contains(char::is_control)) {
            return Err(format!(
                "the file name `{}` contains control characters, which a signature cannot name; rename the file",
                shown(file)
            ));
        }
        if let Some(publisher) = &self.publisher {
            check_publisher(publisher)?;
        }
        let time = self.timestamp_s.map(|time| time.to_string());
        let parts = [
            ("timestamp", &time),
            ("file", &self.file),
            ("publisher", &self.publisher),
            ("manifest", &self.manifest_sha256),
        ];
        let parts = parts.into_iter().filter_map(|(name, value)| Some(format!("{name}:{}", value.as_ref()?)));
        // The last word is minisign's: a signature of the hash, not of the bytes.
        Ok(parts.chain(["hashed".to_owned()]).collect::<Vec<_>>().join("\t"))
    }

    /// What a comment says. Whatever else it contains is ignored: others write theirs as they like.
    #[must_use]
    pub fn of(line: &str) -> Self {
        let value = |name: &str| {
            line.split('\t').find_map(|part| part.strip_prefix(name)?.strip_prefix(':')).map(str::to_owned)
        };
        Self {
            timestamp_s: value("timestamp").and_then(|text| text.parse().ok()),
            file: value("file"),
            publisher: value("publisher"),
            manifest_sha256: value("manifest"),
        }
    }
}

/// Checks the name of a publisher.
///
/// # Errors
/// A sentence that says what is allowed.
pub(super) fn check_publisher(name: &str) -> Result<(), String> {
    let is_allowed = |c: char| c.is_ascii_alphanumeric() || "-_.".contains(c);
    if (1..=MAX_NAME).contains(&name.len()) && name.chars().all(is_allowed) {
        return Ok(());
    }
    Err(format!(
        "`{}` is not the name of a publisher; give 1 to {MAX_NAME} letters, digits, `-`, `_` or `.`, like acme",
        shown(name)
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_read() {
        let comment = Comment {
            timestamp_s: Some(1_700_000_000),
            file: Some("a b:c.so".to_owned()),
            publisher: Some("acme".to_owned()),
            manifest_sha256: Some("00ff".to_owned()),
        };
        let line = comment.line().unwrap();
        assert_eq!(line, "timestamp:1700000000\tfile:a b:c.so\tpublisher:acme\tmanifest:00ff\thashed");
        assert_eq!(Comment::of(&line), comment);
    }

    #[test]
    fn the_comments_of_others_say_what_they_say() {
        assert_eq!(Comment::of("signed by me"), Comment::default());
        let found = Comment::of("timestamp:soon\tfile:x\thashed");
        assert_eq!((found.timestamp_s, found.file.as_deref()), (None, Some("x")));
    }

    #[test]
    fn what_would_change_the_line_is_refused() {
        let named = |file: &str| Comment { file: Some(file.to_owned()), ..Comment::default() }.line();
        assert!(named("a\tpublisher:other").unwrap_err().contains("rename the file"));
        for name in ["", "a b", "a\tmanifest:0", "é", &"x".repeat(65)] {
            let said = Comment { publisher: Some(name.to_owned()), ..Comment::default() }.line();
            assert!(said.unwrap_err().contains("like acme"), "{name}");
        }
    }
}
