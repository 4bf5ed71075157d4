//! Goldens of the formats, over one record that has everything.

use std::{path::Path, sync::Arc};

use dyno_core::model::{
    CHECK_SCHEMA, CHECK_VERSION, CaseStatus, CheckReport, CheckedFile, ConformanceTest, DOCTOR_SCHEMA,
    DOCTOR_VERSION, Doctor, Exit, INDEX_SCHEMA, INDEX_VERSION, LOCK_SCHEMA, LOCK_VERSION, PACKAGE_SCHEMA,
    PACKAGE_VERSION, PackageIndex, PackageLock, PackageManifest, RESULT_SCHEMA, RESULT_VERSION, Reason,
    RunRecord, RunStatus, SkipCause, Stage, TestOutcome, TestResult,
};
use proptest::prelude::*;
use schemars::JsonSchema;
use serde_json::{Value, json as value};

use super::{
    bmf::bmf,
    check_junit,
    csv::{csv, samples_csv},
    gbench::gbench,
    hostile_tests::parse_csv as parse,
    json::{json, read},
    markdown::markdown,
    openmetrics::openmetrics,
    schema_check,
};

/// A run with a completed case twice (other parameters), one failed with hostile text, one skipped, one timed out.
pub(super) fn record() -> RunRecord {
    serde_json::from_str(include_str!("testdata/record.json")).expect("the test's own record is valid")
}

/// Compares with a checked-in file; `DYNO_BLESS=1` rewrites it.
#[track_caller]
fn golden(name: &str, found: &str) {
    let package = std::env::var_os("CARGO_MANIFEST_DIR").expect("Cargo sets it for the tests that it runs");
    let path = Path::new(&package).join(name);
    if std::env::var_os("DYNO_BLESS").is_some_and(|value| value == "1") {
        std::fs::write(&path, found).unwrap();
    }
    let expected = std::fs::read_to_string(&path).unwrap_or_default();
    assert_eq!(found, expected, "{} differs; `DYNO_BLESS=1 cargo xtask test` rewrites it", path.display());
}

/// The same JSON with sorted keys: whether a map keeps its order is a feature that another package may switch on.
fn sorted(json: Value) -> Value {
    match json {
        Value::Object(map) => {
            let mut entries: Vec<_> = map.into_iter().collect();
            entries.sort_by(|(a, _), (b, _)| a.cmp(b));
            entries.into_iter().map(|(key, value)| (key, sorted(value))).collect()
        }
        Value::Array(items) => items.into_iter().map(sorted).collect(),
        other => other,
    }
}

/// The schema of a document as it stands in `docs/schemas/`.
#[track_caller]
fn published<Document: JsonSchema>(name: &str, version: u32) -> Value {
    let short = name.strip_prefix("dyno.").expect("every document is named like this");
    let mut schema = schemars::schema_for!(Document);
    schema.insert("$id".to_owned(), value!(format!("urn:dyno:{short}:{version}")));
    // schemars knows only the types of these; readers refuse any other value.
    for (field, constant) in [("schema", value!(name)), ("version", value!(version))] {
        schema.pointer_mut(&format!("/properties/{field}")).expect("the document has it")["const"] = constant;
    }
    let schema = sorted(schema.to_value());
    golden(
        &format!("../docs/schemas/{short}.json"),
        &(serde_json::to_string_pretty(&schema).unwrap() + "\n"),
    );
    schema
}

/// What is wrong with a document by a schema.
fn complaints(schema: &Value, document: &Value) -> Vec<String> {
    let mut found = Vec::new();
    schema_check::check(schema, schema, document, "", &mut found);
    found
}

#[test]
fn the_report_is_as_expected() {
    golden("src/export/testdata/report.md", &markdown(&record()));
}

#[test]
fn the_tables_are_as_expected() {
    golden("src/export/testdata/report.csv", &csv(&record()));
    golden("src/export/testdata/samples.csv", &samples_csv(&record()));
}

#[test]
fn the_result_file_survives_a_round_trip_and_fits_its_schema() {
    let schema = published::<RunRecord>(RESULT_SCHEMA, RESULT_VERSION);
    let mut record = record();
    record.cases[1].status = CaseStatus::Cancelled;
    record.status = RunStatus::Interrupted;
    record.finished_at = None;
    let text = json(&record).unwrap();
    assert_eq!(read(&text).unwrap(), record);
    let document: Value = serde_json::from_str(&text).unwrap();
    assert_eq!(complaints(&schema, &document), Vec::<String>::new());
    // The schema must be able to complain.
    for (pointer, wrong) in [
        ("/schema", value!("other")),
        ("/version", value!(2)),
        ("/status", value!("done")),
        ("/cases/0/metrics/0/median", value!(null)),
        ("/cases/0/launches/0/samples/0/wall_ns", value!("soon")),
    ] {
        let mut damaged = document.clone();
        *damaged.pointer_mut(pointer).unwrap_or_else(|| panic!("no {pointer}")) = wrong;
        assert!(!complaints(&schema, &damaged).is_empty(), "{pointer}");
    }
}

#[test]
fn the_document_of_the_doctor_has_a_published_schema() {
    let schema = published::<Doctor>(DOCTOR_SCHEMA, DOCTOR_VERSION);
    let document: Value = serde_json::from_str(include_str!("../doctor/testdata/doctor.json")).unwrap();
    let read: Doctor = serde_json::from_value(document).unwrap();
    assert_eq!(complaints(&schema, &serde_json::to_value(read).unwrap()), Vec::<String>::new());
}

#[test]
fn the_document_of_a_check_has_a_published_schema() {
    let schema = published::<CheckReport>(CHECK_SCHEMA, CHECK_VERSION);
    let result = |benchmark: Option<&str>, outcome| TestResult {
        test: ConformanceTest::NoIteration,
        benchmark: benchmark.map(str::to_owned),
        device: benchmark.map(|_| "cpu".to_owned()),
        outcome,
        elapsed_s: 0.25,
    };
    let plugin = record().cases[0].plugin.as_ref().clone();
    let report = CheckReport {
        schema: CHECK_SCHEMA.to_owned(),
        version: CHECK_VERSION,
        dyno_version: "0.1.0".to_owned(),
        seed: 7,
        budget_s: 10.0,
        files: vec![CheckedFile {
            path: "x.so".to_owned(),
            plugin: Some(plugin),
            tests: vec![
                result(None, TestOutcome::Passed),
                result(Some("sum"), TestOutcome::failed("<it> & \"that\"")),
                result(Some("sum"), TestOutcome::noted("hm")),
                result(Some("sum"), TestOutcome::skipped("nothing")),
            ],
        }],
    };
    let document = serde_json::to_value(&report).unwrap();
    assert_eq!(complaints(&schema, &document), Vec::<String>::new());
    let counts = |strict: bool| check_junit(&report, strict).lines().nth(1).unwrap_or_default().to_owned();
    assert!(counts(false).contains("tests=\"4\" failures=\"1\" skipped=\"1\""), "{}", counts(false));
    assert!(counts(true).contains("failures=\"2\""), "{}", counts(true));
    assert!(check_junit(&report, false).contains("&lt;it&gt; &amp;"));
}

#[test]
fn the_documents_of_packages_have_published_schemas() {
    let hash = "0".repeat(64);
    let plugin = value!({"id": "p", "version": "1.0.0", "license": "MIT"});
    let abi = value!({"kind": "wasm", "version": 1});
    let file = |path: &str, role: Value| {
        let mut file = value!({"path": path, "sha256": hash, "size_bytes": 1});
        file.as_object_mut().unwrap().extend(role.as_object().unwrap().clone());
        file
    };
    let manifest = value!({
        "schema": PACKAGE_SCHEMA, "version": PACKAGE_VERSION, "plugin": plugin, "benchmarks": ["b"],
        "files": [
            file("LICENSE", value!({"role": "licence"})),
            file("a/x.so.1", value!({"role": "library", "target": "linux-x86_64"})),
            file("wasm/p.wasm", value!({"role": "plugin", "target": "any", "abi": abi})),
        ],
    });
    let lock = value!({
        "schema": LOCK_SCHEMA, "version": LOCK_VERSION,
        "packages": [{
            "id": "p", "version": "1.0.0", "source": "/p.dyno", "archive_sha256": hash, "manifest_sha256": hash,
            "files": [{"path": "LICENSE", "sha256": hash, "size_bytes": 1}],
        }],
    });
    let index = value!({
        "schema": INDEX_SCHEMA, "version": INDEX_VERSION,
        "packages": [{
            "plugin": plugin, "benchmarks": ["b"], "builds": [{"target": "any", "abi": abi}], "location": "p.dyno",
            "sha256": hash, "size_bytes": 1,
        }],
    });
    PackageManifest::from_json(manifest.to_string().as_bytes()).unwrap();
    PackageLock::from_json(lock.to_string().as_bytes()).unwrap();
    PackageIndex::from_json(index.to_string().as_bytes()).unwrap();
    for (schema, document) in [
        (published::<PackageManifest>(PACKAGE_SCHEMA, PACKAGE_VERSION), manifest),
        (published::<PackageLock>(LOCK_SCHEMA, LOCK_VERSION), lock),
        (published::<PackageIndex>(INDEX_SCHEMA, INDEX_VERSION), index),
    ] {
        assert_eq!(complaints(&schema, &document), Vec::<String>::new());
    }
}

#[test]
fn what_json_cannot_say_is_absent_and_the_rest_reads_back() {
    let mut record = record();
    record.cases[1].metrics[0].mean = f64::NAN;
    record.cases[0].metrics[1].interval.as_mut().unwrap().high = f64::INFINITY;
    let written = read(&json(&record).unwrap()).unwrap();
    assert_eq!(written.cases[1].metrics.len(), record.cases[1].metrics.len() - 1);
    assert_eq!(written.cases[0].metrics[1].interval, None);
    assert_eq!(written.cases[0].metrics[1].median, record.cases[0].metrics[1].median);
    assert_eq!(written.cases[0].launches, record.cases[0].launches);
}

#[test]
fn what_is_no_result_says_what_it_is() {
    let text = json(&record()).unwrap();
    for (text, expected) in [
        (&text[..text.len() / 2], "cut short"),
        ("", "cut short"),
        ("<html>", "not JSON"),
        ("{}", "its `schema` is null"),
        (r#"{"schema":"other"}"#, "\"other\""),
        (r#"{"schema":"dyno.result","version":99}"#, "version 99"),
        (r#"{"schema":"dyno.result","version":1}"#, "damaged: missing field"),
    ] {
        let message = read(text).unwrap_err().to_string();
        assert!(message.contains(expected), "{message}");
    }
}

#[test]
fn a_software_adapter_is_labelled_in_the_row_and_below() {
    let mut record = record();
    let device =
        r#"{"name": "webgpu", "kind": "webgpu", "index": 0, "model": "llvm|pipe", "software": true}"#;
    for case in &mut record.cases[..2] {
        case.device = "webgpu".to_owned();
        case.launches[0].device = Some(serde_json::from_str(device).unwrap());
    }
    let report = markdown(&record);
    assert_eq!(report.matches("| webgpu (software) |").count(), 2, "{report}");
    assert_eq!(
        report.matches("- **webgpu**: software adapter: llvm\\|pipe; its numbers").count(),
        1,
        "{report}"
    );
}

#[test]
fn hostile_text_does_not_become_structure() {
    let mut record = record();
    let shape = |record: &RunRecord| {
        let report = markdown(record);
        let bars = |line: &str| line.replace("\\|", "").matches('|').count();
        let starts = ["# ", "## ", "### ", "- ", "| "];
        let lines: Vec<(usize, usize)> = report
            .lines()
            .map(|line| (starts.iter().position(|start| line.starts_with(start)).unwrap_or(9), bars(line)))
            .collect();
        (lines, report)
    };
    record.cases[2].benchmark = "harmless".to_owned();
    record.cases[2].status = CaseStatus::Failed {
        stage: Stage::Setup,
        reason: Reason { last_output: vec!["one".to_owned(), "two".to_owned()], ..Reason::new("why") },
    };
    let (expected, _) = shape(&record);
    let hostile = "a|b\n# title `code` <script> | \u{1b}[2J";
    record.spec.tags = vec![hostile.to_owned()];
    record.cases[0].benchmark = hostile.to_owned();
    record.cases[0].metrics.last_mut().unwrap().unit = hostile.to_owned();
    Arc::make_mut(&mut record.cases[0].plugin).id = hostile.to_owned();
    record.cases[2].benchmark = hostile.to_owned();
    record.cases[2].status = CaseStatus::Failed {
        stage: Stage::Setup,
        reason: Reason {
            message: hostile.to_owned(),
            exit: Some(Exit::Code(1)),
            last_output: vec!["one\n# two".to_owned(), "two".to_owned()],
        },
    };
    record.cases[3].status = CaseStatus::skipped(SkipCause::Plugin, hostile);
    let (found, report) = shape(&record);
    assert_eq!(found, expected, "{report}");
    assert!(!report.contains('\u{1b}') && !report.contains(" <script>"), "{report}");
}

#[test]
fn a_table_is_no_program() {
    let mut record = record();
    record.cases[0].benchmark = "=cmd()\"x".to_owned();
    record.cases[0].metrics[0].min = -1.5;
    let rows = parse(&csv(&record));
    assert_eq!(rows[1][2], "'=cmd()\"x");
    assert_eq!(rows[1][rows[0].iter().position(|head| head == "min").unwrap()], "-1.5", "a number stays one");
}

proptest! {
    #[test]
    fn every_row_has_every_column_whatever_the_text(text in any::<String>(), more in "[,\"\r\n a=]*") {
        let mut record = record();
        record.cases[0].benchmark.clone_from(&text);
        record.cases[1].benchmark = format!("x{more}");
        for table in [csv(&record), samples_csv(&record)] {
            let rows = parse(&table);
            prop_assert!(rows.iter().all(|row| row.len() == rows[0].len()));
            let shown = |text: &str| -> String { text.chars().map(dyno_core::text::visible).collect() };
            prop_assert!(rows.iter().any(|row| row[2].ends_with(&shown(&text))));
            let expected = shown(&format!("x{more}"));
            prop_assert!(rows.iter().any(|row| row[2] == expected));
        }
    }
}

#[test]
fn other_tools_formats_hold_the_medians_and_are_valid() {
    let record = record();
    let time = record.cases[0].metric("time").unwrap();
    let label = record.series()[0].clone();
    let document: Value = serde_json::from_str(&bmf(&record)).unwrap();
    assert_eq!(document[&label]["latency"]["value"], time.median);
    let read = crate::import::gbench(&gbench(&record)).unwrap();
    assert_eq!(read.cases[0].key.benchmark, label);
    assert_eq!(
        read.cases[0].metrics[0].launches.len(),
        record.cases[0].launches.iter().filter(|it| !it.samples.is_empty()).count()
    );
    let text = openmetrics(&record);
    assert!(text.starts_with("# TYPE dyno_") && text.ends_with("# EOF\n"), "{text}");
    assert!(text.contains(&format!("stat=\"median\"}} {}", time.median)));
    for line in text.lines().filter(|line| !line.starts_with('#')) {
        assert!(line.rsplit_once(' ').is_some_and(|(_, value)| value.parse::<f64>().is_ok()), "{line}");
    }
}
