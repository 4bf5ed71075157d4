//! `models = ["bert-tiny", model("vit", family = "…")]`: the names of a benchmark's models, and what is known of them.

use quote::quote;
use syn::{Error, Expr, ExprLit, Lit, Result, spanned::Spanned};

use crate::{
    fields::{Errors, Fields, Text, list, text},
    json, names,
};

const FORM: &str =
    "expected `\"bert-tiny\"` or `model(\"bert-tiny\", family = \"bert\", parameters = 4_385_920)`";
const KNOWN: [&str; 5] = ["family", "modality", "parameters", "tags", "precisions"];

/// The models of a benchmark, as JSON.
#[derive(Default)]
pub(crate) struct Models {
    /// The list of all names.
    pub(crate) names: String,
    /// The entries of those with details, joined by commas; empty if none has any.
    pub(crate) details: String,
}

struct Model {
    name: Text,
    /// As JSON; only of a model that is written as `model(…)`.
    details: Option<String>,
}

impl Models {
    pub(crate) fn take(fields: &mut Fields, errors: &mut Errors) -> Self {
        let items = fields.take("models").map(|value| list(&value, "models"));
        let items = items.and_then(|items| errors.keep(items)).unwrap_or_default();
        let mut models: Vec<Model> = Vec::new();
        for item in &items {
            let Some(model) = errors.keep(model(item)) else { continue };
            let is_same = |other: &Model| other.name.value == model.name.value;
            let other = models.iter().find(|other| is_same(other));
            // A repeated name without details has always been allowed.
            if other.is_some_and(|other| model.details.is_some() || other.details.is_some()) {
                let message = format!("two models are named `{}`", model.name.value);
                errors.push(Error::new(model.name.span, message));
            }
            models.push(model);
        }
        let details: Vec<&str> = models.iter().filter_map(|model| model.details.as_deref()).collect();
        Self {
            names: json::texts(models.iter().map(|model| model.name.value.as_str())),
            details: details.join(","),
        }
    }
}

fn model(item: &Expr) -> Result<Model> {
    let call = match item {
        Expr::Lit(ExprLit { lit: Lit::Str(name), .. }) => {
            let name = Text { value: name.value(), span: name.span() };
            return Ok(Model { name, details: None });
        }
        Expr::Call(call) if matches!(&*call.func, Expr::Path(path) if path.path.is_ident("model")) => call,
        other => return Err(Error::new(other.span(), FORM)),
    };
    let mut arguments = call.args.iter();
    let name = match arguments.next() {
        Some(Expr::Lit(ExprLit { lit: Lit::Str(name), .. })) => {
            Text { value: name.value(), span: name.span() }
        }
        Some(other) => {
            return Err(Error::new(other.span(), format!("the name of the model comes first: {FORM}")));
        }
        None => return Err(Error::new(call.span(), FORM)),
    };
    names::text("model name", &name.value).map_err(|message| Error::new(name.span, message))?;
    let rest = quote!(#(#arguments),*);
    let mut fields = Fields::parse(rest, "model", &KNOWN, call.span())?;
    let mut entry = format!("{{\"name\":{}", json::text(&name.value));
    for key in ["family", "modality"] {
        if let Some(given) = fields.text(key)? {
            check(key, &given)?;
            entry.push_str(&format!(",\"{key}\":{}", json::text(&given.value)));
        }
    }
    if let Some(given) = fields.take("parameters") {
        entry.push_str(&format!(",\"parameters\":{}", count(&given)?));
    }
    for (key, one) in [("tags", "tag"), ("precisions", "precision")] {
        let Some(given) = fields.take(key) else { continue };
        let texts: Vec<Text> =
            list(&given, key)?.iter().map(|item| text(item, key)).collect::<Result<_>>()?;
        texts.iter().try_for_each(|text| check(one, text))?;
        entry.push_str(&format!(",\"{key}\":{}", json::texts(texts.iter().map(|text| text.value.as_str()))));
    }
    entry.push('}');
    Ok(Model { name, details: Some(entry) })
}

fn check(what: &str, text: &Text) -> Result<()> {
    names::text(what, &text.value).map_err(|message| Error::new(text.span, message))
}

fn count(value: &Expr) -> Result<u64> {
    let wrong = || {
        let message = "`parameters` expects the number of weights, like `4_385_920`";
        Error::new(value.span(), message)
    };
    match value {
        Expr::Lit(ExprLit { lit: Lit::Int(number), .. }) => number.base10_parse().map_err(|_| wrong()),
        _ => Err(wrong()),
    }
}
