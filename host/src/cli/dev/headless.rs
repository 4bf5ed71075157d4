//! A session without a screen: an object of JSON for each event, a line each, for editors and scripts.

use super::{news::News, output};
use crate::cli::Failure;

/// Whether an event is written. Where a comparison stands after each pair is for eyes only.
pub(super) fn show(news: &News) -> Result<(), Failure> {
    if matches!(news, News::Standing { .. }) {
        return Ok(());
    }
    let line = serde_json::to_string(news).map_err(|error| Failure::Host(error.to_string()))?;
    output::document(&line)
}
