//! The formats that a run and a comparison can be written in: one enum each, which command line, server and
//! documents take their names from.

use dyno_core::model::{Comparison, RunRecord};
use schemars::JsonSchema;
use serde::Deserialize;

use super::{
    WriteError, bmf::bmf, comparison, csv::csv, csv::samples_csv, gbench::gbench, github::run_github,
    github_benchmark::github_benchmark, html::html, json::json, junit::run_junit, markdown::markdown,
    openmetrics::openmetrics,
};

/// Output format of a run.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Format {
    /// Report as Markdown
    Markdown,
    /// Report as one HTML page with charts
    Html,
    /// A `dyno.result` document with every sample
    #[default]
    Json,
    /// CSV, one row per case and metric
    Csv,
    /// CSV, one row per sample
    SamplesCsv,
    /// Bencher Metric Format
    Bmf,
    /// JSON of Google Benchmark, one repetition per launch
    Gbench,
    /// The list that github-action-benchmark reads, as `customSmallerIsBetter`
    GithubBenchmark,
    /// JUnit XML, one test case per case, failed or skipped as the case was
    Junit,
    /// Annotations of GitHub Actions, one error per failed case
    Github,
    /// OpenMetrics text for Prometheus
    Openmetrics,
    /// Parquet file, one row per sample
    Parquet,
}

/// A run in a format.
#[derive(Debug)]
pub enum Rendered {
    /// The text.
    Text(String),
    /// The format is not text: the database writes it.
    ByDatabase,
}

impl Format {
    /// All of them, in the order of help and documents.
    pub const ALL: [Self; 12] = [
        Self::Markdown,
        Self::Html,
        Self::Json,
        Self::Csv,
        Self::SamplesCsv,
        Self::Bmf,
        Self::Gbench,
        Self::GithubBenchmark,
        Self::Junit,
        Self::Github,
        Self::Openmetrics,
        Self::Parquet,
    ];

    /// Its name in flags and queries.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Markdown => "markdown",
            Self::Html => "html",
            Self::Json => "json",
            Self::Csv => "csv",
            Self::SamplesCsv => "samples-csv",
            Self::Bmf => "bmf",
            Self::Gbench => "gbench",
            Self::GithubBenchmark => "github-benchmark",
            Self::Junit => "junit",
            Self::Github => "github",
            Self::Openmetrics => "openmetrics",
            Self::Parquet => "parquet",
        }
    }

    /// Its description, for `--help`.
    #[must_use]
    pub const fn about(self) -> &'static str {
        match self {
            Self::Markdown => "Report as Markdown",
            Self::Html => "Report as one HTML page with charts",
            Self::Json => "A `dyno.result` document with every sample",
            Self::Csv => "CSV, one row per case and metric",
            Self::SamplesCsv => "CSV, one row per sample",
            Self::Bmf => "Bencher Metric Format",
            Self::Gbench => "JSON of Google Benchmark, one repetition per launch",
            Self::GithubBenchmark => {
                "The list that github-action-benchmark reads, as `customSmallerIsBetter`"
            }
            Self::Junit => "JUnit XML, one test case per case, failed or skipped as the case was",
            Self::Github => "Annotations of GitHub Actions, one error per failed case",
            Self::Openmetrics => "OpenMetrics text for Prometheus",
            Self::Parquet => "Parquet file, one row per sample; needs --file",
        }
    }

    /// Its media type, for HTTP.
    #[must_use]
    pub const fn media_type(self) -> &'static str {
        match self {
            Self::Json | Self::Bmf | Self::Gbench | Self::GithubBenchmark => "application/json",
            Self::Markdown => "text/markdown; charset=utf-8",
            Self::Html => "text/html; charset=utf-8",
            Self::Csv | Self::SamplesCsv => "text/csv; charset=utf-8",
            Self::Github => "text/plain; charset=utf-8",
            Self::Openmetrics => "application/openmetrics-text; version=1.0.0; charset=utf-8",
            Self::Junit => "application/xml",
            Self::Parquet => "application/vnd.apache.parquet",
        }
    }

    /// File extension, without a dot.
    #[must_use]
    pub const fn extension(self) -> &'static str {
        match self {
            Self::Json | Self::Bmf | Self::Gbench | Self::GithubBenchmark => "json",
            Self::Markdown => "md",
            Self::Html => "html",
            Self::Csv | Self::SamplesCsv => "csv",
            Self::Openmetrics | Self::Github => "txt",
            Self::Junit => "xml",
            Self::Parquet => "parquet",
        }
    }

    /// Whether it contains launches and samples, which take longer to read.
    #[must_use]
    pub const fn needs_samples(self) -> bool {
        match self {
            Self::Json | Self::Html | Self::SamplesCsv | Self::Gbench | Self::Junit => true,
            Self::Markdown
            | Self::Csv
            | Self::Bmf
            | Self::GithubBenchmark
            | Self::Github
            | Self::Openmetrics
            | Self::Parquet => false,
        }
    }

    /// A run in this format. What the format has no word for, such as a case without a result in `bmf`, is absent.
    ///
    /// # Errors
    /// When the run cannot be serialised.
    pub fn render(self, run: &RunRecord) -> Result<Rendered, WriteError> {
        Ok(Rendered::Text(match self {
            Self::Markdown => markdown(run),
            Self::Html => html(run),
            Self::Json => json(run)?,
            Self::Csv => csv(run),
            Self::SamplesCsv => samples_csv(run),
            Self::Bmf => bmf(run),
            Self::Gbench => gbench(run),
            Self::GithubBenchmark => github_benchmark(run),
            Self::Junit => run_junit(run),
            Self::Github => run_github(run),
            Self::Openmetrics => openmetrics(run),
            Self::Parquet => return Ok(Rendered::ByDatabase),
        }))
    }

    /// The format of a comparison that replaces this one if a run was compared, for formats that people and gates read.
    /// The others contain results.
    #[must_use]
    pub const fn of_comparison(self) -> Option<ComparisonFormat> {
        match self {
            Self::Markdown => Some(ComparisonFormat::Markdown),
            Self::Junit => Some(ComparisonFormat::Junit),
            Self::Github => Some(ComparisonFormat::Github),
            _ => None,
        }
    }
}

/// Output format of a comparison.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum ComparisonFormat {
    /// Lines for the terminal
    #[default]
    Text,
    /// Markdown for a comment on a pull request, of bounded length
    Markdown,
    /// JUnit XML, one test case per metric, failed where it regressed
    Junit,
    /// Annotations of GitHub Actions, the worst first
    Github,
    /// A `dyno.comparison` document
    Json,
    /// CSV, one row per case and metric
    Csv,
    /// Bencher Metric Format, relative changes
    Bmf,
    /// OpenMetrics text, relative changes and verdicts
    Openmetrics,
}

impl ComparisonFormat {
    /// All of them, in the order of help and documents.
    pub const ALL: [Self; 8] = [
        Self::Text,
        Self::Markdown,
        Self::Junit,
        Self::Github,
        Self::Json,
        Self::Csv,
        Self::Bmf,
        Self::Openmetrics,
    ];

    /// Its name in flags and queries.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Text => "text",
            Self::Markdown => "markdown",
            Self::Junit => "junit",
            Self::Github => "github",
            Self::Json => "json",
            Self::Csv => "csv",
            Self::Bmf => "bmf",
            Self::Openmetrics => "openmetrics",
        }
    }

    /// Its description, for `--help`.
    #[must_use]
    pub const fn about(self) -> &'static str {
        match self {
            Self::Text => "Lines for the terminal",
            Self::Markdown => "Markdown for a comment on a pull request, of bounded length",
            Self::Junit => "JUnit XML, one test case per metric, failed where it regressed",
            Self::Github => "Annotations of GitHub Actions, the worst first",
            Self::Json => "A `dyno.comparison` document",
            Self::Csv => "CSV, one row per case and metric",
            Self::Bmf => "Bencher Metric Format, relative changes",
            Self::Openmetrics => "OpenMetrics text, relative changes and verdicts",
        }
    }

    /// A comparison in this format. `all` is for the terminal: every metric instead of those that matter.
    ///
    /// # Errors
    /// When the comparison cannot be serialised.
    pub fn render(self, comparison: &Comparison, all: bool) -> Result<String, WriteError> {
        Ok(match self {
            Self::Text => comparison::text(comparison, all),
            Self::Markdown => comparison::markdown(comparison),
            Self::Junit => comparison::junit(comparison),
            Self::Github => comparison::github(comparison),
            Self::Json => comparison::json(comparison)?,
            Self::Csv => comparison::csv(comparison),
            Self::Bmf => comparison::bmf(comparison),
            Self::Openmetrics => comparison::openmetrics(comparison),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Names and descriptions that the published schema of the server gives.
    fn published<T: JsonSchema>() -> Vec<(String, String)> {
        let schema = schemars::schema_for!(T).to_value();
        let choices = schema["oneOf"].as_array().expect("every choice has its description");
        let text = |value: &serde_json::Value| value.as_str().unwrap_or_default().to_owned();
        choices.iter().map(|choice| (text(&choice["const"]), text(&choice["description"]))).collect()
    }

    #[test]
    fn flags_queries_and_documents_know_the_same_formats() {
        let runs: Vec<String> = Format::ALL.map(|format| format.name().to_owned()).to_vec();
        assert_eq!(published::<Format>().into_iter().map(|(name, _)| name).collect::<Vec<_>>(), runs);
        let comparisons = ComparisonFormat::ALL.map(|format| format.name().to_owned()).to_vec();
        let found: Vec<String> = published::<ComparisonFormat>().into_iter().map(|(name, _)| name).collect();
        assert_eq!(found, comparisons);
        for (name, about) in published::<Format>() {
            let known = Format::ALL.into_iter().find(|format| format.name() == name).unwrap();
            assert!(known.about().starts_with(&about), "{name}: {about}");
        }
        let (cli, server) = (include_str!("../../../docs/cli.md"), include_str!("../../../docs/server.md"));
        let line = |page: &str, start: &str| {
            page.lines()
                .find(|line| line.starts_with(start))
                .unwrap_or_else(|| panic!("no {start}"))
                .to_owned()
        };
        let queries = line(server, "| `GET /api/runs/{run}/export");
        for format in Format::ALL {
            let name = format!("`{}`", format.name());
            assert!(queries.contains(&name), "{name} of the export is not in docs/server.md");
            assert!(cli.contains(&format!("| {name} | ")), "{name} is not in the tables of docs/cli.md");
        }
        for format in ComparisonFormat::ALL {
            let name = format!("`{}`", format.name());
            assert!(cli.contains(&format!("| {name} | ")), "{name} is not in the tables of docs/cli.md");
        }
    }
}
