//! `dyno key new`: a pair of keys for signing.

use std::process::ExitCode;

use serde_json::json;

use super::{
    Failure,
    args::{KeyArgs, KeyCommand},
    exit_code::End,
    output, password,
};
use crate::app::App;

pub(super) fn execute(app: &App, args: &KeyArgs, as_json: bool) -> Result<ExitCode, Failure> {
    let KeyCommand::New(args) = &args.command;
    let word = match args.no_password {
        true => None,
        false => Some(password::new().map_err(Failure::Usage)?),
    };
    let pair = app.signing().new_key(&args.file, word)?;
    if as_json {
        output::json(&json!({
            "secret": pair.secret, "public": pair.public, "key": pair.key.text(), "key_id": pair.key.id(),
        }))?;
        return Ok(End::Good.into());
    }
    output::text(&format!(
        "wrote the secret key `{}`, which only you should have, and the public key `{}` (key {})\n\
         To admit what it signs, add to dyno.toml:\n\n[trust.publishers.NAME]\nkeys = [\"{}\"]",
        pair.secret.display(),
        pair.public.display(),
        pair.key.id(),
        pair.key.text()
    ))?;
    Ok(End::Good.into())
}
