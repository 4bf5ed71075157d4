//! Where a launch runs: on which processors, and how its memory is laid out.

use clap::Args;
use dyno_core::{model::Layout, units};

use super::values;
use crate::cli::Failure;

#[derive(Debug, Args)]
pub(in crate::cli) struct ProcessorArgs {
    /// Processors to measure on, e.g. `3` or `0-2,5` [default: the quietest]
    #[arg(long, value_name = "LIST")]
    cpus: Option<String>,
}

#[derive(Debug, Args)]
pub(in crate::cli) struct LayoutArgs {
    /// Keep address-space layout randomisation on (slower to decide, not tied to one memory layout)
    #[arg(long)]
    random_layout: bool,
}

impl ProcessorArgs {
    /// Numbers of the processors; none leaves the choice to dyno. `app` checks that the machine has them.
    pub(in crate::cli) fn read(&self) -> Result<Vec<u32>, Failure> {
        self.cpus
            .as_deref()
            .map_or_else(|| Ok(Vec::new()), units::parse_cpus)
            .map_err(|message| values::refused("--cpus", &message))
    }
}

impl LayoutArgs {
    pub(in crate::cli) fn layout(&self) -> Layout {
        if self.random_layout { Layout::Random } else { Layout::Fixed }
    }
}
