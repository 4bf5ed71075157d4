//! `export_plugin!`: joins the entries of all benchmarks to one descriptor and passes it to the export of the target.

use std::env;

use proc_macro2::TokenStream;
use quote::{quote, quote_spanned};
use syn::{Error, Expr, Path, Result, spanned::Spanned};

use crate::{
    build,
    fields::{Errors, Fields, list},
    json::{self, Pieces},
    names,
};

const KNOWN: [&str; 8] =
    ["id", "description", "benchmarks", "version", "authors", "license", "homepage", "capabilities"];

pub(crate) fn expand(input: TokenStream) -> TokenStream {
    export(input).unwrap_or_else(|error| error.to_compile_error())
}

fn export(input: TokenStream) -> Result<TokenStream> {
    let mut fields = Fields::parse_struct(input, "export_plugin", &KNOWN)?;
    let mut errors = Errors::default();
    let id = match errors.keep(fields.text("id")) {
        Some(Some(id)) => {
            errors.check(id.span, names::identifier("plugin id", &id.value));
            id.value
        }
        Some(None) => {
            errors.push(fields.missing("id", "id: \"hello\""));
            String::new()
        }
        None => String::new(),
    };
    let mut or_cargo = |key: &str, variable: &str| {
        let given = errors.keep(fields.text(key)).flatten().map(|text| text.value);
        given.unwrap_or_else(|| env::var(variable).unwrap_or_default())
    };
    let description = or_cargo("description", "CARGO_PKG_DESCRIPTION");
    let license = or_cargo("license", "CARGO_PKG_LICENSE");
    let mut homepage = or_cargo("homepage", "CARGO_PKG_HOMEPAGE");
    if homepage.is_empty() {
        homepage = env::var("CARGO_PKG_REPOSITORY").unwrap_or_default();
    }
    let version = version(&mut fields, &mut errors);
    let authors = errors.keep(fields.texts("authors")).unwrap_or_default();
    let mut authors: Vec<String> = authors.into_iter().map(|author| author.value).collect();
    if authors.is_empty() {
        let cargo = env::var("CARGO_PKG_AUTHORS").unwrap_or_default();
        authors = cargo.split(':').filter(|author| !author.is_empty()).map(str::to_owned).collect();
    }
    let capabilities = errors.keep(fields.texts("capabilities")).unwrap_or_default();
    let benchmarks = match fields.take("benchmarks") {
        Some(value) => errors.keep(benchmarks(&value)).unwrap_or_default(),
        None => {
            errors.push(fields.missing("benchmarks", "benchmarks: [Sum]"));
            Vec::new()
        }
    };
    errors.finish()?;

    let mut pieces = Pieces::default();
    pieces.push(&format!(
        "{{\"schema\":\"dyno.descriptor/1\",\"plugin\":{{\"id\":{},\"version\":{},\"description\":{},\"authors\":{},\
         \"license\":{},\"homepage\":{}}},\"abi\":",
        json::text(&id),
        json::text(&version),
        json::text(&description),
        json::texts(authors.iter().map(String::as_str)),
        json::text(&license),
        json::text(&homepage),
    ));
    pieces.constant(quote!(::dyno_sdk::__private::ABI_JSON));
    pieces.push(",\"build\":");
    pieces.constant(build::json());
    pieces.push(",\"benchmarks\":[");
    for (i, benchmark) in benchmarks.iter().enumerate() {
        if i > 0 {
            pieces.push(",");
        }
        pieces.constant(quote!(<#benchmark as ::dyno_sdk::Described>::JSON));
    }
    pieces.push(&format!(
        "],\"capabilities\":{}}}",
        json::texts(capabilities.iter().map(|capability| capability.value.as_str()))
    ));
    let descriptor = pieces.join();
    let distinct = distinct(&benchmarks);
    Ok(quote! {
        #distinct
        ::dyno_sdk::__export_plugin! { descriptor: #descriptor, benchmarks: [#(#benchmarks),*] }
    })
}

fn version(fields: &mut Fields, errors: &mut Errors) -> String {
    match errors.keep(fields.text("version")) {
        Some(Some(version)) => {
            let core = version.value.split(['-', '+']).next().unwrap_or_default();
            let parts: Vec<&str> = core.split('.').collect();
            let number = |part: &&str| !part.is_empty() && part.chars().all(|c| c.is_ascii_digit());
            let good =
                version.value.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '+'))
                    && version.value.len() <= 64
                    && parts.len() == 3
                    && parts.iter().all(number);
            if !good {
                let message = format!("version `{}` is not a semantic version, like `1.0.0`", version.value);
                errors.push(Error::new(version.span, message));
            }
            version.value
        }
        Some(None) => env::var("CARGO_PKG_VERSION").unwrap_or_else(|_| "0.0.0".to_owned()),
        None => String::new(),
    }
}

fn benchmarks(value: &Expr) -> Result<Vec<Path>> {
    let mut errors = Errors::default();
    let mut paths: Vec<Path> = Vec::new();
    let items = list(value, "benchmarks")?;
    if items.is_empty() {
        return Err(Error::new(value.span(), "`benchmarks` is empty; a plugin holds at least one"));
    }
    for item in items {
        let Expr::Path(item) = item else {
            errors.push(Error::new(
                item.span(),
                "`benchmarks` expects types with a `#[benchmark(...)]` attribute",
            ));
            continue;
        };
        if paths.iter().any(|path| shown(path) == shown(&item.path)) {
            errors.push(Error::new(item.span(), "this benchmark is listed twice"));
        }
        paths.push(item.path);
    }
    errors.finish()?;
    Ok(paths)
}

fn shown(path: &Path) -> String {
    quote!(#path).to_string().replace(' ', "")
}

/// Only the compiler knows the names of all benchmarks: it compares each pair.
fn distinct(benchmarks: &[Path]) -> TokenStream {
    let mut asserts = TokenStream::new();
    for (i, second) in benchmarks.iter().enumerate() {
        for first in &benchmarks[..i] {
            let message = format!("benchmarks `{}` and `{}` have the same name", shown(first), shown(second));
            asserts.extend(quote_spanned! {second.span()=>
                const _: () = ::std::assert!(
                    !::dyno_sdk::__private::same(
                        <#first as ::dyno_sdk::Described>::NAME,
                        <#second as ::dyno_sdk::Described>::NAME,
                    ),
                    #message
                );
            });
        }
    }
    asserts
}
