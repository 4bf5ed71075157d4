//! Reports over all runs, as the original suite promised them.

use std::{collections::BTreeMap, sync::Arc};

use aide::transform::TransformOperation;
use axum::{
    Json,
    extract::State as Of,
    http::header,
    response::{IntoResponse, Response},
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{
    extract::{Ask, At},
    media::{MARKDOWN, may_be},
    problem::Problem,
    reports::POLICY,
    state::{Shared, blocking},
};
use crate::{
    app::{PerformanceFilter, PerformanceRow},
    export::{Format, html_table, markdown_name},
};

/// A report over all runs.
#[derive(Debug, Clone, Copy, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub(super) enum OverallKind {
    /// Number of results and the best one, by model and hardware.
    Summary,
    /// The best result on each hardware, by model.
    HardwareComparison,
    /// The best result of each model, by hardware.
    ModelComparison,
    /// Whether each model ran on each hardware.
    CompatibilityMatrix,
}

/// Path of a report over all runs.
#[derive(Debug, Deserialize, JsonSchema)]
pub(super) struct OverallPath {
    /// Kind of report.
    kind: OverallKind,
}

/// Options of a report over all runs.
#[derive(Debug, Deserialize, JsonSchema)]
pub(super) struct OverallQuery {
    /// Output format.
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

/// A report over all runs: a table with named rows and columns.
#[derive(Debug, Serialize, JsonSchema)]
pub(super) struct Overall {
    /// Title of the table.
    title: String,
    /// Names of the columns, without the one for row names.
    columns: Vec<String>,
    /// Cells, by name of row and then of column. A pair without a result has no cell.
    rows: BTreeMap<String, BTreeMap<String, Cell>>,
}

/// Results of one model on one hardware.
#[derive(Debug, Default, Clone, Serialize, JsonSchema)]
pub(super) struct Cell {
    /// Number of results.
    results: u32,
    /// Lowest average latency [ms].
    best_latency_ms: Option<f64>,
    /// Highest throughput [items/s].
    best_throughput: Option<f64>,
    /// Lowest peak memory [MB].
    least_memory_mb: Option<f64>,
    /// Whether the model completed at least once.
    compatible: bool,
}

/// Maximum number of results, newest first, that a report covers.
const COUNTED: u32 = 100_000;

/// `GET /api/reports/{kind}`
pub(super) async fn overall(
    Of(state): Of<Shared>,
    At(at): At<OverallPath>,
    Ask(ask): Ask<OverallQuery>,
) -> Result<Response, Problem> {
    let report = blocking(&state, move |state| {
        let rows = state
            .serving()
            .records()
            .performance(&PerformanceFilter { limit: COUNTED, ..PerformanceFilter::default() })?;
        let pairs = match at.kind {
            OverallKind::CompatibilityMatrix => state.serving().records().compatibility()?,
            _ => Vec::new(),
        };
        Ok::<_, Problem>(report(at.kind, &rows, &pairs))
    })
    .await?;
    Ok(match ask.format {
        OverallFormat::Json => Json(report).into_response(),
        OverallFormat::Markdown => ([(header::CONTENT_TYPE, MARKDOWN)], markdown(&report)).into_response(),
        OverallFormat::Html => {
            let kind = (header::CONTENT_TYPE, Format::Html.media_type());
            ([kind, (header::CONTENT_SECURITY_POLICY, POLICY)], html(&report)).into_response()
        }
    })
}

pub(super) fn overall_docs(op: TransformOperation<'_>) -> TransformOperation<'_> {
    let op = op.summary("A report over all runs").tag("reports").response::<200, Json<Overall>>();
    may_be(op, [MARKDOWN, Format::Html.media_type()])
}

fn report(kind: OverallKind, rows: &[Arc<PerformanceRow>], pairs: &[(String, String, bool)]) -> Overall {
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

/// The text of a cell in Markdown and HTML.
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

    fn row(model: &str, hardware: &str, latency: f64) -> Arc<PerformanceRow> {
        Arc::new(PerformanceRow {
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
        })
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
}
