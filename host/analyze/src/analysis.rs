//! The analysis of a folder: every file on every processor, then what only all of them together show.

use std::{
    io,
    path::{Path, PathBuf},
    sync::{
        Mutex, PoisonError,
        atomic::{AtomicUsize, Ordering},
    },
    thread,
};

use crate::{
    analyzed::FileAnalysis,
    benchmarks,
    cache::{self, Cache, Key},
    duplicates::{self, Duplicate},
    facts::Facts,
    graph::{self, Graph},
    languages,
    problem::{Problem, ProblemKind},
    read::{self, Parsers},
    recommend::{self, Recommendation},
    walk::{self, Source, Walked},
};

/// Memory for the stack of a thread [bytes]. The passes do not recurse, so this is the default, stated.
const STACK: usize = 2 << 20;

/// Largest file that is read unless the user says otherwise [bytes]: a syntax tree takes up to 150 times as much memory
/// as its text.
pub const LARGEST_FILE: u64 = 4 << 20;

/// What is analysed, and how.
#[derive(Debug, Clone)]
pub struct Options {
    /// The folder.
    pub root: PathBuf,
    /// Number of threads; 0 for one per processor.
    pub threads: usize,
    /// Largest file that is read [bytes].
    pub largest_file: u64,
    /// Whether `.gitignore`, `.ignore` and hidden names are honoured.
    pub ignore_files: bool,
    /// A file with facts of an earlier analysis, which is replaced.
    pub cache: Option<PathBuf>,
}

impl Options {
    /// The usual analysis of a folder.
    #[must_use]
    pub fn new(root: &Path) -> Self {
        Self {
            root: root.to_owned(),
            threads: 0,
            largest_file: LARGEST_FILE,
            ignore_files: true,
            cache: None,
        }
    }
}

/// Why a folder was not analysed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum AnalyzeError {
    /// There is no such folder, or it cannot be read.
    #[error("the folder `{}` cannot be read: {error}; give a folder with source code as --root", path.display())]
    Root {
        /// The folder.
        path: PathBuf,
        /// Why.
        error: io::Error,
    },
    /// It is a file.
    #[error("`{}` is not a folder; give the folder that contains it as --root", path.display())]
    NotAFolder {
        /// The file.
        path: PathBuf,
    },
    /// No thread could be started.
    #[error("no thread can be started for the analysis: {0}")]
    Threads(io::Error),
    /// The user cancelled.
    #[error("the analysis was cancelled")]
    Cancelled,
}

/// Everything known of a folder.
#[derive(Debug)]
pub struct Analysis {
    /// The files that were analysed, in order of their names.
    pub files: Vec<FileAnalysis>,
    /// What was not analysed, or not completely.
    pub problems: Vec<Problem>,
    /// What else the user should know, as sentences: folders that were left out, or that there is nothing to read.
    pub notes: Vec<String>,
    /// Who imports whom, and which class is derived from which.
    pub graph: Graph,
    /// Benchmarks of one structure.
    pub duplicates: Vec<Duplicate>,
    /// What to do, most useful first.
    pub recommendations: Vec<Recommendation>,
    /// How many files needed no parsing, because their bytes were analysed before.
    pub known_files: usize,
}

/// How far the analysis is: files done, and files in all.
pub type Progress<'a> = &'a (dyn Fn(usize, usize) + Sync);

/// Whether the user gave up.
pub type Cancelled<'a> = &'a (dyn Fn() -> bool + Sync);

/// What became of one file.
enum Outcome {
    Known(Facts, Key),
    Read(Facts, Key),
    Refused(Problem),
}

/// Analyses a folder. `progress` is called from several threads; The analysis ends soon after `cancelled` says so.
///
/// # Errors
/// If the folder cannot be read, no thread can be started, or the user cancels. A file that cannot be analysed is a
/// [`Problem`] of the result.
pub fn analyze(
    options: &Options,
    progress: Progress<'_>,
    cancelled: Cancelled<'_>,
) -> Result<Analysis, AnalyzeError> {
    let root = &options.root;
    let metadata =
        std::fs::metadata(root).map_err(|error| AnalyzeError::Root { path: root.clone(), error })?;
    if !metadata.is_dir() {
        return Err(AnalyzeError::NotAFolder { path: root.clone() });
    }
    std::fs::read_dir(root).map_err(|error| AnalyzeError::Root { path: root.clone(), error })?;
    let Walked { sources, mut problems, left_out } = walk::sources(root, options.ignore_files);
    if cancelled() {
        return Err(AnalyzeError::Cancelled);
    }
    let cache = options.cache.as_deref().map(Cache::read).unwrap_or_default();
    let outcomes = read_all(options, &sources, &cache, progress, cancelled)?;
    // Facts of the cache are as large as those of the analysis.
    drop(cache);

    let mut files = Vec::with_capacity(sources.len());
    let mut keys = Vec::with_capacity(sources.len());
    let (mut known_files, mut parsed) = (0, 0);
    for (source, outcome) in sources.into_iter().zip(outcomes) {
        let (facts, key) = match outcome {
            Some(Outcome::Known(facts, key)) => {
                known_files += 1;
                (facts, key)
            }
            Some(Outcome::Read(facts, key)) => {
                parsed += 1;
                (facts, key)
            }
            Some(Outcome::Refused(problem)) => {
                problems.push(problem);
                continue;
            }
            None => return Err(AnalyzeError::Cancelled),
        };
        files.push(FileAnalysis { path: source.shown, facts });
        keys.push(key);
    }
    if let Some(path) = &options.cache
        && parsed > 0
    {
        let _kept = cache::write(path, keys.into_iter().zip(files.iter().map(|file| &file.facts)));
    }
    // The cache knows files by their bytes alone, so their names count from here on.
    let folder = root.canonicalize().unwrap_or_default();
    let folder = folder.file_name().unwrap_or_default().to_string_lossy();
    for file in &mut files {
        admit(&folder, file);
        told(&file.path, &file.facts, &mut problems);
    }
    problems.sort_by(|left, right| (&left.file, left.line).cmp(&(&right.file, right.line)));
    let graph = graph::build(&files);
    let duplicates = duplicates::find(&files);
    let recommendations = recommend::derive(&files, &problems, &duplicates);
    let nothing = files.is_empty().then(|| {
        let endings = languages::endings();
        format!(
            "Nothing was analysed: no file here is Python, Rust, C, C++ or CUDA by its ending ({endings})."
        )
    });
    let notes = left_out.into_iter().chain(nothing).collect();
    Ok(Analysis { files, problems, notes, graph, duplicates, recommendations, known_files })
}

/// Makes benchmarks of what is timed in a file that says by its name, or that of a folder, that it measures.
fn admit(folder: &str, file: &mut FileAnalysis) {
    let candidates = std::mem::take(&mut file.facts.candidates);
    if !candidates.is_empty() && (benchmarks::names_file(folder) || benchmarks::names_file(&file.path)) {
        file.facts.benchmarks.extend(candidates);
        benchmarks::sort(&mut file.facts.benchmarks);
    }
}

/// What the facts of a file say about how completely it was read.
fn told(path: &str, facts: &Facts, problems: &mut Vec<Problem>) {
    if let Some(encoding) = &facts.encoding {
        let reason = format!("This file is not in UTF-8 ({encoding}); it was converted and analysed.");
        problems.push(Problem::new(path, ProblemKind::Encoding, reason));
    }
    if facts.benchmarks.len() >= benchmarks::MOST {
        let reason = format!("Only the first {} benchmarks of this file were looked for.", benchmarks::MOST);
        problems.push(Problem::new(path, ProblemKind::TooMany, reason));
    }
    if let Some(gap) = facts.gaps.first() {
        let more = match facts.gap_count - 1 {
            0 => String::new(),
            1 => ", and one more place".to_owned(),
            more => format!(", and {more} more places"),
        };
        problems.push(Problem {
            file: path.to_owned(),
            line: Some(gap.line),
            column: Some(gap.column),
            kind: ProblemKind::Syntax,
            reason: format!("Here {}{more}. The rest of the file was analysed.", gap.reason),
        });
    }
}

/// Reads every source on several threads. An outcome is missing only if the user cancelled.
fn read_all(
    options: &Options,
    sources: &[Source],
    cache: &Cache,
    progress: Progress<'_>,
    cancelled: Cancelled<'_>,
) -> Result<Vec<Option<Outcome>>, AnalyzeError> {
    let processors = thread::available_parallelism().map_or(1, usize::from);
    let threads = if options.threads == 0 { processors } else { options.threads };
    let (next, done) = (AtomicUsize::new(0), AtomicUsize::new(0));
    let results = Mutex::new(Vec::with_capacity(sources.len()));
    let work = || {
        let mut parsers = Parsers::default();
        let mut mine = Vec::new();
        while !cancelled() {
            let place = next.fetch_add(1, Ordering::Relaxed);
            let Some(source) = sources.get(place) else { break };
            mine.push((place, one(options, source, cache, &mut parsers)));
            progress(done.fetch_add(1, Ordering::Relaxed) + 1, sources.len());
        }
        results.lock().unwrap_or_else(PoisonError::into_inner).append(&mut mine);
    };
    thread::scope(|scope| {
        let started = (0..threads.clamp(1, sources.len().max(1)))
            .map(|_| {
                thread::Builder::new().name("analyze".to_owned()).stack_size(STACK).spawn_scoped(scope, work)
            })
            .collect::<Vec<_>>();
        // One thread is enough to go on.
        let any = started.iter().any(Result::is_ok);
        match started.into_iter().find_map(Result::err) {
            Some(error) if !any => Err(AnalyzeError::Threads(error)),
            _ => Ok(()),
        }
    })?;
    let mut outcomes: Vec<Option<Outcome>> = Vec::new();
    outcomes.resize_with(sources.len(), || None);
    for (place, outcome) in results.into_inner().unwrap_or_else(PoisonError::into_inner) {
        outcomes[place] = Some(outcome);
    }
    Ok(outcomes)
}

fn one(options: &Options, source: &Source, cache: &Cache, parsers: &mut Parsers) -> Outcome {
    let refused = |refusal: read::Refusal| {
        Outcome::Refused(Problem::new(source.shown.clone(), refusal.kind, refusal.reason))
    };
    let content = match read::bytes(&source.path, options.largest_file) {
        Ok(content) => content,
        Err(refusal) => return refused(refusal),
    };
    let key = cache::key(source.named, &content);
    if let Some(facts) = cache.get(&key) {
        return Outcome::Known(facts.clone(), key);
    }
    match read::facts(&content, source.named, parsers) {
        Ok(facts) => Outcome::Read(facts, key),
        Err(refusal) => refused(refusal),
    }
}
