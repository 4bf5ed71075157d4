//! The summary of an analysis, from which `summary.json`, `summary.md` and the output of `--json` are written.

use std::collections::BTreeMap;

use serde::Serialize;

use crate::{
    analysis::Analysis,
    duplicates::Duplicate,
    facts::{Benchmark, Import},
    problem::Problem,
    recommend::Recommendation,
};

/// How many files and imports the summary ranks, as the suite before did.
const MOST_COMPLEX: usize = 10;
const MOST_IMPORTED: usize = 20;

/// A benchmark with its file.
#[derive(Debug, Serialize)]
pub struct BenchmarkEntry<'a> {
    /// The file.
    pub file: &'a str,
    /// The benchmark.
    #[serde(flatten)]
    pub benchmark: &'a Benchmark,
}

/// Sums of one language.
#[derive(Debug, Default, Serialize)]
pub struct LanguageSum {
    /// Files.
    pub files: usize,
    /// Lines of code.
    pub code_lines: u64,
    /// All lines.
    pub lines: u64,
}

/// The summary of an analysis: `summary.json`, and what `--json` prints.
#[derive(Debug, Serialize)]
pub struct Summary<'a> {
    /// Files with facts.
    pub total_files_analyzed: usize,
    /// Classes of all files.
    pub total_classes: usize,
    /// Functions of all files, with methods.
    pub total_functions: usize,
    /// The files of highest cyclomatic complexity.
    pub most_complex_files: Vec<(&'a str, u32)>,
    /// The modules that most files import.
    pub most_common_imports: Vec<(String, usize)>,
    /// The recommendations as sentences.
    pub refactoring_recommendations: Vec<String>,
    /// Lines of all files.
    pub total_lines: u64,
    /// Sums for each language.
    pub languages: BTreeMap<&'static str, LanguageSum>,
    /// Number of benchmarks.
    pub total_benchmarks: usize,
    /// Number of flaws in them.
    pub total_benchmark_problems: usize,
    /// The benchmarks.
    pub benchmarks: Vec<BenchmarkEntry<'a>>,
    /// Benchmarks of one structure.
    pub duplicates: &'a [Duplicate],
    /// The recommendations.
    pub recommendations: &'a [Recommendation],
    /// What was not analysed, or not completely.
    pub problems: &'a [Problem],
    /// What else the user should know, as sentences.
    pub notes: &'a [String],
    /// Modules outside the tree, with the files that import them.
    pub external_modules: BTreeMap<&'a str, Vec<&'a str>>,
}

/// The summary of an analysis.
#[must_use]
pub fn summary(analysis: &Analysis) -> Summary<'_> {
    let files = &analysis.files;
    let mut languages: BTreeMap<&str, LanguageSum> = BTreeMap::new();
    let mut imports: BTreeMap<String, usize> = BTreeMap::new();
    for file in files {
        let sum = languages.entry(file.facts.language.label()).or_default();
        sum.files += 1;
        sum.code_lines += u64::from(file.facts.lines.code);
        sum.lines += u64::from(file.facts.lines.total);
        for import in &file.facts.imports {
            *imports.entry(imported(import)).or_default() += 1;
        }
    }
    let mut most_complex: Vec<(&str, u32)> =
        files.iter().map(|file| (file.path.as_str(), file.facts.complexity.cyclomatic)).collect();
    most_complex.sort_by(|left, right| (right.1, left.0).cmp(&(left.1, right.0)));
    most_complex.truncate(MOST_COMPLEX);
    let mut most_imported: Vec<(String, usize)> = imports.into_iter().collect();
    most_imported.sort_by(|left, right| (right.1, &left.0).cmp(&(left.1, &right.0)));
    most_imported.truncate(MOST_IMPORTED);
    let benchmarks: Vec<BenchmarkEntry<'_>> = files
        .iter()
        .flat_map(|file| {
            file.facts.benchmarks.iter().map(|benchmark| BenchmarkEntry { file: &file.path, benchmark })
        })
        .collect();
    let named = |at: &usize| files[*at].path.as_str();
    Summary {
        total_files_analyzed: files.len(),
        total_classes: files.iter().map(|file| file.facts.classes.len()).sum(),
        total_functions: files.iter().map(|file| file.facts.functions.len()).sum(),
        most_complex_files: most_complex,
        most_common_imports: most_imported,
        refactoring_recommendations: analysis
            .recommendations
            .iter()
            .map(|found| format!("{} {} {}", found.title, found.reason, found.feature))
            .collect(),
        total_lines: files.iter().map(|file| u64::from(file.facts.lines.total)).sum(),
        languages,
        total_benchmarks: benchmarks.len(),
        total_benchmark_problems: benchmarks.iter().map(|entry| entry.benchmark.problems.len()).sum(),
        benchmarks,
        duplicates: &analysis.duplicates,
        recommendations: &analysis.recommendations,
        problems: &analysis.problems,
        notes: &analysis.notes,
        external_modules: analysis
            .graph
            .external
            .iter()
            .map(|(name, users)| (name.as_str(), users.iter().map(named).collect()))
            .collect(),
    }
}

impl<'a> Summary<'a> {
    /// The benchmarks with problems before the others, for lists that are cut off.
    #[must_use]
    pub fn flawed_first(&self) -> Vec<&BenchmarkEntry<'a>> {
        let (clean, mut all): (Vec<_>, Vec<_>) =
            self.benchmarks.iter().partition(|entry| entry.benchmark.problems.is_empty());
        all.extend(clean);
        all
    }
}

/// The module that an import names.
fn imported(import: &Import) -> String {
    import.module.clone().unwrap_or_else(|| import.name.clone())
}
