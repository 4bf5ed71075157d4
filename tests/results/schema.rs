//! Checks JSON against one of the published schemas, more strictly than the standard does: a property that the schema
//! does not describe is a violation too, because what dyno writes must be documented.
//!
//! By hand, because the crates for it switch on features of what DuckDB's crate needs, which would be compiled again.
//! Only what `schemars` writes for our types is known; any other keyword panics, so that nothing passes unchecked.

use std::fmt::Display;

use serde_json::{Map, Value};

/// Everything in `value` that contradicts `schema`: where, and what.
pub(crate) fn violations(schema: &Value, value: &Value) -> Vec<String> {
    let mut check = Check { root: schema, found: Vec::new() };
    check.value(schema, value, "");
    check.found
}

struct Check<'a> {
    root: &'a Value,
    found: Vec<String>,
}

impl<'a> Check<'a> {
    fn violation(&mut self, place: &str, what: impl Display) {
        self.found.push(format!("{place}: {what}"));
    }

    fn value(&mut self, schema: &'a Value, value: &Value, place: &str) {
        let Value::Object(rules) = schema else {
            assert_eq!(schema, &Value::Bool(true), "a schema is an object, or `true`");
            return;
        };
        for (keyword, rule) in rules {
            self.rule(keyword, rule, value, place);
        }
        if let Value::Object(object) = value {
            self.properties(rules, object, place);
        }
        if let Value::Array(items) = value {
            self.items(rules, items, place);
        }
    }

    fn rule(&mut self, keyword: &str, rule: &'a Value, value: &Value, place: &str) {
        match keyword {
            "$schema" | "$id" | "$defs" | "title" | "description" | "default" => {}
            // Of `format`, `minimum` says what matters: dyno has no unsigned number that JSON cannot hold.
            "format" => {}
            "properties" | "additionalProperties" | "required" | "items" | "prefixItems" => {}
            "minItems" | "maxItems" => {}
            "$ref" => {
                let pointer =
                    rule.as_str().and_then(|text| text.strip_prefix('#')).expect("a local reference");
                let target = self.root.pointer(pointer).expect("the schema holds what it refers to");
                self.value(target, value, place);
            }
            "type" => {
                let names = rule.as_array().cloned().unwrap_or_else(|| vec![rule.clone()]);
                if !names.iter().filter_map(Value::as_str).any(|name| is(name, value)) {
                    self.violation(place, format!("{value} is not of type {rule}"));
                }
            }
            "const" if rule != value => self.violation(place, format!("{value} is not {rule}")),
            "enum" if !rule.as_array().is_some_and(|choices| choices.contains(value)) => {
                self.violation(place, format!("{value} is none of {rule}"));
            }
            "minimum" if value.as_f64().zip(rule.as_f64()).is_some_and(|(number, least)| number < least) => {
                self.violation(place, format!("{value} is below {rule}"));
            }
            "const" | "enum" | "minimum" => {}
            "oneOf" | "anyOf" => {
                let choices = rule.as_array().expect("a list of schemas");
                let matching = choices.iter().filter(|choice| self.holds(choice, value)).count();
                if matching == 0 || (keyword == "oneOf" && matching > 1) {
                    self.violation(place, format!("{value} is {matching} of the {} choices", choices.len()));
                }
            }
            other => panic!("the schema has a keyword that this test does not know: `{other}`"),
        }
    }

    fn holds(&self, schema: &'a Value, value: &Value) -> bool {
        let mut check = Check { root: self.root, found: Vec::new() };
        check.value(schema, value, "");
        check.found.is_empty()
    }

    fn properties(&mut self, rules: &'a Map<String, Value>, object: &Map<String, Value>, place: &str) {
        for name in
            rules.get("required").and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_str)
        {
            if !object.contains_key(name) {
                self.violation(place, format!("`{name}` is missing"));
            }
        }
        // A schema that only refers to others leaves the properties to them.
        let described = rules.get("properties");
        let others = rules.get("additionalProperties");
        if described.is_none() && others.is_none() {
            return;
        }
        for (name, value) in object {
            let inside = format!("{place}/{name}");
            match described.and_then(|described| described.get(name)).or(others) {
                Some(Value::Bool(false)) | None => self.violation(&inside, "no such property is described"),
                Some(schema) => self.value(schema, value, &inside),
            }
        }
    }

    fn items(&mut self, rules: &'a Map<String, Value>, items: &[Value], place: &str) {
        let limit = |name: &str| rules.get(name).and_then(Value::as_u64);
        let count = items.len() as u64;
        if limit("minItems").is_some_and(|least| count < least)
            || limit("maxItems").is_some_and(|most| count > most)
        {
            self.violation(place, format!("{count} items are too few or too many"));
        }
        let first = rules.get("prefixItems").and_then(Value::as_array).map_or(&[][..], Vec::as_slice);
        for (index, item) in items.iter().enumerate() {
            if let Some(schema) = first.get(index).or(rules.get("items")) {
                self.value(schema, item, &format!("{place}/{index}"));
            }
        }
    }
}

/// Whether a value is of a type of JSON Schema.
fn is(name: &str, value: &Value) -> bool {
    match name {
        "null" => value.is_null(),
        "boolean" => value.is_boolean(),
        "object" => value.is_object(),
        "array" => value.is_array(),
        "string" => value.is_string(),
        "number" => value.is_number(),
        "integer" => value.is_i64() || value.is_u64(),
        other => panic!("the schema has a type that this test does not know: `{other}`"),
    }
}
