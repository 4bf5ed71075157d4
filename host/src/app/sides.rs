//! The sides of a comparison: result files of dyno or other tools, Criterion folders, stored runs, baselines.

use std::path::Path;

use dyno_core::model::{CaseKey, ComparedSide, Measured, MeasuredCase, Unjudged};

use super::{error::AppError, results::Results};
use crate::{export, import, store::StoreError, user_file::read_text};

/// Prefix of a side that names a baseline.
const BASELINE: &str = "baseline:";

impl Results<'_> {
    /// A side of a comparison: a result file of dyno or another tool, a Criterion folder, a stored run, or
    /// `baseline:NAME`.
    ///
    /// # Errors
    /// When it is none of these; the error says what it is instead.
    pub fn measured(&self, side: &str) -> Result<Measured, AppError> {
        if side.starts_with(BASELINE) {
            return self.stored_side(side);
        }
        let path = Path::new(side);
        if !path.exists() {
            return match self.run(side, true) {
                Ok(run) => Ok(Measured::from(&run)),
                Err(AppError::NoDatabase(database)) => Err(AppError::Side(format!(
                    "`{side}` is neither a file, nor a stored run: there is no database `{}`",
                    database.display()
                ))),
                Err(AppError::Store(StoreError::NoSuchRun { hint, .. })) => {
                    Err(AppError::Side(format!("`{side}` is neither a file, nor a stored run; {hint}")))
                }
                Err(error) => Err(error),
            };
        }
        let refused = |why: &dyn std::fmt::Display| AppError::Side(format!("`{side}`: {why}"));
        let mut measured = if path.is_dir() {
            criterion_folder(path).map_err(|why| refused(&why))?
        } else {
            let text = read_text(path).map_err(|error| refused(&error))?;
            match import::detect(&text).map_err(|error| refused(&error))? {
                import::Found::Ours => Measured::from(&export::read(&text).map_err(|error| refused(&error))?),
                import::Found::Theirs(measured) => measured,
            }
        };
        if measured.cases.is_empty() && measured.missing.is_empty() {
            return Err(refused(&"it has no cases: there is nothing to compare"));
        }
        measured.source = format!("{side} ({})", measured.source);
        Ok(measured)
    }

    /// A side of a comparison of stored results: a run, or `baseline:NAME`. Never a file.
    ///
    /// # Errors
    /// When there is no such run or baseline.
    pub(super) fn stored_side(&self, side: &str) -> Result<Measured, AppError> {
        let run = match side.strip_prefix(BASELINE) {
            Some(name) => self.baseline(name)?,
            None => side.to_owned(),
        };
        Ok(Measured::from(&self.run(&run, true)?))
    }
}

/// The latest results of Criterion, from `target/criterion` or a folder below it.
fn criterion_folder(folder: &Path) -> Result<Measured, String> {
    // Folder, name and result of every benchmark; the folder is what always tells two of one name apart.
    let mut found: Vec<(String, String, Result<MeasuredCase, String>)> = Vec::new();
    for entry in walkdir::WalkDir::new(folder).sort_by_file_name() {
        let entry = entry.map_err(|error| error.to_string())?;
        // Beside `new` lie older results: `base`, `change`, and those that were saved by a name.
        let is_newest = entry.path().parent().is_some_and(|parent| parent.ends_with("new"));
        if entry.file_name() != "estimates.json" || !is_newest {
            continue;
        }
        let results = entry.path().with_file_name("");
        let read = |name: &str| read_text(&results.join(name));
        let below = results.parent().and_then(|parent| parent.strip_prefix(folder).ok());
        let place = below.unwrap_or(folder).display().to_string();
        // The folders are named after the benchmark, with what a file system does not like replaced.
        let name = read("benchmark.json")
            .ok()
            .and_then(|text| import::criterion_name(&text))
            .unwrap_or_else(|| place.clone());
        let case = read("estimates.json")
            .map_err(|error| format!("`{}`: {error}", entry.path().display()))
            .and_then(|estimates| {
                let sample = read("sample.json").ok();
                import::criterion(&name, &estimates, sample.as_deref()).map_err(|error| error.to_string())
            });
        found.push((place, name, case));
    }
    if found.is_empty() {
        return Err("the folder holds no `new/estimates.json`, as benchmarks with Criterion leave below \
                    `target/criterion`; give that folder, or a result file"
            .to_owned());
    }
    let mut measured = Measured { source: "Criterion".to_owned(), ..Measured::default() };
    for (place, name, case) in found {
        // Where nothing else has its name, it may move from folder to folder.
        let key = CaseKey { variant: place, ..CaseKey::named(name) };
        match case {
            Ok(case) => measured.cases.push(MeasuredCase { key, ..case }),
            Err(message) => {
                let side = ComparedSide::Candidate;
                measured.missing.push((key, Unjudged::NotMeasured { side, message }));
            }
        }
    }
    Ok(measured)
}
