//! Patterns with `*`.

/// Whether `text` matches `pattern`, in which `*` stands for any run of characters.
pub(crate) fn matches(pattern: &str, text: &str) -> bool {
    let mut pieces = pattern.split('*');
    let Some(mut rest) = pieces.next().and_then(|first| text.strip_prefix(first)) else { return false };
    let mut last_piece = None;
    for piece in pieces {
        if let Some(middle) = last_piece.replace(piece) {
            let Some(at) = rest.find(middle) else { return false };
            rest = &rest[at + middle.len()..];
        }
    }
    last_piece.map_or(rest.is_empty(), |last| rest.ends_with(last))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn stars_stand_for_anything() {
        for (pattern, text, expected) in [
            ("gemm", "gemm", true),
            ("gemm", "gemm2", false),
            ("*", "anything", true),
            ("mat*", "matmul_naive", true),
            ("*mul*", "matmul_naive", true),
            ("*mul", "matmul_naive", false),
            ("a*b*c", "axxbyyc", true),
            ("a*b*c", "axxcyyb", false),
            ("a*a", "a", false),
        ] {
            assert_eq!(matches(pattern, text), expected, "{pattern} {text}");
        }
    }

    proptest! {
        #[test]
        fn a_text_with_parts_starred_out_matches(text in "[a-c]{0,12}", cut in 0..12usize, width in 0..5usize) {
            let start = cut.min(text.len());
            let end = (start + width).min(text.len());
            let pattern = format!("{}*{}", &text[..start], &text[end..]);
            prop_assert!(matches(&pattern, &text));
        }
    }
}
