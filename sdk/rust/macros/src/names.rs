//! Which names a descriptor takes, and texts made from doc comments and from names of variants.

use syn::{Attribute, Expr, ExprLit, Lit, Meta};

/// The kinds of device that a host knows.
pub(crate) const HARDWARE: [&str; 8] = ["cpu", "cuda", "rocm", "mps", "openvino", "qnn", "webgpu", "webnn"];

/// Checks the name of a plugin or of a benchmark.
pub(crate) fn identifier(what: &str, text: &str) -> Result<(), String> {
    let good = text.len() <= 64
        && text.starts_with(|c: char| c.is_ascii_lowercase())
        && text.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-' || c == '_');
    if good {
        return Ok(());
    }
    Err(format!(
        "{what} `{text}` must start with a lower-case letter and hold only lower-case letters, digits, `-` and `_` \
         (at most 64)"
    ))
}

/// Checks the name of a parameter or of a metric.
pub(crate) fn word(what: &str, text: &str) -> Result<(), String> {
    let good = text.len() <= 64
        && text.starts_with(|c: char| c.is_ascii_alphabetic())
        && text.chars().all(|c| c.is_ascii_alphanumeric() || c == '_');
    if good {
        return Ok(());
    }
    Err(format!(
        "{what} `{text}` must start with a letter and hold only ASCII letters, digits and `_` (at most 64)"
    ))
}

/// Checks a short text about a model.
pub(crate) fn text(what: &str, text: &str) -> Result<(), String> {
    if (1..=64).contains(&text.chars().count()) && !text.contains(char::is_control) {
        return Ok(());
    }
    Err(format!(
        "{what} `{}` must have 1 to 64 characters, none of them a control character",
        text.escape_debug()
    ))
}

/// The first paragraph of a doc comment, as one line.
pub(crate) fn first_paragraph(attributes: &[Attribute]) -> String {
    let lines = attributes.iter().filter_map(|attribute| match &attribute.meta {
        Meta::NameValue(meta) if meta.path.is_ident("doc") => match &meta.value {
            Expr::Lit(ExprLit { lit: Lit::Str(text), .. }) => Some(text.value()),
            _ => None,
        },
        _ => None,
    });
    let text: String = lines.collect::<Vec<_>>().join("\n");
    let paragraph = text.trim().lines().map(str::trim).take_while(|line| !line.is_empty());
    paragraph.collect::<Vec<_>>().join(" ")
}

/// A variant's name as a word. // eg: `RowMajor` to "row_major", `F32` to "f32", `TF32Fast` to "tf32_fast"
pub(crate) fn snake_case(name: &str) -> String {
    let letters: Vec<char> = name.chars().collect();
    let mut out = String::new();
    for (i, c) in letters.iter().enumerate() {
        let before = i.checked_sub(1).map(|i| letters[i]);
        let after = letters.get(i + 1);
        let starts = c.is_uppercase()
            && before.is_some_and(|before| {
                before != '_' && (!before.is_uppercase() || after.is_some_and(|after| after.is_lowercase()))
            });
        if starts {
            out.push('_');
        }
        out.extend(c.to_lowercase());
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn variants_become_words() {
        for (name, word) in [
            ("F32", "f32"),
            ("RowMajor", "row_major"),
            ("TF32Fast", "tf32_fast"),
            ("A", "a"),
            ("Nhwc", "nhwc"),
            ("HTTPServer", "http_server"),
            ("Int8Dot", "int8_dot"),
        ] {
            assert_eq!(snake_case(name), word);
        }
    }

    #[test]
    fn a_doc_comment_gives_its_first_paragraph() {
        let item: syn::ItemStruct = syn::parse_quote! {
            /// One
            /// two.
            ///
            /// Three.
            struct S;
        };
        assert_eq!(first_paragraph(&item.attrs), "One two.");
        assert_eq!(first_paragraph(&[]), "");
    }
}
