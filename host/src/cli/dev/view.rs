//! What a session looks like: news become lines. Pure, so that a test can look at every screen.

use std::collections::VecDeque;

use dyno_core::{
    model::{Comparison, Verdict},
    units,
};

use super::news::{Judged, News};
use crate::{cli::terminal, export};

/// How many lines of the last verdict stay visible below the messages of a failed build.
const MAX_KEPT: usize = 5;
/// How many comparisons are remembered.
const MAX_HISTORY: usize = 200;

/// How a line looks. Colour repeats what the words say.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Look {
    Plain,
    Faint,
    Strong,
    Good,
    Bad,
}

/// A line of the screen.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Line {
    pub(super) text: String,
    pub(super) look: Look,
}

fn line(look: Look, text: impl Into<String>) -> Line {
    Line { text: text.into(), look }
}

/// What the developer is being asked for, below everything else.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Prompt {
    pub(super) asks: Asks,
    pub(super) text: String,
}

/// What a prompt asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Asks {
    Params,
    Benchmark,
}

/// A comparison that has ended: its lines, ready to be shown.
#[derive(Debug, Clone)]
struct Past {
    build: u32,
    baseline: u32,
    at: String,
    took_s: f64,
    cases: Vec<CaseLine>,
}

/// What came of a case.
#[derive(Debug, Clone)]
struct CaseLine {
    label: String,
    effect: String,
    words: String,
    look: Look,
}

/// Everything that is shown.
#[derive(Debug, Default)]
pub(super) struct View {
    /// What is edited, and what builds it.
    title: String,
    /// What is happening now.
    status: String,
    /// Why the latest sources cannot be measured, and what the tools said.
    failure: Option<(String, Vec<String>)>,
    remark: Option<String>,
    baseline: Option<u32>,
    /// Where the cases of the comparison stand that is under way.
    standing: Vec<(String, String, u32)>,
    /// Comparisons, the latest first.
    history: VecDeque<Past>,
    benchmarks: Vec<String>,
    /// What is measured: empty, the first benchmark.
    chosen: Vec<String>,
    pub(super) params: Vec<String>,
    pub(super) prompt: Option<Prompt>,
}

impl View {
    pub(super) fn new(title: String, chosen: Vec<String>, params: Vec<String>) -> Self {
        Self { title, chosen, params, ..Self::default() }
    }

    pub(super) fn benchmarks(&self) -> &[String] {
        &self.benchmarks
    }

    pub(super) fn choose(&mut self, names: Vec<String>) {
        self.chosen = names;
    }

    /// Takes an event in. `at` is the time of day.
    pub(super) fn hear(&mut self, news: News, at: &str) {
        if !matches!(news, News::Remark { .. } | News::Standing { .. }) {
            self.remark = None;
        }
        match news {
            News::Building { build } => self.status = format!("build {build}: building"),
            News::Failed { build, why, messages } => {
                self.status = format!("build {build}: failed at {at}; the builds before it stay");
                self.failure = Some((why, messages));
            }
            News::Built { build, took_s, same, benchmarks } => {
                let same = if same { ", the same bytes as before" } else { "" };
                self.status = format!("build {build}: built in {}{same}", units::duration(took_s * 1e9));
                self.failure = None;
                self.benchmarks = benchmarks;
            }
            News::Baseline { build } => {
                self.baseline = Some(build);
                self.status =
                    format!("build {build} is the baseline; save a file to compare it with the next build");
            }
            News::Comparing { build, baseline, .. } => {
                self.standing.clear();
                self.status = format!("build {build} against build {baseline}: measuring");
            }
            News::Standing { case, effect, pairs } => {
                match self.standing.iter_mut().find(|(label, ..)| *label == case) {
                    Some(known) => *known = (case, effect, pairs),
                    None => self.standing.push((case, effect, pairs)),
                }
            }
            News::Stopped { build, superseded } => {
                self.standing.clear();
                let why = if superseded { "the sources have changed" } else { "stopped" };
                self.status = format!("build {build}: not decided, {why}");
            }
            News::Verdict(judged) => {
                self.standing.clear();
                self.status =
                    format!("build {}: compared in {}", judged.build, units::duration(judged.took_s * 1e9));
                self.history.push_front(Past::of(*judged, at));
                self.history.truncate(MAX_HISTORY);
            }
            News::Remark { message } => self.remark = Some(message),
        }
    }

    /// The lines of the whole screen: exactly `height` of them, none wider than `width` columns.
    pub(super) fn lines(&self, width: usize, height: usize) -> Vec<Line> {
        let mut top = vec![line(Look::Strong, self.title.clone()), line(Look::Plain, self.what())];
        top.push(line(if self.failure.is_some() { Look::Bad } else { Look::Plain }, self.status.clone()));
        top.extend(self.remark.iter().map(|remark| line(Look::Faint, remark.clone())));
        let bottom = match &self.prompt {
            Some(prompt) => asked(prompt, &self.benchmarks),
            None => keys(&self.benchmarks),
        };
        let (mut out, bottom) = (folded(&top, width), folded(&bottom, width));
        let room = height.saturating_sub(out.len() + bottom.len());
        let mut middle = Vec::new();
        if let Some((why, messages)) = &self.failure {
            middle.push(line(Look::Plain, ""));
            middle.push(line(Look::Bad, why.clone()));
            middle.extend(messages.iter().map(|text| line(Look::Plain, text.clone())));
        }
        if !self.standing.is_empty() {
            middle.push(line(Look::Plain, ""));
            for (label, effect, pairs) in &self.standing {
                let pairs = units::count(*pairs as usize, "pair");
                middle.push(line(Look::Plain, format!("{label}  {effect}  {pairs}")));
            }
        }
        let mut middle = folded(&middle, width);
        let past = folded(&self.past(), width);
        // The last verdict stays visible below the longest list of errors: its head, and its first cases.
        middle.truncate(room.saturating_sub(past.len().min(MAX_KEPT)));
        middle.extend(past);
        out.extend(middle.into_iter().take(room));
        out.resize(height.saturating_sub(bottom.len()), line(Look::Plain, ""));
        out.extend(bottom);
        out.truncate(height);
        out
    }

    /// What is measured, with which parameters.
    fn what(&self) -> String {
        let names = match (self.chosen.as_slice(), self.benchmarks.first()) {
            ([], Some(first)) if self.benchmarks.len() > 1 => {
                format!("{first}, one of {} benchmarks", self.benchmarks.len())
            }
            ([], Some(first)) => first.clone(),
            ([], None) => String::new(),
            ([all], _) if all == "*" => format!("all {} benchmarks", self.benchmarks.len()),
            (chosen, _) => chosen.join(", "),
        };
        let params =
            if self.params.is_empty() { String::new() } else { format!(" with {}", self.params.join(" ")) };
        let baseline =
            self.baseline.map(|build| format!("; the baseline is build {build}")).unwrap_or_default();
        format!("{names}{params}{baseline}")
    }

    /// The last verdict in full, the others on a line each.
    fn past(&self) -> Vec<Line> {
        let mut out = Vec::new();
        let mut past = self.history.iter();
        if let Some(last) = past.next() {
            out.push(line(Look::Plain, ""));
            let head = format!(
                "build {} against build {}, at {}, decided in {}",
                last.build,
                last.baseline,
                last.at,
                units::duration(last.took_s * 1e9)
            );
            out.push(line(Look::Strong, head));
            out.extend(last.cases.iter().map(|case| line(case.look, case.shown())));
        }
        let mut is_first = true;
        for one in past {
            if std::mem::take(&mut is_first) {
                out.push(line(Look::Plain, ""));
                out.push(line(Look::Faint, "before"));
            }
            for case in &one.cases {
                out.push(line(
                    Look::Faint,
                    format!("{} against {}  {}", one.build, one.baseline, case.shown()),
                ));
            }
        }
        out
    }

    /// The history of the session as text, for the terminal that is left behind.
    pub(super) fn summary(&self) -> String {
        let mut out = String::new();
        for one in self.history.iter().rev() {
            for case in &one.cases {
                out.push_str(&format!(
                    "{}  build {} against build {}  {}\n",
                    one.at,
                    one.build,
                    one.baseline,
                    case.shown()
                ));
            }
        }
        out
    }
}

impl Past {
    fn of(judged: Judged, at: &str) -> Self {
        let Judged { build, baseline, took_s, comparison } = judged;
        Self { build, baseline, at: at.to_owned(), took_s, cases: case_lines(&comparison) }
    }
}

impl CaseLine {
    fn shown(&self) -> String {
        if self.effect.is_empty() {
            return format!("{}  {}", self.label, self.words);
        }
        format!("{}  {}  {}", self.label, self.effect, self.words)
    }
}

fn case_lines(comparison: &Comparison) -> Vec<CaseLine> {
    let mut out = Vec::new();
    for case in &comparison.cases {
        // The time comes first; metrics of the plugin's own follow where they were judged.
        for (i, metric) in case.metrics.iter().enumerate() {
            let look = match metric.verdict {
                Verdict::Improved => Look::Good,
                Verdict::Regressed => Look::Bad,
                Verdict::Equivalent | Verdict::Inconclusive => Look::Plain,
            };
            if i > 0 && look == Look::Plain {
                continue;
            }
            let why = metric.why.as_ref().map(|why| format!(": {why}")).unwrap_or_default();
            let name = if i == 0 { String::new() } else { format!(" {}", metric.name) };
            out.push(CaseLine {
                label: format!("{}{name}", case.label),
                effect: export::effect(metric),
                words: format!("{}{why}", metric.verdict.word()),
                look,
            });
        }
    }
    for case in &comparison.unjudged {
        let look = if case.why.is_failure() { Look::Bad } else { Look::Plain };
        let label = case.label.clone();
        out.push(CaseLine { label, effect: String::new(), words: case.why.to_string(), look });
    }
    let names = |names: &[String], words: &str| {
        (!names.is_empty()).then(|| CaseLine {
            label: names.join(", "),
            effect: String::new(),
            words: words.to_owned(),
            look: Look::Plain,
        })
    };
    out.extend(names(&comparison.added, "only in the new build"));
    out.extend(names(&comparison.removed, "only in the baseline"));
    out
}

/// The keys, on one line of a terminal with 80 columns.
fn keys(benchmarks: &[String]) -> Vec<Line> {
    let choose = if benchmarks.len() > 1 { "  1–9 0 / benchmark" } else { "" };
    vec![line(Look::Faint, format!("r again  b accept as baseline  p parameters{choose}  s stop  q quit"))]
}

fn asked(prompt: &Prompt, benchmarks: &[String]) -> Vec<Line> {
    let mut out = Vec::new();
    if prompt.asks == Asks::Benchmark {
        let found: Vec<&str> = matching(benchmarks, &prompt.text).collect();
        let found =
            if found.is_empty() { "no benchmark has that in its name".to_owned() } else { found.join(", ") };
        out.push(line(Look::Faint, found));
    }
    let asks = match prompt.asks {
        Asks::Params => "parameters, NAME=VALUE with spaces between",
        Asks::Benchmark => "benchmark",
    };
    out.push(line(Look::Strong, format!("{asks}: {}_", prompt.text)));
    out.push(line(Look::Faint, "Enter to take it, Esc to leave it"));
    out
}

/// The benchmarks whose names contain a text.
pub(super) fn matching<'a>(benchmarks: &'a [String], text: &'a str) -> impl Iterator<Item = &'a str> {
    benchmarks.iter().map(String::as_str).filter(move |name| name.contains(text))
}

/// Lines that are too long, folded.
fn folded(lines: &[Line], width: usize) -> Vec<Line> {
    let fold = |one: &Line| -> Vec<Line> {
        let text = terminal::fold(&one.text, width.max(1));
        text.split('\n').map(|part| line(one.look, part)).collect()
    };
    lines.iter().flat_map(fold).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn view() -> View {
        let mut view = View::new("dyno dev of /k (cargo)".to_owned(), Vec::new(), Vec::new());
        view.hear(News::Building { build: 1 }, "12:00:00");
        let benchmarks = vec!["sum".to_owned(), "dot".to_owned()];
        view.hear(News::Built { build: 1, took_s: 1.5, same: false, benchmarks }, "12:00:01");
        view.hear(News::Baseline { build: 1 }, "12:00:01");
        view
    }

    /// A comparison in which nothing could be compared.
    fn without_cases() -> Comparison {
        serde_json::from_value(serde_json::json!({
            "schema": "dyno.comparison", "version": 1, "design": "paired", "baseline": "a", "candidate": "b",
            "threshold": 0.005, "alpha": 0.01, "cases": [], "added": ["dot"]
        }))
        .unwrap()
    }

    fn shown(view: &View, width: usize, height: usize) -> String {
        let lines = view.lines(width, height);
        assert_eq!(lines.len(), height);
        assert!(lines.iter().all(|line| terminal::columns(&line.text) <= width), "{lines:?}");
        lines.iter().map(|line| line.text.trim_end()).collect::<Vec<_>>().join("\n")
    }

    #[test]
    fn a_failed_build_stands_on_top_and_the_keys_at_the_bottom() {
        let mut view = view();
        let messages: Vec<String> = (0..100).map(|i| format!("error {i}")).collect();
        view.hear(News::Failed { build: 2, why: "the build failed".to_owned(), messages }, "12:00:05");
        let text = shown(&view, 80, 24);
        assert!(
            text.contains("build 2: failed at 12:00:05") && text.contains("error 0\nerror 1\n"),
            "{text}"
        );
        assert!(text.lines().last().unwrap().contains("q quit"), "{text}");
        assert!(text.contains("the baseline is build 1"), "{text}");
        // Lines that fill the screen and are folded leave room for the last verdict.
        let comparison = without_cases();
        view.hear(
            News::Verdict(Box::new(Judged { build: 2, baseline: 1, took_s: 1.0, comparison })),
            "12:00:06",
        );
        let messages =
            vec!["error: a long line of a compiler that does not fit and is folded ".repeat(3); 100];
        view.hear(News::Failed { build: 3, why: "the build failed".to_owned(), messages }, "12:00:07");
        let text = shown(&view, 80, 24);
        assert!(
            text.contains("build 2 against build 1, at 12:00:06") && text.contains("dot  only in"),
            "{text}"
        );
        view.hear(
            News::Built { build: 4, took_s: 1.0, same: true, benchmarks: vec!["sum".to_owned()] },
            "12:00:09",
        );
        assert!(!shown(&view, 80, 24).contains("error: a"));
    }

    #[test]
    fn a_comparison_is_shown_while_it_goes_on() {
        let mut view = view();
        view.hear(News::Comparing { build: 2, baseline: 1, benchmarks: Vec::new() }, "12:00:05");
        let standing = |effect: &str, pairs| News::Standing {
            case: "sum n=4096".to_owned(),
            effect: effect.to_owned(),
            pairs,
        };
        view.hear(standing("+3.00 % (−1.00 … +7.00 %)", 3), "12:00:05");
        view.hear(standing("+4.90 % (+4.10 … +5.70 %)", 9), "12:00:06");
        let text = shown(&view, 80, 24);
        assert!(text.contains("+4.90 % (+4.10 … +5.70 %)  9 pairs") && !text.contains("3 pairs"), "{text}");
        view.hear(News::Stopped { build: 2, superseded: true }, "12:00:07");
        assert!(shown(&view, 80, 24).contains("not decided, the sources have changed"));
    }

    #[test]
    fn every_size_of_a_terminal_has_a_screen() {
        let mut view = view();
        view.hear(News::Remark { message: "a long remark that goes on and on and on".repeat(5) }, "12:00:05");
        view.prompt = Some(Prompt { asks: Asks::Benchmark, text: "d".to_owned() });
        for (width, height) in [(80, 24), (20, 5), (1, 1), (300, 100), (40, 0)] {
            let _ = view.lines(width, height).len();
        }
        assert!(shown(&view, 80, 24).contains("dot\nbenchmark: d_"));
    }
}
