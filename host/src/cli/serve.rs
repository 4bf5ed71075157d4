//! `dyno serve`: the server, with its log on standard error.

use std::{
    io::{self, Write},
    process::ExitCode,
};

use dyno_core::text::visible;
use tracing_subscriber::{filter::LevelFilter, fmt, layer::SubscriberExt, util::SubscriberInitExt};

use super::{
    Failure,
    args::{LogFormat, LogLevel, ServeArgs},
    exit_code::End,
    output,
};
use crate::{
    app::{AppError, Serving},
    config::Resolved,
    server::{self, ServeError},
};

pub(super) fn execute(settings: Resolved, args: &ServeArgs) -> Result<ExitCode, Failure> {
    Serving::begin_frugally();
    let level = match args.log_level {
        LogLevel::Error => LevelFilter::ERROR,
        LogLevel::Warn => LevelFilter::WARN,
        LogLevel::Info => LevelFilter::INFO,
        LogLevel::Debug => LevelFilter::DEBUG,
    };
    let registry = tracing_subscriber::registry();
    match args.log_format {
        LogFormat::Text => {
            let text = fmt::layer().with_writer(|| Log).with_ansi(false).with_target(false);
            registry.with(text).with(level).init();
        }
        LogFormat::Json => {
            let json = fmt::layer().json().flatten_event(true).with_writer(|| Log);
            registry.with(json).with(level).init();
        }
    }
    let database = settings.db_path.value.display().to_string();
    let served = server::serve(settings, &mut |url| {
        // Standard output may be closed: the server serves all the same.
        let _ = output::text(&format!(
            "dyno serves at {url}, from {database}; the API reference is at {url}/docs"
        ));
    });
    served.map(|()| End::Good.into()).map_err(failure)
}

/// Why a server did not start, for the user.
pub(super) fn failure(error: ServeError) -> Failure {
    match error {
        ServeError::App(error) => error.into(),
        error @ (ServeError::Settings(_) | ServeError::Listen { .. }) => Failure::Usage(error.to_string()),
        ServeError::Access(error) => AppError::from(error).into(),
        error => Failure::Host(error.to_string()),
    }
}

/// Writes the log to standard error, each event at once. Paths, names and reasons in it are untrusted, so an event
/// stays on one line and cannot control the terminal that shows it.
struct Log;

impl Write for Log {
    fn write(&mut self, event: &[u8]) -> io::Result<usize> {
        io::stderr().lock().write_all(logged(&String::from_utf8_lossy(event)).as_bytes())?;
        Ok(event.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        io::stderr().flush()
    }
}

/// An event as one line, of JSON as well.
fn logged(event: &str) -> String {
    let (body, end) = event.strip_suffix('\n').map_or((event, ""), |body| (body, "\n"));
    body.chars().map(visible).collect::<String>() + end
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_event_is_one_line_that_does_nothing() {
        let event = "WARN a run ended run=\u{1b}[31mx\r\nERROR forged\u{9b}\u{202e}\n";
        let expected = "WARN a run ended run=\u{fffd}[31mx\u{fffd}\u{fffd}ERROR forged\u{fffd}\u{fffd}\n";
        assert_eq!(logged(event), expected);
    }
}
