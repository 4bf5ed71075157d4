//! One file: from its bytes to facts, or to the sentence why there are none.

use std::{
    fs::File,
    io::Read,
    ops::ControlFlow,
    path::Path,
    time::{Duration, Instant},
};

use tree_sitter::{ParseOptions, ParseState, Parser, Tree};

use crate::{
    benchmarks, decode,
    facts::{Facts, LanguageId},
    languages::{self, Named},
    pass,
    problem::ProblemKind,
};

/// How long the structure of one file is read.
const LONGEST: Duration = Duration::from_secs(30);

/// How much text a grammar is given at once [bytes].
const PIECE: usize = 1 << 20;

/// Why a file has no facts.
#[derive(Debug)]
pub(crate) struct Refusal {
    pub(crate) kind: ProblemKind,
    pub(crate) reason: String,
}

impl Refusal {
    fn new(kind: ProblemKind, reason: impl Into<String>) -> Self {
        Self { kind, reason: reason.into() }
    }
}

/// The bytes of a file, up to `limit`.
pub(crate) fn bytes(path: &Path, limit: u64) -> Result<Vec<u8>, Refusal> {
    let unreadable = |error: std::io::Error| {
        Refusal::new(ProblemKind::Unreadable, format!("This file cannot be read: {error}."))
    };
    let file = File::open(path).map_err(unreadable)?;
    let length = file.metadata().map_err(unreadable)?.len();
    let too_large = |length: u64| {
        let reason = format!(
            "This file has {length} bytes, and files over {limit} bytes are skipped, because such files are generated. \
             Raise the limit with --max-file-bytes, or name the file in `.ignore`."
        );
        Refusal::new(ProblemKind::TooLarge, reason)
    };
    if length > limit {
        return Err(too_large(length));
    }
    // The file may grow while it is read.
    let mut content = Vec::with_capacity(usize::try_from(length).unwrap_or_default() + 1);
    file.take(limit + 1).read_to_end(&mut content).map_err(unreadable)?;
    let length = content.len() as u64;
    if length > limit { Err(too_large(length)) } else { Ok(content) }
}

/// The facts of a file's bytes. `parsers` keeps one parser for each language of this thread.
pub(crate) fn facts(content: &[u8], named: Named, parsers: &mut Parsers) -> Result<Facts, Refusal> {
    let Some(decoded) = decode::decode(content) else {
        let reason = "This file is not text, although its name says so: its first 8 KiB contain a zero byte.";
        return Err(Refusal::new(ProblemKind::Binary, reason));
    };
    let text = decoded.text.as_ref();
    let id = named.language(text);
    let tree = parsers.parse(id, text)?;
    let damaged = tree.root_node().has_error();
    let elsewhere = if damaged { benchmarks::read_elsewhere(id, text) } else { Vec::new() };
    let mut seen = pass::read(id, languages::language(id), languages::grammar(id), &tree, text, &elsewhere);
    // Trees are forty times as large as their text, and the file is done with its own.
    drop(tree);
    (seen.facts.benchmarks, seen.facts.candidates) = benchmarks::detect(&seen);
    seen.facts.encoding = decoded.encoding.map(str::to_owned);
    Ok(seen.facts)
}

/// The parsers of one thread.
#[derive(Default)]
pub(crate) struct Parsers {
    kept: Vec<(LanguageId, Parser)>,
}

impl std::fmt::Debug for Parsers {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_list().entries(self.kept.iter().map(|kept| kept.0)).finish()
    }
}

impl Parsers {
    fn parse(&mut self, id: LanguageId, text: &[u8]) -> Result<Tree, Refusal> {
        let place = match self.kept.iter().position(|kept| kept.0 == id) {
            Some(place) => place,
            None => {
                let mut parser = Parser::new();
                parser.set_language(&languages::grammar(id).language).map_err(|error| {
                    let reason = format!("The grammar of {} does not fit its library: {error}.", id.label());
                    Refusal::new(ProblemKind::Unreadable, reason)
                })?;
                self.kept.push((id, parser));
                self.kept.len() - 1
            }
        };
        let parser = &mut self.kept[place].1;
        let began = Instant::now();
        let mut watch = |_: &ParseState| {
            if began.elapsed() > LONGEST { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
        };
        let options = ParseOptions::new().progress_callback(&mut watch);
        let mut piece = |at: usize, _| &text[at.min(text.len())..text.len().min(at.saturating_add(PIECE))];
        let tree = parser.parse_with_options(&mut piece, None, Some(options));
        tree.ok_or_else(|| {
            parser.reset();
            let reason = format!(
                "Reading the structure of this file took longer than {} seconds and was given up.",
                LONGEST.as_secs()
            );
            Refusal::new(ProblemKind::TimedOut, reason)
        })
    }
}
