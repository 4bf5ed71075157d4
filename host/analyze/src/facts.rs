//! What is known of one file: plain values without a syntax tree, a path or a clock, so that they can be cached.

use serde::{Deserialize, Serialize};

/// A language that is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum LanguageId {
    /// Python 3.
    Python,
    /// Rust.
    Rust,
    /// C.
    C,
    /// C++.
    Cpp,
    /// CUDA C++.
    Cuda,
}

impl LanguageId {
    /// The name that people use.
    #[must_use]
    pub fn label(self) -> &'static str {
        match self {
            Self::Python => "Python",
            Self::Rust => "Rust",
            Self::C => "C",
            Self::Cpp => "C++",
            Self::Cuda => "CUDA",
        }
    }
}

/// Lines of a file or function.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Lines {
    /// All lines.
    pub total: u32,
    /// Lines that are neither blank nor only comment.
    pub code: u32,
    /// Lines with a comment, alone or behind code.
    pub comment: u32,
    /// Lines of white space.
    pub blank: u32,
}

/// Complexity of a function or file, as defined in `complexity.rs`.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Complexity {
    /// Independent paths: one more than the number of decisions.
    pub cyclomatic: u32,
    /// Effort of reading: breaks of the flow, weighted by nesting.
    pub cognitive: u32,
    /// Deepest nesting of control structures.
    pub nesting: u32,
}

/// How an argument is passed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ArgumentKind {
    /// By position only (before `/` in Python).
    PositionalOnly,
    /// By position or, where the language has it, by name.
    Positional,
    /// `*args`, or `...` in C.
    VarPositional,
    /// By name only.
    KeywordOnly,
    /// `**kwargs`.
    VarKeyword,
}

/// An argument, written as in the source.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Argument {
    /// Empty if the source gives none.
    pub name: String,
    /// How it is passed.
    pub kind: ArgumentKind,
    /// Its type.
    pub annotation: Option<String>,
    /// Its default value.
    pub default: Option<String>,
}

/// A function or method.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Function {
    /// The bare name.
    pub name: String,
    /// The name with everything around it: `Outer.Inner.method`, `ns::Type::method`.
    pub qualified: String,
    /// Index of the class that it is a method of.
    pub class: Option<u32>,
    /// First line, from 1.
    pub line: u32,
    /// Last line.
    pub end_line: u32,
    /// Arguments in order.
    pub arguments: Vec<Argument>,
    /// The type that it returns.
    pub return_type: Option<String>,
    /// Decorators or attributes, without `@` and `#[]`.
    pub decorators: Vec<String>,
    /// Whether it is asynchronous.
    pub is_async: bool,
    /// Whether a documentation comment belongs to it.
    pub has_docstring: bool,
    /// Complexity of its body, without functions inside it.
    pub complexity: Complexity,
    /// Lines of code, with those of functions inside it.
    pub code_lines: u32,
    /// Hash of its structure, without names and literals.
    pub shape: u64,
    /// Number of syntax nodes in that structure.
    pub nodes: u32,
}

/// A class, struct, enum, trait or implementation.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Class {
    /// The bare name.
    pub name: String,
    /// The name with everything around it.
    pub qualified: String,
    /// `class`, `struct`, `union`, `enum`, `trait` or `impl`.
    pub kind: String,
    /// First line, from 1.
    pub line: u32,
    /// Last line.
    pub end_line: u32,
    /// Bases, written as in the source.
    pub bases: Vec<String>,
    /// Decorators or attributes.
    pub decorators: Vec<String>,
    /// Whether a documentation comment belongs to it.
    pub has_docstring: bool,
    /// Index of the class around it.
    pub outer: Option<u32>,
}

/// How a module is imported.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ImportKind {
    /// `import a`.
    Import,
    /// `from a import b`.
    ImportFrom,
    /// `use a::b`.
    Use,
    /// `mod a;`.
    Mod,
    /// `#include`.
    Include,
}

/// An import.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Import {
    /// How.
    pub kind: ImportKind,
    /// Where the name comes from, as written; `None` for a plain `import`.
    pub module: Option<String>,
    /// The imported name.
    pub name: String,
    /// The name that it gets here.
    pub alias: Option<String>,
    /// Line, from 1.
    pub line: u32,
}

/// A framework for benchmarks, or a style of writing them by hand.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Framework {
    /// A class of the suite that dyno replaces.
    Original,
    /// pytest-benchmark.
    PytestBenchmark,
    /// airspeed velocity.
    Asv,
    /// Google Benchmark.
    GoogleBenchmark,
    /// criterion.
    Criterion,
    /// divan.
    Divan,
    /// Rust's own `#[bench]`.
    Libtest,
    /// Python's `timeit`.
    Timeit,
    /// Two clock readings around the measured code.
    HandWritten,
}

impl Framework {
    /// The name that people use.
    #[must_use]
    pub fn label(self) -> &'static str {
        match self {
            Self::Original => "original suite",
            Self::PytestBenchmark => "pytest-benchmark",
            Self::Asv => "asv",
            Self::GoogleBenchmark => "Google Benchmark",
            Self::Criterion => "criterion",
            Self::Divan => "divan",
            Self::Libtest => "libtest",
            Self::Timeit => "timeit",
            Self::HandWritten => "hand-written",
        }
    }
}

/// What is wrong with how a benchmark measures.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Flaw {
    /// The first execution is measured.
    NoWarmup,
    /// One measurement only.
    MeanOfOne,
    /// Preparation is measured too.
    SetupTimed,
    /// The clock stops before the device has finished.
    NoDeviceSync,
    /// The clock may jump.
    NonMonotonicClock,
}

impl Flaw {
    /// A noun phrase for tables.
    #[must_use]
    pub fn label(self) -> &'static str {
        match self {
            Self::NoWarmup => "no warm-up",
            Self::MeanOfOne => "mean of one",
            Self::SetupTimed => "setup inside the timed region",
            Self::NoDeviceSync => "no device synchronisation",
            Self::NonMonotonicClock => "clock that is not monotonic",
        }
    }
}

/// A flaw at a place.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Finding {
    /// What kind.
    pub kind: Flaw,
    /// Line, from 1.
    pub line: u32,
    /// Why it is a problem here, as a sentence.
    pub reason: String,
}

/// A parameter of a benchmark.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Parameter {
    /// Its name.
    pub name: String,
    /// Its values as written; empty if the source does not say.
    pub values: Vec<String>,
}

/// A benchmark.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Benchmark {
    /// The name that the framework would show.
    pub name: String,
    /// The function or class that holds it, qualified.
    pub subject: String,
    /// Which framework.
    pub framework: Framework,
    /// What it measures, if the source says.
    pub category: Option<String>,
    /// First line, from 1.
    pub line: u32,
    /// Last line.
    pub end_line: u32,
    /// Parameters found.
    pub parameters: Vec<Parameter>,
    /// How time is taken.
    pub timing: String,
    /// What is wrong.
    pub problems: Vec<Finding>,
    /// Whether it uses a GPU.
    pub gpu: bool,
    /// Hash of its structure.
    pub shape: u64,
    /// Number of syntax nodes in that structure.
    pub nodes: u32,
}

/// A place that the grammar could not read.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Gap {
    /// Line, from 1.
    pub line: u32,
    /// Column, from 1 [bytes].
    pub column: u32,
    /// What is there.
    pub reason: String,
}

/// Everything known of one file. The same bytes in the same language always give the same facts.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Facts {
    /// The language.
    pub language: LanguageId,
    /// Its lines.
    pub lines: Lines,
    /// Of the whole file: one more than all its decisions.
    pub complexity: Complexity,
    /// Classes in order.
    pub classes: Vec<Class>,
    /// Functions in order, with methods and nested ones.
    pub functions: Vec<Function>,
    /// Imports in order.
    pub imports: Vec<Import>,
    /// Benchmarks in order.
    pub benchmarks: Vec<Benchmark>,
    /// Timings that are benchmarks only if the name of the file says so.
    pub candidates: Vec<Benchmark>,
    /// The first places that the grammar could not read.
    pub gaps: Vec<Gap>,
    /// How many such places there are.
    pub gap_count: u32,
    /// The encoding, if it is not UTF-8.
    pub encoding: Option<String>,
}

impl Facts {
    /// Those of a file in which nothing was found yet.
    pub(crate) fn new(language: LanguageId, lines: Lines, complexity: Complexity) -> Self {
        Self {
            language,
            lines,
            complexity,
            classes: Vec::new(),
            functions: Vec::new(),
            imports: Vec::new(),
            benchmarks: Vec::new(),
            candidates: Vec::new(),
            gaps: Vec::new(),
            gap_count: 0,
            encoding: None,
        }
    }
}
