//! Two results beside one another, measured at different times: launches against launches, every metric in its own
//! direction, a suite judged as one.

use std::collections::{HashMap, HashSet};

use super::{
    benjamini_hochberg, median,
    welch::{Welch, t_quantile, welch},
};
use crate::model::{
    Better, COMPARISON_SCHEMA, COMPARISON_VERSION, CaseComparison, Comparison, Design, Interval, Measured,
    MeasuredCase, MeasuredMetric, MetricComparison, Verdict,
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

/// Compares every case and metric that both sides have.
#[must_use]
pub fn compare(baseline: &Measured, candidate: &Measured, options: &CompareOptions) -> Comparison {
    let (differences, decisive) = differences(baseline, candidate);
    let old: HashMap<&str, _> = baseline.cases.iter().map(|case| (case.label.as_str(), case)).collect();
    let (mut cases, added) = beside(&old, &candidate.cases, options);
    judge_as_one(&mut cases, options.alpha);
    if let Some(what) = decisive.filter(|_| !options.allow_differences) {
        withdraw(&mut cases, &what);
    }
    let still: HashSet<&str> = candidate.cases.iter().map(|case| case.label.as_str()).collect();
    let removed =
        baseline.cases.iter().filter(|case| !still.contains(case.label.as_str())).map(|case| match candidate
            .missing
            .iter()
            .find(|(label, _)| *label == case.label)
        {
            Some((label, reason)) => format!("{label}: {reason}"),
            None => case.label.clone(),
        });
    Comparison {
        schema: COMPARISON_SCHEMA.to_owned(),
        version: COMPARISON_VERSION,
        design: Design::Stored,
        baseline: baseline.source.clone(),
        candidate: candidate.source.clone(),
        threshold: options.threshold,
        alpha: options.alpha,
        differences,
        removed: removed.collect(),
        cases,
        added,
    }
}

/// Every case beside its baseline, and the labels of those that have none.
fn beside(
    old: &HashMap<&str, &MeasuredCase>,
    cases: &[MeasuredCase],
    options: &CompareOptions,
) -> (Vec<CaseComparison>, Vec<String>) {
    let mut quantiles = Quantiles { p: 1.0 - options.alpha / 2.0, known: HashMap::new() };
    let (mut compared, mut added) = (Vec::with_capacity(cases.len()), Vec::new());
    for case in cases {
        let Some(before) = old.get(case.label.as_str()) else {
            added.push(case.label.clone());
            continue;
        };
        let metrics = case.metrics.iter().filter_map(|metric| {
            let before = before.metrics.iter().find(|other| other.name == metric.name)?;
            Some(metric_beside(before, metric, options, &mut quantiles))
        });
        compared.push(CaseComparison { label: case.label.clone(), metrics: metrics.collect(), pairs: None });
    }
    (compared, added)
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

fn withdraw(cases: &mut [CaseComparison], what: &str) {
    for metric in cases.iter_mut().flat_map(|case| &mut case.metrics) {
        if metric.verdict != Verdict::Inconclusive {
            metric.verdict = Verdict::Inconclusive;
            metric.remark = Some(format!(
                "the sides differ in {what}, so a difference need not be the code's; measure both here with `dyno ab`, \
                 or allow it with --allow-differences"
            ));
        }
    }
}

/// Withdraws alarms that the size of the suite explains.
fn judge_as_one(cases: &mut [CaseComparison], alpha: f64) {
    let p_values: Vec<f64> =
        cases.iter().flat_map(|case| &case.metrics).filter_map(|metric| metric.p_value).collect();
    let mut adjusted = benjamini_hochberg(&p_values).into_iter();
    for metric in
        cases.iter_mut().flat_map(|case| &mut case.metrics).filter(|metric| metric.p_value.is_some())
    {
        let adjusted = adjusted.next().unwrap_or(1.0);
        if matches!(metric.verdict, Verdict::Regressed | Verdict::Improved) && adjusted > alpha {
            metric.verdict = Verdict::Inconclusive;
            metric.remark = Some(format!(
                "among {} tests one like this is expected by chance (adjusted p = {adjusted:.3})",
                p_values.len()
            ));
        }
    }
}

fn metric_beside(
    before: &MeasuredMetric,
    now: &MeasuredMetric,
    options: &CompareOptions,
    quantiles: &mut Quantiles,
) -> MetricComparison {
    let (baseline, candidate) =
        (median(&before.launches).unwrap_or_default(), median(&now.launches).unwrap_or_default());
    let mut out = MetricComparison {
        name: now.name.clone(),
        unit: now.unit.clone(),
        better: now.better,
        baseline,
        candidate,
        launches: (before.launches.len() as u32, now.launches.len() as u32),
        effect: (baseline != 0.0)
            .then(|| (candidate - baseline) / baseline.abs())
            .filter(|it| it.is_finite()),
        interval: None,
        p_value: None,
        detectable: None,
        verdict: Verdict::Inconclusive,
        remark: None,
    };
    if before.unit != now.unit || before.better != now.better {
        out.effect = None;
        out.remark = Some(format!(
            "the baseline has it in `{}` with {} better: the two cannot be compared",
            before.unit,
            format!("{:?}", before.better).to_lowercase()
        ));
        return out;
    }
    if baseline == 0.0 {
        if before.launches.iter().chain(&now.launches).all(|value| *value == 0.0) {
            out.effect = Some(0.0);
            out.verdict = Verdict::Equivalent;
        } else {
            out.remark = Some("the baseline is 0: there is no relative change".to_owned());
        }
        return out;
    }
    if let Some(side) = [("baseline", &before.launches), ("candidate", &now.launches)]
        .into_iter()
        .find_map(|(side, launches)| (launches.len() < 2).then_some(side))
    {
        out.remark = Some(format!(
            "the {side} has one launch: how much launches differ is not known, so there is no interval; measure it \
             with --launches 5"
        ));
        return out;
    }
    let positive = before.launches.iter().chain(&now.launches).all(|value| *value > 0.0);
    let (test, scale): (Option<Welch>, Scale) = if positive {
        let log = |values: &[f64]| values.iter().map(|value| value.ln()).collect::<Vec<_>>();
        (welch(&log(&before.launches), &log(&now.launches)), Scale::Logarithm)
    } else {
        (welch(&before.launches, &now.launches), Scale::Of(baseline.abs()))
    };
    let Some(test) = test else {
        out.remark = Some("the values are too large to compare".to_owned());
        return out;
    };
    let confidence = 1.0 - options.alpha;
    let half_width = quantiles.half_width(&test);
    let (low, high) =
        (scale.change(test.difference - half_width), scale.change(test.difference + half_width));
    out.effect = Some(scale.change(test.difference));
    out.interval = Some(Interval { low, high, confidence });
    out.p_value = Some(test.p_value);
    out.detectable = Some(options.threshold + scale.change(half_width + 1.281_551_6 * test.standard_error));
    (out.verdict, out.remark) = verdict(low, high, now.better, options.threshold);
    out
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

/// How a difference becomes a relative change.
#[derive(Debug, Clone, Copy)]
enum Scale {
    Logarithm,
    Of(f64),
}

impl Scale {
    fn change(self, difference: f64) -> f64 {
        let change = match self {
            Self::Logarithm => difference.exp_m1(),
            Self::Of(base) => difference / base,
        };
        change.clamp(-f64::MAX, f64::MAX)
    }
}

/// The verdict on an interval of relative changes.
fn verdict(low: f64, high: f64, better: Better, threshold: f64) -> (Verdict, Option<String>) {
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
        let remark = "the interval reaches across the threshold: more launches would narrow it";
        (Verdict::Inconclusive, Some(remark.to_owned()))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn measured(cases: &[(&str, &str, Better, &[f64])]) -> Measured {
        let cases = cases.iter().map(|(label, name, better, launches)| MeasuredCase {
            label: (*label).to_owned(),
            metrics: vec![MeasuredMetric {
                name: (*name).to_owned(),
                unit: "x".to_owned(),
                better: *better,
                launches: launches.to_vec(),
            }],
        });
        Measured { source: "test".into(), cases: cases.collect(), ..Measured::default() }
    }

    fn one(better: Better, before: &[f64], now: &[f64]) -> MetricComparison {
        let (a, b) = (measured(&[("a", "m", better, before)]), measured(&[("a", "m", better, now)]));
        compare(&a, &b, &CompareOptions::default()).cases[0].metrics[0].clone()
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
        let mut before = measured(&[("a", "m", Better::Lower, &LOW), ("gone", "m", Better::Lower, &LOW)]);
        let mut now = measured(&[("a", "m", Better::Lower, &HIGH), ("new", "m", Better::Lower, &LOW)]);
        now.missing.push(("gone".into(), "failed in load".into()));
        before.environment.push(("machine".into(), "A".into()));
        now.environment.push(("machine".into(), "B".into()));
        let found = compare(&before, &now, &CompareOptions::default());
        assert_eq!(
            (found.added, found.removed),
            (vec!["new".into()], vec!["gone: failed in load".to_owned()])
        );
        assert_eq!(found.differences, ["machine: A then, B now"]);
        assert_eq!(found.cases[0].metrics[0].verdict, Verdict::Inconclusive);
        let allowed = CompareOptions { allow_differences: true, ..CompareOptions::default() };
        assert!(compare(&before, &now, &allowed).has(Verdict::Regressed));
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
        let found =
            compare(&side(&before), &side(&now), &CompareOptions { threshold: 0.01, ..Default::default() });
        assert!(alone.p_value.unwrap() < 0.01);
        assert_eq!(found.cases[0].metrics[0].verdict, Verdict::Inconclusive);
        assert!(found.cases[0].metrics[0].remark.as_ref().unwrap().contains("by chance"));
    }

    proptest! {
        #[test]
        fn no_numbers_make_an_infinity(
            before in proptest::collection::vec(any::<f64>().prop_filter("finite", |x| x.is_finite()), 1..6),
            now in proptest::collection::vec(any::<f64>().prop_filter("finite", |x| x.is_finite()), 1..6),
        ) {
            let found = one(Better::Lower, &before, &now);
            prop_assert!(found.effect.is_none_or(f64::is_finite));
            prop_assert!(found.interval.is_none_or(|it| it.low.is_finite() && it.high.is_finite()));
            prop_assert!(found.detectable.is_none_or(|it| !it.is_nan()));
        }
    }
}
