//! `key = value` lists, as in attributes and in `export_plugin!`: parsed once, each mistake at its place.

use proc_macro2::{Span, TokenStream};
use syn::{
    Error, Expr, ExprLit, Ident, Lit, Result, Token,
    ext::IdentExt,
    parse::{ParseStream, Parser},
    spanned::Spanned,
};

/// The fields of one list. What has been taken is gone.
pub(crate) struct Fields {
    owner: &'static str,
    span: Span,
    entries: Vec<(Ident, Expr)>,
}

/// A text with the place where it stands.
pub(crate) struct Text {
    pub(crate) value: String,
    pub(crate) span: Span,
}

impl Fields {
    /// Parses `key = value, …` and refuses keys that are not in `known` or are given twice.
    pub(crate) fn parse(
        tokens: TokenStream,
        owner: &'static str,
        known: &[&str],
        span: Span,
    ) -> Result<Self> {
        Self::parse_with(tokens, owner, known, span, "=", |input| input.parse::<Token![=]>().map(drop))
    }

    /// Parses `key: value, …`, as in a struct literal.
    pub(crate) fn parse_struct(tokens: TokenStream, owner: &'static str, known: &[&str]) -> Result<Self> {
        Self::parse_with(tokens, owner, known, Span::call_site(), ":", |input| {
            input.parse::<Token![:]>().map(drop)
        })
    }

    fn parse_with(
        tokens: TokenStream,
        owner: &'static str,
        known: &[&str],
        span: Span,
        sign: &str,
        between: fn(ParseStream<'_>) -> Result<()>,
    ) -> Result<Self> {
        let parser = |input: ParseStream<'_>| {
            let mut entries: Vec<(Ident, Expr)> = Vec::new();
            let mut errors = Errors::default();
            while !input.is_empty() {
                let key = input.call(Ident::parse_any).map_err(|error| {
                    Error::new(
                        error.span(),
                        format!("expected `key {sign} value`; the keys are {}", known.join(", ")),
                    )
                })?;
                if !known.contains(&key.to_string().as_str()) {
                    errors.push(Error::new(
                        key.span(),
                        format!("`{owner}` has no field `{key}`; it has {}", known.join(", ")),
                    ));
                } else if entries.iter().any(|(other, _)| *other == key) {
                    errors.push(Error::new(key.span(), format!("`{key}` is given twice")));
                }
                between(input).map_err(|_| Error::new(key.span(), format!("expected `{key} {sign} …`")))?;
                entries.push((key, input.parse()?));
                if !input.is_empty() {
                    input.parse::<Token![,]>()?;
                }
            }
            errors.finish()?;
            Ok(entries)
        };
        Ok(Self { owner, span, entries: parser.parse2(tokens)? })
    }

    pub(crate) fn take(&mut self, key: &str) -> Option<Expr> {
        let at = self.entries.iter().position(|(other, _)| other == key)?;
        Some(ungroup(self.entries.remove(at).1))
    }

    /// A text, when it is given.
    pub(crate) fn text(&mut self, key: &str) -> Result<Option<Text>> {
        self.take(key).map(|value| text(&value, key)).transpose()
    }

    /// A list of texts; empty when it is not given.
    pub(crate) fn texts(&mut self, key: &str) -> Result<Vec<Text>> {
        let Some(value) = self.take(key) else { return Ok(Vec::new()) };
        list(&value, key)?.iter().map(|value| text(value, key)).collect()
    }

    /// The error for a field that must be given.
    pub(crate) fn missing(&self, key: &str, example: &str) -> Error {
        Error::new(self.span, format!("`{}` needs `{key}`, like `{example}`", self.owner))
    }
}

pub(crate) fn text(value: &Expr, key: &str) -> Result<Text> {
    match value {
        Expr::Lit(ExprLit { lit: Lit::Str(text), .. }) => Ok(Text { value: text.value(), span: text.span() }),
        other => Err(Error::new(other.span(), format!("`{key}` expects a text in quotes"))),
    }
}

/// The items of `[a, b]`.
pub(crate) fn list(value: &Expr, key: &str) -> Result<Vec<Expr>> {
    match value {
        Expr::Array(array) => Ok(array.elems.iter().cloned().map(ungroup).collect()),
        other => Err(Error::new(other.span(), format!("`{key}` expects a list in brackets, like `[…, …]`"))),
    }
}

/// Macros that pass a value on wrap it in an invisible group.
fn ungroup(value: Expr) -> Expr {
    match value {
        Expr::Group(group) => ungroup(*group.expr),
        other => other,
    }
}

/// Several mistakes, reported together.
#[derive(Default)]
pub(crate) struct Errors(Option<Error>);

impl Errors {
    pub(crate) fn push(&mut self, error: Error) {
        match &mut self.0 {
            Some(first) => first.combine(error),
            none => *none = Some(error),
        }
    }

    /// The value, or its error kept for later.
    pub(crate) fn keep<T>(&mut self, result: Result<T>) -> Option<T> {
        result.map_err(|error| self.push(error)).ok()
    }

    /// Keeps a sentence as an error at `span`.
    pub(crate) fn check(&mut self, span: Span, result: std::result::Result<(), String>) {
        if let Err(message) = result {
            self.push(Error::new(span, message));
        }
    }

    pub(crate) fn finish(self) -> Result<()> {
        self.0.map_or(Ok(()), Err)
    }
}
