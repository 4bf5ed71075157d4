//! What an author waits for between two builds of a plugin.

mod deciding;
mod packages;
mod replacing;

use super::{
    Bench, Needs,
    host::Host,
    table::{row, table},
};
use crate::{failure::Outcome, project::make_folder};

pub(super) const BENCH: Bench =
    Bench { name: "authors", title: "From a new build of a plugin to its use", needs: Needs::Nothing, run };

fn run(host: &Host) -> Outcome<String> {
    let scratch = host.scratch().join("authors");
    make_folder(&scratch)?;
    let mut rows = vec![row(["what", "figure", "aim"])];
    rows.extend(deciding::rows(host, &scratch)?);
    rows.extend(packages::rows(host, &scratch)?);
    rows.extend(replacing::rows(host, &scratch.join("replacing"))?);
    Ok(table(&rows))
}
