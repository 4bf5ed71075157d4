//! Progress of a run: bars on a terminal that can draw them, plain lines elsewhere. Always on standard error.

use std::time::Duration;

use dyno_core::{
    model::{CaseRecord, CaseStatus, DeviceKind, Event, PluginRef, RunStatus},
    text::{sentence, shown},
    units,
};
use indicatif::{MultiProgress, ProgressBar, ProgressStyle};

use super::{output, table, terminal};

#[derive(Debug)]
pub(super) struct Progress {
    bars: Option<Bars>,
    cases: u32,
    label: String,
    /// Whether the end of the run prints the reasons of failures, which are then left out here.
    reasons_follow: bool,
}

#[derive(Debug)]
struct Bars {
    all: MultiProgress,
    run: ProgressBar,
    case: ProgressBar,
}

impl Progress {
    pub(super) fn new(reasons_follow: bool) -> Self {
        let bars = terminal::can_draw().then(|| {
            let all = MultiProgress::new();
            let run = all
                .add(ProgressBar::new(0).with_style(style("{bar:16.cyan} {pos} of {len} done · {elapsed}")));
            let case = all.add(ProgressBar::new(1000).with_style(style("{bar:16.green} {wide_msg}")));
            Bars { all, run, case }
        });
        Self { bars, cases: 0, label: String::new(), reasons_follow }
    }

    pub(super) fn show(&mut self, event: &Event) {
        match event {
            Event::RunStarted { cases, .. } => {
                self.cases = *cases;
                if let Some(bars) = &self.bars {
                    bars.run.set_length(u64::from(*cases));
                    bars.run.enable_steady_tick(Duration::from_millis(500));
                }
            }
            Event::WaitingForDatabase { path, holder } => {
                self.line(&database(path, holder));
            }
            Event::Waiting { device, holder, .. } => {
                self.line(&format!("waiting for {device}, which is leased by {holder}"));
            }
            Event::CaseStarted { benchmark, plugin, params, .. } => {
                let label = format!("{benchmark} ({}) {}", plugin.kind, table::params(params));
                self.label = shown(label.trim_end()).to_string();
                self.case_message("", 0.0);
            }
            Event::Compiling { plugin, .. } => self.line(&compiling(plugin)),
            Event::LaunchStarted { launch, .. } => self.case_message(&format!("launch {}", launch + 1), 0.0),
            Event::StageEntered { launch, stage, .. } => {
                if let Some(bars) = &self.bars
                    && *launch == 0
                {
                    bars.case.set_message(format!("{stage} · {}", self.label));
                }
            }
            Event::Progress { launch, stage, fraction, .. } => {
                self.case_message(
                    &format!("launch {} · {stage} {:.0} %", launch + 1, fraction * 100.0),
                    *fraction,
                );
            }
            Event::Estimated { launch, estimate, .. } => {
                let value = units::value_with_interval(estimate.median_ns, estimate.interval, "ns");
                let left = estimate
                    .remaining_ns
                    .map(|ns| format!(" · {} left", units::duration(ns as f64)))
                    .unwrap_or_default();
                self.case_message(&format!("launch {} · {value}{left}", launch + 1), estimate.fraction);
            }
            Event::Logged { text, .. } => self.line(&format!("  {}: {text}", self.label)),
            Event::LaunchFinished { .. } => {}
            Event::CaseFinished { case } => {
                if let Some(bars) = &self.bars {
                    bars.run.inc(1);
                }
                let text = ended(case, self.reasons_follow);
                self.line(&format!("[{}/{}] {text}", case.index + 1, self.cases));
            }
            Event::RunFinished { status, .. } => {
                if *status == RunStatus::Cancelled {
                    self.line("cancelled; completed measurements are kept");
                }
            }
        }
    }

    pub(super) fn finish(&mut self) {
        if let Some(bars) = self.bars.take() {
            bars.case.finish_and_clear();
            bars.run.finish_and_clear();
        }
    }

    fn case_message(&self, message: &str, fraction: f64) {
        if let Some(bars) = &self.bars {
            bars.case.set_position((fraction * 1000.0) as u64);
            // What changes comes first: a narrow terminal cuts off the end.
            let parts = [message, self.label.as_str()];
            let parts: Vec<&str> = parts.into_iter().filter(|part| !part.is_empty()).collect();
            bars.case.set_message(parts.join(" · "));
        }
    }

    fn line(&self, text: &str) {
        match &self.bars {
            // Above the bars. A failed write is ignored: the terminal is gone.
            Some(bars) => drop(bars.all.println(output::lines(text))),
            None => output::note(text),
        }
    }
}

/// The line printed while another process has the database.
pub(super) fn database(path: &str, holder: &str) -> String {
    format!("waiting for the database {path}, which {holder} has open")
}

/// The line printed while a component is compiled.
pub(super) fn compiling(plugin: &PluginRef) -> String {
    format!(
        "compiling the component {} {} for the first time; this takes a while, and is cached for later runs",
        plugin.id, plugin.version
    )
}

/// How a bar looks.
pub(super) fn style(template: &str) -> ProgressStyle {
    ProgressStyle::with_template(template).unwrap_or_else(|_| ProgressStyle::default_bar())
}

/// One line about a case that has ended, without the reason of a failure if that is printed later.
fn ended(case: &CaseRecord, reasons_follow: bool) -> String {
    let device =
        if case.device == DeviceKind::Cpu.word() { String::new() } else { format!(", {}", case.device) };
    let what = format!("{} ({}{device})", shown(&case.label()), case.plugin.kind);
    match &case.status {
        CaseStatus::Failed { stage, .. } if reasons_follow => format!("{what}: failed in {stage}"),
        CaseStatus::Failed { stage, reason } => {
            format!("{what}: failed in {stage}: {}", sentence(&reason.message))
        }
        CaseStatus::TimedOut { stage, limit_s, .. } => {
            format!("{what}: timed out in {stage} after {limit_s} s")
        }
        CaseStatus::Skipped { .. } if reasons_follow => format!("{what}: skipped"),
        CaseStatus::Skipped { reason } => format!("{what}: skipped: {}", sentence(reason)),
        status => match case.metric("time") {
            Some(time) => {
                format!("{what}: {}", units::value_with_interval(time.median, time.interval, &time.unit))
            }
            None => format!("{what}: {}", status.word()),
        },
    }
}
