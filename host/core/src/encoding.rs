//! Text of other programs, from bytes: byte order marks, UTF-16 of Windows, and bytes that are not text.

/// Why bytes are not text.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum TextError {
    /// Not UTF-8, and without the mark of anything else.
    #[error(
        "the file is not UTF-8 text: byte {offset} is {byte:#04x}; save it as UTF-8 (on Linux: `iconv -f latin1 -t utf-8`)"
    )]
    NotUtf8 {
        /// Place of the first wrong byte, from 0.
        offset: usize,
        /// The byte.
        byte: u8,
    },
    /// UTF-16 that is cut short or broken.
    #[error("the file begins like UTF-16, but is not valid: {0}; save it as UTF-8")]
    NotUtf16(&'static str),
    /// UTF-32.
    #[error("the file is UTF-32; save it as UTF-8")]
    Utf32,
}

/// The text that bytes hold, without its byte order mark. UTF-8, and UTF-16 where a mark or its zeros show it.
///
/// # Errors
/// When they are not text.
pub fn decode(bytes: &[u8]) -> Result<String, TextError> {
    match bytes {
        [0xEF, 0xBB, 0xBF, rest @ ..] => utf8(rest, 3),
        [0xFF, 0xFE, 0, 0, ..] | [0, 0, 0xFE, 0xFF, ..] => Err(TextError::Utf32),
        [0xFF, 0xFE, rest @ ..] => utf16(rest, u16::from_le_bytes),
        [0xFE, 0xFF, rest @ ..] => utf16(rest, u16::from_be_bytes),
        // Documents begin with a character of ASCII: the zero beside it tells the order of the bytes.
        [first, 0, second, 0, ..] if *first != 0 && *second != 0 => utf16(bytes, u16::from_le_bytes),
        [0, first, 0, second, ..] if *first != 0 && *second != 0 => utf16(bytes, u16::from_be_bytes),
        bytes => utf8(bytes, 0),
    }
}

fn utf8(bytes: &[u8], before: usize) -> Result<String, TextError> {
    match std::str::from_utf8(bytes) {
        Ok(text) => Ok(text.to_owned()),
        Err(error) => {
            let at = error.valid_up_to();
            Err(TextError::NotUtf8 { offset: before + at, byte: bytes.get(at).copied().unwrap_or_default() })
        }
    }
}

fn utf16(bytes: &[u8], unit: fn([u8; 2]) -> u16) -> Result<String, TextError> {
    let (pairs, []) = bytes.as_chunks::<2>() else {
        return Err(TextError::NotUtf16("it has an odd number of bytes"));
    };
    let units: Vec<u16> = pairs.iter().map(|pair| unit(*pair)).collect();
    String::from_utf16(&units).map_err(|_| TextError::NotUtf16("half of a character is missing"))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn utf16_of(text: &str, bytes: fn(u16) -> [u8; 2]) -> Vec<u8> {
        text.encode_utf16().flat_map(bytes).collect()
    }

    #[test]
    fn every_mark_is_understood_and_taken_away() {
        let text = "{\"a\": \"ä\u{1F980}\"}\r\n";
        let with = |mark: &[u8], rest: Vec<u8>| [mark, &rest].concat();
        for bytes in [
            text.as_bytes().to_vec(),
            with(&[0xEF, 0xBB, 0xBF], text.as_bytes().to_vec()),
            with(&[0xFF, 0xFE], utf16_of(text, u16::to_le_bytes)),
            with(&[0xFE, 0xFF], utf16_of(text, u16::to_be_bytes)),
            utf16_of(text, u16::to_le_bytes),
            utf16_of(text, u16::to_be_bytes),
        ] {
            assert_eq!(decode(&bytes).as_deref(), Ok(text), "{bytes:?}");
        }
        assert_eq!(decode(b"").as_deref(), Ok(""));
    }

    #[test]
    fn what_is_no_text_says_what_to_do() {
        let said = |bytes: &[u8]| decode(bytes).unwrap_err().to_string();
        assert!(said(b"na\xEFve").contains("byte 2 is 0xef") && said(b"na\xEFve").contains("UTF-8"));
        assert!(said(&[0xFF, 0xFE, 0, 0, 65, 0, 0, 0]).contains("UTF-32"));
        assert!(said(&[0xFF, 0xFE, 65]).contains("odd number"));
        assert!(said(&[0xFF, 0xFE, 0x00, 0xD8]).contains("half of a character"));
    }

    proptest! {
        #[test]
        fn hostile_bytes_never_panic(bytes: Vec<u8>) {
            let _ = decode(&bytes);
        }

        #[test]
        fn text_stays_what_it_is(text in "[^\u{feff}\u{0}]*") {
            prop_assert_eq!(decode(text.as_bytes()), Ok(text));
        }
    }
}
