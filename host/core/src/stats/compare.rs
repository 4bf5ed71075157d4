//! Two results beside one another, measured at different times: launches against launches, every metric in its own
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
    Unjudged, UnjudgedCase, Verdict, labels,
};

/// What differs here decides speed by itself: a verdict across it would be about the machine.
const DECISIVE: [&str; 3] = ["machine", "governor", "WASM engine"];

/// How strict to be.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct CompareOptions {
    /// Smallest relative change that matters.
    pub threshold: f64,
    /// Share of wrong alarms among alarms that is accepted over the suite.
    pub alpha: f64,
    /// Judge even where machine, governor or engine differ.
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
    judge_as_one(&mut cases, options.alpha);
    if let Some(what) = decisive.filter(|_| !options.allow_differences) {
        let metrics = cases.iter_mut().flat_map(|case| &mut case.metrics);
        for metric in metrics.filter(|metric| metric.verdict != Verdict::Inconclusive) {
            metric.withdraw(Unjudged::Environment { what: what.clone() });
        }
    }
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
            // What neither side can run here is no news.
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

/// What differs beside the code, a sentence each; and which of it forbids a verdict.
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
        said.push("one side does not say on which machine it was measured".to_owned());
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
        out.effect = Some(bounded(out.candidate / out.baseline - 1.0));
        for (side, trend) in [(ComparedSide::Baseline, before.trend), (ComparedSide::Candidate, now.trend)] {
            if let Some(trend) = trend {
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
        let floor = drift.map_or(0.0, |known| scale.difference(known.share));
        let half_width = own.max(floor);
        let (low, high) =
            (scale.change(test.difference - half_width), scale.change(test.difference + half_width));
        out.interval = Some(Interval { low, high, confidence: 1.0 - self.options.alpha });
        out.p_value = Some(test.p_value);
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
                "{} runs of equal builds of this case differed by up to {:.2} % on this machine: the interval is not \
                 narrower than that",
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
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::model::{CaseStatus, Reason, Stage};

    fn measured(cases: &[(&str, &str, Better, &[f64])]) -> Measured {
        let cases = cases.iter().map(|(name, metric, better, launches)| {
            let metric = MeasuredMetric {
                name: (*metric).to_owned(),
                unit: "x".to_owned(),
                better: *better,
                launches: launches.to_vec(),
                trend: None,
            };
            MeasuredCase::foreign(CaseKey::named(*name), vec![metric])
        });
        Measured { source: "test".into(), cases: cases.collect(), ..Measured::default() }
    }

    fn judged(before: &Measured, now: &Measured) -> Comparison {
        compare(before, now, &CompareOptions::default(), &[])
    }

    fn one(better: Better, before: &[f64], now: &[f64]) -> MetricComparison {
        let (a, b) = (measured(&[("a", "m", better, before)]), measured(&[("a", "m", better, now)]));
        judged(&a, &b).cases[0].metrics[0].clone()
    }

    const LOW: [f64; 5] = [100.0, 100.5, 99.5, 100.2, 99.8];
    const HIGH: [f64; 5] = [120.0, 120.5, 119.5, 120.2, 119.8];

    #[test]
    fn each_metric_has_its_direction() {
        assert_eq!(one(Better::Lower, &LOW, &HIGH).verdict, Verdict::Regressed);
        assert_eq!(one(Better::Higher, &LOW, &HIGH).verdict, Verdict::Improved);
        assert_eq!(one(Better::Lower, &HIGH, &LOW).verdict, Verdict::Improved);
        assert_eq!(one(Better::Lower, &LOW, &LOW).verdict, Verdict::Equivalent);
        assert!((one(Better::Lower, &LOW, &HIGH).effect.unwrap() - 0.2).abs() < 1e-3);
    }

    #[test]
    fn what_cannot_be_judged_says_why() {
        for (before, now, why) in [
            (&[100.0][..], &HIGH[..], "baseline has one launch"),
            (&LOW, &[120.0], "candidate has one launch"),
            (&[0.0, 0.0], &[1.0, 2.0], "baseline is 0"),
            (&[90.0, 110.0], &[95.0, 118.0], "across the threshold"),
        ] {
            let found = one(Better::Lower, before, now);
            assert_eq!(found.verdict, Verdict::Inconclusive);
            assert!(found.remark.as_ref().is_some_and(|remark| remark.contains(why)), "{found:?}");
        }
        assert_eq!(one(Better::Lower, &[0.0, 0.0], &[0.0, 0.0]).verdict, Verdict::Equivalent);
    }

    #[test]
    fn new_and_removed_cases_are_listed_and_other_machines_give_no_verdict() {
        let mut before = measured(&[
            ("a", "m", Better::Lower, &LOW),
            ("gone", "m", Better::Lower, &LOW),
            ("broken", "m", Better::Lower, &LOW),
        ]);
        let mut now = measured(&[("a", "m", Better::Lower, &HIGH), ("new", "m", Better::Lower, &LOW)]);
        let failed = |message: &str| Unjudged::Failed {
            side: ComparedSide::Candidate,
            stage: None,
            message: message.to_owned(),
        };
        now.missing.push((CaseKey::named("broken"), failed("it broke")));
        before.missing.push((CaseKey::named("new"), failed("it was broken")));
        before.environment.push(("machine".into(), "A".into()));
        now.environment.push(("machine".into(), "B".into()));
        let found = judged(&before, &now);
        assert_eq!((found.added.len(), &found.removed), (0, &vec!["gone".to_owned()]));
        let said: Vec<String> =
            found.unjudged.iter().map(|case| format!("{}: {}", case.label, case.why)).collect();
        assert_eq!(
            said,
            ["new: the baseline failed: it was broken", "broken: the candidate failed: it broke"]
        );
        assert_eq!(
            found.failures().count(),
            1,
            "what the baseline could not do is not the candidate's fault"
        );
        let status = CaseStatus::Failed { stage: Stage::Lease, reason: Reason::new("taken") };
        before.missing[0].1 = Unjudged::of_status(ComparedSide::Candidate, &status);
        assert_eq!(judged(&before, &now).failures().count(), 1);
        assert_eq!(found.differences, ["machine: A then, B now"]);
        assert_eq!(found.cases[0].metrics[0].verdict, Verdict::Inconclusive);
        let allowed = CompareOptions { allow_differences: true, ..CompareOptions::default() };
        assert!(compare(&before, &now, &allowed, &[]).has(Verdict::Regressed));
    }

    /// A case of a plugin.
    fn case(plugin: &str, version: &str, build: &str, launches: &[f64]) -> MeasuredCase {
        let key = CaseKey {
            plugin: plugin.to_owned(),
            version: version.to_owned(),
            engine: "native".to_owned(),
            device: "cpu".to_owned(),
            ..CaseKey::named("work")
        };
        let metric = MeasuredMetric {
            name: "time".to_owned(),
            unit: "ns".to_owned(),
            better: Better::Lower,
            launches: launches.to_vec(),
            trend: None,
        };
        MeasuredCase { key, build: Some(build.to_owned()), metrics: vec![metric] }
    }

    fn of(cases: Vec<MeasuredCase>) -> Measured {
        Measured { cases, ..Measured::default() }
    }

    /// Every compared case with its change in per cent, and what was not compared.
    fn outcome(before: Vec<MeasuredCase>, now: Vec<MeasuredCase>) -> Vec<String> {
        let found = judged(&of(before), &of(now));
        let change = |case: &CaseComparison| (case.metrics[0].effect.unwrap() * 100.0).round();
        let compared = found.cases.iter().map(|case| format!("{}: {}", case.label, change(case)));
        let unjudged = found.unjudged.iter().map(|case| match case.why {
            Unjudged::Ambiguous { side, count } => format!("{}: {count} × {side}", case.label),
            ref other => format!("{}: {other}", case.label),
        });
        let added = found.added.iter().map(|label| format!("new {label}"));
        let removed = found.removed.iter().map(|label| format!("removed {label}"));
        compared.chain(unjudged).chain(added).chain(removed).collect()
    }

    #[test]
    fn nothing_is_compared_crosswise() {
        let alpha = |version, launches: &[f64]| case("alpha", version, version, launches);
        let beta = |launches: &[f64]| case("beta", "1.0", "b", launches);
        // Two plugins with a benchmark of one name, in another order.
        assert_eq!(
            outcome(vec![alpha("1.0", &LOW), beta(&HIGH)], vec![beta(&HIGH), alpha("1.0", &LOW)]),
            ["beta/work (native, cpu): 0", "alpha/work (native, cpu): 0"]
        );
        assert_eq!(outcome(vec![alpha("1.0", &LOW)], vec![alpha("2.0", &HIGH)]), ["work (native, cpu): 20"]);
        // The same plugin in two versions: each with its own.
        assert_eq!(
            outcome(
                vec![alpha("1.0", &LOW), alpha("2.0", &HIGH)],
                vec![alpha("2.0", &HIGH), alpha("3.0", &LOW)]
            ),
            [
                "alpha@2.0/work (native, cpu): 0",
                "new alpha@3.0/work (native, cpu)",
                "removed alpha@1.0/work (native, cpu)"
            ]
        );
        // The same case twice.
        assert_eq!(
            outcome(vec![alpha("1.0", &LOW)], vec![alpha("1.0", &LOW), alpha("1.0", &HIGH)]),
            ["work (native, cpu): 2 × candidate"]
        );
        assert_eq!(
            outcome(vec![alpha("1.0", &LOW)], vec![beta(&LOW)]),
            ["new beta/work (native, cpu)", "removed alpha/work (native, cpu)"]
        );
    }

    #[test]
    fn the_same_build_never_alarms() {
        let side = |build, launches: &[f64]| of(vec![case("alpha", "1.0", build, launches)]);
        let found = judged(&side("a", &LOW), &side("a", &HIGH));
        let metric = &found.cases[0].metrics[0];
        assert_eq!(metric.verdict, Verdict::Inconclusive);
        assert!(matches!(metric.why, Some(Unjudged::SameBuild { effect }) if (effect - 0.2).abs() < 0.01));
        let remark = "same build: this difference is drift of the machine, ± 20.00 %";
        assert_eq!(metric.remark.as_deref(), Some(remark));
        let equal = judged(&side("a", &LOW), &side("a", &LOW));
        assert_eq!(equal.cases[0].metrics[0].verdict, Verdict::Equivalent);
        assert!(equal.cases[0].metrics[0].remark.as_ref().unwrap().starts_with("same build"));
        assert!(judged(&side("a", &LOW), &side("b", &HIGH)).has(Verdict::Regressed));
    }

    #[test]
    fn drift_of_equal_builds_is_the_floor_of_the_interval() {
        let side = |version, launches: &[f64]| of(vec![case("alpha", version, version, launches)]);
        let (old, new) = (side("1.0", &LOW), side("2.0", &HIGH));
        let known = |share| {
            let key = old.cases[0].key.without_version();
            vec![KnownDrift { key, metric: "time".to_owned(), runs: 4, share }]
        };
        let judged = |share| {
            let found = compare(&old, &new, &CompareOptions::default(), &known(share));
            found.cases[0].metrics[0].clone()
        };
        let quiet = judged(0.001);
        assert_eq!((quiet.verdict, quiet.drift.unwrap().applied), (Verdict::Regressed, false));
        assert_eq!(quiet.remark, None);
        let wide = judged(0.18);
        assert_eq!(wide.drift, Some(DriftFloor { share: 0.18, runs: 4, applied: true }));
        assert_eq!(wide.verdict, Verdict::Inconclusive);
        let interval = wide.interval.unwrap();
        assert!(interval.low < 0.05 && interval.high > 0.35, "{interval:?}");
        assert!(
            wide.remark.unwrap().contains("4 runs of equal builds of this case differed by up to 18.00 %")
        );
    }

    #[test]
    fn the_change_follows_from_the_two_values() {
        // One launch of each side is far out: medians are equal, and the change is not theirs.
        let found = one(Better::Lower, &[7.4, 7.5, 7.4, 7.5, 9.0], &[7.4, 7.5, 7.4, 7.5, 7.4]);
        assert!((found.candidate / found.baseline - 1.0 - found.effect.unwrap()).abs() < 1e-12, "{found:?}");
        assert_eq!(found.estimator, Estimator::GeometricMean);
        let found = one(Better::Lower, &[-4.0, -5.0], &[-8.0, -10.0]);
        assert!((found.effect.unwrap() - 1.0).abs() < 1e-12 && found.baseline < 0.0, "{found:?}");
        assert_eq!(one(Better::Lower, &[-4.0, -4.0], &[-8.0, -8.0]).verdict, Verdict::Improved);
        assert!(matches!(one(Better::Lower, &[-1.0, 1.0], &[2.0, 2.0]).why, Some(Unjudged::MixedSigns)));
    }

    #[test]
    fn a_suite_is_judged_as_one() {
        // One weak alarm among two hundred quiet tests.
        let weak = ([100.0, 101.0, 99.0, 100.5], [107.5, 109.0, 106.0, 108.2]);
        let mut before = vec![("weak".to_owned(), weak.0)];
        let mut now = vec![("weak".to_owned(), weak.1)];
        let alone = one(Better::Lower, &weak.0, &weak.1);
        for i in 0..2000 {
            before.push((format!("{i}"), [100.0, 101.0, 99.0, 100.5]));
            now.push((format!("{i}"), [100.0, 101.0, 99.0, 100.4]));
        }
        let side = |all: &[(String, [f64; 4])]| {
            let all: Vec<_> = all.iter().map(|(l, v)| (l.as_str(), "m", Better::Lower, &v[..])).collect();
            measured(&all)
        };
        let options = CompareOptions { threshold: 0.01, ..Default::default() };
        let found = compare(&side(&before), &side(&now), &options, &[]);
        assert!(alone.p_value.unwrap() < 0.01);
        assert_eq!(found.cases[0].metrics[0].verdict, Verdict::Inconclusive);
        assert!(found.cases[0].metrics[0].remark.as_ref().unwrap().contains("by chance"));
    }

    /// Launches as no benchmark has them.
    fn launches() -> impl Strategy<Value = Vec<f64>> {
        let value = prop_oneof![
            4 => any::<f64>(),
            2 => 0.1..10.0f64,
            1 => proptest::sample::select(vec![
                0.0, -0.0, 1.0, f64::MAX, f64::MIN, f64::MIN_POSITIVE, 5e-324, f64::NAN, f64::INFINITY,
                f64::NEG_INFINITY,
            ]),
        ];
        proptest::collection::vec(value, 0..6)
    }

    fn signed(values: Vec<f64>, sign: u8) -> Vec<f64> {
        let with = |value: f64| match sign {
            0 => value,
            1 => value.abs(),
            _ => -value.abs(),
        };
        values.into_iter().map(with).collect()
    }

    proptest! {
        #[test]
        fn no_numbers_make_what_cannot_be(
            before in launches(), now in launches(), sign in 0..3u8, drift in 0.0..3.0f64, threshold in 0.001..3.0f64,
            more_is_better in any::<bool>(),
        ) {
            let better = if more_is_better { Better::Higher } else { Better::Lower };
            let (before, now) = (signed(before, sign), signed(now, sign));
            let (a, b) = (measured(&[("a", "m", better, &before)]), measured(&[("a", "m", better, &now)]));
            let known = KnownDrift { key: CaseKey::named("a"), metric: "m".to_owned(), runs: 2, share: drift };
            let options = CompareOptions { threshold, ..CompareOptions::default() };
            let found = compare(&a, &b, &options, &[known]).cases[0].metrics[0].clone();
            prop_assert!(found.baseline.is_finite() && found.candidate.is_finite());
            for number in [found.effect, found.p_value, found.detectable].into_iter().flatten() {
                prop_assert!(number.is_finite(), "{found:?}");
            }
            prop_assert!(found.p_value.is_none_or(|p| (0.0..=1.0).contains(&p)));
            if let Some(effect) = found.effect {
                prop_assert!(effect >= -1.0, "{found:?}");
                // The change is that of the two values that are shown.
                let shown = bounded(found.candidate / found.baseline - 1.0);
                prop_assert!(found.baseline == 0.0 || shown == effect, "{found:?}");
            }
            if let Some(interval) = found.interval {
                prop_assert!(interval.low >= -1.0 && interval.high.is_finite(), "{found:?}");
                let effect = found.effect.unwrap();
                let slack = 1e-9 * (1.0 + effect.abs());
                prop_assert!(interval.low <= effect + slack && effect - slack <= interval.high, "{found:?}");
            }
            let judged = found.verdict != Verdict::Inconclusive;
            prop_assert_eq!(judged, found.why.is_none(), "a verdict, or the reason why there is none");
            let text = serde_json::to_string(&found).unwrap();
            prop_assert_eq!(serde_json::from_str::<MetricComparison>(&text).unwrap().why, found.why);
        }

        #[test]
        fn cases_are_matched_by_their_whole_key(
            old in proptest::collection::vec(("[ab]", "[123]", 1.0..9.0f64), 0..6),
            new in proptest::collection::vec(("[ab]", "[123]", 1.0..9.0f64), 0..6),
        ) {
            let side = |all: &[(String, String, f64)]| {
                of(all.iter().map(|(plugin, version, value)| case(plugin, version, version, &[*value; 2])).collect())
            };
            let (before, now) = (side(&old), side(&new));
            let found = judged(&before, &now);
            for case in &found.cases {
                let key = case.key.as_ref().unwrap();
                let of = |side: &Measured| -> Vec<(String, f64)> {
                    let cases = side.cases.iter().filter(|other| other.key.plugin == key.plugin);
                    cases.map(|case| (case.key.version.clone(), case.metrics[0].launches[0])).collect()
                };
                let (before, now) = (of(&before), of(&now));
                if before.len() > 1 || now.len() > 1 {
                    let only = |side: &[(String, f64)]| {
                        let equal: Vec<f64> =
                            side.iter().filter(|it| it.0 == key.version).map(|it| it.1).collect();
                        (equal.len(), equal.first().copied())
                    };
                    prop_assert_eq!((only(&before).0, only(&now).0), (1, 1));
                    prop_assert!((case.metrics[0].baseline - only(&before).1.unwrap()).abs() < 1e-9);
                }
            }
            let names: Vec<&String> =
                found.cases.iter().map(|case| &case.label).chain(found.unjudged.iter().map(|case| &case.label)).collect();
            let distinct: std::collections::HashSet<_> = names.iter().collect();
            prop_assert_eq!(distinct.len(), names.len());
        }
    }
}
