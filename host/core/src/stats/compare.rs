//! Compares two results that were measured at different times: launches against launches, every metric in its own
//! direction, a suite judged as one.

use std::collections::HashMap;

use indexmap::IndexMap;

use super::{
    benjamini_hochberg, median,
    welch::{Welch, t_quantile, welch},
};
use crate::model::{
    Better, COMPARISON_SCHEMA, COMPARISON_VERSION, CaseComparison, CaseKey, ComparedSide, Comparison, Design,
    DriftFloor, Estimator, Interval, KnownDrift, Measured, MeasuredCase, MeasuredMetric, MetricComparison,
    Trend, Unjudged, UnjudgedCase, Verdict, labels,
};

/// What differs here decides speed by itself: a verdict across it would be about the machine.
const DECISIVE: [&str; 3] = ["machine", "governor", "WASM engine"];

/// How strict to be.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct CompareOptions {
    /// Smallest relative change that matters.
    pub threshold: f64,
    /// Accepted share of false alarms among alarms, over the suite.
    pub alpha: f64,
    /// Judge even if machine, governor or engine differ.
    pub allow_differences: bool,
}

impl Default for CompareOptions {
    fn default() -> Self {
        Self { threshold: 0.05, alpha: 0.01, allow_differences: false }
    }
}

/// Compares every case and metric that both sides have. `drift` is what is known of how much runs of equal builds differ on
/// the machine: no interval between different builds is narrower.
#[must_use]
pub fn compare(
    baseline: &Measured,
    candidate: &Measured,
    options: &CompareOptions,
    drift: &[KnownDrift],
) -> Comparison {
    let (differences, decisive) = differences(baseline, candidate);
    let matched = Matched::new(baseline, candidate);
    let keys = matched.keys();
    let mut names = labels(&keys).into_iter();
    let mut name = || names.next().unwrap_or_default();
    let known: HashMap<(&CaseKey, &str), &KnownDrift> =
        drift.iter().map(|known| ((&known.key, known.metric.as_str()), known)).collect();
    let mut judge = Judge {
        options,
        drift: known,
        quantiles: Quantiles { p: 1.0 - options.alpha / 2.0, known: HashMap::new() },
    };
    let mut cases: Vec<CaseComparison> = Vec::with_capacity(matched.both.len());
    let mut unjudged = Vec::new();
    // Whether the sides of a compared case are the same file.
    let mut same_build = Vec::with_capacity(matched.both.len());
    for (before, now) in &matched.both {
        let label = name();
        let metrics = judge.beside(before, now);
        if metrics.is_empty() {
            unjudged.push(UnjudgedCase { label, key: now.key.clone(), why: Unjudged::NoCommonMetric });
            continue;
        }
        same_build.push(before.build.is_some() && before.build == now.build);
        cases.push(CaseComparison { label, key: Some(now.key.clone()), metrics, pairs: None });
    }
    // Only now, because the adjustment needs the p-values of all cases.
    judge_as_one(&mut cases, options.alpha);
    if let Some(what) = decisive.filter(|_| !options.allow_differences) {
        let metrics = cases.iter_mut().flat_map(|case| &mut case.metrics);
        for metric in metrics.filter(|metric| metric.verdict != Verdict::Inconclusive) {
            metric.withdraw(Unjudged::Environment { what: what.clone() });
        }
    }
    // Last, whatever the tests found: equal builds can differ only because of the machine.
    for (case, _) in cases.iter_mut().zip(same_build).filter(|(_, same)| *same) {
        case.metrics.iter_mut().for_each(MetricComparison::withdraw_same_build);
    }
    unjudged.extend(matched.unjudged.into_iter().map(|(key, why)| UnjudgedCase { label: name(), key, why }));
    let added = matched.added.iter().map(|_| name()).collect();
    let removed = matched.removed.iter().map(|_| name()).collect();
    Comparison {
        schema: COMPARISON_SCHEMA.to_owned(),
        version: COMPARISON_VERSION,
        design: Design::Stored,
        baseline: baseline.source.clone(),
        candidate: candidate.source.clone(),
        threshold: options.threshold,
        alpha: options.alpha,
        differences,
        cases,
        unjudged,
        added,
        removed,
    }
}

/// What a side has of a case.
#[derive(Clone, Copy)]
enum Had<'a> {
    Values(&'a MeasuredCase),
    Nothing(&'a Unjudged),
}

/// The cases of two sides, each with its own on the other side.
#[derive(Default)]
struct Matched<'a> {
    both: Vec<(&'a MeasuredCase, &'a MeasuredCase)>,
    unjudged: Vec<(CaseKey, Unjudged)>,
    added: Vec<CaseKey>,
    removed: Vec<CaseKey>,
}

/// What a side has, by the key that a case keeps from version to version.
type Families<'a> = IndexMap<CaseKey, Vec<(&'a CaseKey, Had<'a>)>>;

fn families(side: &Measured) -> Families<'_> {
    let mut all = Families::new();
    let measured = side.cases.iter().map(|case| (&case.key, Had::Values(case)));
    let missing = side.missing.iter().map(|(key, why)| (key, Had::Nothing(why)));
    for (key, had) in measured.chain(missing) {
        all.entry(key.without_version()).or_default().push((key, had));
    }
    all
}

impl<'a> Matched<'a> {
    fn new(baseline: &'a Measured, candidate: &'a Measured) -> Self {
        let mut out = Self::default();
        let (mut old, new) = (families(baseline), families(candidate));
        for (family, now) in &new {
            let before = old.shift_remove(family).unwrap_or_default();
            out.family(&before, now);
        }
        for before in old.values() {
            out.family(before, &[]);
        }
        out
    }

    /// A case in all versions that the sides have of it. Where each has one, versions may differ: that is what comparing
    /// versions is. Else only equal versions are compared.
    fn family(&mut self, before: &[(&'a CaseKey, Had<'a>)], now: &[(&'a CaseKey, Had<'a>)]) {
        if before.len() <= 1 && now.len() <= 1 {
            self.pair(before.first().copied(), now.first().copied());
            return;
        }
        let mut seen: Vec<&CaseKey> = Vec::new();
        for (key, _) in now.iter().chain(before) {
            if seen.iter().any(|other| other.is_same_version(key)) {
                continue;
            }
            seen.push(key);
            let of = |side: &[(&'a CaseKey, Had<'a>)]| -> Vec<(&'a CaseKey, Had<'a>)> {
                side.iter().copied().filter(|(other, _)| other.is_same_version(key)).collect()
            };
            let (old, new) = (of(before), of(now));
            let several = [(ComparedSide::Candidate, new.len()), (ComparedSide::Baseline, old.len())];
            match several.into_iter().find(|(_, count)| *count > 1) {
                Some((side, count)) if !old.is_empty() && !new.is_empty() => {
                    self.unjudged.push(((*key).clone(), Unjudged::Ambiguous { side, count: count as u32 }));
                }
                _ => self.pair(old.first().copied(), new.first().copied()),
            }
        }
    }

    fn pair(&mut self, before: Option<(&'a CaseKey, Had<'a>)>, now: Option<(&'a CaseKey, Had<'a>)>) {
        match (before, now) {
            (Some((_, Had::Values(before))), Some((_, Had::Values(now)))) => self.both.push((before, now)),
            // A case that neither side can run here is not worth reporting.
            (None | Some((_, Had::Nothing(_))), Some((_, Had::Nothing(Unjudged::Skipped { .. })))) => {}
            (_, Some((key, Had::Nothing(why)))) => {
                self.unjudged.push((key.clone(), why.clone().on(ComparedSide::Candidate)));
            }
            (Some((_, Had::Nothing(why))), Some((key, Had::Values(_)))) => {
                self.unjudged.push((key.clone(), why.clone().on(ComparedSide::Baseline)));
            }
            (None, Some((key, Had::Values(_)))) => self.added.push(key.clone()),
            (Some((key, Had::Values(_))), None) => self.removed.push(key.clone()),
            (Some((_, Had::Nothing(_))), None) | (None, None) => {}
        }
    }

    /// All keys, in the order in which they are written.
    fn keys(&self) -> Vec<CaseKey> {
        let both = self.both.iter().map(|(_, now)| now.key.clone());
        let unjudged = self.unjudged.iter().map(|(key, _)| key.clone());
        both.chain(unjudged).chain(self.added.clone()).chain(self.removed.clone()).collect()
    }
}

/// Differences besides the code, a sentence each, and the one that forbids a verdict.
fn differences(baseline: &Measured, candidate: &Measured) -> (Vec<String>, Option<String>) {
    let mut said = Vec::new();
    let mut decisive = None;
    for (name, now) in &candidate.environment {
        let before = baseline.environment.iter().find(|(other, _)| other == name).map(|(_, value)| value);
        match before {
            Some(before) if before != now => {
                said.push(format!("{name}: {before} then, {now} now"));
                if DECISIVE.contains(&name.as_str()) {
                    decisive.get_or_insert_with(|| name.clone());
                }
            }
            _ => {}
        }
    }
    if baseline.environment.is_empty() != candidate.environment.is_empty() {
        said.push("one side does not record the machine that it was measured on".to_owned());
    }
    for plugin in baseline.debug_builds.union(&candidate.debug_builds) {
        let side = match (baseline.debug_builds.contains(plugin), candidate.debug_builds.contains(plugin)) {
            (true, true) => "both sides",
            (true, false) => "the baseline",
            _ => "the candidate",
        };
        said.push(format!(
            "{side} measured a debug build of `{plugin}`: its times are not those of a release build"
        ));
    }
    (said, decisive)
}

/// Withdraws alarms that the size of the suite explains.
fn judge_as_one(cases: &mut [CaseComparison], alpha: f64) {
    let p_values: Vec<f64> =
        cases.iter().flat_map(|case| &case.metrics).filter_map(|metric| metric.p_value).collect();
    let mut adjusted = benjamini_hochberg(&p_values).into_iter();
    for metric in
        cases.iter_mut().flat_map(|case| &mut case.metrics).filter(|metric| metric.p_value.is_some())
    {
        let adjusted_p = adjusted.next().unwrap_or(1.0);
        if matches!(metric.verdict, Verdict::Regressed | Verdict::Improved) && adjusted_p > alpha {
            metric.withdraw(Unjudged::Chance { tests: p_values.len() as u32, adjusted_p });
        }
    }
}

/// What all cases of a comparison are judged by.
struct Judge<'a> {
    options: &'a CompareOptions,
    drift: HashMap<(&'a CaseKey, &'a str), &'a KnownDrift>,
    quantiles: Quantiles,
}

impl Judge<'_> {
    /// Every metric that both sides have of a case.
    fn beside(&mut self, before: &MeasuredCase, now: &MeasuredCase) -> Vec<MetricComparison> {
        let family = now.key.without_version();
        let same_build = before.build.is_some() && before.build == now.build;
        let mut out = Vec::with_capacity(now.metrics.len());
        for metric in &now.metrics {
            let Some(old) = before.metrics.iter().find(|other| other.name == metric.name) else { continue };
            let drift = self.drift.get(&(&family, metric.name.as_str())).filter(|_| !same_build).copied();
            out.push(self.metric_beside(old, metric, drift));
        }
        out
    }

    fn metric_beside(
        &mut self,
        before: &MeasuredMetric,
        now: &MeasuredMetric,
        drift: Option<&KnownDrift>,
    ) -> MetricComparison {
        let finite = |launches: &[f64]| -> Vec<f64> {
            launches.iter().copied().filter(|value| value.is_finite()).collect()
        };
        let (old, new) = (finite(&before.launches), finite(&now.launches));
        let mut out = MetricComparison {
            name: now.name.clone(),
            unit: now.unit.clone(),
            better: now.better,
            baseline: median(&old).unwrap_or_default(),
            candidate: median(&new).unwrap_or_default(),
            estimator: Estimator::Median,
            launches: (old.len() as u32, new.len() as u32),
            effect: None,
            interval: None,
            p_value: None,
            detectable: None,
            drift: None,
            verdict: Verdict::Inconclusive,
            why: None,
            remark: None,
        };
        for (side, values) in [(ComparedSide::Baseline, &old), (ComparedSide::Candidate, &new)] {
            if values.is_empty() {
                out.withdraw(Unjudged::NotFinite { side });
                return out;
            }
        }
        if before.unit != now.unit || before.better != now.better {
            out.withdraw(Unjudged::OtherMeaning { unit: before.unit.clone(), better: before.better });
            return out;
        }
        let Some(scale) = Scale::of(&old, &new) else {
            out.withdraw(Unjudged::MixedSigns);
            return out;
        };
        (out.baseline, out.candidate) = (scale.middle(&old), scale.middle(&new));
        out.estimator = scale.estimator;
        if out.baseline == 0.0 {
            if out.candidate == 0.0 {
                out.effect = Some(0.0);
                out.verdict = Verdict::Equivalent;
            } else {
                out.withdraw(Unjudged::ZeroBaseline);
            }
            return out;
        }
        // Set before the checks below, so that a metric without a verdict still shows its change.
        out.effect = Some(bounded(out.candidate / out.baseline - 1.0));
        for (side, trend) in [(ComparedSide::Baseline, before.trend), (ComparedSide::Candidate, now.trend)] {
            if let Some(trend) = trend.filter(Trend::is_decisive) {
                out.withdraw(Unjudged::Trend { side, change: trend.change });
                return out;
            }
        }
        for (side, values) in [(ComparedSide::Baseline, &old), (ComparedSide::Candidate, &new)] {
            if values.len() < 2 {
                out.withdraw(Unjudged::OneLaunch { side });
                return out;
            }
        }
        let (old, new) = (scale.for_test(&old, out.baseline), scale.for_test(&new, out.baseline));
        let Some(test) = welch(&old, &new) else {
            out.withdraw(Unjudged::TooLarge);
            return out;
        };
        let own = self.quantiles.half_width(&test);
        // The test sees only the noise within two runs, and equal builds have differed by more than that between
        // runs.
        let floor = drift.map_or(0.0, |known| scale.difference(known.share));
        let half_width = own.max(floor);
        let (low, high) =
            (scale.change(test.difference - half_width), scale.change(test.difference + half_width));
        out.interval = Some(Interval { low, high, confidence: 1.0 - self.options.alpha });
        out.p_value = Some(test.p_value);
        // 1.28 standard errors are the 90th percentile of the normal distribution: nine such changes in ten are
        // found.
        out.detectable = Some(bounded(
            self.options.threshold + scale.change(half_width + 1.281_551_6 * test.standard_error),
        ));
        out.drift =
            drift.map(|known| DriftFloor { share: known.share, runs: known.runs, applied: floor > own });
        let (verdict, why) = verdict(low, high, scale.direction(now.better), self.options.threshold);
        out.verdict = verdict;
        if let Some(why) = why {
            out.withdraw(why);
        }
        if let Some(floor) = out.drift.filter(|floor| floor.applied) {
            let said = format!(
                "{} runs of equal builds of this case differed by up to {:.2} % on this machine, so the interval is at \
                 least that wide",
                floor.runs,
                floor.share * 100.0
            );
            let before = out.remark.take().map(|remark| format!("{remark}; ")).unwrap_or_default();
            out.remark = Some(format!("{before}{said}"));
        }
        out
    }
}

/// A number that JSON can hold.
fn bounded(value: f64) -> f64 {
    if value.is_nan() { 0.0 } else { value.clamp(-f64::MAX, f64::MAX) }
}

/// Quantiles of Student's t that were needed already: finding one takes longer than all the rest of a comparison, and a
/// suite asks for the same few again and again.
struct Quantiles {
    p: f64,
    known: HashMap<u64, f64>,
}

impl Quantiles {
    /// Half-width of the interval. Degrees of freedom are rounded down, to twentieths where there are four or more, else to
    /// hundredths: never too narrow, and by less than a hundredth too wide from two degrees on.
    fn half_width(&mut self, test: &Welch) -> f64 {
        if test.standard_error == 0.0 {
            return 0.0;
        }
        let steps = if test.degrees < 4.0 { 100.0 } else { 20.0 };
        let degrees = ((test.degrees * steps).floor() / steps).clamp(0.01, 1e10);
        let p = self.p;
        let quantile = *self.known.entry(degrees.to_bits()).or_insert_with(|| t_quantile(p, degrees));
        quantile * test.standard_error
    }
}

/// By what the values of two sides are compared: one estimator, whose ratio is the change. All values have one sign; the
/// arithmetic is done on their sizes.
#[derive(Debug, Clone, Copy)]
struct Scale {
    estimator: Estimator,
    negative: bool,
}

impl Scale {
    /// Geometric means, whose ratio Welch's test of logarithms is about; arithmetic ones where a value is zero. `None` where
    /// there are values on both sides of zero.
    fn of(old: &[f64], new: &[f64]) -> Option<Self> {
        let all = || old.iter().chain(new).copied();
        let negative = all().any(|value| value < 0.0);
        if negative && all().any(|value| value > 0.0) {
            return None;
        }
        let estimator =
            if all().any(|value| value == 0.0) { Estimator::Mean } else { Estimator::GeometricMean };
        Some(Self { estimator, negative })
    }

    /// The middle of the values of a side.
    fn middle(self, values: &[f64]) -> f64 {
        let sizes = values.iter().map(|value| value.abs());
        let n = values.len() as f64;
        let (least, most) =
            sizes.clone().fold((f64::MAX, 0.0f64), |(least, most), it| (it.min(least), it.max(most)));
        let middle = match self.estimator {
            Estimator::Mean => sizes.map(|size| size / n).sum::<f64>(),
            _ => (sizes.map(|size| size.ln() / n).sum::<f64>()).exp(),
        };
        // Rounding must not lead out of the values: with one of them it is that one.
        let middle = middle.clamp(least, most);
        if self.negative { -middle } else { middle }
    }

    /// The values as they are tested.
    fn for_test(self, values: &[f64], baseline: f64) -> Vec<f64> {
        let by = baseline.abs();
        match self.estimator {
            Estimator::Mean => values.iter().map(|value| value.abs() / by).collect(),
            _ => values.iter().map(|value| value.abs().ln()).collect(),
        }
    }

    /// A difference of tested values as a relative change: never below -1, for sizes end at zero.
    fn change(self, difference: f64) -> f64 {
        let change = match self.estimator {
            Estimator::Mean => difference,
            _ => difference.exp_m1(),
        };
        bounded(change).max(-1.0)
    }

    /// A relative change as a difference of tested values.
    fn difference(self, change: f64) -> f64 {
        match self.estimator {
            Estimator::Mean => change,
            _ => change.ln_1p(),
        }
    }

    /// Which direction of sizes is good.
    fn direction(self, better: Better) -> Better {
        match (self.negative, better) {
            (false, better) => better,
            (true, Better::Lower) => Better::Higher,
            (true, Better::Higher) => Better::Lower,
        }
    }
}

/// The verdict on an interval of relative changes.
fn verdict(low: f64, high: f64, better: Better, threshold: f64) -> (Verdict, Option<Unjudged>) {
    let (up, down) = match better {
        Better::Lower => (Verdict::Regressed, Verdict::Improved),
        Better::Higher => (Verdict::Improved, Verdict::Regressed),
    };
    if low > threshold {
        (up, None)
    } else if high < -threshold {
        (down, None)
    } else if low >= -threshold && high <= threshold {
        (Verdict::Equivalent, None)
    } else {
        (Verdict::Inconclusive, Some(Unjudged::Undecided { pairs: None }))
    }
}

#[cfg(test)]
#[path = "compare_tests.rs"]
mod tests;
