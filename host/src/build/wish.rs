//! How a folder is to be built.

use std::{fmt, time::Duration};

use dyno_core::model::EngineChoice;

use crate::pool::Complaints;

/// How to build.
#[derive(Clone, Copy)]
pub struct Wish<'a> {
    /// Which builds: `Auto` means those that the folder declares.
    pub engine: EngineChoice,
    /// Where the messages of the tools go.
    pub messages: Complaints<'a>,
    /// Longest time of each tool.
    pub patience: Duration,
    /// Whether the user gave up.
    pub cancelled: &'a dyn Fn() -> bool,
}

impl fmt::Debug for Wish<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { engine, messages, patience, cancelled: _ } = self;
        f.debug_struct("Wish")
            .field("engine", engine)
            .field("messages", messages)
            .field("patience", patience)
            .finish_non_exhaustive()
    }
}
