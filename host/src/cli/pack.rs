//! `dyno pack`: makes a package, a component with a descriptor, or the index of a folder of packages.

use std::process::ExitCode;

use dyno_core::units;
use serde_json::json;

use super::{Failure, args::PackArgs, exit_code::End, output, packages, target, terminal};
use crate::app::{App, Made, PackWish, Packed};

pub(super) fn execute(app: &App, args: &PackArgs, as_json: bool) -> Result<ExitCode, Failure> {
    if let Some(folder) = &args.index {
        let (path, index) = app.packages().index(folder)?;
        if as_json {
            output::json(&index)?;
        } else {
            let count = units::count(index.packages.len(), "package");
            output::text(&format!("wrote `{}` with {count}", path.display()))?;
        }
        return Ok(End::Good.into());
    }
    if let Some(out) = &args.out {
        target::check_file("-o", out)?;
    }
    let wish =
        PackWish { sources: args.what.clone(), descriptor: args.descriptor.clone(), out: args.out.clone() };
    match app.packages().pack(&wish)? {
        Made::Package(packed) => {
            packed.notes.iter().for_each(|note| output::note(&terminal::folded(&format!("note: {note}"))));
            if as_json {
                output::json(&packed)?;
            } else {
                output::text(&shown(&packed))?;
            }
        }
        Made::Component { path, name } => {
            if as_json {
                output::json(&json!({ "path": path, "name": name }))?;
            } else {
                let path = path.display();
                output::text(&format!("wrote {name} to `{path}`; `dyno check {path}` tests it"))?;
            }
        }
    }
    Ok(End::Good.into())
}

fn shown(packed: &Packed) -> String {
    let Packed { path, sha256, size_bytes, manifest, .. } = packed;
    let files = packages::files(manifest.files.iter().map(|file| (file.path.as_str(), file.size_bytes)));
    format!(
        "{files}\n\nwrote {} to `{}` ({}, SHA-256 {sha256})",
        manifest.name(),
        path.display(),
        units::bytes(*size_bytes as f64)
    )
}
