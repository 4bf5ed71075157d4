//! `dyno serve`: the server, with its log on standard error.

use std::{io, process::ExitCode};

use tracing_subscriber::{filter::LevelFilter, fmt, layer::SubscriberExt, util::SubscriberInitExt};

use super::{
    Failure,
    args::{LogFormat, LogLevel, ServeArgs},
    exit_code::End,
    output,
};
use crate::{
    config::Resolved,
    server::{self, ServeError},
};

pub(super) fn execute(settings: Resolved, args: &ServeArgs) -> Result<ExitCode, Failure> {
    let level = match args.log_level {
        LogLevel::Error => LevelFilter::ERROR,
        LogLevel::Warn => LevelFilter::WARN,
        LogLevel::Info => LevelFilter::INFO,
        LogLevel::Debug => LevelFilter::DEBUG,
    };
    let registry = tracing_subscriber::registry();
    match args.log_format {
        LogFormat::Text => {
            let text = fmt::layer().with_writer(io::stderr).with_ansi(false).with_target(false);
            registry.with(text).with(level).init();
        }
        LogFormat::Json => {
            let json = fmt::layer().json().flatten_event(true).with_writer(io::stderr);
            registry.with(json).with(level).init();
        }
    }
    let database = settings.db_path.value.display().to_string();
    let served = server::serve(settings, &mut |url| {
        // Standard output may be closed: the server serves all the same.
        let _ =
            output::text(&format!("dyno serves at {url}, from {database}; its documents are at {url}/docs"));
    });
    match served {
        Ok(()) => Ok(End::Good.into()),
        Err(ServeError::App(error)) => Err(error.into()),
        Err(error @ (ServeError::Settings(_) | ServeError::Listen { .. })) => {
            Err(Failure::Usage(error.to_string()))
        }
        Err(error) => Err(Failure::Host(error.to_string())),
    }
}
