//! What is written is read back, and what another process left is dealt with.

use std::{path::Path, sync::Arc};

use duckdb::AccessMode;
use dyno_core::model::{
    CaseRecord, CaseStatus, MetricSummary, PluginRef, Priority, Reason, RunRecord, RunStatus, Sample,
    SkipCause, Stage,
};

use super::{open::connect, *};

pub(super) fn record() -> RunRecord {
    serde_json::from_str(include_str!("../export/testdata/record.json"))
        .expect("the test's own record is valid")
}

/// The views of the suite that dyno replaces.
pub(super) const VIEWS: [&str; 8] = [
    "performance_results_view",
    "hardware_compatibility_view",
    "latest_performance_results",
    "models",
    "hardware_platforms",
    "test_runs",
    "performance_results",
    "hardware_compatibility",
];

/// Stores a whole run the way that the runner does.
/// Restores a backup that no process has to be protected from.
pub(super) fn restore(backup: &Path, database: &Path) -> Result<Restored, StoreError> {
    let restoring = Restoring::begin(backup, database)?;
    let contents = examine(&restoring.copy())?;
    restoring.replace(contents)
}

pub(super) fn store_all(store: &mut Store, record: &RunRecord) {
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
    second.spec.tags = vec!["nightly".to_owned(), "a \"b\", [c]\n'; DROP TABLE runs; --\\".to_owned()];
    store_all(&mut store, &first);
    store_all(&mut store, &second);
    let ids =
        |filter: &RunFilter| store.runs(filter).unwrap().into_iter().map(|run| run.id).collect::<Vec<_>>();
    let any = RunFilter { limit: 10, ..RunFilter::default() };
    assert_eq!(ids(&any), [second.id.clone(), first.id.clone()]);
    assert_eq!(ids(&RunFilter { limit: 1, ..any.clone() }), [second.id.clone()]);
    for tag in &second.spec.tags {
        assert_eq!(ids(&RunFilter { tag: Some(tag.clone()), ..any.clone() }), [second.id.clone()], "{tag}");
    }
    for (benchmark, expected) in [("gemm", 2), ("boom", 2), ("nosuch", 0)] {
        assert_eq!(ids(&RunFilter { benchmark: Some(benchmark.to_owned()), ..any.clone() }).len(), expected);
    }
    for (status, expected) in [(RunStatus::Completed, 2), (RunStatus::Interrupted, 0)] {
        assert_eq!(ids(&RunFilter { status: Some(status), ..any.clone() }).len(), expected);
    }
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
    let mut record = record();
    store_all(&mut store, &record);
    record.id = "later".to_owned();
    store_all(&mut store, &record);
    let rows = |sql: &str| {
        store.rows(sql, [], |row| row.get::<_, String>(0)).unwrap_or_else(|error| panic!("{sql}: {error}"))
    };
    let performance = "SELECT concat_ws('|', model_name, model_family, hardware_type, device_name, test_case, batch_size,
        precision, throughput_items_per_second IS NULL, average_latency_ms > 0, memory_peak_mb > 0, simulation_mode,
        simulation_details, metrics, created_at) FROM";
    assert_eq!(rows(&format!("{performance} performance_results_view")).len(), 4);
    // Other parameters are another result, even where the columns of the original suite are equal.
    let latest = rows(&format!("{performance} latest_performance_results WHERE run_id = 'later'"));
    assert_eq!(latest.len(), 2);
    let cpu = &record.machine.cpu.model;
    assert!(
        latest.iter().all(|row| row.starts_with(&format!("gemm|linear-algebra|cpu|{cpu}|gemm|fp32|"))),
        "{latest:?}"
    );
    assert_eq!(rows("SELECT run_id FROM latest_performance_results WHERE run_id <> 'later'").len(), 0);
    let compatibility = rows(
        "SELECT concat_ws('|', model_name, hardware_type, is_compatible, detection_success, initialization_success,
            error_type, error_message) FROM hardware_compatibility_view WHERE run_id = 'later' ORDER BY compatibility_id",
    );
    assert_eq!(
        compatibility,
        [
            "gemm|cpu|true|true|true",
            "gemm|cpu|true|true|true",
            "boom|cpu|false|true|false|failed|the worker process ended in this stage with signal SIGSEGV (11)",
            "fft|cuda|false|false|false|skipped|device `cuda` is not available: no NVIDIA driver",
            "slow|cpu|false|true|true|timed_out|the stage took longer than 2 s",
        ]
    );
}

#[test]
fn the_tables_of_the_original_suite_can_be_joined_as_its_dashboard_does() {
    let folder = tempfile::tempdir().unwrap();
    let mut store = Store::open(&folder.path().join("dyno.duckdb")).unwrap();
    let record = record();
    store_all(&mut store, &record);
    store.record_end(&record.id, RunEnd { elapsed_s: 7.5, progress: None }).unwrap();
    let rows = |sql: &str| {
        store.rows(sql, [], |row| row.get::<_, String>(0)).unwrap_or_else(|error| panic!("{sql}: {error}"))
    };
    let joined = rows(
        "SELECT concat_ws('|', model_name, model_family, model_type, hardware_type, device_name, latency > 0, memory > 0, results)
         FROM (
           SELECT m.model_name, m.model_family, m.model_type, h.hardware_type, h.device_name,
                  avg(pr.average_latency_ms) AS latency, max(pr.memory_peak_mb) AS memory, count(*) AS results
           FROM performance_results pr
           JOIN models m ON pr.model_id = m.model_id
           JOIN hardware_platforms h ON pr.hardware_id = h.hardware_id
           GROUP BY ALL)",
    );
    let cpu = &record.machine.cpu.model;
    assert_eq!(joined, [format!("gemm|linear-algebra|benchmark|cpu|{cpu}|true|true|2")]);
    let tested = rows(
        "SELECT concat_ws('|', run_id, test_type, execution_time_seconds, success, results) FROM (
           SELECT t.run_id, t.test_type, t.execution_time_seconds, t.success, count(*) AS results
           FROM test_runs t JOIN performance_results pr ON pr.run_id = t.run_id GROUP BY ALL)",
    );
    assert_eq!(tested, [format!("{}|performance|7.5|true|2", record.id)]);
    // Every number names one thing, and leads somewhere.
    for (table, key) in [("models", "model_id"), ("hardware_platforms", "hardware_id")] {
        assert_eq!(
            rows(&format!("SELECT {key}::VARCHAR FROM {table} GROUP BY ALL HAVING count(*) > 1")),
            [""; 0]
        );
        for side in ["hardware_compatibility", "performance_results_view"] {
            let lost =
                format!("SELECT {key}::VARCHAR FROM {side} WHERE {key} NOT IN (SELECT {key} FROM {table})");
            assert_eq!(rows(&lost), [""; 0], "{side}");
        }
    }
}

#[test]
fn a_case_says_what_runs_where_only_if_it_tried() {
    let folder = tempfile::tempdir().unwrap();
    let mut store = Store::open(&folder.path().join("dyno.duckdb")).unwrap();
    let mut record = record();
    let template = record.cases[0].clone();
    let skipped = |cause| CaseStatus::skipped(cause, "a sentence");
    let lease = CaseStatus::Failed { stage: Stage::Lease, reason: Reason::new("the device was taken") };
    let cases = [
        ("known", "cpu", skipped(SkipCause::KnownResult)),
        ("outdated", "cpu", skipped(SkipCause::Request)),
        ("busy", "cpu", lease),
        // This plugin has it for the processor, another one for the device: it runs there.
        ("shared", "webgpu:0", CaseStatus::Completed),
        ("shared", "webgpu:0", skipped(SkipCause::OtherHardware)),
        // Nobody has it for that device.
        ("alone", "webgpu:0", skipped(SkipCause::OtherHardware)),
        ("absent", "cuda", skipped(SkipCause::NoDevice)),
        ("picky", "cpu", skipped(SkipCause::Plugin)),
    ];
    record.cases = (0..)
        .zip(cases)
        .map(|(index, (benchmark, device, status))| CaseRecord {
            index,
            benchmark: benchmark.to_owned(),
            device: device.to_owned(),
            status,
            ..template.clone()
        })
        .collect();
    store_all(&mut store, &record);
    let told = |sql: &str| store.rows(sql, [], |row| row.get::<_, String>(0)).unwrap();
    assert_eq!(
        told(
            "SELECT concat_ws('|', model_name, hardware_type, is_compatible, detection_success)
              FROM hardware_compatibility_view ORDER BY compatibility_id"
        ),
        [
            "shared|webgpu|true|true",
            "alone|webgpu|false|true",
            "absent|cuda|false|false",
            "picky|cpu|false|true"
        ]
    );
    let pair = |model: &str, hardware: &str, runs| (model.to_owned(), hardware.to_owned(), runs);
    let pairs = store.compatibility().unwrap();
    assert!(pairs.contains(&pair("shared", "webgpu", true)) && !pairs.contains(&pair("known", "cpu", false)));
    let listed = store.runs(&RunFilter { limit: 1, ..RunFilter::default() }).unwrap();
    assert_eq!((listed[0].failed, listed[0].with_result), (1, 2));
}

#[test]
fn the_samples_of_one_case_are_read_alone() {
    let folder = tempfile::tempdir().unwrap();
    let mut store = Store::open(&folder.path().join("dyno.duckdb")).unwrap();
    let record = record();
    store_all(&mut store, &record);
    for case in &record.cases {
        let expected: Vec<LaunchSamples> = case
            .launches
            .iter()
            .map(|it| LaunchSamples { launch: it.index, samples: it.samples.clone(), samples_taken: None })
            .collect();
        assert_eq!(store.case_samples("last", case.index).unwrap(), expected);
    }
    let refused = store.case_samples(&record.id[..20], 9).unwrap_err();
    assert_eq!(
        refused.to_string(),
        format!("run {} has no case 9; it has {}, numbered from 0", record.id, record.cases.len())
    );
    assert!(refused.is_usage());
    assert_eq!(store.run_id("last").unwrap(), record.id);
}

#[test]
fn a_clock_that_is_set_back_changes_no_order_and_no_duration() {
    let folder = tempfile::tempdir().unwrap();
    let mut store = Store::open(&folder.path().join("dyno.duckdb")).unwrap();
    let times = ["2026-01-02T03:00:00.000Z", "2026-01-02T02:00:00.000Z", "2026-01-02T01:00:00.000Z"];
    let ids: Vec<String> = (0..times.len()).map(|number| format!("run-{number}")).collect();
    for (id, at) in ids.iter().zip(times) {
        let queued = RunRecord { id: id.clone(), created_at: at.to_owned(), ..queued_record() };
        let submission = Submitted { submitted_at: at.to_owned(), ..submission(Priority::High) };
        store.submit(&queued, &submission).unwrap();
        store.save_baseline("main", id, None, at).unwrap();
        store.accept_change("run-0", "gemm", id, at).unwrap();
    }
    let order: Vec<String> = store.queued().unwrap().into_iter().map(|queued| queued.run).collect();
    assert_eq!(order, ids);
    assert_eq!(store.baseline("main").unwrap(), ids[2], "the newest is the last that was saved");
    assert_eq!(store.baselines().unwrap()[0].1, ids[2]);
    assert_eq!(store.accepted_changes("gemm").unwrap()["run-0"], ids[2]);
    // It ends an hour before it begins.
    let begun = RunRecord { id: ids[0].clone(), ..queued_record() };
    store.begin_queued(&begun, times[0]).unwrap();
    store.finish_run(&ids[0], RunStatus::Completed, times[1]).unwrap();
    store.record_end(&ids[0], RunEnd { elapsed_s: 10.0, progress: None }).unwrap();
    store.record_end(&ids[0], RunEnd { elapsed_s: 9.0, progress: Some(0.5) }).unwrap();
    assert_eq!(store.run_end(&ids[0]).unwrap(), Some(RunEnd { elapsed_s: 10.0, progress: Some(0.5) }));
    assert_eq!(store.run_end(&ids[1]).unwrap(), None);
    assert_eq!(store.seconds_per_case().unwrap(), Some(10.0 / begun.cases.len() as f64));
    store.delete_run(&ids[0]).unwrap();
    assert_eq!(store.run_end(&ids[0]).unwrap(), None);
}

#[test]
fn what_is_no_database_of_this_dyno_is_refused_and_left_alone() {
    let folder = tempfile::tempdir().unwrap();
    let text = folder.path().join("text.duckdb");
    let content = "hello, I am not a database at all ".repeat(1000);
    std::fs::write(&text, &content).unwrap();
    for refused in [Store::open(&text), Store::open_read_only(&text)] {
        let error = refused.unwrap_err();
        assert!(matches!(error, StoreError::NotADatabase { .. }), "{error}");
        assert!(error.to_string().contains("text.duckdb"), "{error}");
    }
    assert_eq!(std::fs::read_to_string(&text).unwrap(), content);
    let missing = Store::open_read_only(&folder.path().join("missing.duckdb")).unwrap_err();
    assert!(matches!(missing, StoreError::Open { .. }), "{missing}");
    assert!(matches!(Store::open(folder.path()), Err(StoreError::Open { .. })), "a folder is no file");
    let blocked = Store::open(&text.join("x.duckdb")).unwrap_err().to_string();
    assert!(blocked.contains("its folder cannot be made"), "{blocked}");
}

#[test]
fn damage_is_named_with_what_to_do_and_changes_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("d.duckdb");
    let log = folder.path().join("d.duckdb.wal");
    let mut store = Store::open(&path).unwrap();
    store.begin_run(&record()).unwrap();
    drop(store);
    // As a crash of the machine leaves a log that was not written out.
    std::fs::write(&log, vec![0; 5_000]).unwrap();
    for refused in [Store::open(&path), Store::open_read_only(&path)] {
        let error = refused.unwrap_err();
        assert!(matches!(&error, StoreError::EmptyLog { .. }), "{error}");
        assert!(error.to_string().contains("move that file away"), "{error}");
    }
    assert_eq!(std::fs::read(&log).unwrap().len(), 5_000);
    std::fs::remove_file(&log).unwrap();
    // Bytes of the file that are not what was written.
    let good = std::fs::read(&path).unwrap();
    let mut bad = good.clone();
    bad.iter_mut().skip(12_288).for_each(|byte| *byte ^= 0x5a);
    std::fs::write(&path, &bad).unwrap();
    for refused in [Store::open(&path), Store::open_read_only(&path)] {
        let said = refused.unwrap_err().to_string();
        assert!(said.contains("damaged") && said.contains("backup"), "{said}");
    }
    std::fs::write(&path, good).unwrap();
    assert_eq!(
        Store::open(&path).unwrap().runs(&RunFilter { limit: 10, ..RunFilter::default() }).unwrap().len(),
        1
    );
}

#[test]
fn very_many_cases_and_tags_are_stored_in_their_order_and_given_up_at_once() {
    let folder = tempfile::tempdir().unwrap();
    let mut store = Store::open(&folder.path().join("d.duckdb")).unwrap();
    let mut run = record();
    let one = run.cases[0].clone();
    run.cases = (0..20_000).map(|index| CaseRecord { index, launches: Vec::new(), ..one.clone() }).collect();
    run.cases.iter_mut().for_each(|case| {
        case.metrics.clear();
        case.status = CaseStatus::Queued;
    });
    run.spec.tags = vec!["b, c".to_owned(), "a'".to_owned(), "größe".to_owned()];
    store.begin_run(&run).unwrap();
    let stored = store.run(&run.id, false).unwrap();
    assert_eq!(stored.cases, run.cases);
    assert_eq!(store.annotations(&run.id).unwrap().len(), 3);
    run.cases.iter_mut().for_each(|case| case.status = CaseStatus::Cancelled);
    run.cases[7].status = CaseStatus::skipped(SkipCause::Plugin, "it's off");
    // Without neighbours that ended the same way.
    run.cases.iter_mut().take(5_000).step_by(2).for_each(|case| case.status = CaseStatus::Completed);
    store.end_unbegun(&run.id, &run.cases).unwrap();
    assert_eq!(store.run(&run.id, false).unwrap().cases, run.cases);
}

#[test]
fn a_newer_and_an_older_database_say_their_versions() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("dyno.duckdb");
    let set = |version: u32| {
        let connection = connect(&path, AccessMode::ReadWrite).unwrap();
        connection.execute("UPDATE schema_version SET version = ?", [version]).unwrap();
    };
    drop(Store::open(&path).unwrap());
    set(99);
    for refused in [Store::open(&path), Store::open_read_only(&path)] {
        assert!(matches!(refused, Err(StoreError::Newer { found: 99, .. })), "{refused:?}");
    }
    set(0);
    assert!(matches!(Store::open_read_only(&path), Err(StoreError::Older { found: 0, .. })));
}

#[test]
fn one_process_cannot_open_it_twice() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("dyno.duckdb");
    let first = Store::open(&path).unwrap();
    let link = folder.path().join("link.duckdb");
    std::os::unix::fs::symlink(&path, &link).unwrap();
    for refused in [Store::open(&path), Store::open_read_only(&path), Store::open(&link)] {
        let error = refused.unwrap_err();
        assert!(error.to_string().contains("open in this process"), "{error}");
    }
    drop(first);
    drop(Store::open(&link).unwrap());
    drop(Store::open_read_only(&path).unwrap());
}

#[test]
fn a_number_that_is_none_is_refused_with_its_name() {
    let folder = tempfile::tempdir().unwrap();
    let mut store = Store::open(&folder.path().join("dyno.duckdb")).unwrap();
    let good = record();
    store.begin_run(&good).unwrap();
    let mut launch = good.cases[0].launches[0].clone();
    launch.samples[1].work.flop = f64::NAN;
    let refused = store.commit_launch(&good.id, 0, &launch).unwrap_err().to_string();
    assert!(refused.contains("`flop` is NaN"), "{refused}");
    let mut case = good.cases[0].clone();
    case.metrics[0].median = f64::INFINITY;
    let refused = store.finish_case(&good.id, &case).unwrap_err().to_string();
    assert!(refused.contains("gemm") && refused.contains("`median` is inf"), "{refused}");
    let stored = store.run("last", true).unwrap();
    assert!(stored.cases[0].launches.is_empty() && stored.cases[0].metrics.is_empty());
}

#[test]
fn metrics_and_samples_can_be_asked_for_in_sql() {
    let folder = tempfile::tempdir().unwrap();
    let mut store = Store::open(&folder.path().join("dyno.duckdb")).unwrap();
    let record = record();
    store_all(&mut store, &record);
    let number = |sql: &str| store.connection.query_row(sql, [], |row| row.get::<_, f64>(0)).unwrap();
    let expected = |metric: &MetricSummary| metric.median;
    assert_eq!(
        number("SELECT median FROM metrics WHERE name = 'time' AND case_no = 1"),
        expected(record.cases[1].metric("time").unwrap())
    );
    let samples: usize =
        record.cases.iter().flat_map(|case| &case.launches).map(|launch| launch.samples.len()).sum();
    assert_eq!(
        number(
            "SELECT count(*)::DOUBLE FROM samples JOIN launches USING (run_no, case_no, launch_no)
             JOIN environments USING (run_no, case_no, launch_no) JOIN cases USING (run_no, case_no) JOIN runs USING (run_no)"
        ),
        samples as f64
    );
    assert_eq!(number("SELECT count(*)::DOUBLE FROM comparisons"), 0.0);
}

#[test]
fn a_plugin_is_one_row_however_often_it_is_seen() {
    let folder = tempfile::tempdir().unwrap();
    let mut store = Store::open(&folder.path().join("dyno.duckdb")).unwrap();
    let record = record();
    store_all(&mut store, &record);
    let mut plugin = PluginRef::clone(&record.cases[0].plugin);
    plugin.path = "/elsewhere/kernels.so".to_owned();
    let descriptor = serde_json::from_value(serde_json::json!({
        "schema": dyno_plugin_api::descriptor::SCHEMA,
        "plugin": {"id": plugin.id, "version": plugin.version},
        "abi": {"kind": "native", "version": 1, "layout_hash": "00"},
        "benchmarks": [],
    }))
    .unwrap();
    store.record_plugins(&[(&plugin, &descriptor)], "2027-01-01T00:00:00.000Z").unwrap();
    store_all(&mut store, &RunRecord { id: "later".to_owned(), ..record.clone() });
    let row: (String, i32, i32, bool, i64) = store
        .connection
        .query_row(
            "SELECT path, year(first_seen), year(last_seen), contains(descriptor_json, plugin_id), count(*) OVER ()
             FROM plugins WHERE sha256 = ?",
            [&plugin.sha256],
            |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?, row.get(4)?)),
        )
        .unwrap();
    assert_eq!(row, (record.cases[0].plugin.path.clone(), 2026, 2026, true, 1));
}

#[test]
fn the_log_does_not_grow_without_bound() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("dyno.duckdb");
    let mut store = Store::open(&path).unwrap();
    let record = record();
    store.begin_run(&record).unwrap();
    let mut launch = record.cases[0].launches[0].clone();
    launch.samples = (0..20_000).map(|number| Sample { wall_ns: number, ..launch.samples[0] }).collect();
    let mut largest = 0;
    for index in 0..30 {
        launch.index = index;
        store.commit_launch(&record.id, 0, &launch).unwrap();
        largest =
            largest.max(std::fs::metadata(folder.path().join("dyno.duckdb.wal")).map_or(0, |log| log.len()));
    }
    assert!(largest < 32 << 20, "the log grew to {largest} bytes");
    drop(store);
    assert!(!folder.path().join("dyno.duckdb.wal").exists(), "closing folds the log into the file");
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

fn submission(priority: Priority) -> Submitted {
    Submitted {
        priority,
        owner: "ci".to_owned(),
        submitted_at: "2026-01-02T03:04:05.678Z".to_owned(),
        begun_at: None,
        request: "{\"benchmarks\":[\"a\"]}".to_owned(),
        baseline: Some("main".to_owned()),
        incremental: true,
    }
}

fn queued_record() -> RunRecord {
    let mut queued = record();
    queued.status = RunStatus::Queued;
    queued.finished_at = None;
    for case in &mut queued.cases {
        case.status = CaseStatus::Queued;
        case.launches.clear();
        case.metrics.clear();
    }
    queued
}

#[test]
fn cases_are_written_once_if_they_are_the_same_when_the_run_begins() {
    let folder = tempfile::tempdir().unwrap();
    let mut store = Store::open(&folder.path().join("dyno.duckdb")).unwrap();
    let run = queued_record();
    store.submit(&run, &submission(Priority::High)).unwrap();
    let row = |store: &Store| -> i64 {
        store.connection.query_row("SELECT max(rowid) FROM cases", [], |row| row.get(0)).unwrap()
    };
    let before = row(&store);
    store.begin_queued(&run, "2026-01-02T03:05:00.000Z").unwrap();
    assert_eq!((row(&store), &store.run(&run.id, false).unwrap().cases), (before, &run.cases));
    // Built anew while it waited.
    let mut other = run.clone();
    Arc::make_mut(&mut other.cases[0].plugin).sha256 = "another".to_owned();
    store.begin_queued(&other, "2026-01-02T03:06:00.000Z").unwrap();
    assert!(row(&store) > before);
    assert_eq!(store.run(&run.id, false).unwrap().cases, other.cases);
}

#[test]
fn what_waits_goes_on_waiting_after_a_crash_and_what_was_begun_is_interrupted() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("dyno.duckdb");
    let mut waiting = queued_record();
    let mut store = Store::open(&path).unwrap();
    store.submit(&waiting, &submission(Priority::High)).unwrap();
    drop(store);
    // Reading does not take it for the remains of a dead host either.
    assert_eq!(Store::open_read_only(&path).unwrap().run("last", false).unwrap().status, RunStatus::Queued);
    let mut store = Store::open(&path).unwrap();
    assert_eq!(store.outlines().unwrap(), [Outline::from(&waiting)]);
    let queue = store.queued().unwrap();
    assert_eq!((queue.len(), queue[0].priority, queue[0].owner.as_str()), (1, Priority::High, "ci"));
    assert_eq!(queue[0].cases as usize, waiting.cases.len());
    // Its plugins have changed meanwhile: it has fewer cases.
    waiting.cases.truncate(1);
    store.begin_queued(&waiting, "2026-01-02T03:05:00.000Z").unwrap();
    assert!(store.queued().unwrap().is_empty());
    let begun = store.submission(&waiting.id).unwrap().unwrap();
    assert_eq!(begun.begun_at.as_deref(), Some("2026-01-02T03:05:00.000Z"));
    assert_eq!((begun.baseline.as_deref(), begun.incremental), (Some("main"), true));
    drop(store);
    let found = Store::open(&path).unwrap().run("last", false).unwrap();
    assert_eq!((found.status, found.cases.len()), (RunStatus::Interrupted, 1));
}

#[test]
fn connections_of_one_process_see_what_the_others_committed() {
    let folder = tempfile::tempdir().unwrap();
    let mut writer = Store::open(&folder.path().join("dyno.duckdb")).unwrap();
    let reader = writer.another().unwrap();
    assert!(reader.runs(&RunFilter { limit: 10, ..RunFilter::default() }).unwrap().is_empty());
    let before = reader.revision().get();
    store_all(&mut writer, &record());
    assert_eq!(reader.run("last", true).unwrap(), record());
    assert!(reader.revision().get() > before, "kept answers are known to be outdated");
    let completed = |case: &&CaseRecord| case.status == CaseStatus::Completed;
    let rows = reader.performance(&PerformanceFilter { limit: 100, ..PerformanceFilter::default() }).unwrap();
    let expected: Vec<_> = record()
        .cases
        .iter()
        .filter(completed)
        .filter_map(|case| case.metric("time").map(|it| it.mean / 1e6))
        .rev()
        .collect();
    assert_eq!(rows.iter().map(|row| row.average_latency_ms).collect::<Vec<_>>(), expected);
}

#[test]
fn an_operator_tags_and_deletes() {
    let folder = tempfile::tempdir().unwrap();
    let mut store = Store::open(&folder.path().join("dyno.duckdb")).unwrap();
    let record = record();
    store_all(&mut store, &record);
    let annotation = Annotation {
        tag: "gold".to_owned(),
        note: "as \"it\" should be; '--".to_owned(),
        author: "ann".to_owned(),
        created_at: "2026-01-02T03:04:05.678Z".to_owned(),
    };
    store.annotate(&record.id, &annotation).unwrap();
    store.annotate(&record.id, &annotation).unwrap();
    let tags = store.annotations(&record.id).unwrap();
    assert_eq!(tags.iter().filter(|tag| **tag == annotation).count(), 1, "{tags:?}");
    let tagged = RunFilter { limit: 10, tag: Some("gold".to_owned()), ..RunFilter::default() };
    assert!(store.runs(&tagged).unwrap()[0].tags.contains(&"gold".to_owned()));
    store.remove_tag(&record.id, "gold").unwrap();
    assert!(store.runs(&tagged).unwrap().is_empty());
    store.set_plugin_enabled("a", false, "ann", "2026-01-02T03:04:05.678Z").unwrap();
    store.set_plugin_enabled("a", false, "ann", "2026-01-02T03:04:05.678Z").unwrap();
    assert_eq!(store.disabled_plugins().unwrap(), ["a"]);
    store.set_plugin_enabled("a", true, "ann", "2026-01-02T03:04:05.678Z").unwrap();
    assert!(store.disabled_plugins().unwrap().is_empty());
    store.delete_run(&record.id).unwrap();
    assert!(store.run(&record.id, false).is_err());
    assert!(store.delete_run(&record.id).is_err(), "it is gone");
}

/// A run with one case of a plugin in some version and build; its times are `factor` times those of the record.
fn run_of(number: u32, cases: &[(&str, &str, &str)], factor: f64) -> RunRecord {
    let mut run = record();
    run.id = format!("{}{number:04}", &run.id[..run.id.len() - 4]);
    let template = run.cases[0].clone();
    run.cases.clear();
    for (plugin, version, build) in cases {
        let mut case = template.clone();
        case.index = run.cases.len() as u32;
        let its = Arc::make_mut(&mut case.plugin);
        its.id = (*plugin).to_owned();
        its.version = (*version).to_owned();
        its.sha256 = (*build).to_owned();
        for metric in &mut case.metrics {
            metric.median *= factor;
        }
        run.cases.push(case);
    }
    run
}

#[test]
fn a_history_keeps_plugins_apart_and_goes_on_from_version_to_version() {
    let folder = tempfile::tempdir().unwrap();
    let mut store = Store::open(&folder.path().join("dyno.duckdb")).unwrap();
    let benchmark = record().cases[0].benchmark.clone();
    let shown = |store: &Store| -> Vec<(String, usize)> {
        let all = store.history(&benchmark, "time").unwrap();
        let plain = |label: &str| label.split(' ').next().unwrap_or_default().to_owned();
        all.iter().map(|series| (plain(&series.label), series.points.len())).collect()
    };
    store_all(&mut store, &run_of(1, &[("alpha", "1", "a")], 1.0));
    store_all(&mut store, &run_of(2, &[("alpha", "2", "b")], 1.0));
    assert_eq!(shown(&store), [(benchmark.clone(), 2)]);
    store_all(&mut store, &run_of(3, &[("alpha", "2", "b"), ("beta", "1", "c")], 1.0));
    assert_eq!(shown(&store), [(format!("alpha/{benchmark}"), 3), (format!("beta/{benchmark}"), 1)]);
    store_all(&mut store, &run_of(4, &[("alpha", "1", "a"), ("alpha", "2", "b")], 1.0));
    assert_eq!(
        shown(&store),
        [
            (format!("alpha@1/{benchmark}"), 2),
            (format!("alpha@2/{benchmark}"), 3),
            (format!("beta/{benchmark}"), 1)
        ]
    );
    // What an earlier dyno let into one run twice becomes two series, and no series has a run twice.
    store_all(&mut store, &run_of(5, &[("beta", "1", "c"), ("beta", "1", "c")], 1.0));
    for series in store.history(&benchmark, "time").unwrap() {
        let mut runs: Vec<&str> = series.points.iter().map(|point| point.run.as_str()).collect();
        runs.dedup();
        assert_eq!(runs.len(), series.points.len(), "{}", series.label);
    }
}

#[test]
fn drift_is_what_runs_of_one_build_differ_by() {
    let folder = tempfile::tempdir().unwrap();
    let mut store = Store::open(&folder.path().join("dyno.duckdb")).unwrap();
    let machine = record().machine.fingerprint;
    store_all(&mut store, &run_of(1, &[("alpha", "1", "a")], 1.0));
    store_all(&mut store, &run_of(2, &[("alpha", "2", "b")], 2.0));
    assert!(store.drift(&machine).unwrap().is_empty(), "one run of each build shows none");
    store_all(&mut store, &run_of(3, &[("alpha", "1", "a"), ("beta", "1", "c")], 1.1));
    let found = store.drift(&machine).unwrap();
    let time = found.iter().find(|known| known.metric == "time").unwrap();
    assert_eq!(time.key, run_of(1, &[("alpha", "1", "a")], 1.0).cases[0].key().without_version());
    assert!((time.share - 0.1).abs() < 1e-9 && time.runs == 2, "{time:?}");
    assert!(found.iter().all(|known| known.key.plugin == "alpha"), "{found:?}");
    assert!(store.drift("another").unwrap().is_empty());
}

#[test]
fn noise_is_kept_for_each_plugin() {
    let folder = tempfile::tempdir().unwrap();
    let mut store = Store::open(&folder.path().join("dyno.duckdb")).unwrap();
    let noise = |plugin: &str, pairs: u32| Noise {
        plugin: plugin.to_owned(),
        label: "work (native, cpu)".to_owned(),
        comparisons: 1,
        alarms: 0,
        pairs,
        variance: f64::from(pairs),
    };
    let found = [noise("alpha", 10), noise("beta", 20)];
    store.record_noise("m", &found, "2026-01-01T00:00:00Z").unwrap();
    store.record_noise("m", &found[..1], "2026-01-02T00:00:00Z").unwrap();
    let known = store.noise("m").unwrap();
    let pairs: Vec<(&str, u32)> = known.iter().map(|it| (it.plugin.as_str(), it.pairs)).collect();
    assert_eq!(pairs, [("alpha", 20), ("beta", 20)]);
}
