//! The page for people: one file without scripts and without anything from elsewhere.

use std::{collections::HashSet, fmt::Write};

use crate::{
    analysis::Analysis,
    summary::Summary,
    svg::{self, escaped},
};

/// How many rows a table has, and how many classes the hierarchy.
const ROWS: usize = 500;
const CLASSES: usize = 2000;

/// Deepest level of the hierarchy; deeper ones are counted.
const DEEPEST: usize = 12;

const STYLE: &str = "\
:root{color-scheme:light dark}
body{font:15px/1.5 system-ui,sans-serif;max-width:1160px;margin:2rem auto;padding:0 1rem}
table{border-collapse:collapse;width:100%;margin:1rem 0}
td,th{border-bottom:1px solid #8884;padding:.3rem .5rem;text-align:left;vertical-align:top}
svg{width:100%;height:auto;border:1px solid #8884;margin:.5rem 0}
svg rect{stroke:#fff}svg text{font:12px system-ui,sans-serif;fill:#111}
.node{fill:#cfe0f5;stroke:#5580b0}.edge{fill:none;stroke:#8899aa88}
ul{margin:.2rem 0;padding-left:1.4rem}code{font-size:.92em}.place{opacity:.7}
";

/// The page.
pub(crate) fn page(analysis: &Analysis, summary: &Summary<'_>, keys: &[Vec<String>]) -> String {
    let mut text = String::from(
        "<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\"><title>Analysis of source code</title>\n<style>\n",
    );
    text.push_str(STYLE);
    text.push_str("</style></head><body>\n<h1>Analysis of source code</h1>\n");
    // Writing to a string does not fail.
    let _written = write(&mut text, analysis, summary, keys);
    text.push_str("</body></html>\n");
    text
}

fn write(
    text: &mut String,
    analysis: &Analysis,
    summary: &Summary<'_>,
    keys: &[Vec<String>],
) -> std::fmt::Result {
    writeln!(
        text,
        "<p>{} files with {} lines, {} classes, {} functions, {} benchmarks.</p>",
        summary.total_files_analyzed,
        summary.total_lines,
        summary.total_classes,
        summary.total_functions,
        summary.total_benchmarks
    )?;
    for note in summary.notes {
        writeln!(text, "<p>{}</p>", prose(note))?;
    }
    recommendations(text, summary)?;
    benchmarks(text, summary)?;
    writeln!(
        text,
        "<h2>Complexity</h2>\n<p>A rectangle is a file. Its area is its lines of code; red means more cognitive complexity per line.</p>"
    )?;
    text.push_str(&svg::treemap(analysis));
    writeln!(
        text,
        "<h2>Dependencies</h2>\n<p>A line leads from a file to one that it imports, to its right.</p>"
    )?;
    text.push_str(&svg::dependencies(analysis));
    writeln!(text, "<h2>Class hierarchy</h2>")?;
    hierarchy(text, analysis, keys)?;
    problems(text, summary)
}

/// A sentence, in which what stands between backticks is code.
fn prose(text: &str) -> String {
    let mut safe = String::new();
    let parts: Vec<&str> = text.split('`').collect();
    for (at, part) in parts.iter().enumerate() {
        let part = escaped(part);
        match at {
            at if at % 2 == 0 => safe.push_str(&part),
            // One that is not closed is a character like others.
            at if at + 1 == parts.len() => safe.push_str(&format!("`{part}")),
            _ => safe.push_str(&format!("<code>{part}</code>")),
        }
    }
    safe
}

fn recommendations(text: &mut String, summary: &Summary<'_>) -> std::fmt::Result {
    writeln!(text, "<h2>Recommendations</h2>")?;
    if summary.recommendations.is_empty() {
        return writeln!(text, "<p>Nothing was found that needs work.</p>");
    }
    writeln!(text, "<ol>")?;
    for found in summary.recommendations {
        let files: Vec<String> =
            found.files.iter().map(|file| format!("<code>{}</code>", escaped(file))).collect();
        let more = match found.file_count - found.files.len() {
            0 => String::new(),
            more => format!(" and {more} more"),
        };
        writeln!(
            text,
            "<li><strong>{}</strong> {} {}<br><span class=\"place\">{}{more}</span></li>",
            prose(&found.title),
            prose(&found.reason),
            prose(&found.feature),
            files.join(", ")
        )?;
    }
    writeln!(text, "</ol>")
}

fn benchmarks(text: &mut String, summary: &Summary<'_>) -> std::fmt::Result {
    writeln!(text, "<h2>Benchmarks</h2>")?;
    if summary.benchmarks.is_empty() {
        return writeln!(text, "<p>No benchmark was found.</p>");
    }
    writeln!(text, "<table><tr><th>benchmark<th>framework<th>parameters<th>timing<th>problems</tr>")?;
    for entry in summary.flawed_first().into_iter().take(ROWS) {
        let found = entry.benchmark;
        let parameters: Vec<String> = found
            .parameters
            .iter()
            .map(|parameter| match parameter.values.is_empty() {
                true => escaped(&parameter.name),
                false => format!("{} = {}", escaped(&parameter.name), escaped(&parameter.values.join(", "))),
            })
            .collect();
        let problems: Vec<String> = found
            .problems
            .iter()
            .map(|finding| {
                format!("<b>{}</b> (line {}): {}", finding.kind.label(), finding.line, prose(&finding.reason))
            })
            .collect();
        writeln!(
            text,
            "<tr><td>{}<br><span class=\"place\">{}:{}</span><td>{}<td>{}<td>{}<td>{}</tr>",
            escaped(&found.name),
            escaped(entry.file),
            found.line,
            found.framework.label(),
            parameters.join("<br>"),
            prose(&found.timing),
            problems.join("<br>")
        )?;
    }
    writeln!(text, "</table>")?;
    more(text, summary.benchmarks.len(), ROWS)
}

/// Classes under their bases. The walk keeps its own stack, and shows a class that has two bases under the first.
fn hierarchy(text: &mut String, analysis: &Analysis, keys: &[Vec<String>]) -> std::fmt::Result {
    let graph = &analysis.graph;
    let derived: HashSet<(usize, usize)> = graph.subclasses.values().flatten().copied().collect();
    let mut shown = HashSet::new();
    let classes =
        keys.iter().enumerate().flat_map(|(file, keys)| (0..keys.len()).map(move |class| (file, class)));
    let all: Vec<(usize, usize)> = classes.collect();
    // Classes of a circle have no root among them.
    let roots = all.iter().filter(|place| !derived.contains(place)).chain(&all);
    writeln!(text, "<ul>")?;
    let mut depth = 0;
    for root in roots {
        let mut open = vec![(*root, 0_usize)];
        while let Some((place, level)) = open.pop() {
            if shown.len() >= CLASSES || !shown.insert(place) {
                continue;
            }
            let level = level.min(DEEPEST);
            while depth < level {
                write!(text, "<ul>")?;
                depth += 1;
            }
            while depth > level {
                write!(text, "</ul>")?;
                depth -= 1;
            }
            let class = &analysis.files[place.0].facts.classes[place.1];
            let bases = if class.bases.is_empty() {
                String::new()
            } else {
                format!(" ({})", escaped(&class.bases.join(", ")))
            };
            writeln!(
                text,
                "<li>{} <code>{}</code>{bases} <span class=\"place\">{}:{}</span>",
                escaped(&class.kind),
                escaped(&class.qualified),
                escaped(&analysis.files[place.0].path),
                class.line
            )?;
            let below = graph.subclasses.get(&place).map(Vec::as_slice).unwrap_or_default();
            open.extend(below.iter().rev().map(|place| (*place, level + 1)));
        }
    }
    while depth > 0 {
        write!(text, "</ul>")?;
        depth -= 1;
    }
    writeln!(text, "</ul>")?;
    more(text, all.len(), shown.len())
}

fn problems(text: &mut String, summary: &Summary<'_>) -> std::fmt::Result {
    if summary.problems.is_empty() {
        return Ok(());
    }
    writeln!(text, "<h2>Problems</h2>\n<table><tr><th>file<th>place<th>reason</tr>")?;
    for problem in summary.problems.iter().take(ROWS) {
        let place = problem.line.map(|line| format!("line {line}")).unwrap_or_default();
        writeln!(text, "<tr><td>{}<td>{place}<td>{}</tr>", escaped(&problem.file), prose(&problem.reason))?;
    }
    writeln!(text, "</table>")?;
    more(text, summary.problems.len(), ROWS)
}

fn more(text: &mut String, count: usize, shown: usize) -> std::fmt::Result {
    match count.saturating_sub(shown) {
        0 => Ok(()),
        more => writeln!(text, "<p>{more} more are in the JSON files beside this page.</p>"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn code_in_a_sentence_is_shown_as_code() {
        assert_eq!(prose("Use `a<b>` now."), "Use <code>a&lt;b&gt;</code> now.");
        assert_eq!(prose("A ` alone"), "A ` alone");
    }
}
