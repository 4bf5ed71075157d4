//! Goldens of the formats, over one record that has everything.

use std::path::Path;

use dyno_core::model::{CaseStatus, RunRecord};

use super::*;

/// A run with a completed case twice (other parameters), a failed one with hostile text, and a skipped one.
fn record() -> RunRecord {
    serde_json::from_str(include_str!("testdata/record.json")).expect("the test's own record is valid")
}

/// Compares with a checked-in file; `DYNO_BLESS=1` rewrites it.
#[track_caller]
fn golden(name: &str, found: &str) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(name);
    if std::env::var_os("DYNO_BLESS").is_some() {
        std::fs::write(&path, found).unwrap();
    }
    let expected = std::fs::read_to_string(&path).unwrap_or_default();
    assert_eq!(found, expected, "{} differs; `DYNO_BLESS=1 cargo xtask test` rewrites it", path.display());
}

#[test]
fn the_report_is_as_expected() {
    golden("src/export/testdata/report.md", &markdown(&record()));
}

#[test]
fn the_csv_is_as_expected() {
    golden("src/export/testdata/report.csv", &csv(&record()));
}

#[test]
fn the_result_file_survives_a_round_trip_and_fits_its_schema() {
    let record = record();
    let text = json(&record).unwrap();
    assert_eq!(read(&text).unwrap(), record);
    let schema = schemars::schema_for!(RunRecord);
    let schema = serde_json::to_string_pretty(&schema).unwrap() + "\n";
    golden("../docs/schemas/result.json", &schema);
    let schema: serde_json::Value = serde_json::from_str(&schema).unwrap();
    let value: serde_json::Value = serde_json::from_str(&text).unwrap();
    let known = schema["properties"].as_object().unwrap();
    assert!(
        value.as_object().unwrap().keys().all(|key| known.contains_key(key)),
        "a field is not in the schema"
    );
    let required = schema["required"].as_array().unwrap();
    assert!(
        required.iter().all(|key| value.get(key.as_str().unwrap()).is_some()),
        "a required field is missing"
    );
}

#[test]
fn what_is_no_result_says_what_it_is() {
    let text = json(&record()).unwrap();
    for (text, expected) in [
        (&text[..text.len() / 2], "cut short"),
        ("{}", "its `schema` is null"),
        (r#"{"schema":"other"}"#, "\"other\""),
        (r#"{"schema":"dyno.result","version":99}"#, "version 99"),
        (r#"{"schema":"dyno.result","version":1}"#, "damaged"),
    ] {
        let message = read(text).unwrap_err().to_string();
        assert!(message.contains(expected), "{message}");
    }
}

#[test]
fn hostile_text_does_not_become_structure() {
    let mut record = record();
    let hostile = "a|b\n# title `code` <script>";
    record.cases[0].benchmark = hostile.to_owned();
    record.cases[0].status = CaseStatus::Skipped { reason: hostile.to_owned() };
    let text = markdown(&record);
    assert!(!text.contains("\n# title") && !text.contains("<script>") || text.contains("\\<script\\>"));
    assert!(text.lines().filter(|line| line.starts_with("# ")).count() == 1);
    record.cases[0].benchmark = "=cmd()\"x".to_owned();
    assert!(csv(&record).contains("\"'=cmd()\"\"x\""));
}
