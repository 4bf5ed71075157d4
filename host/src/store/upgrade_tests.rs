//! A database of each earlier version is opened, read by every question that is ever asked of it, copied and restored.

use std::path::Path;

use duckdb::{AccessMode, Connection, params};
use dyno_core::model::{CaseStatus, Priority, RunRecord, RunStatus};

use super::{
    migrate::{VERSION, make_version},
    open::connect,
    statement::literal,
    tests::{VIEWS, record, restore, store_all},
    *,
};

/// Identifier of a run that waits, in versions with a queue.
const WAITING: &str = "019a0000-0000-7000-8000-000000000002";
const DAY: &str = "2026-01-02T03:04:05.678Z";

/// The version of the tables in a file, which is left as it is.
fn version_of(path: &Path) -> u32 {
    let connection = connect(path, AccessMode::ReadOnly).unwrap();
    connection.query_row("SELECT max(version) FROM schema_version", [], |row| row.get(0)).unwrap()
}

/// A file with the tables of a version and the rows that a dyno of that version wrote: a run of each kind of case, and from the
/// versions that have them on, a baseline, noise, a waiting run, a tag and an entry in the audit log.
fn of_version(path: &Path, version: u32) {
    let source = path.with_extension("source");
    let mut store = Store::open(&source).unwrap();
    store_all(&mut store, &record());
    let mut waits = record();
    waits.id = WAITING.to_owned();
    waits.status = RunStatus::Queued;
    waits.finished_at = None;
    waits.cases.truncate(2);
    for case in &mut waits.cases {
        case.status = CaseStatus::Queued;
        case.launches.clear();
        case.metrics.clear();
    }
    store.begin_run(&waits).unwrap();
    drop(store);
    let mut connection = connect(path, AccessMode::ReadWrite).unwrap();
    make_version(&mut connection, version).unwrap();
    let attach = format!("ATTACH {} AS source (READ_ONLY)", literal(source.to_str().unwrap()));
    connection.execute_batch(&attach).unwrap();
    for table in ["runs", "plugins", "cases", "launches", "environments", "samples", "metrics"] {
        copy(&connection, table);
    }
    connection.execute_batch("DETACH source").unwrap();
    if version < 6 {
        // Only later versions know the cause.
        let sql = "UPDATE cases SET status_json = replace(status_json, ',\"cause\":\"no_device\"', '')";
        connection.execute_batch(sql).unwrap();
    }
    if version < 3 {
        connection.execute("DELETE FROM runs WHERE id = ?", [WAITING]).unwrap();
        connection.execute_batch("DELETE FROM cases WHERE run_no = 2").unwrap();
    }
    let run = record().id;
    if version >= 2 {
        connection.execute("INSERT INTO baselines VALUES ('main', ?, 'main', '2026-01-03')", [&run]).unwrap();
        let noise =
            "INSERT INTO noise (created_at, machine_fingerprint, label, comparisons, alarms, pairs, variance)
                     VALUES ('2026-01-03', 'm', 'gemm n=1 (native, cpu)', 2, 1, 10, 0.1)";
        connection.execute_batch(noise).unwrap();
        let accepted = "INSERT INTO accepted_changes VALUES (?, 'gemm', 'wanted', '2026-01-03')";
        connection.execute(accepted, [&run]).unwrap();
        connection
            .execute_batch(
                "INSERT INTO comparisons VALUES ('c', '2026-01-03', 'stored', 'a', 'b', 0, 0, 1, 0, '{}')",
            )
            .unwrap();
    }
    if version >= 3 {
        let submission = "INSERT INTO submissions (run_id, priority, owner, submitted_at, request_json)
                          VALUES (?, 'high', 'ci', '2026-01-02 03:04:05.678', '{\"benchmarks\":[\"gemm\"],\"baseline\":\"main\"}')";
        connection.execute(submission, [WAITING]).unwrap();
        if version >= 7 {
            connection
                .execute_batch("UPDATE submissions SET baseline = 'main', incremental = FALSE")
                .unwrap();
        }
        let tag = "INSERT INTO annotations VALUES (?, 'release', 'the first', 'ci', '2026-01-03')";
        connection.execute(tag, [&run]).unwrap();
        connection
            .execute("UPDATE runs SET tags = list_append(tags, 'release') WHERE id = ?", [&run])
            .unwrap();
        connection
            .execute_batch(
                "INSERT INTO audit VALUES ('2026-01-03', 'r', 'ci', '127.0.0.1', 'POST', '/api/runs', 201);
                 INSERT INTO disabled_plugins VALUES ('alpha', 'ci', '2026-01-03')",
            )
            .unwrap();
    }
    if version >= 6 {
        connection.execute("INSERT INTO run_ends VALUES (?, 12.5, 1.0)", params![run]).unwrap();
    }
}

/// Copies the columns of a table that this version has.
fn copy(connection: &Connection, table: &str) {
    let sql =
        "SELECT string_agg('\"' || column_name || '\"', ', ' ORDER BY column_index) FROM duckdb_columns()
               WHERE database_name = current_database() AND table_name = ?";
    let columns: String = connection.query_row(sql, [table], |row| row.get(0)).unwrap();
    connection.execute_batch(&format!("INSERT INTO {table} SELECT {columns} FROM source.{table}")).unwrap();
}

/// What is read of the run of a version: the record, without what that version did not store.
fn expected(version: u32) -> RunRecord {
    let mut expected = record();
    if version < 5 {
        for case in &mut expected.cases {
            std::sync::Arc::make_mut(&mut case.plugin).build = None;
        }
    }
    expected
}

/// Asks everything that is ever asked.
fn read_everything(store: &mut Store, version: u32, folder: &Path) {
    let run = record().id;
    assert_eq!(store.run(&run, true).unwrap(), expected(version), "version {version}");
    let count = if version >= 3 { 2 } else { 1 };
    let all = RunFilter { limit: 10, ..RunFilter::default() };
    assert_eq!(store.runs(&all).unwrap().len(), count);
    let series = store.history("gemm", "time").unwrap();
    assert!(series.iter().any(|series| !series.points.is_empty()), "version {version}");
    let latest = LatestFilter { metric: "time".to_owned(), benchmark: None, limit: 10, recent: 10 };
    assert_eq!(store.latest(&latest).unwrap().series.len(), 2);
    let rows = store.result_rows(&ResultFilter { limit: 100, ..ResultFilter::default() }).unwrap();
    assert_eq!(rows.len(), 10);
    assert_eq!(
        store.performance(&PerformanceFilter { limit: 10, ..PerformanceFilter::default() }).unwrap().len(),
        2
    );
    assert!(!store.compatibility().unwrap().is_empty());
    assert_eq!(store.case_samples(&run, 0).unwrap().len(), 2);
    assert!(store.distribution(&run, 0, SampleMetric::Time, 3, 10).unwrap().samples > 0);
    store.write_parquet(&run, &folder.join("samples.parquet")).unwrap();
    assert!(store.run_end(&run).unwrap().is_some_and(|end| end.elapsed_s > 0.0));
    assert!(store.seconds_per_case().unwrap().is_some());
    assert!(store.drift(&record().machine.fingerprint).unwrap().is_empty());
    assert!(store.benchmarks().unwrap().contains(&"gemm".to_owned()));
    let baselines = usize::from(version >= 2);
    assert_eq!(store.baselines().unwrap().len(), baselines);
    assert_eq!(store.noise("m").unwrap().len(), baselines);
    assert_eq!(store.accepted_changes("gemm").unwrap().len(), baselines);
    let since_server = usize::from(version >= 3);
    assert_eq!(store.queued().unwrap().len(), since_server);
    assert_eq!(store.outlines().unwrap().len(), since_server);
    assert_eq!(store.audited(10).unwrap().len(), since_server);
    assert_eq!(store.disabled_plugins().unwrap().len(), since_server);
    let notes = store.annotations(&run).unwrap();
    assert_eq!(notes.iter().filter(|it| it.note == "the first").count(), since_server);
    if version >= 3 {
        let submission = store.submission(WAITING).unwrap().unwrap();
        assert_eq!((submission.priority, submission.owner.as_str()), (Priority::High, "ci"));
        assert_eq!((submission.baseline.as_deref(), submission.incremental), (Some("main"), false));
    }
    store.confine(folder).unwrap();
    for view in VIEWS {
        let limits = SqlLimits::new(SqlCaller::Owner, 10, std::time::Duration::from_secs(60));
        let answer = store.select(&format!("SELECT * FROM {view}"), limits, &SqlBrake::default()).unwrap();
        assert!(!answer.rows.is_empty(), "version {version}: {view}");
    }
    assert!(store.outdated(&KeptSince::default()).unwrap().is_empty());
}

/// Writes all that a run writes, after the upgrade.
fn write(store: &mut Store) {
    let mut run = record();
    run.id = "019a0000-0000-7000-8000-000000000003".to_owned();
    store_all(store, &run);
    assert_eq!(store.run("last", true).unwrap(), run);
    store.save_baseline("next", &run.id, None, DAY).unwrap();
    store.thin(&run.id).unwrap();
    store.delete_run(&run.id).unwrap();
}

#[test]
fn a_database_of_every_version_is_read_and_written_on() {
    for version in 1..VERSION {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("d.duckdb");
        of_version(&path, version);
        let older = Store::open_read_only(&path);
        assert!(matches!(older, Err(StoreError::Older { found, .. }) if found == version), "{older:?}");
        let mut store = Store::open(&path).unwrap();
        read_everything(&mut store, version, folder.path());
        write(&mut store);
        drop(store);
        assert_eq!(version_of(&path), VERSION);
        let mut store = Store::open_read_only(&path).unwrap();
        read_everything(&mut store, version, folder.path());
    }
}

#[test]
fn a_backup_of_every_version_leaves_the_database_as_it_was_and_is_restored() {
    for version in 1..=VERSION {
        let folder = tempfile::tempdir().unwrap();
        let (path, backup) = (folder.path().join("d.duckdb"), folder.path().join("b.duckdb"));
        of_version(&path, version);
        let store = Store::open_as_it_is(&path).unwrap();
        let snapshot = store.snapshot().unwrap();
        std::io::copy(&mut snapshot.open().unwrap(), &mut std::fs::File::create(&backup).unwrap()).unwrap();
        drop((snapshot, store));
        assert_eq!((version_of(&path), version_of(&backup)), (version, version));
        let samples: u64 = record()
            .cases
            .iter()
            .flat_map(|case| &case.launches)
            .map(|launch| launch.samples.len() as u64)
            .sum();
        let runs = if version >= 3 { 2 } else { 1 };
        assert_eq!(examine(&backup).unwrap(), Contents { version, runs, samples });
        let restored = folder.path().join("new/d.duckdb");
        let told = restore(&backup, &restored).unwrap();
        assert_eq!((told.contents.version, told.previous), (version, None));
        assert_eq!(version_of(&backup), version, "the backup is not changed");
        let mut store = Store::open_read_only(&restored).unwrap();
        read_everything(&mut store, version, folder.path());
    }
}
