//! Maintenance by an operator: delete and annotate runs, disable plugins; and the audit log of such calls.

use duckdb::params;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{
    Store,
    error::{StoreError, doing},
    read::TIME,
    revision::Touched,
    statement::execute,
};

/// A tag of a run, with its reason and author.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Annotation {
    /// Word to find the run by.
    pub tag: String,
    /// Reason for the tag; empty if none was given.
    #[serde(default)]
    pub note: String,
    /// Name of the token, or `local`; empty for a tag that the run was started with.
    #[serde(default)]
    pub author: String,
    /// Time at which the tag was added (RFC 3339, UTC); empty for a tag that the run was started with.
    #[serde(default)]
    pub created_at: String,
}

/// Number of calls that are kept, and by how many that may be exceeded before the oldest are deleted, since deleting one by
/// one is slow.
const AUDIT_KEPT: u64 = 100_000;
const AUDIT_SLACK: u64 = 10_000;

/// A call to the server that changed something.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Audited {
    /// Time of the call (RFC 3339, UTC).
    pub at: String,
    /// Identifier of the request, which the log and the answer's header `x-request-id` also have.
    pub request_id: String,
    /// Name of the caller's token, or `local`.
    pub who: String,
    /// IP address of the caller.
    pub peer: String,
    /// HTTP method, like `DELETE`.
    pub method: String,
    /// Path of the URL, without its query.
    pub path: String,
    /// HTTP status of the answer.
    pub status: u16,
}

impl Store {
    /// Deletes a run with its cases, launches, samples and tags.
    ///
    /// # Errors
    /// When there is no such run, or the database refuses.
    pub fn delete_run(&mut self, run: &str) -> Result<(), StoreError> {
        let run_no = self.run_no(run)?;
        self.transaction("deleting a run", Touched::Run(run_no), |transaction| {
            for table in ["samples", "environments", "launches", "metrics", "cases", "runs"] {
                execute(
                    transaction,
                    "deleting a run",
                    &format!("DELETE FROM {table} WHERE run_no = ?"),
                    params![run_no],
                )?;
            }
            for table in ["submissions", "annotations", "baselines", "accepted_changes", "run_ends"] {
                execute(
                    transaction,
                    "deleting a run",
                    &format!("DELETE FROM {table} WHERE run_id = ?"),
                    params![run],
                )?;
            }
            Ok(())
        })?;
        self.current = None;
        Ok(())
    }

    /// Adds a tag to a run, or replaces the tag of the same word.
    ///
    /// # Errors
    /// When there is no such run, or the database refuses.
    pub fn annotate(&mut self, run: &str, annotation: &Annotation) -> Result<(), StoreError> {
        let run_no = self.run_no(run)?;
        self.transaction("annotating a run", Touched::Run(run_no), |transaction| {
            execute(
                transaction,
                "annotating a run",
                "DELETE FROM annotations WHERE run_id = ? AND tag = ?",
                params![run, annotation.tag],
            )?;
            execute(
                transaction,
                "annotating a run",
                "INSERT INTO annotations VALUES (?, ?, ?, ?, CAST(? AS TIMESTAMP))",
                params![run, annotation.tag, annotation.note, annotation.author, annotation.created_at],
            )?;
            execute(
                transaction,
                "annotating a run",
                "UPDATE runs SET tags = list_distinct(list_append(tags, ?)) WHERE run_no = ?",
                params![annotation.tag, run_no],
            )
        })
    }

    /// Removes a tag from a run; does nothing if the run does not have it.
    ///
    /// # Errors
    /// When there is no such run, or the database refuses.
    pub fn remove_tag(&mut self, run: &str, tag: &str) -> Result<(), StoreError> {
        let run_no = self.run_no(run)?;
        self.transaction("annotating a run", Touched::Run(run_no), |transaction| {
            execute(
                transaction,
                "annotating a run",
                "DELETE FROM annotations WHERE run_id = ? AND tag = ?",
                params![run, tag],
            )?;
            execute(
                transaction,
                "annotating a run",
                "UPDATE runs SET tags = list_filter(tags, lambda word: word <> ?) WHERE run_no = ?",
                params![tag, run_no],
            )
        })
    }

    /// The tags of a run: those that it was started with, and those that were added since.
    ///
    /// # Errors
    /// When there is no such run, or the database fails.
    pub fn annotations(&self, run: &str) -> Result<Vec<Annotation>, StoreError> {
        let run_no = self.find(run)?;
        let sql = format!(
            "SELECT t.tag, coalesce(a.note, ''), coalesce(a.author, ''), coalesce(strftime(a.created_at, {TIME}), '')
             FROM (SELECT id, unnest(tags) AS tag FROM runs WHERE run_no = ?) t
             LEFT JOIN annotations a ON a.run_id = t.id AND a.tag = t.tag ORDER BY t.tag"
        );
        self.rows(&sql, params![run_no], |row| {
            Ok(Annotation {
                tag: row.get(0)?,
                note: row.get(1)?,
                author: row.get(2)?,
                created_at: row.get(3)?,
            })
        })
        .map_err(doing("reading tags"))
    }

    /// Appends calls to the audit log, and deletes the oldest if there are too many.
    ///
    /// # Errors
    /// When the database refuses.
    pub fn audit(&mut self, calls: &[Audited]) -> Result<(), StoreError> {
        self.audit_within(calls, AUDIT_KEPT, AUDIT_SLACK)
    }

    fn audit_within(&mut self, calls: &[Audited], kept: u64, slack: u64) -> Result<(), StoreError> {
        let what = "writing the audit log";
        self.uncounted(what, |transaction| {
            for call in calls {
                execute(
                    transaction,
                    what,
                    "INSERT INTO audit VALUES (CAST(? AS TIMESTAMP), ?, ?, ?, ?, ?, ?)",
                    params![
                        call.at,
                        call.request_id,
                        call.who,
                        call.peer,
                        call.method,
                        call.path,
                        call.status
                    ],
                )?;
            }
            let count: u64 = transaction
                .query_row("SELECT count(*) FROM audit", [], |row| row.get(0))
                .map_err(doing(what))?;
            if count <= kept.saturating_add(slack) {
                return Ok(());
            }
            // Identifiers of requests sort by time, and tell calls of one moment apart.
            execute(
                transaction,
                what,
                "DELETE FROM audit WHERE request_id < (
                     SELECT min(request_id) FROM (SELECT request_id FROM audit ORDER BY request_id DESC LIMIT ?))",
                params![kept],
            )
        })
    }

    /// The latest calls of the audit log, newest first.
    ///
    /// # Errors
    /// When the database fails.
    pub fn audited(&self, limit: u32) -> Result<Vec<Audited>, StoreError> {
        let sql = format!(
            "SELECT strftime(called_at, {TIME}), request_id, who, peer, method, path, status
             FROM audit ORDER BY rowid DESC LIMIT ?"
        );
        self.rows(&sql, params![limit], |row| {
            Ok(Audited {
                at: row.get(0)?,
                request_id: row.get(1)?,
                who: row.get(2)?,
                peer: row.get(3)?,
                method: row.get(4)?,
                path: row.get(5)?,
                status: row.get(6)?,
            })
        })
        .map_err(doing("reading the audit log"))
    }

    /// Enables or disables a plugin, whichever version is installed. A server refuses runs that use a disabled plugin.
    ///
    /// # Errors
    /// When the database refuses.
    pub fn set_plugin_enabled(
        &mut self,
        plugin: &str,
        enabled: bool,
        who: &str,
        now: &str,
    ) -> Result<(), StoreError> {
        self.transaction("switching a plugin", Touched::NoList, |transaction| {
            execute(
                transaction,
                "switching a plugin",
                "DELETE FROM disabled_plugins WHERE plugin_id = ?",
                params![plugin],
            )?;
            if enabled {
                return Ok(());
            }
            execute(
                transaction,
                "switching a plugin",
                "INSERT INTO disabled_plugins VALUES (?, ?, CAST(? AS TIMESTAMP))",
                params![plugin, who, now],
            )
        })
    }

    /// Identifiers of the disabled plugins.
    ///
    /// # Errors
    /// When the database fails.
    pub fn disabled_plugins(&self) -> Result<Vec<String>, StoreError> {
        self.rows("SELECT plugin_id FROM disabled_plugins ORDER BY plugin_id", [], |row| row.get(0))
            .map_err(doing("reading which plugins are switched off"))
    }

    /// All baselines, newest first: name, run, and the time at which it was saved (RFC 3339, UTC).
    ///
    /// # Errors
    /// When the database fails.
    pub fn baselines(&self) -> Result<Vec<(String, String, String)>, StoreError> {
        let sql = format!(
            "SELECT name, arg_max(run_id, rowid), strftime(arg_max(created_at, rowid), {TIME})
             FROM baselines GROUP BY name ORDER BY max(rowid) DESC"
        );
        self.rows(&sql, [], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))
            .map_err(doing("reading baselines"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_audit_log_keeps_the_latest_calls() {
        let folder = tempfile::tempdir().unwrap();
        let mut store = Store::open(&folder.path().join("dyno.duckdb")).unwrap();
        let call = |number: u32| Audited {
            at: crate::timestamp::now(),
            request_id: format!("{number:08}"),
            who: "ci".to_owned(),
            peer: "127.0.0.1".to_owned(),
            method: "POST".to_owned(),
            path: "/api/runs".to_owned(),
            status: 201,
        };
        let mut most = 0;
        for batch in 0..20 {
            let calls: Vec<Audited> = (0..7).map(|number| call(batch * 7 + number)).collect();
            store.audit_within(&calls, 30, 10).unwrap();
            most = most.max(store.audited(1_000).unwrap().len());
        }
        assert!((30..=40).contains(&most), "{most}");
        let mut kept: Vec<String> =
            store.audited(1_000).unwrap().into_iter().map(|call| call.request_id).collect();
        kept.sort();
        assert_eq!(kept.last().map(String::as_str), Some("00000139"));
        assert!(kept.len() >= 30 && kept[0].as_str() >= "00000099", "{kept:?}");
        store.audit_within(&[], 30, 10).unwrap();
    }
}
