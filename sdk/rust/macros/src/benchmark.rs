//! `#[benchmark(...)]`: the metadata of one benchmark becomes a constant of its type.

use proc_macro2::{Span, TokenStream};
use quote::{ToTokens, quote};
use syn::{Error, Expr, ExprLit, Item, Lit, Result, spanned::Spanned};

use crate::{
    fields::{Errors, Fields, Text, list, text},
    json::{self, Pieces},
    models::Models,
    names::{self, HARDWARE},
};

const KNOWN: [&str; 7] = ["name", "category", "description", "models", "hardware", "tags", "metrics"];

pub(crate) fn expand(attribute: TokenStream, item: &TokenStream) -> TokenStream {
    let parsed: Item = match syn::parse2(item.clone()) {
        Ok(parsed) => parsed,
        Err(error) => return error.to_compile_error(),
    };
    let (ident, generics, attributes) = match &parsed {
        Item::Struct(item) => (&item.ident, &item.generics, &item.attrs),
        Item::Enum(item) => (&item.ident, &item.generics, &item.attrs),
        other => {
            let error = Error::new(other.span(), "`#[benchmark(...)]` belongs on a struct or an enum")
                .to_compile_error();
            return quote!(#item #error);
        }
    };
    if !generics.params.is_empty() {
        let message = "a benchmark cannot be generic: it stands for one entry in the descriptor";
        let error = Error::new(generics.span(), message).to_compile_error();
        return quote!(#item #error);
    }
    let (name, json) = match describe(attribute, &names::first_paragraph(attributes)) {
        Ok((name, pieces)) => (name, pieces(ident.to_token_stream()).join()),
        Err(error) => {
            let error = error.to_compile_error();
            // With an implementation nevertheless, so that the one mistake is the only one reported.
            return quote! {
                #item
                #error
                impl ::dyno_sdk::Described for #ident {
                    const NAME: &'static str = ::std::stringify!(#ident);
                    const JSON: &'static str = "";
                }
            };
        }
    };
    quote! {
        #item
        impl ::dyno_sdk::Described for #ident {
            const NAME: &'static str = #name;
            const JSON: &'static str = #json;
        }
    }
}

/// The name, and what makes the JSON of the whole entry once the type is known.
fn describe(attribute: TokenStream, doc: &str) -> Result<(String, impl FnOnce(TokenStream) -> Pieces)> {
    let mut fields = Fields::parse(attribute, "benchmark", &KNOWN, Span::call_site())?;
    let mut errors = Errors::default();
    let name = match errors.keep(fields.text("name")) {
        Some(Some(name)) => {
            errors.check(name.span, names::identifier("benchmark name", &name.value));
            name.value
        }
        Some(None) => {
            errors.push(fields.missing("name", "name = \"gemm\""));
            String::new()
        }
        None => String::new(),
    };
    let hardware = hardware(&mut fields, &mut errors);
    let category = plain(errors.keep(fields.text("category")).flatten());
    let given = plain(errors.keep(fields.text("description")).flatten());
    let models = Models::take(&mut fields, &mut errors);
    let tags = errors.keep(fields.texts("tags")).unwrap_or_default();
    let metrics = metrics(&mut fields, &mut errors);
    errors.finish()?;

    let description = if given.is_empty() { doc.to_owned() } else { given };
    let start =
        format!("{{\"name\":{},\"category\":{},\"description\":", json::text(&name), json::text(&category));
    let details = match models.details.as_str() {
        "" => String::new(),
        details => format!(",\"model_details\":[{details}]"),
    };
    let middle = format!(
        ",\"tags\":{},\"models\":{}{details},\"hardware\":{},\"metrics\":[{metrics}],\"params\":",
        plain_list(&tags),
        models.names,
        plain_list(&hardware),
    );
    let pieces = move |ty: TokenStream| {
        let params = quote!(<<#ty as ::dyno_sdk::Benchmark>::Params as ::dyno_sdk::Params>);
        let mut pieces = Pieces::default();
        pieces.push(&start);
        if description.is_empty() {
            pieces.constant(quote!(#params::DOC));
        } else {
            pieces.push(&json::text(&description));
        }
        pieces.push(&middle);
        pieces.constant(quote!(#params::JSON));
        pieces.push("}");
        pieces
    };
    Ok((name, pieces))
}

fn plain(text: Option<Text>) -> String {
    text.map_or_else(String::new, |text| text.value)
}

fn plain_list(list: &[Text]) -> String {
    json::texts(list.iter().map(|text| text.value.as_str()))
}

fn hardware(fields: &mut Fields, errors: &mut Errors) -> Vec<Text> {
    let all = HARDWARE.join(", ");
    let Some(value) = fields.take("hardware") else {
        errors.push(fields.missing("hardware", "hardware = [\"cpu\"]"));
        return Vec::new();
    };
    let read = list(&value, "hardware")
        .and_then(|items| items.iter().map(|item| text(item, "hardware")).collect::<Result<Vec<_>>>());
    let Some(kinds) = errors.keep(read) else { return Vec::new() };
    if kinds.is_empty() {
        errors.push(Error::new(value.span(), format!("`hardware` is empty; name at least one of {all}")));
    }
    for (i, kind) in kinds.iter().enumerate() {
        if !HARDWARE.contains(&kind.value.as_str()) {
            let message = format!("unknown hardware `{}`; the kinds are {all}", kind.value);
            errors.push(Error::new(kind.span, message));
        } else if kinds[..i].iter().any(|other| other.value == kind.value) {
            errors.push(Error::new(kind.span, format!("hardware `{}` is listed twice", kind.value)));
        }
    }
    kinds
}

/// The entries of `metrics = [metric("name", unit = "…", better = "higher")]` as JSON, joined by commas.
fn metrics(fields: &mut Fields, errors: &mut Errors) -> String {
    let Some(value) = fields.take("metrics") else { return String::new() };
    let Some(items) = errors.keep(list(&value, "metrics")) else { return String::new() };
    let mut names: Vec<String> = Vec::new();
    let mut entries = Vec::new();
    for item in &items {
        let Some((name, entry)) = errors.keep(metric(item)) else { continue };
        if names.contains(&name.value) {
            errors.push(Error::new(name.span, format!("two metrics are named `{}`", name.value)));
        }
        names.push(name.value);
        entries.push(entry);
    }
    entries.join(",")
}

fn metric(item: &Expr) -> Result<(Text, String)> {
    let form = "expected `metric(\"tokens_per_second\", unit = \"tokens/s\", better = \"higher\")`";
    let call = match item {
        Expr::Call(call) if matches!(&*call.func, Expr::Path(path) if path.path.is_ident("metric")) => call,
        other => return Err(Error::new(other.span(), form)),
    };
    let mut arguments = call.args.iter();
    let name = match arguments.next() {
        Some(Expr::Lit(ExprLit { lit: Lit::Str(name), .. })) => {
            Text { value: name.value(), span: name.span() }
        }
        Some(other) => {
            return Err(Error::new(other.span(), format!("the name of the metric comes first: {form}")));
        }
        None => return Err(Error::new(call.span(), form)),
    };
    names::word("metric name", &name.value).map_err(|message| Error::new(name.span, message))?;
    let rest = quote!(#(#arguments),*);
    let mut fields = Fields::parse(rest, "metric", &["unit", "better"], call.span())?;
    let unit = plain(fields.text("unit")?);
    let better = fields.text("better")?.ok_or_else(|| fields.missing("better", "better = \"higher\""))?;
    if !matches!(better.value.as_str(), "lower" | "higher") {
        let message = format!("`better` is \"lower\" or \"higher\", not \"{}\"", better.value);
        return Err(Error::new(better.span, message));
    }
    let entry = format!(
        "{{\"name\":{},\"unit\":{},\"better\":{}}}",
        json::text(&name.value),
        json::text(&unit),
        json::text(&better.value)
    );
    Ok((name, entry))
}
