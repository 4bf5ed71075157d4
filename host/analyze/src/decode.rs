//! From the bytes of a file to text that a grammar reads: encodings, and what is no text at all.

use std::borrow::Cow;

/// How many bytes are looked at to tell text from other content.
const LOOKED_AT: usize = 8192;

/// Text in UTF-8, and the encoding that it came in, if that was another one.
#[derive(Debug)]
pub(crate) struct Decoded<'b> {
    pub(crate) text: Cow<'b, [u8]>,
    pub(crate) encoding: Option<&'static str>,
}

/// Decodes a file, or says that it is not text.
pub(crate) fn decode(bytes: &[u8]) -> Option<Decoded<'_>> {
    if let Some(rest) = bytes.strip_prefix(b"\xef\xbb\xbf") {
        return decode(rest);
    }
    for (mark, encoding, big) in [
        (b"\xff\xfe".as_slice(), "UTF-16 (little endian)", false),
        (b"\xfe\xff", "UTF-16 (big endian)", true),
    ] {
        if let Some(rest) = bytes.strip_prefix(mark) {
            let units = rest.chunks_exact(2).map(|pair| {
                let pair = [pair[0], pair[1]];
                if big { u16::from_be_bytes(pair) } else { u16::from_le_bytes(pair) }
            });
            let text: String =
                char::decode_utf16(units).map(|unit| unit.unwrap_or(char::REPLACEMENT_CHARACTER)).collect();
            return Some(Decoded { text: Cow::Owned(text.into_bytes()), encoding: Some(encoding) });
        }
    }
    if memchr::memchr(0, &bytes[..bytes.len().min(LOOKED_AT)]).is_some() {
        return None;
    }
    if std::str::from_utf8(bytes).is_ok() {
        return Some(Decoded { text: Cow::Borrowed(bytes), encoding: None });
    }
    // Latin-1 gives every byte a character, so that the structure of the program is read in any case.
    let text: String = bytes.iter().map(|byte| char::from(*byte)).collect();
    Some(Decoded { text: Cow::Owned(text.into_bytes()), encoding: Some("not UTF-8, read as Latin-1") })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(bytes: &[u8]) -> Option<(String, bool)> {
        let decoded = decode(bytes)?;
        Some((String::from_utf8_lossy(&decoded.text).into_owned(), decoded.encoding.is_some()))
    }

    #[test]
    fn encodings_are_recognised() {
        assert_eq!(read(b"a = 1"), Some(("a = 1".to_owned(), false)));
        assert_eq!(read(b"\xef\xbb\xbfa"), Some(("a".to_owned(), false)));
        assert_eq!(read(b"\xff\xfea\0\xe9\0"), Some(("a\u{e9}".to_owned(), true)));
        assert_eq!(read(b"\xfe\xff\0a"), Some(("a".to_owned(), true)));
        assert_eq!(read(b"# \xe9"), Some(("# \u{e9}".to_owned(), true)));
        assert_eq!(read(b"\x7fELF\0\0"), None);
        assert_eq!(read(b""), Some((String::new(), false)));
    }
}
