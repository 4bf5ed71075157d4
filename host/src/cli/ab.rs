//! `dyno ab`: compares two builds by pairs of launches, each case until it is decided.

use std::{collections::BTreeSet, process::ExitCode, time::Duration};

use dyno_core::{
    model::{CaseComparison, EngineChoice, Event, Layout, Pages, Settings, StopRule, build_remark},
    text::shown,
};
use indicatif::ProgressBar;

use super::{
    Failure,
    args::{AbArgs, PairLaunchArgs, values},
    compare,
    exit_code::End,
    output, progress, run, terminal,
};
use crate::{
    app::{self, App, DuelNews, DuelOptions, Entry},
    config::Resolved,
    export,
};

/// Much shorter than in `run`: the two sides take turns, and neighbours should be close in time.
const SLICE_NS: u64 = 300_000;
const WARM_UP_NS: u64 = 10_000_000;

pub(super) fn execute(app: &App, args: &AbArgs, json: bool) -> Result<ExitCode, Failure> {
    let (baseline, candidate) = sides(app, args)?;
    let pages = if args.small_pages { Pages::Normal } else { Pages::Huge };
    let options = DuelOptions {
        threshold: args.decision.threshold()?,
        alpha: args.decision.alpha()?,
        budget: budget(&args.budget)?,
        settings: settings(app.settings(), &args.launch, (args.layout.layout(), pages))?,
    };
    let requests = args.cases.requests(benchmarks(args, &baseline, &candidate)?)?;
    if baseline.sha256 == candidate.sha256 {
        output::note(
            "both sides are the same file: any difference is drift of the machine and never raises an alarm",
        );
    }
    note_debug_builds(&[&baseline, &candidate]);
    let cancel = run::listen_for_ctrl_c(app)?;
    let mut watched = Watched::new();
    let outcome =
        app.duels().ab((&baseline, &candidate), &requests, &options, &cancel, &mut |news| watched.show(news));
    watched.finish();
    let comparison = outcome?;
    compare::show(&comparison, args.output.chosen(json), true)?;
    for doubt in app.verdicts().doubts(&comparison)? {
        output::note(&format!("warning: {doubt}"));
    }
    if cancel.is_set() {
        return Ok(End::Cancelled.into());
    }
    Ok(compare::concluded(app, &comparison, args.gate).into())
}

/// What is said while pairs are measured: with a terminal, in a line that changes.
struct Watched {
    bar: Option<ProgressBar>,
    /// Number of cases that are decided.
    decided: usize,
}

impl Watched {
    fn new() -> Self {
        let bar = terminal::can_draw()
            .then(|| ProgressBar::new_spinner().with_style(progress::style("{spinner} {wide_msg}")));
        Self { bar, decided: 0 }
    }

    fn show(&mut self, news: DuelNews<'_>) {
        match news {
            DuelNews::Waiting { device, holder } => {
                self.say(&format!("waiting for {device}, which is leased by {holder}"));
            }
            DuelNews::Event(Event::WaitingForDatabase { path, holder }) => {
                self.say(&progress::database(path, holder));
            }
            DuelNews::Event(_) => {}
            DuelNews::Compiling { plugin } => self.say(&progress::compiling(plugin)),
            DuelNews::Pair { case, decided, cases } => {
                let line = line(case, decided, cases);
                match &self.bar {
                    Some(bar) => {
                        bar.set_message(line);
                        bar.tick();
                    }
                    // A log has no bar: a line per decided case shows progress.
                    None if cases > 1 && decided > self.decided => self.say(&line),
                    None => {}
                }
                self.decided = decided;
            }
        }
    }

    fn say(&self, line: &str) {
        match &self.bar {
            Some(bar) => bar.suspend(|| output::note(line)),
            None => output::note(line),
        }
    }

    fn finish(self) {
        if let Some(bar) = self.bar {
            bar.finish_and_clear();
        }
    }
}

/// Warns about debug builds before time is spent on them, once per plugin.
pub(super) fn note_debug_builds(builds: &[&Entry]) {
    let remark = |entry: &Entry| build_remark(&entry.descriptor.plugin.id, entry.descriptor.build);
    let marked: Vec<(&str, String)> = ["baseline", "candidate"]
        .into_iter()
        .zip(builds)
        .filter_map(|(side, entry)| Some((side, remark(entry)?)))
        .collect();
    // Only one of the two is a debug build: the result would mostly show how they were compiled, so name the side.
    if let ([(side, remark)], 2) = (marked.as_slice(), builds.len()) {
        output::note(&format!("warning: the {side} {remark}"));
        return;
    }
    let remarks: BTreeSet<&String> = marked.iter().map(|(_, remark)| remark).collect();
    remarks.into_iter().for_each(|remark| output::note(&format!("warning: {remark}")));
}

/// How both sides are measured.
pub(super) fn settings(
    settings: &Resolved,
    launch: &PairLaunchArgs,
    (layout, pages): (Layout, Pages),
) -> Result<Settings, Failure> {
    let (seed, inputs) = app::seed(launch.seed);
    Ok(Settings {
        // Pairs have a pace of their own.
        stop: StopRule::Samples { launches: 1, per_launch: 1 },
        scenario: None,
        slice_ns: SLICE_NS,
        warm_up_ns: WARM_UP_NS,
        timeout_ms: settings.timeout_ms(),
        seed,
        inputs,
        layout,
        pages,
        memory_limit_bytes: settings.memory_bytes.value,
        overlap: false,
        lease_timeout_ms: settings.lease_timeout_ms(),
        cpus: launch.processors.read()?,
        realtime: false,
        counters: false,
        require_isolation: settings.require_isolation.value.clone(),
    })
}

/// `--budget`, the time for a case or a comparison of it.
pub(super) fn budget(text: &str) -> Result<Duration, Failure> {
    values::time_to_spend("--budget", text, "10s").map(Duration::from_nanos)
}

fn sides(app: &App, args: &AbArgs) -> Result<(Entry, Entry), Failure> {
    let (old, new) = if args.wasm {
        (EngineChoice::Native, EngineChoice::Wasm)
    } else if args.native {
        (EngineChoice::Wasm, EngineChoice::Native)
    } else {
        (EngineChoice::Auto, EngineChoice::Auto)
    };
    let candidate = match &args.candidate {
        Some(candidate) => candidate,
        None if args.wasm || args.native => &args.baseline,
        None => {
            return Err(Failure::Usage(
                "there is no candidate: give a second plugin file, or --wasm or --native to compare the two builds of \
                 one plugin"
                    .to_owned(),
            ));
        }
    };
    Ok((app.plugins().build(&args.baseline, old)?, app.plugins().build(candidate, new)?))
}

/// What to compare, by name.
fn benchmarks(args: &AbArgs, baseline: &Entry, candidate: &Entry) -> Result<Vec<String>, Failure> {
    if args.all_benchmarks {
        return Ok(vec!["*".to_owned()]);
    }
    if !args.benchmark.is_empty() {
        return Ok(args.benchmark.clone());
    }
    let names = |entry: &Entry| -> Vec<String> {
        entry.descriptor.benchmarks.iter().map(|benchmark| benchmark.name.clone()).collect()
    };
    let old = names(baseline);
    let shared: Vec<String> = names(candidate).into_iter().filter(|name| old.contains(name)).collect();
    if shared.len() > 1 {
        return Err(Failure::Usage(format!(
            "the builds share {} benchmarks; choose with --benchmark, or give --all-benchmarks: {}",
            shared.len(),
            shared.join(", ")
        )));
    }
    // With none in common, the comparison fails with both lists.
    Ok(if shared.is_empty() { vec!["*".to_owned()] } else { shared })
}

fn line(case: &CaseComparison, decided: usize, cases: usize) -> String {
    let what = format!("[{decided}/{cases} decided] {}", shown(&case.label));
    match case.metrics.first() {
        Some(metric) => format!("{what}: {}", export::effect(metric)),
        None => what,
    }
}
