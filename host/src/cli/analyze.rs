//! `dyno analyze`: finds the benchmarks in a tree of source code.

use std::{mem::ManuallyDrop, path::Path, process::ExitCode, time::Duration};

use indicatif::ProgressBar;

use super::{
    Failure,
    args::{AnalyzeArgs, FailOn},
    exit_code::End,
    new, output, progress, run, terminal,
};
use crate::app::{Analysis, AnalysisOptions, App, ProblemKind, Skeleton, Summary, TemplateLanguage, summary};

/// How many recommendations, benchmarks and problems are printed; the files have all.
const SHOWN: usize = 10;

/// How often the bar is drawn.
const TICK: Duration = Duration::from_millis(200);

pub(super) fn execute(
    app: &App,
    args: &AnalyzeArgs,
    folder: Option<&Path>,
    json: bool,
) -> Result<ExitCode, Failure> {
    let sdk = args.sdk.as_deref().map(new::sdk).transpose()?;
    let cancel = run::listen_for_ctrl_c(app)?;
    let bar = terminal::can_draw().then(|| {
        let style = progress::style("{bar:16.cyan} {pos} of {len} files · {elapsed}");
        let bar = ProgressBar::new(0).with_style(style);
        bar.enable_steady_tick(TICK);
        bar
    });
    let options = AnalysisOptions {
        threads: args.jobs.map_or(0, usize::from),
        largest_file: args.max_file_bytes,
        ignore_files: !args.no_ignore,
        cache: None,
        ..AnalysisOptions::new(&args.root)
    };
    let tell = |done: usize, all: usize| {
        if let Some(bar) = &bar {
            bar.set_length(all as u64);
            bar.set_position(done as u64);
        }
    };
    let analysis = app.analyses().analyze(options, !args.no_cache, &tell, &|| cancel.is_set());
    if let Some(bar) = &bar {
        bar.finish_and_clear();
    }
    // Never freed: the process ends soon, and freeing millions of strings first would take 3 % of the whole time.
    let analysis = ManuallyDrop::new(analysis?);
    let skeleton = match &args.port {
        Some(bench) => Some(app.analyses().port(
            &analysis,
            &args.root,
            bench,
            args.lang.map(TemplateLanguage::from),
            &args.into,
            sdk,
        )?),
        None => None,
    };
    let folder = folder.map_or_else(|| app.analyses().folder(), Path::to_owned);
    let written = app.analyses().write(&analysis, &folder)?;
    let summary = summary(&analysis);
    if json {
        output::json(&summary)?;
        if let Some(skeleton) = &skeleton {
            output::note(&begun(skeleton));
        }
    } else {
        output::text(&terminal::folded(&page(&summary, &folder, &written, skeleton.as_ref())))?;
    }
    let fails: Vec<String> = args.fail_on.iter().filter_map(|kind| failure(&analysis, *kind)).collect();
    fails.iter().for_each(|why| output::note(why));
    Ok(if fails.is_empty() { End::Good } else { End::BenchmarkFailed }.into())
}

/// What `--fail-on` found, a sentence.
fn failure(analysis: &Analysis, kind: FailOn) -> Option<String> {
    let (count, what, flag) = match kind {
        FailOn::Problems => {
            let benchmarks = analysis.files.iter().flat_map(|file| &file.facts.benchmarks);
            let flawed = benchmarks.filter(|benchmark| !benchmark.problems.is_empty()).count();
            (flawed, "benchmark with problems", "problems")
        }
        FailOn::Unread => {
            let unread = analysis.problems.iter().filter(|problem| is_unread(problem.kind)).count();
            (unread, "file or folder that was not analysed", "unread")
        }
    };
    (count > 0).then(|| format!("--fail-on {flag}: {count} × {what}"))
}

/// Whether a file was not analysed. Of one that the grammar cannot read in places, the rest was.
fn is_unread(kind: ProblemKind) -> bool {
    !matches!(kind, ProblemKind::Encoding | ProblemKind::Loop | ProblemKind::Outside | ProblemKind::Syntax)
}

fn page(summary: &Summary<'_>, folder: &Path, written: &[&str], skeleton: Option<&Skeleton>) -> String {
    let mut lines = vec![format!(
        "{} with {}: {}, {}, {}",
        counted(summary.total_files_analyzed as u64, "file"),
        counted(summary.total_lines, "line"),
        counted(summary.total_classes as u64, "class"),
        counted(summary.total_functions as u64, "function"),
        counted(summary.total_benchmarks as u64, "benchmark")
    )];
    let languages: Vec<String> = summary
        .languages
        .iter()
        .map(|(name, sum)| {
            format!(
                "{name}: {}, {} of code",
                counted(sum.files as u64, "file"),
                counted(sum.code_lines, "line")
            )
        })
        .collect();
    lines.extend(languages.into_iter().map(|line| format!("  {line}")));
    lines.extend(summary.notes.iter().cloned());
    if !summary.benchmarks.is_empty() {
        lines.push(String::new());
        for entry in summary.flawed_first().into_iter().take(SHOWN) {
            let found = entry.benchmark;
            let label = found.framework.label();
            lines.push(format!("{} ({label}, {}:{})", found.name, entry.file, found.line));
            for finding in &found.problems {
                lines.push(format!("  line {}: {}: {}", finding.line, finding.kind.label(), finding.reason));
            }
        }
        lines.extend(more(summary.benchmarks.len(), "benchmarks"));
    }
    if !summary.recommendations.is_empty() {
        lines.push(String::new());
        for found in summary.recommendations.iter().take(SHOWN) {
            lines.push(format!("{}. {} {}", found.rank, found.title, found.reason));
            lines.push(format!("   {}", found.feature));
        }
        lines.extend(more(summary.recommendations.len(), "recommendations"));
    }
    if !summary.problems.is_empty() {
        lines.push(String::new());
        for problem in summary.problems.iter().take(SHOWN) {
            let line = problem.line.map(|line| format!(":{line}")).unwrap_or_default();
            lines.push(format!("{}{line}: {}", problem.file, problem.reason));
        }
        lines.extend(more(summary.problems.len(), "problems"));
    }
    lines.push(String::new());
    if let Some(skeleton) = skeleton {
        lines.push(begun(skeleton));
    }
    lines.push(format!("wrote {} to `{}`", written.join(", "), folder.display()));
    lines.join("\n")
}

fn begun(skeleton: &Skeleton) -> String {
    format!(
        "wrote the plugin `{0}` for `{1}`, whose setup fails until it is filled in: write the work that its source quotes, then `dyno build {0}`",
        skeleton.folder.display(),
        skeleton.benchmark,
    )
}

/// `1 class`, `2 classes`.
fn counted(count: u64, noun: &str) -> String {
    let ending = match (count, noun.ends_with('s')) {
        (1, _) => "",
        (_, true) => "es",
        (_, false) => "s",
    };
    format!("{count} {noun}{ending}")
}

fn more(count: usize, what: &str) -> Option<String> {
    let more = count.checked_sub(SHOWN).filter(|more| *more > 0)?;
    Some(format!("{more} more {what} are in `summary.json`"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nouns_agree_with_their_number() {
        assert_eq!(counted(1, "class"), "1 class");
        assert_eq!(counted(0, "class"), "0 classes");
        assert_eq!(counted(2, "file"), "2 files");
    }

    #[test]
    fn the_rest_of_a_list_is_counted() {
        assert_eq!(more(SHOWN, "problems"), None);
        assert_eq!(more(SHOWN + 2, "problems").as_deref(), Some("2 more problems are in `summary.json`"));
    }

    #[test]
    fn what_was_analysed_after_all_is_not_unread() {
        assert!(is_unread(ProblemKind::Binary) && is_unread(ProblemKind::TooLarge));
        assert!(!is_unread(ProblemKind::Encoding) && !is_unread(ProblemKind::Syntax));
    }
}
