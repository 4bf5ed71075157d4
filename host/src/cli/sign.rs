//! `dyno sign` and `dyno verify`: signatures beside plugins and packages.

use std::process::ExitCode;

use super::{
    Failure,
    args::{SignArgs, VerifyArgs},
    exit_code::End,
    output, password,
};
use crate::app::{App, SignatureState};

pub(super) fn sign(app: &App, args: &SignArgs, as_json: bool) -> Result<ExitCode, Failure> {
    let mut printed = Ok(());
    let publisher = args.publisher.as_deref();
    let signed = app.signing().sign(&args.files, &args.key, publisher, &mut password::of, &mut |one| {
        if !as_json && printed.is_ok() {
            printed = output::text(&format!("wrote `{}` (key {})", one.signature.display(), one.key));
        }
    })?;
    printed?;
    if as_json {
        output::json(&signed)?;
    }
    Ok(End::Good.into())
}

/// Ends well only if every file is signed with a key that counts.
pub(super) fn verify(app: &App, args: &VerifyArgs, as_json: bool) -> Result<ExitCode, Failure> {
    let verified = app.signing().verify(&args.files, args.key.as_deref())?;
    if as_json {
        output::json(&verified)?;
    } else {
        for one in &verified {
            output::text(&format!("{}: {}", one.file.display(), one.signature))?;
        }
    }
    let counts = |state: &SignatureState| matches!(state, SignatureState::Signed { .. });
    let is_good = verified.iter().all(|one| counts(&one.signature));
    Ok(if is_good { End::Good } else { End::BenchmarkFailed }.into())
}
