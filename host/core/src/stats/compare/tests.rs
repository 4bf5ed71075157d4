//! Tests of comparing stored results.

use proptest::prelude::*;

use super::{scale::bounded, *};
use crate::model::{
    Better, CaseKey, CaseStatus, ComparedSide, DriftFloor, Estimator, MeasuredCase, MeasuredMetric, Reason,
    Stage,
};

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
fn debug_builds_are_named_with_their_sides() {
    let side = |plugins: &[&str]| Measured {
        debug_builds: plugins.iter().map(|&plugin| plugin.to_owned()).collect(),
        ..measured(&[("a", "m", Better::Lower, &LOW)])
    };
    let said = judged(&side(&["both", "old"]), &side(&["both", "new"])).differences.join("\n");
    for sentence in [
        "both sides measured a debug build of `both`",
        "the baseline measured a debug build of `old`",
        "the candidate measured a debug build of `new`",
    ] {
        assert!(said.contains(sentence), "{said}");
    }
    assert!(judged(&side(&[]), &side(&[])).differences.is_empty());
}

#[test]
fn what_cannot_be_judged_says_why() {
    for (before, now, why) in [
        (&[100.0][..], &HIGH[..], "baseline has only one launch"),
        (&LOW, &[120.0], "candidate has only one launch"),
        (&[0.0, 0.0], &[1.0, 2.0], "baseline is 0"),
        (&[90.0, 110.0], &[95.0, 118.0], "includes the threshold"),
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
    assert_eq!(said, ["new: the baseline failed: it was broken", "broken: the candidate failed: it broke"]);
    assert_eq!(found.failures().count(), 1, "what the baseline could not do is not the candidate's fault");
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
        outcome(vec![alpha("1.0", &LOW), alpha("2.0", &HIGH)], vec![alpha("2.0", &HIGH), alpha("3.0", &LOW)]),
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
    let remark = "same build: this difference is drift of the machine";
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
    assert!(wide.remark.unwrap().contains("4 runs of equal builds of this case differed by up to 18.00 %"));
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
