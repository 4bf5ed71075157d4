//! Checks a document against a JSON Schema, for tests: just the keywords that schemars writes for the record, and a
//! panic at any other, so that nothing passes unchecked. (Crates for it switch on features of serde_json and others
//! that make everything else compile twice.)

use serde_json::Value;

/// Keywords that say something to people, or to programs that want to, but refuse nothing here.
const NOTES: [&str; 7] = ["$schema", "$id", "$defs", "title", "description", "default", "format"];

/// Appends what is wrong with `value`, which lies at the path `at`.
pub(super) fn check(root: &Value, schema: &Value, value: &Value, at: &str, found: &mut Vec<String>) {
    let keywords = match schema {
        Value::Bool(true) => return,
        Value::Object(keywords) => keywords,
        other => panic!("no schema at {at}: {other}"),
    };
    let mut refuse = |why: String| found.push(format!("{at}: {why}"));
    for (keyword, argument) in keywords {
        match keyword.as_str() {
            note if NOTES.contains(&note) => {}
            "type" if !has_type(value, argument) => refuse(format!("{value} is no {argument}")),
            "const" if value != argument => refuse(format!("{value} is not {argument}")),
            "enum" if !list(argument).contains(value) => refuse(format!("{value} is none of {argument}")),
            "minimum" if value.is_number() && value.as_f64() < argument.as_f64() => {
                refuse(format!("{value} is under {argument}"));
            }
            "maximum" if value.is_number() && value.as_f64() > argument.as_f64() => {
                refuse(format!("{value} is over {argument}"));
            }
            "minItems" if value.is_array() && length(value) < argument.as_u64() => {
                refuse(format!("fewer than {argument} items"));
            }
            "maxItems" if value.is_array() && length(value) > argument.as_u64() => {
                refuse(format!("more than {argument} items"));
            }
            "type" | "const" | "enum" | "minimum" | "maximum" | "minItems" | "maxItems" => {}
            "required" => {
                for name in list(argument).iter().filter_map(Value::as_str) {
                    if value.get(name).is_none() {
                        refuse(format!("`{name}` is missing"));
                    }
                }
            }
            "$ref" | "properties" | "additionalProperties" | "items" | "prefixItems" | "oneOf" | "anyOf" => {}
            unknown => panic!("the check does not know `{unknown}`: teach it"),
        }
    }
    if let Some(reference) = keywords.get("$ref").and_then(Value::as_str) {
        let target =
            root.pointer(reference.trim_start_matches('#')).unwrap_or_else(|| panic!("no {reference}"));
        check(root, target, value, at, found);
    }
    let properties = keywords.get("properties");
    for (name, member) in value.as_object().into_iter().flatten() {
        let schema =
            properties.and_then(|all| all.get(name)).or_else(|| keywords.get("additionalProperties"));
        match schema {
            Some(Value::Bool(false)) => found.push(format!("{at}: `{name}` is not known")),
            Some(schema) => check(root, schema, member, &format!("{at}/{name}"), found),
            None => {}
        }
    }
    let places = keywords.get("prefixItems").map_or(&[][..], list);
    for (place, item) in value.as_array().into_iter().flatten().enumerate() {
        if let Some(schema) = places.get(place).or_else(|| keywords.get("items")) {
            check(root, schema, item, &format!("{at}/{place}"), found);
        }
    }
    for keyword in ["oneOf", "anyOf"] {
        let Some(choices) = keywords.get(keyword).map(list) else { continue };
        let fitting = choices.iter().filter(|choice| {
            let mut complaints = Vec::new();
            check(root, choice, value, at, &mut complaints);
            complaints.is_empty()
        });
        match (keyword, fitting.count()) {
            ("oneOf", 1) | ("anyOf", 1..) => {}
            (_, count) => found.push(format!("{at}: {value} fits {count} choices of `{keyword}`")),
        }
    }
}

fn list(value: &Value) -> &[Value] {
    value.as_array().map_or(&[], Vec::as_slice)
}

fn length(value: &Value) -> Option<u64> {
    value.as_array().map(|items| items.len() as u64)
}

fn has_type(value: &Value, types: &Value) -> bool {
    let is = |name: &str| match name {
        "null" => value.is_null(),
        "boolean" => value.is_boolean(),
        "string" => value.is_string(),
        "array" => value.is_array(),
        "object" => value.is_object(),
        "number" => value.is_number(),
        "integer" => value.is_i64() || value.is_u64(),
        other => panic!("the check does not know the type `{other}`: teach it"),
    };
    types.as_str().map_or_else(|| list(types).iter().filter_map(Value::as_str).any(is), is)
}
