//! Reports: a folder for each run, and what the original suite promised to say over many of them.

use std::{
    collections::{BTreeMap, HashMap},
    fs, io,
    path::{Path, PathBuf},
};

use aide::transform::TransformOperation;
use axum::{
    Json,
    extract::State as Of,
    http::{StatusCode, header},
    response::{IntoResponse, Response},
};
use dyno_core::model::{Comparison, RunRecord};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{
    extract::{Ask, At},
    media::{MARKDOWN, may_be},
    problem::Problem,
    state::{Shared, State, blocking},
    status::word,
};
use crate::{
    app::{PerformanceFilter, PerformanceRow, RunFilter, RunSummary},
    export::{ComparisonFormat, Format, Rendered, html_table, markdown_name},
};

/// The formats that every run gets a report in.
const WRITTEN: [(&str, Format); 3] =
    [("result", Format::Json), ("report", Format::Markdown), ("report", Format::Html)];

/// Writes the reports of a run into its folder: whole or not at all.
pub(super) fn write(results: &Path, record: &RunRecord) -> io::Result<()> {
    let folder = results.join(&record.id);
    fs::create_dir_all(&folder)?;
    for (name, format) in WRITTEN {
        if let Rendered::Text(text) = format.render(record).map_err(io::Error::other)? {
            replace(&folder, &format!("{name}.{}", format.extension()), &text)?;
        }
    }
    Ok(())
}

/// Writes how a run compares with the baseline that it was asked for with, into the folder of its reports.
pub(super) fn write_comparison(results: &Path, run: &str, comparison: &Comparison) -> io::Result<()> {
    let text = ComparisonFormat::Markdown.render(comparison, false).map_err(io::Error::other)?;
    replace(&results.join(run), "comparison.md", &text)
}

fn replace(folder: &Path, name: &str, text: &str) -> io::Result<()> {
    let partial = folder.join(format!(".{name}.partial"));
    fs::write(&partial, text)?;
    fs::rename(partial, folder.join(name))
}

/// Reports of one run.
#[derive(Debug, Serialize, JsonSchema)]
pub(super) struct Reports {
    run_id: String,
    /// How the run stands: `initializing`, `running`, `completed`, `failed`, or `unknown`.
    status: String,
    /// Names of the files.
    reports: Vec<String>,
    /// Their folder on the server.
    path: String,
    /// Where they are served, in the same order.
    urls: Vec<String>,
}

/// A report shows what plugins said: as a page of its own it may do nothing.
const POLICY: &str = "default-src 'none'; style-src 'unsafe-inline'; sandbox";

/// Reports that are listed.
const LISTED: usize = 200;

/// All reports, newest first.
pub(super) fn list(state: &State) -> Result<Vec<Reports>, Problem> {
    let entries = match fs::read_dir(&state.results) {
        Ok(entries) => entries,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(Problem::internal(&error)),
    };
    let newest = state.app.stored_runs(&RunFilter { limit: 1_000, ..RunFilter::default() })?;
    let known: HashMap<&str, (usize, &RunSummary)> =
        newest.iter().enumerate().map(|(place, run)| (run.id.as_str(), (place, run))).collect();
    // In the order of the runs: the times of folders go back when a clock is set. What the database does not know comes last.
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
        let mut reports: Vec<String> = fs::read_dir(&path)
            .map_err(|error| Problem::internal(&error))?
            .filter_map(|entry| entry.ok()?.file_name().into_string().ok())
            .filter(|name| name.ends_with(".md") || name.ends_with(".html") || name.ends_with(".json"))
            .filter(|name| !name.starts_with('.'))
            .collect();
        reports.sort();
        if reports.is_empty() {
            continue;
        }
        let status =
            known.get(run_id.as_str()).map_or("unknown", |(_, run)| word(run.status, run.with_result > 0));
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

/// One file of a run.
#[derive(Debug, Deserialize, JsonSchema)]
pub(super) struct ReportFile {
    /// Identifier of the run, the beginning of it, or `last`.
    run: String,
    /// Name of the file. // eg: report.html
    file: String,
}

/// `GET /api/reports/{run}/{file}`
pub(super) async fn file(Of(state): Of<Shared>, At(at): At<ReportFile>) -> Result<Response, Problem> {
    let ending = at.file.rsplit_once('.').map_or("", |(_, ending)| ending);
    let known = WRITTEN.into_iter().map(|(_, format)| format).find(|format| format.extension() == ending);
    let kind = known.map_or("", Format::media_type);
    if !is_name(&at.file) || kind.is_empty() {
        return Err(Problem::not_found(format!("there is no report `{}/{}`", at.run, at.file)));
    }
    let text = blocking(&state, move |state| {
        // The reports of a run that was deleted are still there, under its identifier.
        let is_folder = is_name(&at.run) && state.results.join(&at.run).is_dir();
        let run = if is_folder { at.run } else { state.app.run_id(&at.run)? };
        fs::read(state.results.join(&run).join(&at.file)).map_err(|_| {
            Problem::not_found(format!(
                "there is no report `{}` of run `{run}`; GET /api/benchmark/reports lists them",
                at.file
            ))
        })
    })
    .await?;
    Ok((StatusCode::OK, [(header::CONTENT_TYPE, kind), (header::CONTENT_SECURITY_POLICY, POLICY)], text)
        .into_response())
}

pub(super) fn file_docs(op: TransformOperation<'_>) -> TransformOperation<'_> {
    may_be(
        op.summary("A report file of a run").tag("reports"),
        WRITTEN.map(|(_, format)| format.media_type()),
    )
}

/// Whether a name is one of ours: no way out of a folder.
fn is_name(name: &str) -> bool {
    !name.starts_with('.')
        && !name.is_empty()
        && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte))
}

/// Which report over many runs.
#[derive(Debug, Clone, Copy, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub(super) enum OverallKind {
    /// How many results there are, by model and hardware, with the best of each.
    Summary,
    /// For each model, what each hardware gives.
    HardwareComparison,
    /// For each hardware, what each model gives.
    ModelComparison,
    /// Which model ran on which hardware.
    CompatibilityMatrix,
}

/// The path of a report over many runs.
#[derive(Debug, Deserialize, JsonSchema)]
pub(super) struct OverallPath {
    /// Which.
    kind: OverallKind,
}

/// The form of a report over many runs.
#[derive(Debug, Deserialize, JsonSchema)]
pub(super) struct OverallQuery {
    /// `json`, `markdown` or `html`.
    #[serde(default)]
    format: OverallFormat,
}

#[derive(Debug, Clone, Copy, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
enum OverallFormat {
    #[default]
    Json,
    Markdown,
    Html,
}

/// A report over many runs: rows by name, columns by name.
#[derive(Debug, Serialize, JsonSchema)]
pub(super) struct Overall {
    /// What it says.
    title: String,
    /// Names of the columns, after the name of the row.
    columns: Vec<String>,
    /// The rows, by name; a cell is absent where there is no result.
    rows: BTreeMap<String, BTreeMap<String, Cell>>,
}

/// The results of one model on one hardware.
#[derive(Debug, Default, Clone, Serialize, JsonSchema)]
pub(super) struct Cell {
    /// Results.
    results: u32,
    /// The least average latency [ms].
    best_latency_ms: Option<f64>,
    /// The most throughput [items/s].
    best_throughput: Option<f64>,
    /// The least peak memory [MB].
    least_memory_mb: Option<f64>,
    /// Whether it ran to its end at least once.
    compatible: bool,
}

/// Results that a report is made of, at most.
const COUNTED: u32 = 100_000;

/// `GET /api/reports/{kind}`
pub(super) async fn overall(
    Of(state): Of<Shared>,
    At(at): At<OverallPath>,
    Ask(ask): Ask<OverallQuery>,
) -> Result<Response, Problem> {
    let report = blocking(&state, move |state| {
        let rows =
            state.app.performance(&PerformanceFilter { limit: COUNTED, ..PerformanceFilter::default() })?;
        let pairs = match at.kind {
            OverallKind::CompatibilityMatrix => state.app.compatibility()?,
            _ => Vec::new(),
        };
        Ok::<_, Problem>(report(at.kind, &rows, &pairs))
    })
    .await?;
    Ok(match ask.format {
        OverallFormat::Json => Json(report).into_response(),
        OverallFormat::Markdown => ([(header::CONTENT_TYPE, MARKDOWN)], markdown(&report)).into_response(),
        OverallFormat::Html => {
            let kind = (header::CONTENT_TYPE, "text/html; charset=utf-8");
            ([kind, (header::CONTENT_SECURITY_POLICY, POLICY)], html(&report)).into_response()
        }
    })
}

pub(super) fn overall_docs(op: TransformOperation<'_>) -> TransformOperation<'_> {
    let op = op.summary("A report over all runs").tag("reports").response::<200, Json<Overall>>();
    may_be(op, [MARKDOWN, Format::Html.media_type()])
}

fn report(kind: OverallKind, rows: &[PerformanceRow], pairs: &[(String, String, bool)]) -> Overall {
    let title = match kind {
        OverallKind::Summary => "Results by model and hardware",
        OverallKind::HardwareComparison => "Hardware, by model",
        OverallKind::ModelComparison => "Models, by hardware",
        OverallKind::CompatibilityMatrix => "Which model runs on which hardware",
    };
    let mut out = Overall { title: title.to_owned(), columns: Vec::new(), rows: BTreeMap::new() };
    let by_hardware = matches!(kind, OverallKind::ModelComparison);
    let mut cell = |model: &str, hardware: &str, change: &mut dyn FnMut(&mut Cell)| {
        let (row, column) = if by_hardware { (hardware, model) } else { (model, hardware) };
        if !out.columns.iter().any(|name| name == column) {
            out.columns.push(column.to_owned());
        }
        change(out.rows.entry(row.to_owned()).or_default().entry(column.to_owned()).or_default());
    };
    for row in rows {
        cell(&row.model_name, &row.hardware_type, &mut |cell| {
            let least = |known: Option<f64>, new: f64| Some(known.map_or(new, |known| known.min(new)));
            cell.results += 1;
            cell.compatible = true;
            cell.best_latency_ms = least(cell.best_latency_ms, row.average_latency_ms);
            if let Some(rate) = row.throughput_items_per_second {
                cell.best_throughput = Some(cell.best_throughput.map_or(rate, |known| known.max(rate)));
            }
            if let Some(memory) = row.memory_peak_mb {
                cell.least_memory_mb = least(cell.least_memory_mb, memory);
            }
        });
    }
    for (model, hardware, compatible) in pairs {
        cell(model, hardware, &mut |cell| cell.compatible |= *compatible);
    }
    out.columns.sort();
    out
}

fn markdown(report: &Overall) -> String {
    // Names of models and devices are text of others.
    let columns: Vec<String> = report.columns.iter().map(|column| markdown_name(column)).collect();
    let mut out = format!("# {}\n\n| | {} |\n", report.title, columns.join(" | "));
    out.push_str(&format!("|---|{}\n", "---:|".repeat(report.columns.len())));
    for (name, cells) in &report.rows {
        let shown: Vec<String> = report.columns.iter().map(|column| shown(cells.get(column))).collect();
        out.push_str(&format!("| {} | {} |\n", markdown_name(name), shown.join(" | ")));
    }
    out
}

fn html(report: &Overall) -> String {
    let head: Vec<String> = std::iter::once(String::new()).chain(report.columns.iter().cloned()).collect();
    let row = |(name, cells): (&String, &BTreeMap<String, Cell>)| {
        let shown = report.columns.iter().map(|column| shown(cells.get(column)));
        std::iter::once(name.clone()).chain(shown).collect()
    };
    let rows: Vec<Vec<String>> = report.rows.iter().map(row).collect();
    html_table(&report.title, &head, &rows)
}

/// A cell for people.
fn shown(cell: Option<&Cell>) -> String {
    let Some(cell) = cell else { return "–".to_owned() };
    match cell.best_latency_ms.filter(|latency| latency.is_finite()) {
        Some(latency) => format!("{latency:.4} ms ({} results)", cell.results),
        None if cell.compatible => "yes".to_owned(),
        None => "no".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(model: &str, hardware: &str, latency: f64) -> PerformanceRow {
        PerformanceRow {
            model_name: model.to_owned(),
            model_family: String::new(),
            hardware_type: hardware.to_owned(),
            device_name: String::new(),
            test_case: String::new(),
            batch_size: None,
            precision: None,
            throughput_items_per_second: Some(1.0 / latency),
            average_latency_ms: latency,
            memory_peak_mb: None,
            simulation_mode: false,
            created_at: String::new(),
        }
    }

    #[test]
    fn the_best_of_each_pair_is_shown() {
        let rows = [row("a", "cpu", 2.0), row("a", "cpu", 1.0), row("b", "cuda", 4.0)];
        let summary = report(OverallKind::HardwareComparison, &rows, &[]);
        assert_eq!(summary.columns, ["cpu", "cuda"]);
        assert_eq!(summary.rows["a"]["cpu"].best_latency_ms, Some(1.0));
        assert!(!summary.rows["a"].contains_key("cuda"));
        let pairs = [("b".to_owned(), "cpu".to_owned(), false)];
        let matrix = report(OverallKind::CompatibilityMatrix, &rows, &pairs);
        assert!(!matrix.rows["b"]["cpu"].compatible && matrix.rows["b"]["cuda"].compatible);
        assert!(markdown(&matrix).contains("| b | no | 4.0000 ms (1 results) |"), "{}", markdown(&matrix));
        assert_eq!(report(OverallKind::ModelComparison, &rows, &[]).columns, ["a", "b"]);
        let hostile = [row("a|b\n# c", "<script>", f64::NAN)];
        let table = markdown(&report(OverallKind::Summary, &hostile, &[]));
        assert_eq!(table.lines().count(), 5, "{table}");
        assert!(table.contains("| a\\|b\u{fffd}\\# c | yes |") && !table.contains("NaN"), "{table}");
        let page = html(&report(OverallKind::Summary, &hostile, &[]));
        assert!(page.starts_with("<!DOCTYPE html>") && page.ends_with("</html>\n"), "{page}");
        assert!(page.contains("<th class=\"n\">&lt;script&gt;</th>") && !page.contains("<script"), "{page}");
        assert!(page.contains("<td>a|b\u{fffd}# c</td><td class=\"n\">yes</td>"), "{page}");
        let page = html(&matrix);
        assert!(page.contains("<td>b</td><td class=\"n\">no</td><td class=\"n\">4.0000 ms (1 results)</td>"));
    }

    #[test]
    fn names_do_not_lead_out() {
        for bad in ["..", "a/b", "", ".hidden", "a\\b", "é"] {
            assert!(!is_name(bad), "{bad}");
        }
        assert!(is_name("01997f3e-aaaa.html"));
    }
}
