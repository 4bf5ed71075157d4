//! `dyno aa`: compares a build with itself, to measure this machine's noise and false-alarm rate.

use std::process::ExitCode;

use dyno_core::{
    model::{AaReport, EngineChoice, Event, Layout, Pages},
    units,
};

use super::{Failure, ab, args::AaArgs, exit_code::End, output, progress, run, table, terminal};
use crate::app::{AaNews, App, DuelOptions};

/// Largest bound of the false-alarm rate at which a machine's alarms may gate a change.
const TOO_OFTEN: f64 = 0.01;

pub(super) fn execute(app: &App, args: &AaArgs, json: bool) -> Result<ExitCode, Failure> {
    let build = app.plugins().build(&args.build, EngineChoice::Auto)?;
    let options = DuelOptions {
        budget: ab::budget(&args.budget)?,
        threshold: args.decision.threshold()?,
        alpha: args.decision.alpha()?,
        settings: ab::settings(app.settings(), &args.launch, (Layout::Fixed, Pages::Huge))?,
    };
    let names = if args.benchmark.is_empty() { vec!["*".to_owned()] } else { args.benchmark.clone() };
    let requests = args.cases.requests(names)?;
    ab::note_debug_builds(&[&build]);
    let cancel = run::listen_for_ctrl_c(app)?;
    let report =
        app.duels().aa(&build, &requests, &options, args.comparisons, &cancel, &mut |news| match news {
            AaNews::Round(round) => output::note(&format!("comparison {round} of {} done", args.comparisons)),
            AaNews::Event(Event::WaitingForDatabase { path, holder }) => {
                output::note(&progress::database(path, holder));
            }
            AaNews::Event(_) => {}
        })?;
    if json {
        output::json(&report)?;
    } else {
        show(&report)?;
    }
    Ok(match cancel.is_set() {
        true => End::Cancelled,
        false if report.has_failed() => End::BenchmarkFailed,
        false => End::Good,
    }
    .into())
}

/// The noise of each case, and what it says about alarms on this machine.
fn show(report: &AaReport) -> Result<(), Failure> {
    let mut rows = table::new(&[
        "case",
        "comparisons",
        "alarms (≤ at 95 %)",
        "equivalent",
        "|effect| median, p99",
        "spread of pairs",
        "time each",
    ]);
    let percent =
        |share: Option<f64>| share.map_or_else(|| "–".to_owned(), |share| format!("{:.2} %", share * 100.0));
    for case in &report.cases {
        rows.add_row([
            case.label.clone(),
            case.comparisons.to_string(),
            match &case.remark {
                Some(remark) => remark.clone(),
                None => format!("{} ({})", case.alarms, percent(Some(case.bound()))),
            },
            case.equivalent.to_string(),
            format!("{}, {}", percent(case.median_effect()), percent(case.p99_effect())),
            percent(Some(case.variance.sqrt())),
            units::duration(case.elapsed_ns as f64 / f64::from(case.comparisons.max(1))),
        ]);
    }
    output::text(&rows.to_string())?;
    let (comparisons, alarms, bound) = report.totals();
    output::text(&terminal::folded(&format!(
        "{} in {} of equal builds: the true rate is at most {:.2} %, with 95 % confidence; the spread is stored for \
         `dyno ab`",
        units::count(alarms, "alarm"),
        units::count(comparisons, "comparison"),
        bound * 100.0
    )))?;
    if bound > TOO_OFTEN {
        output::note(
            "a bound of 1 % takes 300 comparisons without an alarm; until then, treat alarms on this machine with care",
        );
    }
    Ok(())
}
