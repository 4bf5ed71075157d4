//! Reads source code in Python, Rust, C, C++ and CUDA: its structure, its complexity, and the benchmarks it contains.
//!
//! [`analyze`] reads a folder; [`write`] writes what it found. The crate prints nothing, ends no process, and knows
//! nothing of the rest of dyno. A file is read in one pass over its syntax tree, and the tree is dropped before the
//! next file: what is kept of a file are its [`Facts`], about 80 bytes for each line.

mod analysis;
mod analyzed;
mod benchmarks;
mod cache;
mod clocks;
mod complexity;
mod decode;
mod duplicates;
mod facts;
mod foreign;
mod graph;
mod html;
mod language;
mod languages;
mod lines;
mod markdown;
mod outputs;
mod pass;
mod problem;
mod read;
mod recommend;
mod scan;
mod seen;
mod signs;
mod summary;
mod svg;
mod treemap;
mod walk;

pub use analysis::{Analysis, AnalyzeError, Cancelled, LARGEST_FILE, Options, Progress, analyze};
pub use analyzed::FileAnalysis;
pub use duplicates::{Duplicate, Place};
pub use facts::{
    Argument, ArgumentKind, Benchmark, Class, Complexity, Facts, Finding, Flaw, Framework, Function, Gap,
    Import, ImportKind, LanguageId, Lines, Parameter,
};
pub use graph::Graph;
pub use outputs::{OutputError, write};
pub use problem::{Problem, ProblemKind};
pub use recommend::Recommendation;
pub use summary::{BenchmarkEntry, LanguageSum, Summary, summary};
