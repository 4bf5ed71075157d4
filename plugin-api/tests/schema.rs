//! The published JSON Schema of descriptors is on the authors' side of the boundary: this keeps it equal to the code.

#![cfg(feature = "descriptor")]

use dyno_plugin_api::descriptor::{Descriptor, SCHEMA};
use serde_json::{Value, json};

mod support;

use support::compare_or_bless;

/// The same JSON with sorted keys: whether a map keeps its order is a feature that another package may switch on.
fn sorted(value: Value) -> Value {
    match value {
        Value::Object(map) => {
            let mut entries: Vec<_> = map.into_iter().collect();
            entries.sort_by(|(a, _), (b, _)| a.cmp(b));
            entries.into_iter().map(|(key, value)| (key, sorted(value))).collect()
        }
        Value::Array(items) => items.into_iter().map(sorted).collect(),
        other => other,
    }
}

/// The schema as it must stand in `docs/schemas/`.
fn schema() -> String {
    let mut schema = schemars::schema_for!(Descriptor);
    schema.insert("$id".to_owned(), json!("urn:dyno:descriptor:1"));
    // schemars knows only the type of the field; readers refuse any other value.
    if let Some(field) = schema.pointer_mut("/properties/schema") {
        field["const"] = json!(SCHEMA);
    }
    let schema =
        schemars::Schema::try_from(sorted(schema.to_value())).expect("sorting keeps a schema a schema");
    let mut text = serde_json::to_string_pretty(&schema).expect("a schema is JSON");
    text.push('\n');
    text
}

#[test]
fn the_published_schema_is_the_descriptor() {
    assert!(schema().contains(&format!("\"const\": \"{SCHEMA}\"")));
    compare_or_bless("../docs/schemas/descriptor.json", &schema());
}
