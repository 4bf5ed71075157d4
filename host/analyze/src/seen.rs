//! What the pass over a tree saw: the facts so far, and what the detection of benchmarks needs and nobody keeps.

use std::ops::Range;

use crate::{clocks::Clocks, facts::Facts, signs::Sign};

/// A call by which benchmarks are recognised.
#[derive(Debug, Clone)]
pub(crate) struct Event {
    pub(crate) sign: Sign,
    /// Index of the function around it.
    pub(crate) function: Option<u32>,
    /// The whole call.
    pub(crate) range: Range<usize>,
    /// What is called, as written.
    pub(crate) callee: Range<usize>,
    /// Line, from 1.
    pub(crate) line: u32,
}

/// One file, seen once.
#[derive(Debug)]
pub(crate) struct Seen<'s> {
    /// Its text.
    pub(crate) source: &'s [u8],
    /// Everything but the benchmarks.
    pub(crate) facts: Facts,
    /// Byte ranges of the functions.
    pub(crate) functions: Vec<Range<usize>>,
    /// Byte ranges of the classes.
    pub(crate) classes: Vec<Range<usize>>,
    /// Calls of interest in order.
    pub(crate) events: Vec<Event>,
    /// Byte ranges of loops in order of their starts.
    pub(crate) loops: Vec<Range<usize>>,
    /// Byte ranges of comments in order.
    pub(crate) comments: Vec<Range<usize>>,
    /// The names of clocks.
    pub(crate) clocks: Clocks,
    /// Structure of the code outside of functions, as a function has it: hash, and number of syntax nodes.
    pub(crate) outside: (u64, u32),
}

impl<'s> Seen<'s> {
    /// The text of a range.
    pub(crate) fn text(&self, range: Range<usize>) -> &'s [u8] {
        self.source.get(range).unwrap_or_default()
    }

    /// The line that holds a byte, from 1.
    pub(crate) fn line_of(&self, at: usize) -> u32 {
        let before = self.source.get(..at).unwrap_or(self.source);
        u32::try_from(memchr::memchr_iter(b'\n', before).count() + 1).unwrap_or(u32::MAX)
    }
}
