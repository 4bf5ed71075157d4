//! `#[derive(ParamEnum)]`: an enum without fields becomes a set of words.

use proc_macro2::TokenStream;
use quote::quote;
use syn::{Data, DeriveInput, Error, Fields as Shape, Ident, Meta, Result, Variant, spanned::Spanned};

use crate::{
    fields::{Errors, Fields},
    json,
    names::snake_case,
};

pub(crate) fn expand(item: TokenStream) -> TokenStream {
    let item: DeriveInput = match syn::parse2(item) {
        Ok(item) => item,
        Err(error) => return error.to_compile_error(),
    };
    let name = &item.ident;
    match words(&item) {
        Ok(pairs) => implement(name, &pairs),
        Err(error) => {
            // With an implementation nevertheless, so that the one mistake is the only one reported.
            let (error, empty) = (error.to_compile_error(), implement(name, &[]));
            quote!(#error #empty)
        }
    }
}

fn implement(name: &Ident, pairs: &[(&Ident, String)]) -> TokenStream {
    let variants: Vec<_> = pairs.iter().map(|(variant, _)| variant).collect();
    let words: Vec<_> = pairs.iter().map(|(_, word)| word).collect();
    let list = json::texts(words.iter().map(|word| word.as_str()));
    let as_str = if pairs.is_empty() {
        quote!(::std::unreachable!())
    } else {
        quote!(match self { #(Self::#variants => #words,)* })
    };
    quote! {
        #[automatically_derived]
        impl ::dyno_sdk::ParamEnum for #name {
            const CHOICES: &'static [&'static str] = &[#(#words),*];
            const JSON: &'static str = #list;

            fn from_choice(word: &str) -> ::std::option::Option<Self> {
                match word {
                    #(#words => ::std::option::Option::Some(Self::#variants),)*
                    _ => ::std::option::Option::None,
                }
            }

            fn as_str(&self) -> &'static str {
                #as_str
            }
        }
    }
}

fn words(item: &DeriveInput) -> Result<Vec<(&Ident, String)>> {
    let Data::Enum(data) = &item.data else {
        return Err(Error::new(
            item.ident.span(),
            "`ParamEnum` is for enums; for the parameters themselves derive `Params`",
        ));
    };
    if !item.generics.params.is_empty() {
        return Err(Error::new(item.generics.span(), "a `ParamEnum` cannot be generic"));
    }
    if data.variants.is_empty() {
        return Err(Error::new(
            item.ident.span(),
            format!("`{}` has no variants, so it has no choices", item.ident),
        ));
    }
    let mut errors = Errors::default();
    let mut pairs: Vec<(&Ident, String)> = Vec::new();
    for variant in &data.variants {
        let Some(word) = errors.keep(word(variant)) else { continue };
        if let Some((other, _)) = pairs.iter().find(|(_, other)| *other == word) {
            let message = format!("`{}` and `{other}` have the same word `{word}`", variant.ident);
            errors.push(Error::new(variant.ident.span(), message));
        }
        pairs.push((&variant.ident, word));
    }
    errors.finish()?;
    Ok(pairs)
}

fn word(variant: &Variant) -> Result<String> {
    if !matches!(variant.fields, Shape::Unit) {
        return Err(Error::new(
            variant.fields.span(),
            "a variant of a `ParamEnum` has no fields: it stands for one word",
        ));
    }
    let mut word = snake_case(&variant.ident.to_string());
    for attribute in variant.attrs.iter().filter(|attribute| attribute.path().is_ident("param")) {
        let Meta::List(list) = &attribute.meta else {
            return Err(Error::new(attribute.span(), "expected `#[param(name = \"…\")]`"));
        };
        let mut fields = Fields::parse(list.tokens.clone(), "param", &["name"], attribute.span())?;
        let name = fields.text("name")?.ok_or_else(|| fields.missing("name", "name = \"f32\""))?;
        if name.value.is_empty() || name.value.len() > 64 || name.value.chars().any(char::is_control) {
            let message = "the word of a variant has 1 to 64 bytes and no control characters";
            return Err(Error::new(name.span, message));
        }
        word = name.value;
    }
    Ok(word)
}
