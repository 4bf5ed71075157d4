//! TOML that people write: where it is wrong, on one line, and tables that nothing else can stand for.

use std::{collections::BTreeMap, fmt, marker::PhantomData};

use serde::{
    Deserialize, Deserializer,
    de::{DeserializeSeed, MapAccess, Visitor, value::MapAccessDeserializer},
};

/// Where a text is wrong, and how. // eg: "line 2, column 8: unknown field `timeuot`, expected `timeout`"
pub(crate) fn fault(text: &str, error: &toml::de::Error) -> String {
    let message = error.message().split_whitespace().collect::<Vec<_>>().join(" ");
    let Some(before) = error.span().and_then(|span| text.get(..span.start)) else { return message };
    let line = before.matches('\n').count() + 1;
    let column = before.rsplit('\n').next().unwrap_or_default().chars().count() + 1;
    format!("line {line}, column {column}: {message}")
}

/// Reads a struct from a table, and from nothing else: serde would make one of an array, too.
///
/// # Errors
/// When it is not a table, or has an unknown key or an invalid value.
pub(crate) fn table<'de, T: Deserialize<'de>, D: Deserializer<'de>>(from: D) -> Result<T, D::Error> {
    Table("a table", PhantomData).deserialize(from)
}

/// The same for one that may be absent.
///
/// # Errors
/// As above.
pub(crate) fn optional_table<'de, T: Deserialize<'de>, D: Deserializer<'de>>(
    from: D,
) -> Result<Option<T>, D::Error> {
    table(from).map(Some)
}

/// Reads a table of tables. `expected` continues "expected ", and so does what `of` makes of a key whose value is no table.
///
/// # Errors
/// As above.
pub(crate) fn tables<'de, T: Deserialize<'de>, D: Deserializer<'de>>(
    from: D,
    expected: &'static str,
    of: fn(&str) -> String,
) -> Result<BTreeMap<String, T>, D::Error> {
    from.deserialize_map(Tables { expected, of, holds: PhantomData })
}

struct Tables<T> {
    expected: &'static str,
    of: fn(&str) -> String,
    holds: PhantomData<T>,
}

impl<'de, T: Deserialize<'de>> Visitor<'de> for Tables<T> {
    type Value = BTreeMap<String, T>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.expected)
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let mut read = BTreeMap::new();
        while let Some(key) = map.next_key::<String>()? {
            let value = map.next_value_seed(Table((self.of)(&key), PhantomData))?;
            read.insert(key, value);
        }
        Ok(read)
    }
}

/// A table that is expected, and the words for it.
struct Table<E, T>(E, PhantomData<T>);

impl<'de, E: fmt::Display, T: Deserialize<'de>> DeserializeSeed<'de> for Table<E, T> {
    type Value = T;

    fn deserialize<D: Deserializer<'de>>(self, from: D) -> Result<T, D::Error> {
        from.deserialize_map(self)
    }
}

impl<'de, E: fmt::Display, T: Deserialize<'de>> Visitor<'de> for Table<E, T> {
    type Value = T;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<T, A::Error> {
        T::deserialize(MapAccessDeserializer::new(map))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Two {
        #[serde(default)]
        _name: String,
    }

    #[derive(Debug, Deserialize)]
    struct File {
        #[serde(deserialize_with = "table")]
        _two: Two,
    }

    fn said(text: &str) -> String {
        fault(text, &toml::from_str::<File>(text).unwrap_err())
    }

    #[test]
    fn a_fault_is_one_line_with_its_place() {
        for (text, expected) in [
            ("_two = ['x']", "line 1, column 8: invalid type: sequence, expected a table"),
            ("# ä\n_two = { _nme = 'x' }", "line 2, column 10: unknown field `_nme`, expected `_name`"),
            ("a = 'ä' b", "line 1, column 9: "),
            ("a = \"x\n", "line 1, column 7: "),
            ("", "missing field `_two`"),
        ] {
            let said = said(text);
            assert!(said.contains(expected) && !said.contains('\n'), "{text:?}: {said}");
        }
    }
}
