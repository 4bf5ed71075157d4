//! Progress of a run: bars on a terminal that can draw them, plain lines elsewhere. Always on standard error.

use std::{collections::BTreeMap, time::Duration};

use dyno_core::{
    model::{CaseRecord, CaseStatus, DeviceKind, Event, Params, PluginRef, RunStatus},
    text::{sentence, shown},
    units,
};
use indicatif::{MultiProgress, ProgressBar, ProgressStyle};

use super::{output, table, terminal};

#[derive(Debug)]
pub(super) struct Progress {
    bars: Option<Bars>,
    cases: u32,
    /// The parameters that tell cases apart, if that is known: the others are the same for all, and shown with the results.
    swept: Option<Vec<String>>,
    /// The cases that are being measured: several if devices work side by side.
    measured: BTreeMap<u32, Measured>,
    /// Whether the end of the run prints the reasons of failures, which are then left out here.
    reasons_follow: bool,
}

#[derive(Debug)]
struct Bars {
    all: MultiProgress,
    run: ProgressBar,
}

/// A case that is being measured.
#[derive(Debug)]
struct Measured {
    label: String,
    bar: Option<ProgressBar>,
}

impl Measured {
    fn show(&self, message: &str, fraction: f64) {
        if let Some(bar) = &self.bar {
            bar.set_position((fraction * 1000.0) as u64);
            // What changes comes first: a narrow terminal cuts off the end.
            let parts = [message, self.label.as_str()];
            let parts: Vec<&str> = parts.into_iter().filter(|part| !part.is_empty()).collect();
            bar.set_message(parts.join(" · "));
        }
    }

    fn finish(self) {
        if let Some(bar) = self.bar {
            bar.finish_and_clear();
        }
    }
}

impl Progress {
    pub(super) fn new(reasons_follow: bool) -> Self {
        let bars = terminal::can_draw().then(|| {
            let all = MultiProgress::new();
            let run = all
                .add(ProgressBar::new(0).with_style(style("{bar:16.cyan} {pos} of {len} done · {elapsed}")));
            Bars { all, run }
        });
        Self { bars, cases: 0, swept: None, measured: BTreeMap::new(), reasons_follow }
    }

    pub(super) fn show(&mut self, event: &Event) {
        match event {
            Event::RunStarted { cases, swept, .. } => {
                self.cases = *cases;
                self.swept.clone_from(swept);
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
            Event::CaseStarted { case, benchmark, plugin, params, device } => {
                let label = self.name(benchmark, params, plugin, device);
                let bar = self.bars.as_ref().map(|bars| {
                    bars.all.add(ProgressBar::new(1000).with_style(style("{bar:16.green} {wide_msg}")))
                });
                let measured = Measured { label, bar };
                measured.show("", 0.0);
                self.measured.insert(*case, measured);
            }
            Event::Compiling { plugin, .. } => self.line(&compiling(plugin)),
            Event::LaunchStarted { case, launch } => {
                self.case_message(*case, &format!("launch {}", launch + 1), 0.0);
            }
            Event::StageEntered { case, launch, stage } => {
                if *launch == 0 {
                    self.case_message(*case, &stage.to_string(), 0.0);
                }
            }
            Event::Progress { case, launch, stage, fraction } => {
                self.case_message(
                    *case,
                    &format!("launch {} · {stage} {:.0} %", launch + 1, fraction * 100.0),
                    *fraction,
                );
            }
            Event::Estimated { case, launch, estimate } => {
                let value = units::value_with_interval(estimate.median_ns, estimate.interval, "ns");
                let left = estimate
                    .remaining_ns
                    .map(|ns| format!(" · {} left", units::duration(ns as f64)))
                    .unwrap_or_default();
                self.case_message(
                    *case,
                    &format!("launch {} · {value}{left}", launch + 1),
                    estimate.fraction,
                );
            }
            Event::Logged { case, text, .. } => self.line(&format!("  {}: {text}", self.label(*case))),
            Event::LaunchFinished { .. } => {}
            Event::CaseFinished { case } => {
                if let Some(measured) = self.measured.remove(&case.index) {
                    measured.finish();
                }
                if let Some(bars) = &self.bars {
                    bars.run.inc(1);
                }
                let what = self.name(&case.benchmark, &case.params, &case.plugin, &case.device);
                let text = ended(&what, case, self.reasons_follow);
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
        while let Some((_, measured)) = self.measured.pop_first() {
            measured.finish();
        }
        if let Some(bars) = self.bars.take() {
            bars.run.finish_and_clear();
        }
    }

    fn case_message(&self, case: u32, message: &str, fraction: f64) {
        if let Some(measured) = self.measured.get(&case) {
            measured.show(message, fraction);
        }
    }

    /// What a case is called that is being measured.
    fn label(&self, case: u32) -> &str {
        self.measured.get(&case).map_or("", |measured| measured.label.as_str())
    }

    /// What a case is called: the same as in the table of results.
    fn name(&self, benchmark: &str, params: &Params, plugin: &PluginRef, device: &str) -> String {
        let is_shown = |name: &String| self.swept.as_ref().is_none_or(|swept| swept.contains(name));
        let name = table::name(benchmark, params.iter().filter(|(name, _)| is_shown(name)));
        format!("{} ({}{})", shown(&name), plugin.kind, place(device))
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
    format!("compiling the component {} {} for the first time; this takes a while", plugin.id, plugin.version)
}

/// How a bar looks.
pub(super) fn style(template: &str) -> ProgressStyle {
    ProgressStyle::with_template(template).unwrap_or_else(|_| ProgressStyle::default_bar())
}

/// The device of a case beside the kind of its plugin, if that is not the processor.
fn place(device: &str) -> String {
    if device == DeviceKind::Cpu.word() { String::new() } else { format!(", {device}") }
}

/// One line about a case that has ended, without the reason of a failure if that is printed later.
fn ended(what: &str, case: &CaseRecord, reasons_follow: bool) -> String {
    match &case.status {
        CaseStatus::Failed { stage, .. } if reasons_follow => format!("{what}: failed in {stage}"),
        CaseStatus::Failed { stage, reason } => {
            format!("{what}: failed in {stage}: {}", sentence(&reason.message))
        }
        CaseStatus::TimedOut { stage, limit_s, .. } => {
            format!("{what}: timed out in {stage} after {limit_s} s")
        }
        CaseStatus::Skipped { .. } if reasons_follow => format!("{what}: skipped"),
        CaseStatus::Skipped { reason, .. } => format!("{what}: skipped: {}", sentence(reason)),
        status => match case.metric("time") {
            Some(time) => {
                format!("{what}: {}", units::value_with_interval(time.median, time.interval, &time.unit))
            }
            None => format!("{what}: {}", status.word()),
        },
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use dyno_core::model::{ParamValue, Params, PluginKind};

    use super::*;

    fn plugin() -> Arc<PluginRef> {
        Arc::new(PluginRef {
            id: "p".to_owned(),
            version: "1.0.0".to_owned(),
            kind: PluginKind::Native,
            sha256: String::new(),
            path: String::new(),
            build: None,
        })
    }

    #[test]
    fn a_case_is_called_by_what_tells_it_apart() {
        let mut progress = Progress::new(false);
        let plugin = plugin();
        let params: Params = [("n", ParamValue::Integer(8)), ("k", ParamValue::Integer(1))]
            .map(|(name, value)| (name.to_owned(), value))
            .into_iter()
            .collect();
        let name = |progress: &Progress| progress.name("b", &params, &plugin, "cpu");
        assert_eq!(name(&progress), "b n=8 k=1 (native)", "an older server does not say what is swept");
        let started = |swept: &[&str]| Event::RunStarted {
            run: "r".to_owned(),
            cases: 2,
            swept: Some(swept.iter().map(|name| (*name).to_owned()).collect()),
        };
        progress.show(&started(&["k"]));
        assert_eq!(name(&progress), "b k=1 (native)");
        progress.show(&started(&[]));
        assert_eq!(name(&progress), "b (native)");
    }

    #[test]
    fn cases_on_several_devices_keep_their_own_labels() {
        let mut progress = Progress::new(false);
        let plugin = plugin();
        for (case, device) in [(0, "cuda:0"), (1, "webgpu:0"), (2, "cpu")] {
            progress.show(&Event::CaseStarted {
                case,
                benchmark: format!("b{case}"),
                plugin: Arc::clone(&plugin),
                params: Params::new().into(),
                device: device.to_owned(),
            });
        }
        let labels: Vec<&str> = (0..4).map(|case| progress.label(case)).collect();
        assert_eq!(labels, ["b0 (native, cuda:0)", "b1 (native, webgpu:0)", "b2 (native)", ""]);
        progress.finish();
        assert!(progress.measured.is_empty());
    }
}
