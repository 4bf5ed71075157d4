//! What a bench is to the document: a section.

use std::path::Path;

use super::host::Host;
use crate::failure::Outcome;

/// One section of the document.
pub(super) struct Bench {
    /// What it is called on the command line and in the document.
    pub(super) name: &'static str,
    /// Heading of its section.
    pub(super) title: &'static str,
    /// What the machine must have.
    pub(super) needs: Needs,
    /// Measures, and returns the section's text in Markdown, without the heading.
    pub(super) run: fn(&Host) -> Outcome<String>,
}

/// What a bench needs that many machines do not have.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Needs {
    /// Nothing.
    Nothing,
    /// A GPU of NVIDIA's.
    NvidiaGpu,
}

impl Needs {
    /// What this machine lacks of it.
    pub(super) fn missing(self) -> Option<&'static str> {
        let is_there = match self {
            Self::Nothing => true,
            Self::NvidiaGpu => ["/dev/nvidiactl", "/dev/dxg"].iter().any(|file| Path::new(file).exists()),
        };
        (!is_there).then_some("this machine has no NVIDIA GPU (neither /dev/nvidiactl nor /dev/dxg is there)")
    }
}
