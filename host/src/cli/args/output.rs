//! The format in which a comparison is written.

use clap::Args;

use crate::export::ComparisonFormat;

#[derive(Debug, Args)]
pub(in crate::cli) struct ComparisonFormatArgs {
    /// Format of the output [default: text]
    #[arg(long, value_enum)]
    format: Option<ComparisonFormat>,
}

impl ComparisonFormatArgs {
    /// The format that was named; otherwise `--json` decides.
    pub(in crate::cli) fn chosen(&self, json: bool) -> ComparisonFormat {
        self.format.unwrap_or(if json { ComparisonFormat::Json } else { ComparisonFormat::Text })
    }
}
