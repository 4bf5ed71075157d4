//! The command line: parses flags, calls [`crate::app`], prints. The only room that prints.

mod aa;
mod ab;
mod analyze;
mod args;
mod backup;
mod browser;
mod build;
mod cache;
mod check;
mod compare;
mod completions;
mod config;
mod dashboard;
mod dev;
mod devices;
mod doctor;
mod examine;
mod exit_code;
mod failure;
mod formats;
mod grid;
mod history;
mod inspect;
mod install;
mod key;
mod list;
mod lock;
mod models;
mod new;
mod output;
mod pack;
mod packages;
mod password;
mod progress;
mod report;
mod results;
mod run;
mod serve;
mod sign;
mod sql;
mod suite;
mod table;
mod target;
mod terminal;
mod token;

use std::{
    io::{self, Write},
    process::ExitCode,
    sync::Arc,
};

use clap::{Parser, error::ErrorKind};

use self::{exit_code::End, failure::Failure};
use crate::app::App;

/// Runs the command line of this process.
#[must_use]
pub fn main() -> ExitCode {
    // With a limit on the size of files, a write then fails with an error; the signal would end dyno without a message.
    let _ = signal_hook::flag::register(signal_hook::consts::SIGXFSZ, Arc::default());
    let cli = match args::Cli::try_parse() {
        Ok(cli) => cli,
        Err(error) => {
            // clap reports help and version as errors too, which they are not.
            let is_help = matches!(error.kind(), ErrorKind::DisplayHelp | ErrorKind::DisplayVersion);
            let text = error.render().to_string();
            let printed = match output::lines(&text) {
                // With colours, where the terminal has them.
                std::borrow::Cow::Borrowed(_) => error.print().and_then(|()| io::stdout().flush()),
                // The arguments are repeated in it, and may come from anywhere.
                std::borrow::Cow::Owned(safe) => {
                    output::note(safe.trim_end());
                    Ok(())
                }
            };
            return match (is_help, output::finished(printed)) {
                (true, Ok(())) => End::Good.into(),
                (true, Err(failure)) => ended(&failure),
                (false, _) => End::Usage.into(),
            };
        }
    };
    match execute(&cli) {
        Ok(code) => code,
        Err(failure) => ended(&failure),
    }
}

fn ended(failure: &Failure) -> ExitCode {
    output::error(&failure.to_string());
    failure.exit_code()
}

fn execute(cli: &args::Cli) -> Result<ExitCode, Failure> {
    if let args::Command::Completions(args) = &cli.command {
        return completions::execute(args);
    }
    if let args::Command::Examine(args) = &cli.command {
        return examine::execute(args);
    }
    let settings =
        crate::config::Resolved::resolve(&cli.flags()).map_err(|error| Failure::Usage(error.to_string()))?;
    let json = cli.global.json;
    match &cli.command {
        args::Command::Serve(args) => return serve::execute(settings, args),
        args::Command::Dashboard(args) => return dashboard::execute(&settings, args),
        args::Command::New(args) => return new::execute(&settings, args),
        args::Command::Analyze(args) => {
            return analyze::execute(&App::new(settings), args, cli.global.output.as_deref(), json);
        }
        args::Command::Config => return config::execute(&App::new(settings), json),
        // The cache of this machine, even if a server has the database.
        args::Command::Cache(args) => return cache::execute(&App::new(settings), args, json),
        // Files of this machine are replaced.
        args::Command::Restore(args) => return backup::restore(&App::new(settings), args, json),
        // The packages of this machine, likewise.
        args::Command::Pack(args) => return pack::execute(&App::new(settings), args, json),
        args::Command::Install(args) => return install::install(&App::new(settings), args, json),
        args::Command::Remove(args) => return install::remove(&App::new(settings), args, json),
        args::Command::Lock(args) => return lock::execute(&App::new(settings), args, json),
        args::Command::Key(args) => return key::execute(&App::new(settings), args, json),
        args::Command::Sign(args) => return sign::sign(&App::new(settings), args, json),
        args::Command::Verify(args) => return sign::verify(&App::new(settings), args, json),
        args::Command::Token(args) => return token::execute(&App::new(settings), args, json),
        args::Command::List(args) if args.installed => {
            return packages::installed(&App::new(settings), args, json);
        }
        args::Command::List(args) if args.available || args.index.is_some() => {
            return packages::available(&App::new(settings), args, json);
        }
        _ => {}
    }
    let app = App::through_server(settings)?;
    match &cli.command {
        args::Command::List(args) if args.models => {
            models::execute(&app.with_files(&args.files())?, args, json)
        }
        args::Command::List(args) => list::execute(&app.with_files(&args.files())?, args, json),
        args::Command::Inspect(args) => inspect::execute(&app, args, json),
        args::Command::Run(args) => run::execute(&app.with_files(&args.selection.files())?, args, json),
        args::Command::Ab(args) => ab::execute(&app, args, json),
        args::Command::Aa(args) => aa::execute(&app, args, json),
        args::Command::Build(args) => build::execute(&app, args, json),
        args::Command::Dev(args) => dev::execute(&app, args),
        args::Command::Check(args) => check::execute(&app, args, json),
        args::Command::History(args) => history::execute(&app, args, json),
        args::Command::Compare(args) => compare::execute(&app, args, json),
        args::Command::Results(args) => results::execute(&app, args, json),
        args::Command::Report(args) => report::execute(&app, args, json),
        args::Command::Devices(args) => devices::execute(&app, args, json),
        args::Command::Doctor(args) => doctor::execute(&app, args, json),
        args::Command::Sql(args) => sql::execute(&app, args, json),
        args::Command::Backup(args) => backup::backup(&app, args, json),
        args::Command::Vacuum(args) => backup::vacuum(&app, args, json),
        args::Command::Serve(_)
        | args::Command::Dashboard(_)
        | args::Command::New(_)
        | args::Command::Analyze(_)
        | args::Command::Config
        | args::Command::Cache(_)
        | args::Command::Restore(_)
        | args::Command::Pack(_)
        | args::Command::Install(_)
        | args::Command::Remove(_)
        | args::Command::Lock(_)
        | args::Command::Key(_)
        | args::Command::Sign(_)
        | args::Command::Verify(_)
        | args::Command::Token(_)
        | args::Command::Completions(_)
        | args::Command::Examine(_) => unreachable!("carried out above"),
    }
}
