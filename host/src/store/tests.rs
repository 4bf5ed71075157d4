//! What is written is read back, and what another process left is dealt with.

use dyno_core::model::{CaseStatus, RunRecord, RunStatus, Sample};

use super::*;

fn record() -> RunRecord {
    serde_json::from_str(include_str!("../export/testdata/record.json"))
        .expect("the test's own record is valid")
}

/// Stores a whole run the way that the runner does.
fn store_all(store: &mut Store, record: &RunRecord) {
    let mut begun = record.clone();
    begun.status = RunStatus::Running;
    for case in &mut begun.cases {
        case.status = CaseStatus::Queued;
        case.launches.clear();
        case.metrics.clear();
    }
    store.begin_run(&begun).unwrap();
    for case in &record.cases {
        for launch in &case.launches {
            store.commit_launch(&record.id, case.index, launch).unwrap();
        }
        store.finish_case(&record.id, case).unwrap();
    }
    if let Some(finished) = &record.finished_at {
        store.finish_run(&record.id, record.status, finished).unwrap();
    }
}

#[test]
fn a_run_survives_a_round_trip() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("sub/dyno.duckdb");
    let record = record();
    store_all(&mut Store::open(&path).unwrap(), &record);
    let store = Store::open_read_only(&path).unwrap();
    assert_eq!(store.run("last", true).unwrap(), record);
    assert_eq!(store.run(&record.id[..20], false).unwrap().cases.len(), record.cases.len());
    let bare = store.run("last", false).unwrap();
    assert!(bare.cases.iter().flat_map(|case| &case.launches).all(|launch| launch.samples.is_empty()));
}

#[test]
fn an_unfinished_run_is_interrupted_at_the_next_opening_and_keeps_its_launches() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("dyno.duckdb");
    let mut unfinished = record();
    unfinished.finished_at = None;
    store_all(&mut Store::open(&path).unwrap(), &unfinished);
    let store = Store::open(&path).unwrap();
    let found = store.run("last", true).unwrap();
    assert_eq!(found.status, RunStatus::Interrupted);
    assert_eq!(found.cases[0].launches, unfinished.cases[0].launches);
}

#[test]
fn runs_are_listed_and_found() {
    let folder = tempfile::tempdir().unwrap();
    let mut store = Store::open(&folder.path().join("dyno.duckdb")).unwrap();
    let message = store.run("last", false).unwrap_err().to_string();
    assert!(message.contains("holds none yet"), "{message}");
    let first = record();
    let mut second = record();
    second.id = format!("{}9", &first.id[..first.id.len() - 1]);
    second.spec.tags = vec!["nightly".to_owned()];
    store_all(&mut store, &first);
    store_all(&mut store, &second);
    let ids =
        |filter: &RunFilter| store.runs(filter).unwrap().into_iter().map(|run| run.id).collect::<Vec<_>>();
    assert_eq!(ids(&RunFilter { limit: 10, tag: None }), [second.id.clone(), first.id.clone()]);
    assert_eq!(ids(&RunFilter { limit: 10, tag: Some("nightly".to_owned()) }), [second.id.clone()]);
    assert_eq!(store.run("last~1", false).unwrap().id, first.id);
    let message = store.run(&first.id[..8], false).unwrap_err().to_string();
    assert!(message.contains("it is the beginning of"), "{message}");
    let message = store.run("zzz", false).unwrap_err().to_string();
    assert!(message.contains("`zzz`") && message.contains(&second.id), "{message}");
}

#[test]
fn the_views_of_the_original_suite_have_its_columns() {
    let folder = tempfile::tempdir().unwrap();
    let mut store = Store::open(&folder.path().join("dyno.duckdb")).unwrap();
    store_all(&mut store, &record());
    let count = |sql: &str| store.connection.query_row(sql, [], |row| row.get::<_, i64>(0)).unwrap();
    assert_eq!(
        count(
            "SELECT count(model_name) FROM performance_results_view WHERE average_latency_ms > 0 AND NOT simulation_mode"
        ),
        2
    );
    assert_eq!(count("SELECT count(*) FROM latest_performance_results"), 2);
    assert_eq!(count("SELECT count(*) FROM hardware_compatibility_view WHERE is_compatible"), 2);
}

#[test]
fn what_is_no_database_and_a_newer_one_are_refused() {
    let folder = tempfile::tempdir().unwrap();
    let text = folder.path().join("text.duckdb");
    std::fs::write(&text, "hello, I am not a database at all, but long enough to look like one").unwrap();
    assert!(matches!(Store::open(&text), Err(StoreError::Open { .. })));
    let newer = folder.path().join("newer.duckdb");
    let store = Store::open(&newer).unwrap();
    store
        .connection
        .execute_batch("INSERT INTO schema_version VALUES (99, current_timestamp::TIMESTAMP)")
        .unwrap();
    drop(store);
    let message = Store::open(&newer).unwrap_err().to_string();
    assert!(message.contains("version 99"), "{message}");
}

#[test]
fn many_samples_are_stored_in_order() {
    let folder = tempfile::tempdir().unwrap();
    let mut store = Store::open(&folder.path().join("dyno.duckdb")).unwrap();
    let mut record = record();
    let sample = record.cases[0].launches[0].samples[0];
    record.cases[0].launches[0].samples =
        (0..10_000).map(|number| Sample { wall_ns: number + 1, ..sample }).collect();
    store_all(&mut store, &record);
    assert_eq!(
        store.run("last", true).unwrap().cases[0].launches[0].samples,
        record.cases[0].launches[0].samples
    );
}
