//! Parameters of a benchmark that exists elsewhere, as a descriptor declares them: those whose values are plain.

use std::collections::HashSet;

/// Names that a field in Rust cannot have, besides those that nobody gives a parameter.
const KEYWORDS: [&str; 16] = [
    "as", "async", "box", "dyn", "enum", "fn", "for", "in", "loop", "match", "mod", "move", "ref", "self",
    "type", "use",
];

/// The values of a parameter, all of one type.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Values {
    Integers(Vec<i64>),
    Strings(Vec<String>),
}

/// A parameter that can be declared.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Declared {
    name: String,
    values: Values,
}

/// The parameters whose values are integers or strings. The others are quoted only: what `SIZES` stands for, the source
/// of another tool knows.
pub(super) fn plain(parameters: &[(String, Vec<String>)]) -> Vec<Declared> {
    let mut taken = HashSet::new();
    let declare = |(name, values): &(String, Vec<String>)| {
        let name = identifier(name)?;
        let values = plain_values(values)?;
        taken.insert(name.clone()).then_some(Declared { name, values })
    };
    parameters.iter().filter_map(declare).collect()
}

/// `range(0)` becomes `range_0`.
fn identifier(name: &str) -> Option<String> {
    let mut found = String::new();
    for character in name.chars() {
        if character.is_ascii_alphanumeric() {
            found.push(character.to_ascii_lowercase());
        } else if !found.is_empty() && !found.ends_with('_') {
            found.push('_');
        }
    }
    let found = found.trim_end_matches('_');
    if !found.starts_with(|first: char| first.is_ascii_lowercase()) || found.len() > 48 {
        return None;
    }
    let suffix = if KEYWORDS.contains(&found) { "_" } else { "" };
    Some(format!("{found}{suffix}"))
}

fn plain_values(written: &[String]) -> Option<Values> {
    let integer = |text: &String| text.replace('_', "").parse::<i64>().ok();
    if let Some(mut integers) =
        written.iter().map(integer).collect::<Option<Vec<_>>>().filter(|all| !all.is_empty())
    {
        once(&mut integers);
        return Some(Values::Integers(integers));
    }
    let mut strings =
        written.iter().map(|text| string(text)).collect::<Option<Vec<_>>>().filter(|all| !all.is_empty())?;
    once(&mut strings);
    Some(Values::Strings(strings))
}

/// Every choice is there once.
fn once<T: Clone + Eq + std::hash::Hash>(values: &mut Vec<T>) {
    let mut seen = HashSet::new();
    values.retain(|value| seen.insert(value.clone()));
}

/// A text in quotes that means the same in every language.
fn string(text: &str) -> Option<String> {
    let quote = text.chars().next().filter(|first| matches!(first, '"' | '\''))?;
    let bare = text.strip_prefix(quote)?.strip_suffix(quote)?;
    let is_plain = |one: char| one.is_ascii_graphic() && !matches!(one, '"' | '\'' | '\\') || one == ' ';
    (!bare.is_empty() && bare.chars().all(is_plain)).then(|| bare.to_owned())
}

impl Declared {
    /// The type in a descriptor, the default and all choices, as JSON, TOML and Rust write them alike.
    fn written(&self) -> (&'static str, String, String) {
        let (kind, values): (_, Vec<String>) = match &self.values {
            Values::Integers(values) => ("integer", values.iter().map(i64::to_string).collect()),
            Values::Strings(values) => {
                ("string", values.iter().map(|value| format!("\"{value}\"")).collect())
            }
        };
        (kind, values.first().cloned().unwrap_or_default(), values.join(", "))
    }

    /// An object of a descriptor in JSON.
    pub(super) fn json(&self) -> String {
        let (kind, default, choices) = self.written();
        format!(
            "{{\"name\": \"{}\", \"type\": \"{kind}\", \"default\": {default}, \"choices\": [{choices}]}}",
            self.name
        )
    }

    /// A table of a descriptor in TOML.
    pub(super) fn toml(&self) -> String {
        let (kind, default, choices) = self.written();
        format!(
            "[[benchmarks.params]]\nname = \"{}\"\ntype = \"{kind}\"\ndefault = {default}\nchoices = [{choices}]\n",
            self.name
        )
    }

    /// A field of a struct with `#[derive(Params)]`.
    pub(super) fn field(&self) -> String {
        let (_, default, choices) = self.written();
        let kind = match &self.values {
            Values::Integers(_) => "i64",
            Values::Strings(_) => "String",
        };
        format!("    #[param(default = {default}, choices = [{choices}])]\n    {}: {kind},\n", self.name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(name: &str, values: &[&str]) -> Option<String> {
        let values = values.iter().map(|&value| value.to_owned()).collect();
        plain(&[(name.to_owned(), values)]).first().map(Declared::json)
    }

    #[test]
    fn plain_values_are_declared_and_the_others_are_not() {
        let size = "{\"name\": \"size\", \"type\": \"integer\", \"default\": 16, \"choices\": [16, 1024]}";
        assert_eq!(of("size", &["16", "1_024", "16"]).as_deref(), Some(size));
        let kind =
            "{\"name\": \"kind\", \"type\": \"string\", \"default\": \"a b\", \"choices\": [\"a b\", \"c\"]}";
        assert_eq!(of("Kind", &["'a b'", "\"c\""]).as_deref(), Some(kind));
        assert!(of("range(0)", &["1"]).is_some_and(|json| json.contains("\"range_0\"")));
        assert!(of("type", &["1"]).is_some_and(|json| json.contains("\"type_\"")));
        for values in
            [&["SIZES"][..], &["1", "'a'"], &["1.5"], &[], &["'\\n'"], &["f(1)"], &["''"], &["'\"'"]]
        {
            assert_eq!(of("size", values), None, "{values:?}");
        }
        assert!(of("größe", &["1"]).is_some());
        assert_eq!(of("0", &["1"]), None);
    }

    #[test]
    fn two_of_one_name_are_one() {
        let one = |name: &str| (name.to_owned(), vec!["1".to_owned()]);
        assert_eq!(plain(&[one("a b"), one("a_b"), one("c")]).len(), 2);
    }
}
