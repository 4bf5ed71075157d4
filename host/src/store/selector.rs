//! Naming a run: by its identifier, by its age, or by the source code that it measured.

use duckdb::params;

use super::{
    Store,
    error::{StoreError, doing},
    run_list::RunFilter,
};

/// Fewest digits of a commit: fewer would name any of many.
const FEWEST_DIGITS: usize = 4;

/// How a run is named.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Selector<'a> {
    /// The Nth before the last: `last`, `last~N`.
    Back(u32),
    /// The newest run of a commit, by the beginning of its hash: `commit:HASH`.
    Commit(&'a str),
    /// The newest run of a branch: `branch:NAME`.
    Branch(&'a str),
    /// By the beginning of its identifier.
    Id(&'a str),
}

impl<'a> Selector<'a> {
    fn read(text: &'a str) -> Self {
        let back = || match text.strip_prefix("last")? {
            "" => Some(0),
            rest => rest.strip_prefix('~')?.parse().ok(),
        };
        let of = |prefix| text.strip_prefix(prefix);
        back()
            .map(Self::Back)
            .or_else(|| of("commit:").map(Self::Commit))
            .or_else(|| of("branch:").map(Self::Branch))
            .unwrap_or(Self::Id(text))
    }
}

impl Store {
    pub(super) fn find(&self, selector: &str) -> Result<i32, StoreError> {
        Ok(self.locate(selector)?.0)
    }

    /// The whole identifier of the run that a selector names.
    ///
    /// # Errors
    /// As for [`Self::run`].
    pub fn run_id(&self, selector: &str) -> Result<String, StoreError> {
        Ok(self.locate(selector)?.1)
    }

    pub(super) fn locate(&self, text: &str) -> Result<(i32, String), StoreError> {
        let read = |row: &duckdb::Row<'_>| Ok((row.get(0)?, row.get(1)?));
        let selector = Selector::read(text);
        // A run of a tree with changes did not measure the commit.
        let newest = |of: &str| {
            format!(
                "SELECT run_no, id FROM runs WHERE {of} AND NOT coalesce(dirty, FALSE) AND status = 'completed'
                 ORDER BY run_no DESC LIMIT 1"
            )
        };
        let found: Vec<(i32, String)> = match selector {
            Selector::Back(back) => {
                let sql = "SELECT run_no, id FROM runs ORDER BY run_no DESC LIMIT 1 OFFSET ?";
                self.rows(sql, params![back], read)
            }
            Selector::Commit(hash) if hash.len() < FEWEST_DIGITS => Ok(Vec::new()),
            Selector::Commit(hash) => {
                self.rows(&newest("starts_with(commit_id, ?)"), params![hash.to_ascii_lowercase()], read)
            }
            Selector::Branch(name) => self.rows(&newest("branch = ?"), params![name], read),
            Selector::Id(id) => {
                let sql = "SELECT run_no, id FROM runs WHERE starts_with(id, ?) ORDER BY run_no DESC LIMIT 3";
                self.rows(sql, params![id], read)
            }
        }
        .map_err(doing("finding a run"))?;
        let hint = match found.as_slice() {
            [(run_no, id)] => return Ok((*run_no, id.clone())),
            [] => self.others(selector)?,
            several => {
                let ids: Vec<&str> = several.iter().map(|(_, id)| id.as_str()).collect();
                format!("it is the beginning of {}; give more of it", ids.join(", "))
            }
        };
        Err(StoreError::NoSuchRun { selector: text.to_owned(), hint })
    }

    /// What to give instead of a selector that names no run.
    fn others(&self, selector: Selector<'_>) -> Result<String, StoreError> {
        let column = match selector {
            Selector::Back(_) | Selector::Id(_) => "id",
            Selector::Commit(hash) if hash.len() < FEWEST_DIGITS => {
                return Ok(format!("give at least {FEWEST_DIGITS} digits of the commit"));
            }
            Selector::Commit(_) => "commit_id",
            Selector::Branch(_) => "branch",
        };
        if column == "id" {
            let newest = self.runs(&RunFilter { limit: 3, ..RunFilter::default() })?;
            let ids: Vec<String> = newest.into_iter().map(|run| run.id).collect();
            return Ok(match ids.as_slice() {
                [] => "the database holds none yet".to_owned(),
                _ => format!("the newest are {}; `dyno results --list` shows more", ids.join(", ")),
            });
        }
        let sql = format!(
            "SELECT {column}::VARCHAR FROM runs
             WHERE {column} IS NOT NULL AND NOT coalesce(dirty, FALSE) AND status = 'completed'
             GROUP BY 1 ORDER BY max(run_no) DESC LIMIT 3"
        );
        let names: Vec<String> =
            self.rows(&sql, [], |row| row.get(0)).map_err(doing("finding the runs of commits"))?;
        Ok(match names.as_slice() {
            [] => "no completed run was made in a Git repository without uncommitted changes".to_owned(),
            _ => format!("completed runs without uncommitted changes exist for {}", names.join(", ")),
        })
    }
}

#[cfg(test)]
mod tests {
    use dyno_core::model::Source;

    use super::*;
    use crate::store::tests::{record, store_all};

    #[test]
    fn a_selector_is_read_by_its_beginning() {
        for (text, selector) in [
            ("last", Selector::Back(0)),
            ("last~12", Selector::Back(12)),
            ("last~x", Selector::Id("last~x")),
            ("commit:0ab1", Selector::Commit("0ab1")),
            ("branch:a/b:c", Selector::Branch("a/b:c")),
            ("01a2", Selector::Id("01a2")),
        ] {
            assert_eq!(Selector::read(text), selector, "{text}");
        }
    }

    #[test]
    fn a_commit_or_a_branch_names_its_newest_clean_run() {
        let folder = tempfile::tempdir().unwrap();
        let mut store = Store::open(&folder.path().join("dyno.duckdb")).unwrap();
        for (id, commit, branch, dirty) in [
            ("r1", "aaaa1111", "main", false),
            ("r2", "aaaa1111", "main", false),
            ("r3", "bbbb2222", "feature/x", false),
            ("r4", "bbbb2222", "main", true),
        ] {
            let mut run = record();
            run.id = id.to_owned();
            run.source = Some(Source { commit: commit.to_owned(), branch: Some(branch.to_owned()), dirty });
            store_all(&mut store, &run);
        }
        for (selector, id) in [
            ("commit:AAAA", "r2"),
            ("commit:bbbb2222", "r3"),
            ("branch:main", "r2"),
            ("branch:feature/x", "r3"),
        ] {
            assert_eq!(store.run_id(selector).unwrap(), id, "{selector}");
        }
        for (selector, fragment) in [
            ("commit:aaa", "at least 4 digits"),
            ("commit:cccc", "exist for bbbb2222, aaaa1111"),
            ("branch:trunk", "exist for feature/x, main"),
        ] {
            let said = store.run_id(selector).unwrap_err().to_string();
            assert!(said.contains(selector) && said.contains(fragment), "{said}");
        }
    }
}
