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
    /// As JSON, TOML and Rust write them alike.
    Floats(Vec<String>),
    Strings(Vec<String>),
}

/// A parameter that can be declared.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Declared {
    name: String,
    values: Values,
}

/// The parameters whose values are numbers or strings. The others are quoted only: what `SIZES` stands for, the source
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
    if written.is_empty() {
        return None;
    }
    if let Some(numbers) = written.iter().map(|text| number(text)).collect::<Option<Vec<_>>>() {
        let integers = numbers.iter().map(|one| match one {
            Number::Integer(value) => Some(*value),
            Number::Float(_) => None,
        });
        if let Some(mut integers) = integers.collect::<Option<Vec<_>>>() {
            once(&mut integers);
            return Some(Values::Integers(integers));
        }
        // An integer among floats is one of them.
        let mut floats: Vec<String> = numbers
            .into_iter()
            .map(|one| match one {
                Number::Integer(value) => format!("{value}.0"),
                Number::Float(value) => format!("{value:?}"),
            })
            .collect();
        once(&mut floats);
        return Some(Values::Floats(floats));
    }
    let mut strings = written.iter().map(|text| string(text)).collect::<Option<Vec<_>>>()?;
    once(&mut strings);
    Some(Values::Strings(strings))
}

#[derive(Debug, Clone, Copy, PartialEq)]
enum Number {
    Integer(i64),
    Float(f64),
}

/// Endings that give an integer its type in Rust or C, in small letters.
const INTEGER_ENDINGS: [&str; 21] = [
    "", "u8", "u16", "u32", "u64", "u128", "usize", "i8", "i16", "i32", "i64", "i128", "isize", "u", "l",
    "ul", "lu", "ll", "ull", "llu", "z",
];

/// Endings that give a number with a point its type.
const FLOAT_ENDINGS: [&str; 5] = ["", "f32", "f64", "f", "l"];

/// A number as Python, Rust or C write it: `1_000`, `1'000`, `0x10`, `16usize`, `10UL`, `1e3f64`, `1.0f`.
fn number(text: &str) -> Option<Number> {
    let text = text.trim().to_ascii_lowercase();
    let (sign, bare) = match text.strip_prefix('-') {
        Some(bare) => ("-", bare),
        None => ("", text.strip_prefix('+').unwrap_or(&text)),
    };
    // `'1'` is a text.
    if !bare.starts_with(|first: char| first.is_ascii_digit() || first == '.') {
        return None;
    }
    let bare = bare.replace(['_', '\''], "");
    for (prefix, radix) in [("0x", 16), ("0o", 8), ("0b", 2)] {
        if let Some(digits) = bare.strip_prefix(prefix) {
            let (digits, ending) = split(digits, |one| one.is_digit(radix));
            let value = i64::from_str_radix(&format!("{sign}{digits}"), radix).ok()?;
            return INTEGER_ENDINGS.contains(&ending).then_some(Number::Integer(value));
        }
    }
    let (digits, ending) = split(&bare, |one| one.is_ascii_digit());
    // `010` is eight in C and ten in Rust.
    let is_octal = digits.len() > 1 && digits.starts_with('0');
    if !digits.is_empty() && !is_octal && INTEGER_ENDINGS.contains(&ending) {
        return format!("{sign}{digits}").parse().ok().map(Number::Integer);
    }
    let (fraction, rest) = match ending.strip_prefix('.') {
        Some(rest) => split(rest, |one| one.is_ascii_digit()),
        None => ("", ending),
    };
    let (exponent, rest) = match rest.strip_prefix('e') {
        Some(power) => {
            let (minus, power) = match power.strip_prefix('-') {
                Some(power) => ("-", power),
                None => ("", power.strip_prefix('+').unwrap_or(power)),
            };
            let (power, rest) = split(power, |one| one.is_ascii_digit());
            (format!("e{minus}{power}"), rest)
        }
        None => (String::new(), rest),
    };
    let value: f64 = format!("{sign}{digits}.{fraction}{exponent}").parse().ok()?;
    let is_float = value.is_finite() && !ending.is_empty() && FLOAT_ENDINGS.contains(&rest);
    is_float.then_some(Number::Float(value))
}

/// The characters of one kind that a text begins with, and the rest.
fn split(text: &str, is_one: impl Fn(char) -> bool) -> (&str, &str) {
    text.split_at(text.find(|one| !is_one(one)).unwrap_or(text.len()))
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
    /// The type in a descriptor, the default and the choices, as JSON, TOML and Rust write them alike. One value is a
    /// default, and no choice.
    fn written(&self) -> (&'static str, String, Option<String>) {
        let (kind, values): (_, Vec<String>) = match &self.values {
            Values::Integers(values) => ("integer", values.iter().map(i64::to_string).collect()),
            Values::Floats(values) => ("float", values.clone()),
            Values::Strings(values) => {
                ("string", values.iter().map(|value| format!("\"{value}\"")).collect())
            }
        };
        let choices = (values.len() > 1).then(|| values.join(", "));
        (kind, values.first().cloned().unwrap_or_default(), choices)
    }

    /// An object of a descriptor in JSON.
    pub(super) fn json(&self) -> String {
        let (kind, default, choices) = self.written();
        let choices = choices.map(|all| format!(", \"choices\": [{all}]")).unwrap_or_default();
        format!("{{\"name\": \"{}\", \"type\": \"{kind}\", \"default\": {default}{choices}}}", self.name)
    }

    /// A table of a descriptor in TOML.
    pub(super) fn toml(&self) -> String {
        let (kind, default, choices) = self.written();
        let choices = choices.map(|all| format!("choices = [{all}]\n")).unwrap_or_default();
        format!(
            "[[benchmarks.params]]\nname = \"{}\"\ntype = \"{kind}\"\ndefault = {default}\n{choices}",
            self.name
        )
    }

    /// A field of a struct with `#[derive(Params)]`.
    pub(super) fn field(&self) -> String {
        let (_, default, choices) = self.written();
        let kind = match &self.values {
            Values::Integers(_) => "i64",
            Values::Floats(_) => "f64",
            Values::Strings(_) => "String",
        };
        let choices = choices.map(|all| format!(", choices = [{all}]")).unwrap_or_default();
        format!("    #[param(default = {default}{choices})]\n    {}: {kind},\n", self.name)
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
        for values in [&["SIZES"][..], &["1", "'a'"], &[], &["'\\n'"], &["f(1)"], &["''"], &["'\"'"]] {
            assert_eq!(of("size", values), None, "{values:?}");
        }
        assert!(of("größe", &["1"]).is_some());
        let only = "{\"name\": \"size\", \"type\": \"integer\", \"default\": 1000}";
        assert_eq!(of("size", &["1000"]).as_deref(), Some(only));
        let scale = "{\"name\": \"scale\", \"type\": \"float\", \"default\": 1.5, \"choices\": [1.5, 2.0]}";
        assert_eq!(of("scale", &["1.5", "2"]).as_deref(), Some(scale));
        assert_eq!(of("0", &["1"]), None);
    }

    #[test]
    fn a_single_value_is_a_default_in_every_language() {
        let one = plain(&[("n".to_owned(), vec!["1e3f64".to_owned()])]).remove(0);
        assert_eq!(one.toml(), "[[benchmarks.params]]\nname = \"n\"\ntype = \"float\"\ndefault = 1000.0\n");
        assert_eq!(one.field(), "    #[param(default = 1000.0)]\n    n: f64,\n");
    }

    #[test]
    fn numbers_are_read_as_each_language_writes_them() {
        for (text, value) in [
            ("16usize", 16),
            ("1_000", 1000),
            ("1_000_u32", 1000),
            ("1'000", 1000),
            ("0x10", 16),
            ("0xFFu8", 255),
            ("0b101", 5),
            ("0o17", 15),
            ("10UL", 10),
            ("10ull", 10),
            ("-3i64", -3),
            ("+3", 3),
            ("0", 0),
            ("-9223372036854775808", i64::MIN),
        ] {
            assert_eq!(number(text), Some(Number::Integer(value)), "{text}");
        }
        for (text, value) in [
            ("1e3f64", 1e3),
            ("1.0f", 1.0),
            ("1.5L", 1.5),
            ("1f32", 1.0),
            (".5", 0.5),
            ("2.", 2.0),
            ("1_0.5e-1", 1.05),
            ("-1E+2", -100.0),
        ] {
            assert_eq!(number(text), Some(Number::Float(value)), "{text}");
        }
        for text in [
            "",
            "-",
            ".",
            "'1'",
            "n",
            "1 << 3",
            "010",
            "1e",
            "1e999",
            "0x",
            "0xg",
            "16foo",
            "1.5u8",
            "1..3",
            "1.5.2",
            "inf",
            "9223372036854775808",
            "1j",
        ] {
            assert_eq!(number(text), None, "{text}");
        }
    }

    #[test]
    fn two_of_one_name_are_one() {
        let one = |name: &str| (name.to_owned(), vec!["1".to_owned()]);
        assert_eq!(plain(&[one("a b"), one("a_b"), one("c")]).len(), 2);
    }
}
