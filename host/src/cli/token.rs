//! `dyno token`: the access tokens of a server.

use std::process::ExitCode;

use serde_json::json;

use super::{
    Failure,
    args::{NewTokenArgs, TokenArgs, TokenCommand},
    exit_code::End,
    grid::{Grid, Role},
    output, terminal,
};
use crate::app::{App, NewToken, TokenFile};

pub(super) fn execute(app: &App, args: &TokenArgs, as_json: bool) -> Result<ExitCode, Failure> {
    let tokens = app.token_file();
    match &args.command {
        TokenCommand::New(args) => add(tokens, args, as_json)?,
        TokenCommand::List => list(tokens, as_json)?,
        TokenCommand::Revoke(args) => {
            tokens.revoke(&args.name)?;
            let file = tokens.path()?.display();
            output::text(&format!(
                "removed `{}` from `{file}`; a running server refuses it within seconds",
                args.name
            ))?;
        }
    }
    Ok(End::Good.into())
}

fn add(tokens: TokenFile<'_>, args: &NewTokenArgs, as_json: bool) -> Result<(), Failure> {
    let usage = |flag: &'static str| move |why: String| Failure::Usage(format!("{flag}: {why}"));
    let layers = args.require_isolation.iter().flat_map(|text| text.split(','));
    let new = NewToken {
        name: args.name.clone(),
        scope: args.scope.parse().map_err(usage("--scope"))?,
        expires: args.expires.as_deref().map(NewToken::expiry).transpose().map_err(usage("--expires"))?,
        require_isolation: layers
            .map(|layer| layer.trim().parse())
            .collect::<Result<_, _>>()
            .map_err(usage("--require-isolation"))?,
    };
    let token = tokens.add(&new)?;
    let file = tokens.path()?;
    if as_json {
        output::json(&json!({
            "name": new.name, "scope": new.scope, "expires_at": new.expires.map(|end| end.to_string()),
            "require_isolation": new.require_isolation, "token": token, "file": file,
        }))?;
        return Ok(());
    }
    output::text(&token)?;
    output::note(&format!(
        "note: this is the token of `{}`; it is shown only now, and `{}` has only its hash",
        new.name,
        file.display()
    ));
    Ok(())
}

fn list(tokens: TokenFile<'_>, as_json: bool) -> Result<(), Failure> {
    let all = tokens.list()?;
    if as_json {
        output::json(&all)?;
        return Ok(());
    }
    if all.is_empty() {
        output::note("no token; `dyno token new NAME` makes one");
        return Ok(());
    }
    let mut grid = Grid::new([
        ("token", Role::Needed),
        ("scope", Role::Needed),
        ("expires", Role::Needed),
        ("requires", Role::Needed),
    ]);
    for token in all {
        let layers: Vec<&str> = token.require_isolation.iter().map(|layer| layer.word()).collect();
        let expires = match token.expires_at {
            Some(at) if token.has_expired => format!("{at} (over)"),
            Some(at) => at,
            None => "never".to_owned(),
        };
        grid.add_row([token.name, token.scope.to_string(), expires, layers.join(", ")]);
    }
    output::text(&grid.with_empty().render(terminal::width()))?;
    Ok(())
}
