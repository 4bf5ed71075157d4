//! Descriptor pieces as JSON: what is known while expanding becomes text, the rest is joined by the compiler.

use proc_macro2::TokenStream;
use quote::quote;

/// A text as JSON, with its quotes.
pub(crate) fn text(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 2);
    out.push('"');
    for c in text.chars() {
        match c {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\t' => out.push_str("\\t"),
            c if c.is_control() => out.push_str(&format!("\\u{:04x}", u32::from(c))),
            c => out.push(c),
        }
    }
    out.push('"');
    out
}

/// A list of texts as JSON.
pub(crate) fn texts<'a>(list: impl IntoIterator<Item = &'a str>) -> String {
    let list: Vec<String> = list.into_iter().map(text).collect();
    format!("[{}]", list.join(","))
}

/// JSON that is partly text and partly constants of other types.
#[derive(Default)]
pub(crate) struct Pieces {
    done: Vec<TokenStream>,
    open: String,
}

impl Pieces {
    pub(crate) fn push(&mut self, text: &str) {
        self.open.push_str(text);
    }

    /// A constant `&'static str` expression.
    pub(crate) fn constant(&mut self, expression: TokenStream) {
        self.close();
        self.done.push(expression);
    }

    fn close(&mut self) {
        if !self.open.is_empty() {
            let text = std::mem::take(&mut self.open);
            self.done.push(quote!(#text));
        }
    }

    /// One constant expression of type `&'static str`.
    pub(crate) fn join(mut self) -> TokenStream {
        self.close();
        let parts = self.done;
        quote!(::dyno_sdk::__join!(#(#parts),*))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_are_escaped() {
        assert_eq!(text("a\"b\\c\n\u{1}ü"), "\"a\\\"b\\\\c\\n\\u0001ü\"");
        assert_eq!(texts(["a", "b"]), "[\"a\",\"b\"]");
        assert_eq!(texts([]), "[]");
    }
}
