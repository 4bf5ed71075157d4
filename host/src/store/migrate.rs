//! Versions of the database: numbered SQL files, each applied once, in its own transaction.

use std::path::Path;

use duckdb::{Connection, OptionalExt, params};

use super::error::{StoreError, doing};

/// The migrations, in order; the first is version 1.
const MIGRATIONS: [&str; 8] = [
    include_str!("migrations/0001_initial.sql"),
    include_str!("migrations/0002_verdicts.sql"),
    include_str!("migrations/0003_server.sql"),
    include_str!("migrations/0004_keys.sql"),
    include_str!("migrations/0005_build.sql"),
    include_str!("migrations/0006_original.sql"),
    include_str!("migrations/0007_submissions.sql"),
    include_str!("migrations/0008_thinning.sql"),
];

/// The version that this dyno writes.
pub(super) const VERSION: u32 = MIGRATIONS.len() as u32;

/// The version of a database; 0 for an empty one.
///
/// # Errors
/// When it holds tables of another program, or the database fails.
pub(super) fn version(connection: &Connection, path: &Path) -> Result<u32, StoreError> {
    let failed = doing("reading its version");
    let table: Option<String> = connection
        .query_row(
            "SELECT table_name FROM information_schema.tables ORDER BY table_name <> 'schema_version', table_name LIMIT 1",
            [],
            |row| row.get(0),
        )
        .optional()
        .map_err(&failed)?;
    match table.as_deref() {
        None => Ok(0),
        Some("schema_version") => connection
            .query_row("SELECT coalesce(max(version), 0) FROM schema_version", [], |row| row.get(0))
            .map_err(failed),
        Some(table) => Err(StoreError::Foreign { path: path.to_owned(), table: table.to_owned() }),
    }
}

/// Brings a database up to [`VERSION`].
pub(super) fn migrate(connection: &mut Connection, path: &Path) -> Result<(), StoreError> {
    apply(connection, path, &MIGRATIONS)
}

/// Makes the tables that an earlier version had.
///
/// # Errors
/// When the database refuses.
#[cfg(test)]
pub(super) fn make_version(connection: &mut Connection, number: u32) -> Result<(), StoreError> {
    apply(connection, Path::new("x"), &MIGRATIONS[..number as usize])
}

fn apply(connection: &mut Connection, path: &Path, migrations: &[&str]) -> Result<(), StoreError> {
    let found = version(connection, path)?;
    let known = migrations.len() as u32;
    if found > known {
        return Err(StoreError::Newer { path: path.to_owned(), found, known });
    }
    let failed = doing("bringing it up to date");
    for (number, sql) in (1_u32..).zip(migrations).skip(found as usize) {
        let transaction = connection.transaction().map_err(&failed)?;
        if number == 1 {
            transaction
                .execute_batch(
                    "CREATE TABLE schema_version (version INTEGER NOT NULL, applied_at TIMESTAMP NOT NULL)",
                )
                .map_err(&failed)?;
        }
        transaction.execute_batch(sql).map_err(&failed)?;
        transaction
            .execute(
                "INSERT INTO schema_version VALUES (?, CAST(? AS TIMESTAMP))",
                params![number, crate::timestamp::now()],
            )
            .map_err(&failed)?;
        transaction.commit().map_err(&failed)?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use duckdb::AccessMode;
    use dyno_core::model::{CaseStatus, SkipCause};

    use super::{super::open::connect, *};

    fn in_memory() -> Connection {
        connect(Path::new(":memory:"), AccessMode::ReadWrite).unwrap()
    }

    const FIRST: &str = "CREATE TABLE one (value INTEGER)";

    #[test]
    fn each_migration_is_applied_once_and_wholly_or_not_at_all() {
        let mut connection = in_memory();
        let path = Path::new("x");
        apply(&mut connection, path, &[FIRST]).unwrap();
        let broken = "CREATE TABLE two (value INTEGER); INSERT INTO nowhere VALUES (1)";
        let message = apply(&mut connection, path, &[FIRST, broken]).unwrap_err().to_string();
        assert!(message.contains("bringing it up to date") && message.contains("nowhere"), "{message}");
        assert_eq!(version(&connection, path).unwrap(), 1);
        assert!(connection.execute_batch("SELECT * FROM two").is_err(), "half a migration stayed");
        apply(&mut connection, path, &[FIRST, "CREATE TABLE two (value INTEGER)"]).unwrap();
        assert_eq!(version(&connection, path).unwrap(), 2);
        assert!(matches!(
            apply(&mut connection, path, &[FIRST]),
            Err(StoreError::Newer { found: 2, known: 1, .. })
        ));
    }

    #[test]
    fn noise_of_before_belongs_to_the_only_plugin_that_has_the_benchmark() {
        let mut connection = in_memory();
        let path = Path::new("x");
        apply(&mut connection, path, &MIGRATIONS[..3]).unwrap();
        for (number, plugin, benchmark) in [(0, "alpha", "gemm"), (1, "alpha", "work"), (2, "beta", "work")] {
            let case = format!(
                "INSERT INTO cases VALUES (1, {number}, '{plugin}', '1', 'native', 'x', 'x', '{benchmark}', '', 'cpu', 'x', \
                 NULL, NULL, '{{}}', 'completed', NULL, NULL, '{{}}', '{{}}')"
            );
            connection.execute_batch(&case).unwrap();
        }
        for label in ["gemm n=1 (native, cpu)", "work (native, cpu)", "other (native, cpu)"] {
            let noise = format!("INSERT INTO noise VALUES ('2026-01-01', 'm', '{label}', 2, 1, 10, 0.1)");
            connection.execute_batch(&noise).unwrap();
        }
        migrate(&mut connection, path).unwrap();
        let mut found = connection.prepare("SELECT label, plugin_id FROM noise ORDER BY label").unwrap();
        let found = found.query_map([], |row| Ok((row.get(0)?, row.get(1)?))).unwrap();
        let found: Vec<(String, Option<String>)> = found.map(Result::unwrap).collect();
        assert_eq!(
            found,
            [
                ("gemm n=1 (native, cpu)".to_owned(), Some("alpha".to_owned())),
                ("other (native, cpu)".to_owned(), None),
                ("work (native, cpu)".to_owned(), None),
            ]
        );
    }

    #[test]
    fn what_earlier_versions_stored_as_a_sentence_or_as_times_is_understood() {
        let mut connection = in_memory();
        let path = Path::new("x");
        apply(&mut connection, path, &MIGRATIONS[..5]).unwrap();
        connection
            .execute_batch(
                "INSERT INTO runs VALUES (1, 'r', '2026-01-01 10:00', '2026-01-01 09:00', 'completed', '1', NULL, [], 'h', 'c',
                   'm', '{}', '{}', NULL, NULL, NULL);
                 INSERT INTO runs VALUES (2, 's', '2026-01-01 10:00', '2026-01-01 10:01', 'completed', '1', NULL, [], 'h', 'c',
                   'm', '{}', '{}', NULL, NULL, NULL)",
            )
            .unwrap();
        let reasons = [
            "device `cuda` is not available: no NVIDIA driver",
            "`gemm` does not run on webgpu; it runs on cpu",
            "incremental: run 0199 has this result already",
            "this machine has no abacus",
        ];
        for (number, reason) in reasons.iter().enumerate() {
            let status = CaseStatus::Skipped { reason: (*reason).to_owned(), cause: None };
            let status = serde_json::to_string(&status).unwrap();
            connection
                .execute(
                    "INSERT INTO cases VALUES (1, ?, 'p', '1', 'native', 'x', 'x', 'b', '', 'cpu', 'b', NULL, NULL, '{}',
                       'skipped', NULL, ?, ?, '{}', NULL)",
                    params![number as i32, reason, status],
                )
                .unwrap();
        }
        migrate(&mut connection, path).unwrap();
        let mut found = connection.prepare("SELECT status_json FROM cases ORDER BY case_no").unwrap();
        let found = found.query_map([], |row| row.get::<_, String>(0)).unwrap();
        let causes: Vec<Option<SkipCause>> = found
            .map(|text| serde_json::from_str::<CaseStatus>(&text.unwrap()).unwrap().skip_cause())
            .collect();
        let expected = [SkipCause::NoDevice, SkipCause::OtherHardware, SkipCause::KnownResult].map(Some);
        assert_eq!((&causes[..3], causes[3]), (&expected[..], None));
        let elapsed = |run: &str| -> f64 {
            let sql = "SELECT elapsed_s FROM run_ends WHERE run_id = ?";
            connection.query_row(sql, [run], |row| row.get(0)).unwrap()
        };
        assert_eq!((elapsed("r"), elapsed("s")), (0.0, 60.0), "no run took less than no time");
        for view in
            ["models", "hardware_platforms", "test_runs", "performance_results", "hardware_compatibility"]
        {
            let sql = format!("SELECT count(*) FROM {view}");
            connection.query_row(&sql, [], |row| row.get::<_, i64>(0)).unwrap();
        }
    }

    #[test]
    fn what_a_server_does_with_a_run_was_read_from_the_words_of_the_request() {
        let path = Path::new("x");
        let mut connection = in_memory();
        apply(&mut connection, path, &MIGRATIONS[..6]).unwrap();
        let requests = [
            (r#"{"benchmarks":["gemm"],"baseline":"main"}"#, Some("main"), Some(false)),
            (r#"{"benchmarks":["gemm"],"baseline":null,"incremental":true}"#, None, Some(false)),
            (r#"{"resumes":"0199"}"#, None, Some(false)),
            (r#"{"hardware":["cpu"]}"#, None, Some(true)),
            (r#"{"incremental":false}"#, None, Some(false)),
            ("no JSON", None, None),
        ];
        for (number, (request, ..)) in requests.iter().enumerate() {
            let sql = "INSERT INTO submissions VALUES (?, 'low', 'a', '2026-01-01 10:00', NULL, ?)";
            connection.execute(sql, params![number.to_string(), request]).unwrap();
        }
        migrate(&mut connection, path).unwrap();
        let sql = "SELECT baseline, incremental FROM submissions ORDER BY run_id";
        let mut found = connection.prepare(sql).unwrap();
        let found = found.query_map([], |row| Ok((row.get(0)?, row.get(1)?))).unwrap();
        let found: Vec<(Option<String>, Option<bool>)> = found.map(Result::unwrap).collect();
        let expected = requests.map(|(_, baseline, incremental)| (baseline.map(str::to_owned), incremental));
        assert_eq!(found, expected);
    }

    #[test]
    fn a_database_of_something_else_is_left_alone() {
        let mut connection = in_memory();
        connection.execute_batch("CREATE TABLE performance_results (x INTEGER)").unwrap();
        let message = migrate(&mut connection, Path::new("x")).unwrap_err().to_string();
        assert!(message.contains("`performance_results`"), "{message}");
    }
}
