//! `dyno cache`: what is in the cache, and how to empty it.

use std::process::ExitCode;

use dyno_core::units;

use super::{
    Failure, args,
    exit_code::End,
    grid::{Grid, Role},
    output,
};
use crate::app::App;

pub(super) fn execute(app: &App, args: &args::CacheArgs, json: bool) -> Result<ExitCode, Failure> {
    let found = if args.clear { app.cache().clear()? } else { app.cache().found()? };
    if json {
        output::json(&found)?;
        return Ok(End::Good.into());
    }
    let size = |bytes: u64| units::bytes(bytes as f64);
    let mut rows = Grid::new([("part", Role::Needed), ("files", Role::Needed), ("size", Role::Needed)]);
    for part in &found.parts {
        rows.add_row([part.part.words().to_owned(), part.files.to_string(), size(part.bytes)]);
    }
    let (bytes, folder) = (size(found.bytes), found.folder.display());
    let line = if args.clear {
        format!("removed {bytes} from `{folder}`")
    } else {
        format!("{bytes} of at most {} in `{folder}`", size(found.limit_bytes))
    };
    output::text(&format!("{rows}\n\n{line}"))?;
    Ok(End::Good.into())
}
