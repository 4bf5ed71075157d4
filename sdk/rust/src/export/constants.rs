//! What the macros compute while compiling: the plugin's metadata never costs a line of running code.

/// Joins constant texts into one constant text.
#[doc(hidden)]
#[macro_export]
macro_rules! __join {
    ($($part:expr),* $(,)?) => {{
        const PARTS: &[&str] = &[$($part),*];
        const BYTES: [u8; $crate::__private::length(PARTS)] = $crate::__private::concat(PARTS);
        match ::core::str::from_utf8(&BYTES) {
            Ok(text) => text,
            Err(_) => panic!("texts joined are a text"),
        }
    }};
}

/// The bytes of a text.
#[must_use]
pub const fn bytes<const N: usize>(text: &str) -> [u8; N] {
    dyno_plugin_api::section::concat(&[text])
}

/// Whether two texts are the same.
#[must_use]
pub const fn same(a: &str, b: &str) -> bool {
    let (a, b) = (a.as_bytes(), b.as_bytes());
    if a.len() != b.len() {
        return false;
    }
    let mut i = 0;
    while i < a.len() {
        if a[i] != b[i] {
            return false;
        }
        i += 1;
    }
    true
}

/// Whether `list` holds `text`.
#[must_use]
pub const fn contains(list: &[&str], text: &str) -> bool {
    let mut i = 0;
    while i < list.len() {
        if same(list[i], text) {
            return true;
        }
        i += 1;
    }
    false
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_are_compared_whole() {
        assert!(same("", "") && same("ab", "ab"));
        assert!(!same("ab", "ac") && !same("ab", "abc"));
        assert!(contains(&["x", "ab"], "ab") && !contains(&["x"], "ab") && !contains(&[], "ab"));
    }

    #[test]
    fn texts_are_joined() {
        const JOINED: &str = __join!("a", "", "ü");
        assert_eq!(JOINED, "aü");
        assert_eq!(bytes::<3>(JOINED), *b"a\xc3\xbc");
    }
}
