//! Report files: a folder per run, a file per format.

use std::{
    collections::HashMap,
    fs::{self, File},
    io::{self, BufWriter, IntoInnerError, Write},
    path::{Path, PathBuf},
};

use dyno_core::model::{Comparison, RunRecord};
use schemars::JsonSchema;
use serde::Serialize;

use super::status::word;
use crate::{
    app::RunSummary,
    export::{ComparisonFormat, Format, Rendered, write_json},
};

/// File name and format of the reports of every run.
pub(crate) const WRITTEN: [(&str, Format); 3] =
    [("result", Format::Json), ("report", Format::Markdown), ("report", Format::Html)];

/// Maximum number of runs in a list of reports.
const LISTED: usize = 200;

/// The reports of a run.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct Reports {
    run_id: String,
    /// Status of the run: `initializing`, `running`, `completed`, `failed`, or `unknown` if the database does not have it.
    status: String,
    /// File names.
    reports: Vec<String>,
    /// Their folder on the server.
    path: String,
    /// Paths under which the files are served, in the same order.
    urls: Vec<String>,
}

/// The folder of all reports.
#[derive(Debug)]
pub(crate) struct ReportFolder(PathBuf);

impl ReportFolder {
    pub(super) fn new(path: PathBuf) -> Self {
        Self(path)
    }

    pub(crate) fn path(&self) -> &Path {
        &self.0
    }

    pub(super) fn make(&self) -> io::Result<()> {
        fs::create_dir_all(&self.0)
    }

    /// Writes the reports of a run. Each file is replaced atomically.
    pub(super) fn write(&self, record: &RunRecord) -> io::Result<()> {
        let folder = self.0.join(&record.id);
        fs::create_dir_all(&folder)?;
        for (name, format) in WRITTEN {
            replace(&folder, &format!("{name}.{}", format.extension()), &mut |out| match format {
                // The largest, and the one that need not be held as a whole.
                Format::Json => write_json(record, out).map_err(io::Error::other),
                _ => match format.render(record).map_err(io::Error::other)? {
                    Rendered::Text(text) => out.write_all(text.as_bytes()),
                    Rendered::ByDatabase => Ok(()),
                },
            })?;
        }
        Ok(())
    }

    /// Writes the comparison of a run with its baseline.
    pub(super) fn write_comparison(&self, run: &str, comparison: &Comparison) -> io::Result<()> {
        let text = ComparisonFormat::Markdown.render(comparison, false).map_err(io::Error::other)?;
        replace(&self.0.join(run), "comparison.md", &mut |out| out.write_all(text.as_bytes()))
    }

    /// Removes the reports of a run, if there are any.
    pub(super) fn remove(&self, run: &str) -> io::Result<()> {
        match fs::remove_dir_all(self.0.join(run)) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
            done => done,
        }
    }

    /// Whether a run has reports. A deleted run may, if the server could not remove them.
    pub(crate) fn has(&self, run: &str) -> bool {
        is_name(run) && self.0.join(run).is_dir()
    }

    /// The content of a report file; `None` if there is no such file.
    pub(crate) fn read(&self, run: &str, file: &str) -> Option<Vec<u8>> {
        if !is_name(run) || !is_name(file) {
            return None;
        }
        fs::read(self.0.join(run).join(file)).ok()
    }

    /// Reports in the order of `newest`, the newest runs there are: the times of folders go back when a clock is set. What is
    /// not among them comes last.
    pub(crate) fn list(&self, newest: &[RunSummary]) -> io::Result<Vec<Reports>> {
        let entries = match fs::read_dir(&self.0) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
            entries => entries?,
        };
        let known: HashMap<&str, (usize, &RunSummary)> =
            newest.iter().enumerate().map(|(place, run)| (run.id.as_str(), (place, run))).collect();
        let mut folders: Vec<(usize, String, PathBuf)> = entries
            .filter_map(Result::ok)
            .filter_map(|entry| {
                entry.metadata().ok().filter(fs::Metadata::is_dir)?;
                let name = entry.file_name().into_string().ok().filter(|name| is_name(name))?;
                let place = known.get(name.as_str()).map_or(usize::MAX, |(place, _)| *place);
                Some((place, name, entry.path()))
            })
            .collect();
        folders.sort_by(|one, other| one.0.cmp(&other.0).then_with(|| other.1.cmp(&one.1)));
        folders.truncate(LISTED);
        let mut all = Vec::new();
        for (_, run_id, path) in folders {
            let reports = files(&path)?;
            if reports.is_empty() {
                continue;
            }
            let status = known
                .get(run_id.as_str())
                .map_or("unknown", |(_, run)| word(run.status, run.with_result > 0));
            all.push(Reports {
                urls: reports.iter().map(|name| format!("/api/reports/{run_id}/{name}")).collect(),
                status: status.to_owned(),
                reports,
                path: path.display().to_string(),
                run_id,
            });
        }
        Ok(all)
    }
}

/// Names of the reports in a folder, sorted.
fn files(folder: &Path) -> io::Result<Vec<String>> {
    let is_report = |name: &String| {
        !name.starts_with('.') && [".md", ".html", ".json"].iter().any(|ending| name.ends_with(ending))
    };
    let entries = fs::read_dir(folder)?;
    let mut reports: Vec<String> =
        entries.filter_map(|entry| entry.ok()?.file_name().into_string().ok()).filter(is_report).collect();
    reports.sort();
    Ok(reports)
}

/// Writes a file under another name first, so that nobody ever reads half of it.
fn replace(
    folder: &Path,
    name: &str,
    write: &mut dyn FnMut(&mut dyn Write) -> io::Result<()>,
) -> io::Result<()> {
    let partial = folder.join(format!(".{name}.partial"));
    let mut out = BufWriter::new(File::create(&partial)?);
    write(&mut out)?;
    out.into_inner().map_err(IntoInnerError::into_error)?;
    fs::rename(partial, folder.join(name))
}

/// Whether a name is safe to append to a path: it cannot lead out of the folder.
fn is_name(name: &str) -> bool {
    !name.starts_with('.')
        && !name.is_empty()
        && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_do_not_lead_out() {
        for bad in ["..", "a/b", "", ".hidden", "a\\b", "é"] {
            assert!(!is_name(bad), "{bad}");
        }
        assert!(is_name("01997f3e-aaaa.html"));
    }
}
