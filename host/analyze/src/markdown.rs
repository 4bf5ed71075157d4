//! The summary as a page in Markdown, for people.

use std::fmt::Write;

use crate::summary::Summary;

/// How many rows of a table are shown; `summary.json` has all.
const ROWS: usize = 50;

/// Text in a table: without what Markdown reads as its own.
fn cell(text: &str) -> String {
    let mut safe = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '|' | '\\' | '`' | '*' | '_' | '<' | '>' | '[' | ']' | '#' | '~' | '&' | '$' => {
                safe.push('\\');
                safe.push(character);
            }
            character if character.is_control() => safe.push(' '),
            character => safe.push(character),
        }
    }
    safe
}

/// The page.
pub(crate) fn page(summary: &Summary<'_>) -> String {
    let mut text = String::from("# Summary of the analysis\n\n");
    // Writing to a string does not fail.
    let _written = write(&mut text, summary);
    text
}

fn write(text: &mut String, summary: &Summary<'_>) -> std::fmt::Result {
    writeln!(text, "| what | number |\n|---|---|")?;
    writeln!(text, "| files analysed | {} |", summary.total_files_analyzed)?;
    writeln!(text, "| lines | {} |", summary.total_lines)?;
    writeln!(text, "| classes | {} |", summary.total_classes)?;
    writeln!(text, "| functions | {} |", summary.total_functions)?;
    writeln!(text, "| benchmarks | {} |", summary.total_benchmarks)?;
    writeln!(text, "| problems in benchmarks | {} |", summary.total_benchmark_problems)?;
    writeln!(text, "| files with problems | {} |", summary.problems.len())?;
    for note in summary.notes {
        writeln!(text, "\n{note}")?;
    }
    if !summary.recommendations.is_empty() {
        writeln!(text, "\n## Recommendations\n")?;
        for found in summary.recommendations {
            writeln!(
                text,
                "{}. **{}** {} {}",
                found.rank,
                cell(&found.title),
                cell(&found.reason),
                found.feature
            )?;
            let files: Vec<String> = found.files.iter().map(|file| cell(file)).collect();
            let more = found.file_count - found.files.len();
            let more = if more > 0 { format!(" and {more} more") } else { String::new() };
            writeln!(text, "   Files: {}{more}.", files.join(", "))?;
        }
    }
    if !summary.benchmarks.is_empty() {
        writeln!(
            text,
            "\n## Benchmarks\n\n| benchmark | framework | file | parameters | timing | problems |"
        )?;
        writeln!(text, "|---|---|---|---|---|---|")?;
        for entry in summary.flawed_first().into_iter().take(ROWS) {
            let found = entry.benchmark;
            let parameters: Vec<String> =
                found.parameters.iter().map(|parameter| cell(&parameter.name)).collect();
            let problems: Vec<String> = found
                .problems
                .iter()
                .map(|finding| format!("{} (line {})", finding.kind.label(), finding.line))
                .collect();
            writeln!(
                text,
                "| {} | {} | {}:{} | {} | {} | {} |",
                cell(&found.name),
                found.framework.label(),
                cell(entry.file),
                found.line,
                parameters.join(", "),
                cell(&found.timing),
                problems.join(", ")
            )?;
        }
        rest(text, summary.benchmarks.len())?;
    }
    if !summary.duplicates.is_empty() {
        writeln!(text, "\n## Benchmarks of equal structure\n")?;
        for group in summary.duplicates.iter().take(ROWS) {
            let places: Vec<String> = group
                .places
                .iter()
                .map(|place| format!("{} ({}:{})", cell(&place.name), cell(&place.file), place.line))
                .collect();
            writeln!(text, "- {}", places.join(", "))?;
        }
        rest(text, summary.duplicates.len())?;
    }
    writeln!(text, "\n## Most complex files\n\n| file | cyclomatic complexity |\n|---|---|")?;
    for (file, complexity) in &summary.most_complex_files {
        writeln!(text, "| {} | {complexity} |", cell(file))?;
    }
    writeln!(text, "\n## Most common imports\n\n| module | imports |\n|---|---|")?;
    for (module, count) in &summary.most_common_imports {
        writeln!(text, "| {} | {count} |", cell(module))?;
    }
    if !summary.problems.is_empty() {
        writeln!(text, "\n## Problems\n\n| file | place | reason |\n|---|---|---|")?;
        for problem in summary.problems.iter().take(ROWS) {
            let place = match (problem.line, problem.column) {
                (Some(line), Some(column)) => format!("line {line}, column {column}"),
                (Some(line), None) => format!("line {line}"),
                _ => String::new(),
            };
            writeln!(text, "| {} | {place} | {} |", cell(&problem.file), cell(&problem.reason))?;
        }
        rest(text, summary.problems.len())?;
    }
    Ok(())
}

fn rest(text: &mut String, count: usize) -> std::fmt::Result {
    match count.saturating_sub(ROWS) {
        0 => Ok(()),
        more => writeln!(text, "\n{more} more are in `summary.json`."),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_stay_names_in_markdown() {
        assert_eq!(cell("__init__.py"), "\\_\\_init\\_\\_.py");
        assert_eq!(cell("a|b\n# c"), "a\\|b \\# c");
        assert_eq!(cell("~~x~~ &lt; [l](u) <b>"), "\\~\\~x\\~\\~ \\&lt; \\[l\\](u) \\<b\\>");
    }
}
