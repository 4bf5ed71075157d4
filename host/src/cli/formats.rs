//! The formats of [`crate::export`] as values of flags, and what `dyno run` writes beside them.

use std::path::Path;

use clap::{ValueEnum, builder::PossibleValue};
use dyno_core::model::RunRecord;

use super::{Failure, output};
use crate::{
    app::App,
    export::{ComparisonFormat, Format, Rendered, html_with_charts},
    fault::Place,
    user_file::write_whole,
};

impl ValueEnum for Format {
    fn value_variants<'a>() -> &'a [Self] {
        &Self::ALL
    }

    fn to_possible_value(&self) -> Option<PossibleValue> {
        Some(PossibleValue::new(self.name()).help(self.about()))
    }
}

impl ValueEnum for ComparisonFormat {
    fn value_variants<'a>() -> &'a [Self] {
        &Self::ALL
    }

    fn to_possible_value(&self) -> Option<PossibleValue> {
        Some(PossibleValue::new(self.name()).help(self.about()))
    }
}

/// Output format of a run: tables for the terminal, or a document. If the run is compared, the formats for people and
/// gates contain the comparison.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum RunFormat {
    /// Tables for the terminal.
    Text,
    /// The result, or the comparison, in a format.
    Document(Format),
}

impl ValueEnum for RunFormat {
    fn value_variants<'a>() -> &'a [Self] {
        const ALL: [RunFormat; Format::ALL.len() + 1] = {
            let mut all = [RunFormat::Text; Format::ALL.len() + 1];
            let mut at = 0;
            while at < Format::ALL.len() {
                all[at + 1] = RunFormat::Document(Format::ALL[at]);
                at += 1;
            }
            all
        };
        &ALL
    }

    fn to_possible_value(&self) -> Option<PossibleValue> {
        match self {
            Self::Text => Some(PossibleValue::new("text").help("Tables for the terminal")),
            Self::Document(format) => format.to_possible_value(),
        }
    }
}

/// Refuses a format that is not text if no file is given.
pub(super) fn check(format: Format, file: Option<&Path>) -> Result<(), Failure> {
    match format {
        Format::Parquet if file.is_none() => Err(Failure::Usage(
            "a Parquet file is not text: give the file to write it to, like `--file samples.parquet`"
                .to_owned(),
        )),
        _ => Ok(()),
    }
}

/// Writes a run in a format, to a file or to standard output.
pub(super) fn write_run(
    app: &App,
    run: &RunRecord,
    format: Format,
    file: Option<&Path>,
) -> Result<(), Failure> {
    check(format, file)?;
    let rendered = match format {
        // A file opens without a server, so its charts come along. The server's reports may contain no code.
        Format::Html => Ok(Rendered::Text(html_with_charts(run))),
        _ => format.render(run).map_err(|error| Failure::Host(error.to_string())),
    };
    match (rendered?, file) {
        (Rendered::Text(text), _) => write(&text, file),
        (Rendered::ByDatabase, Some(path)) => {
            app.results().write_parquet(&run.id, path)?;
            output::note(&format!("wrote {}", path.display()));
            Ok(())
        }
        // Refused by the check.
        (Rendered::ByDatabase, None) => Ok(()),
    }
}

/// Writes a document to a file, or to standard output.
pub(super) fn write(document: &str, file: Option<&Path>) -> Result<(), Failure> {
    let Some(path) = file else { return output::document(document) };
    write_whole(path, document.as_bytes(), Place::Named)?;
    output::note(&format!("wrote {}", path.display()));
    Ok(())
}
