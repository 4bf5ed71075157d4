//! Telling the outside that something got slower: a webhook, or a command. The only room that sends anything anywhere, and
//! only where it was told to.

mod command;
mod webhook;

use dyno_core::model::{Comparison, Verdict};
use serde::Serialize;

/// The name of the notification's format.
const SCHEMA: &str = "dyno.notification";
/// Its version.
const VERSION: u32 = 1;

/// The body of a notification.
#[derive(Debug, Serialize)]
struct Notification<'a> {
    schema: &'static str,
    version: u32,
    /// What happened; `regression` is all there is so far.
    event: &'static str,
    /// When (RFC 3339, UTC).
    at: String,
    /// Name of the machine that measured.
    hostname: &'a str,
    /// One line for people.
    text: String,
    /// What regressed: case and metric, change, interval.
    regressions: Vec<Regression<'a>>,
    /// The whole comparison, as `--format json` writes it.
    comparison: &'a Comparison,
}

#[derive(Debug, Serialize)]
struct Regression<'a> {
    case: &'a str,
    metric: &'a str,
    /// Relative change. // eg: 0.05 for five per cent more
    effect: Option<f64>,
}

/// Tells of the regressions of a comparison; nothing happens where there are none. Gives a sentence for each way that did
/// not work: a notification that is lost changes no verdict.
pub(crate) fn regression(
    webhook: Option<&str>,
    command: Option<&str>,
    hostname: &str,
    comparison: &Comparison,
    cancelled: &dyn Fn() -> bool,
) -> Vec<String> {
    if (webhook.is_none() && command.is_none()) || !comparison.has(Verdict::Regressed) {
        return Vec::new();
    }
    let regressions: Vec<Regression<'_>> = comparison
        .cases
        .iter()
        .flat_map(|case| case.metrics.iter().map(move |metric| (case, metric)))
        .filter(|(_, metric)| metric.verdict == Verdict::Regressed)
        .map(|(case, metric)| Regression { case: &case.label, metric: &metric.name, effect: metric.effect })
        .collect();
    let text = format!(
        "{} of {} metrics regressed: {} against {}",
        regressions.len(),
        comparison.cases.iter().map(|case| case.metrics.len()).sum::<usize>(),
        comparison.candidate,
        comparison.baseline
    );
    let body = Notification {
        schema: SCHEMA,
        version: VERSION,
        event: "regression",
        at: crate::timestamp::now(),
        hostname,
        text,
        regressions,
        comparison,
    };
    let body = match serde_json::to_string(&body) {
        Ok(body) => body,
        Err(error) => return vec![format!("the notification cannot be written as JSON: {error}")],
    };
    let sent = webhook.map(|url| webhook::post(url, &body));
    let told = command.map(|line| command::run(line, &body, cancelled));
    sent.into_iter().chain(told).filter_map(Result::err).collect()
}
