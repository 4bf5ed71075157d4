//! `#[derive(Params)]`: each field of a struct becomes a typed parameter.

use proc_macro2::TokenStream;
use quote::{quote, quote_spanned};
use syn::{
    Data, DeriveInput, Error, Expr, Field, Fields as Shape, Ident, Meta, Result, Type, ext::IdentExt,
    spanned::Spanned,
};

use crate::{
    fields::{Errors, Fields, list, text},
    json::{self, Pieces},
    names,
    number::{Kind, Literal, Value},
};

/// One parameter, checked.
struct Param<'a> {
    field: &'a Ident,
    ty: &'a Type,
    name: String,
    kind: Kind,
    default: Literal,
    min: Option<Literal>,
    max: Option<Literal>,
    choices: Vec<Literal>,
    /// Those on a kind of hardware, where it has not all.
    choices_on: Vec<(String, Vec<Literal>)>,
    unit: String,
    description: String,
}

pub(crate) fn expand(item: TokenStream) -> TokenStream {
    let item: DeriveInput = match syn::parse2(item) {
        Ok(item) => item,
        Err(error) => return error.to_compile_error(),
    };
    let name = &item.ident;
    match read(&item) {
        Ok(params) => implement(&item, &params),
        Err(error) => {
            let error = error.to_compile_error();
            if !item.generics.params.is_empty() {
                return error;
            }
            // With an implementation nevertheless, so that the one mistake is the only one reported.
            quote! {
                #error
                impl ::dyno_sdk::Params for #name {
                    const JSON: &'static str = "[]";
                    const DOC: &'static str = "\"\"";
                    fn defaults() -> Self { ::std::unreachable!() }
                    fn from_values(
                        _: &::dyno_sdk::__private::Values,
                    ) -> ::std::result::Result<Self, ::dyno_sdk::Failure> {
                        ::std::unreachable!()
                    }
                }
            }
        }
    }
}

fn implement(item: &DeriveInput, params: &[Param<'_>]) -> TokenStream {
    let name = &item.ident;
    let doc = json::text(&names::first_paragraph(&item.attrs));
    let mut pieces = Pieces::default();
    pieces.push("[");
    for (i, param) in params.iter().enumerate() {
        pieces.push(if i == 0 { "{" } else { ",{" });
        describe(param, &mut pieces);
        pieces.push("}");
    }
    pieces.push("]");
    let json = pieces.join();
    let fields: Vec<_> = params.iter().map(|param| param.field).collect();
    let values = params.iter().map(|Param { name, ty, kind, .. }| match kind {
        Kind::Enum => quote!(values.choice::<#ty>(#name)?),
        _ => quote!(values.get::<#ty>(#name)?),
    });
    let defaults = params.iter().map(|Param { ty, kind, default, .. }| match (kind, &default.value) {
        (Kind::Enum, Value::Text(word)) => quote! {
            match <#ty as ::dyno_sdk::ParamEnum>::from_choice(#word) {
                ::std::option::Option::Some(value) => value,
                ::std::option::Option::None => ::std::unreachable!(),
            }
        },
        _ => default.rust(ty),
    });
    let asserts = params.iter().filter_map(assert_choice);
    // `values` has no reader in a struct without fields.
    let from_values = if params.is_empty() { quote!(_) } else { quote!(values) };
    // Braces fit unit structs and structs with fields alike.
    quote! {
        #[automatically_derived]
        impl ::dyno_sdk::Params for #name {
            const JSON: &'static str = #json;
            const DOC: &'static str = #doc;

            #[allow(clippy::unnecessary_cast, reason = "the cast is the same for every type")]
            fn defaults() -> Self {
                Self { #(#fields: #defaults),* }
            }

            fn from_values(
                #from_values: &::dyno_sdk::__private::Values,
            ) -> ::std::result::Result<Self, ::dyno_sdk::Failure> {
                ::std::result::Result::Ok(Self { #(#fields: #values),* })
            }
        }
        #(#asserts)*
    }
}

/// The default of an enum is checked by the compiler: only it knows the choices.
fn assert_choice(param: &Param<'_>) -> Option<TokenStream> {
    let (Kind::Enum, Value::Text(word)) = (param.kind, &param.default.value) else { return None };
    let ty = param.ty;
    let shown = quote!(#ty).to_string();
    let message = format!("default `{word}` is not one of the words of `{shown}`");
    Some(quote_spanned! {param.default.span=>
        const _: () = ::std::assert!(
            ::dyno_sdk::__private::contains(<#ty as ::dyno_sdk::ParamEnum>::CHOICES, #word),
            #message
        );
    })
}

fn describe(param: &Param<'_>, pieces: &mut Pieces) {
    pieces.push(&format!(
        "\"name\":{},\"type\":\"{}\",\"default\":{}",
        json::text(&param.name),
        param.kind.json(),
        param.default.json()
    ));
    // A type's own range is told too, so that a host can refuse a value before any worker starts.
    let own = |bound: i64, limit: i64| (bound != limit).then(|| bound.to_string());
    let (own_min, own_max) = match param.kind {
        Kind::Integer { min, max, .. } => (own(min, i64::MIN), own(max, i64::MAX)),
        _ => (None, None),
    };
    if let Some(min) = param.min.as_ref().map(Literal::json).or(own_min) {
        pieces.push(&format!(",\"min\":{min}"));
    }
    if let Some(max) = param.max.as_ref().map(Literal::json).or(own_max) {
        pieces.push(&format!(",\"max\":{max}"));
    }
    if param.kind == Kind::Enum {
        let ty = param.ty;
        pieces.push(",\"choices\":");
        pieces.constant(quote!(<#ty as ::dyno_sdk::ParamEnum>::JSON));
    } else if !param.choices.is_empty() {
        let choices: Vec<String> = param.choices.iter().map(Literal::json).collect();
        pieces.push(&format!(",\"choices\":[{}]", choices.join(",")));
    }
    if !param.choices_on.is_empty() {
        let kinds = param.choices_on.iter().map(|(kind, choices)| {
            let choices: Vec<String> = choices.iter().map(Literal::json).collect();
            format!("{}:[{}]", json::text(kind), choices.join(","))
        });
        pieces.push(&format!(",\"choices_on\":{{{}}}", kinds.collect::<Vec<_>>().join(",")));
    }
    for (key, text) in [("unit", &param.unit), ("description", &param.description)] {
        if !text.is_empty() {
            pieces.push(&format!(",\"{key}\":{}", json::text(text)));
        }
    }
}

fn read(item: &DeriveInput) -> Result<Vec<Param<'_>>> {
    let Data::Struct(data) = &item.data else {
        return Err(Error::new(
            item.ident.span(),
            "`Params` is for structs; for a set of words derive `ParamEnum`",
        ));
    };
    if !item.generics.params.is_empty() {
        return Err(Error::new(item.generics.span(), "the parameters of a benchmark cannot be generic"));
    }
    let named = match &data.fields {
        Shape::Named(fields) => &fields.named,
        Shape::Unit => return Ok(Vec::new()),
        Shape::Unnamed(fields) => {
            return Err(Error::new(fields.span(), "parameters need names: write `{ n: usize }`"));
        }
    };
    let mut errors = Errors::default();
    let params = named.iter().filter_map(|field| errors.keep(param(field))).collect();
    errors.finish()?;
    Ok(params)
}

fn param(field: &Field) -> Result<Param<'_>> {
    let ident = field.ident.as_ref().ok_or_else(|| Error::new(field.span(), "parameters need names"))?;
    let name = ident.unraw().to_string();
    names::word("parameter name", &name).map_err(|message| Error::new(ident.span(), message))?;
    let kind = Kind::of(&field.ty)?;
    let mut attributes = field.attrs.iter().filter(|attribute| attribute.path().is_ident("param"));
    let Some(attribute) = attributes.next() else {
        return Err(Error::new(ident.span(), format!("`{name}` needs a default: `#[param(default = …)]`")));
    };
    if let Some(second) = attributes.next() {
        return Err(Error::new(
            second.span(),
            "a field has only one `#[param(...)]`: put everything into the first",
        ));
    }
    let Meta::List(meta) = &attribute.meta else {
        return Err(Error::new(attribute.span(), "expected `#[param(default = …)]`"));
    };
    let known = ["default", "min", "max", "choices", "choices_on", "unit", "description"];
    let mut fields = Fields::parse(meta.tokens.clone(), "param", &known, attribute.span())?;

    let mut errors = Errors::default();
    for bound in ["min", "max"] {
        if !kind.is_number()
            && let Some(value) = fields.take(bound)
        {
            let message = format!("`{bound}` is only for numbers; `{name}` is {}", article(kind));
            errors.push(Error::new(value.span(), message));
        }
    }
    let mut literal = |fields: &mut Fields, key: &str| {
        let value = fields.take(key)?;
        errors.keep(Literal::parse(key, &value, kind))
    };
    let given = fields.take("default");
    let (min, max) = (literal(&mut fields, "min"), literal(&mut fields, "max"));
    let default = given.as_ref().and_then(|value| errors.keep(Literal::parse("default", value, kind)));
    if given.is_none() {
        errors.push(fields.missing("default", "default = …"));
    }
    let choices = errors.keep(choices(&mut fields, kind)).unwrap_or_default();
    let choices_on = errors.keep(choices_on(&mut fields, kind)).unwrap_or_default();
    let unit = errors.keep(fields.text("unit")).flatten().map_or_else(String::new, |text| text.value);
    let description = errors.keep(fields.text("description")).flatten();

    if let (Some(min), Some(max)) = (&min, &max)
        && max.below(min)
    {
        errors.push(Error::new(min.span, format!("min {} is above max {}", min.json(), max.json())));
    }
    for (what, value) in
        default.iter().map(|value| ("default", value)).chain(choices.iter().map(|value| ("choice", value)))
    {
        if let Some(min) = min.as_ref().filter(|min| value.below(min)) {
            errors
                .push(Error::new(value.span, format!("{what} {} is below min {}", value.json(), min.json())));
        }
        if let Some(max) = max.as_ref().filter(|max| max.below(value)) {
            errors
                .push(Error::new(value.span, format!("{what} {} is above max {}", value.json(), max.json())));
        }
    }
    if let Some(default) = &default
        && !choices.is_empty()
        && !choices.iter().any(|choice| choice.value == default.value)
    {
        errors
            .push(Error::new(default.span, format!("default {} is not one of the choices", default.json())));
    }
    errors.finish()?;
    let default = default.ok_or_else(|| fields.missing("default", "default = …"))?;
    let description =
        description.map_or_else(|| names::first_paragraph(&field.attrs), |description| description.value);
    Ok(Param {
        field: ident,
        ty: &field.ty,
        name,
        kind,
        default,
        min,
        max,
        choices,
        choices_on,
        unit,
        description,
    })
}

fn choices(fields: &mut Fields, kind: Kind) -> Result<Vec<Literal>> {
    let Some(value) = fields.take("choices") else { return Ok(Vec::new()) };
    match kind {
        Kind::Enum => return Err(Error::new(value.span(), "the choices of an enum are its variants")),
        Kind::Bool => {
            return Err(Error::new(value.span(), "`choices` is for numbers and strings, not for bool"));
        }
        _ => {}
    }
    literals(&value, "choices", kind)
}

/// `[on("cpu", ["fp32", "int8"]), …]`. That a word is one of the choices, and the hardware that of the benchmark, is checked where the
/// descriptor is read.
fn choices_on(fields: &mut Fields, kind: Kind) -> Result<Vec<(String, Vec<Literal>)>> {
    const FORM: &str = "expected `on(\"cpu\", [\"fp32\", \"int8\"])`";
    let Some(value) = fields.take("choices_on") else { return Ok(Vec::new()) };
    let mut found: Vec<(String, Vec<Literal>)> = Vec::new();
    for item in list(&value, "choices_on")? {
        let wrong = || Error::new(item.span(), FORM);
        let Expr::Call(call) = &item else { return Err(wrong()) };
        if !matches!(&*call.func, Expr::Path(path) if path.path.is_ident("on")) || call.args.len() != 2 {
            return Err(wrong());
        }
        let hardware = text(&call.args[0], "choices_on")?;
        if found.iter().any(|(other, _)| *other == hardware.value) {
            let message = format!("`choices_on` has `{}` twice", hardware.value);
            return Err(Error::new(hardware.span, message));
        }
        found.push((hardware.value, literals(&call.args[1], "choices_on", kind)?));
    }
    Ok(found)
}

fn literals(value: &Expr, key: &str, kind: Kind) -> Result<Vec<Literal>> {
    let items = list(value, key)?;
    if items.is_empty() {
        return Err(Error::new(value.span(), format!("`{key}` is empty: no value would be allowed")));
    }
    let mut choices: Vec<Literal> = Vec::new();
    for item in &items {
        let choice = Literal::parse(key, item, kind)?;
        if choices.iter().any(|other| other.value == choice.value) {
            return Err(Error::new(choice.span, format!("choice {} is listed twice", choice.json())));
        }
        choices.push(choice);
    }
    Ok(choices)
}

fn article(kind: Kind) -> &'static str {
    match kind {
        Kind::Bool => "a bool",
        Kind::Text => "a string",
        Kind::Enum => "an enum",
        Kind::Integer { .. } | Kind::Float { .. } => "a number",
    }
}
