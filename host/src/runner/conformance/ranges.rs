//! Tests of parameters: the ends of their ranges, and values at random.

use std::time::Instant;

use dyno_core::{
    model::{
        CaseStatus, ParamValue, Params, Sample, Settings, Stage, TestOutcome, default_params, extreme_params,
        random_params,
    },
    units,
};
use dyno_plugin_api::descriptor::{BenchmarkInfo, ParamKind};
use serde_json::Value;

use super::trial::{Stop, Tested, Trial, broken, settled, verified};
use crate::runner::session::{Assignment, Ended};

/// How many sets of random values are tried.
const RANDOM: u64 = 16;
/// So many broken promises are named.
const NAMED: usize = 3;
/// A range is wide if its largest value is so many times its smallest.
const WIDE: i64 = 100;
/// Two single calls are taken for equally long up to this ratio.
const SAME_TIME: f64 = 2.0;

pub(super) fn limits(trial: &Trial<'_>) -> Tested {
    match extreme_params(trial.info) {
        Ok(all) if all.is_empty() => {
            Ok(TestOutcome::skipped("no parameter has a smallest or largest value, or choices"))
        }
        Ok(mut all) => {
            all.push(default_params(trial.info).unwrap_or_default());
            let Tries { outcome, samples } = try_all(trial, &all, "")?;
            let without_effect = without_effect(trial.info, &samples);
            Ok(if outcome == TestOutcome::Passed && !without_effect.is_empty() {
                TestOutcome::noted(without_effect.join("; "))
            } else {
                outcome
            })
        }
        Err(contradiction) => Ok(TestOutcome::failed(contradiction)),
    }
}

pub(super) fn fuzz(trial: &Trial<'_>) -> Tested {
    if trial.info.params.is_empty() {
        return Ok(TestOutcome::skipped("it has no parameters"));
    }
    let seed = trial.settings.seed;
    let all = (0..RANDOM).map(|number| random_params(trial.info, seed.wrapping_add(number)));
    match all.collect::<Result<Vec<_>, _>>() {
        Ok(all) => {
            let mut all: Vec<Params> = all;
            all.dedup();
            Ok(try_all(trial, &all, &format!(" (again with --reproduce {seed})"))?.outcome)
        }
        Err(contradiction) => Ok(TestOutcome::failed(contradiction)),
    }
}

/// What came of sets of parameters.
struct Tries<'a> {
    outcome: TestOutcome,
    /// Those that were executed.
    samples: Vec<(&'a Params, Sample)>,
}

/// Sets up, verifies and executes once with each set of parameters, as far as the time reaches. What takes too long, or what
/// `setup` refuses with a reason, is no failure: it may be meant for larger machines, or for other values of other
/// parameters.
fn try_all<'a>(trial: &Trial<'_>, all: &'a [Params], again: &str) -> Result<Tries<'a>, Stop> {
    let begin = Instant::now();
    let (mut broke, mut refused, mut too_long) = (Vec::new(), Vec::new(), Vec::new());
    let (mut tried, mut samples) = (0, Vec::new());
    for params in all {
        if begin.elapsed() >= trial.budget() || broke.len() >= NAMED {
            break;
        }
        tried += 1;
        let case = trial.with(params.clone());
        let left = trial.budget().saturating_sub(begin.elapsed());
        let timeout_ms = u64::try_from(left.as_millis()).unwrap_or(u64::MAX).max(1);
        let settings = Settings { timeout_ms, ..trial.settings.clone() };
        let assignment = Assignment { settings: &settings, ..trial.assignment(&case, trial.cancel) };
        let outcome = verified(&assignment).and_then(|(session, _)| Ok(session.call(1)?));
        let with = || {
            let values: Vec<String> = params.iter().map(|(name, value)| format!("{name}={value}")).collect();
            format!("with {}", values.join(" "))
        };
        match outcome {
            Ok((_, sample)) => samples.push((params, sample)),
            // A plugin may say that it cannot do this here.
            Err(Ended::Case(CaseStatus::Skipped { .. })) => {}
            // The sets before it have taken most of the time: that says nothing of this one.
            Err(Ended::Case(CaseStatus::TimedOut { .. })) if left < trial.budget() / 2 => {
                tried -= 1;
                break;
            }
            Err(Ended::Case(CaseStatus::TimedOut { .. })) => {
                let stopped = units::duration(left.as_nanos() as f64);
                too_long.push(format!("{} within {stopped}", with()));
            }
            Err(Ended::Case(CaseStatus::Failed { stage: Stage::Setup, reason })) if reason.exit.is_none() => {
                refused.push(format!("{}: {reason}", with()));
            }
            Err(Ended::Case(status)) if status != CaseStatus::Cancelled => {
                broke.extend(broken(&status).message().map(|why| format!("{}: {why}", with())));
            }
            Err(ended) => {
                return Ok(Tries { outcome: settled(Err(ended))?, samples });
            }
        }
        if trial.cancel.is_set() {
            return Err(Stop::GaveUp);
        }
    }
    let budget = units::duration(trial.budget().as_nanos() as f64);
    let outcome = if !broke.is_empty() {
        TestOutcome::failed(format!("{}{again}", broke.join("; ")))
    } else if !too_long.is_empty() {
        TestOutcome::noted(format!(
            "`execute` gave no result {}, and this test has {budget}: declare a smaller range, or give more time with \
             --budget",
            too_long.join(", ")
        ))
    } else if !refused.is_empty() {
        TestOutcome::noted(format!(
            "`setup` refuses {} of {} sets of values; declare smaller ranges, or skip such cases: {}",
            refused.len(),
            tried,
            refused.iter().take(NAMED).cloned().collect::<Vec<_>>().join("; ")
        ))
    } else if tried < all.len() {
        TestOutcome::noted(format!(
            "{tried} of {} sets of values were tried in the {budget} of this test; give more time with --budget",
            all.len()
        ))
    } else {
        TestOutcome::Passed
    };
    Ok(Tries { outcome, samples })
}

/// Sentences about integers, which most sizes are, that change nothing between the ends of a wide range. `setup` may store them in an
/// object that `execute` does not get.
fn without_effect(info: &BenchmarkInfo, samples: &[(&Params, Sample)]) -> Vec<String> {
    let defaults = default_params(info).unwrap_or_default();
    let integers = info.params.iter().filter(|param| param.kind == ParamKind::Integer);
    let sentences = integers.filter_map(|param| {
        let end = |value: &Option<Value>| value.as_ref().and_then(Value::as_i64);
        let (low, high) = (end(&param.min)?, end(&param.max)?);
        let sample = |value: i64| {
            let mut wanted = defaults.clone();
            wanted.insert(param.name.clone(), ParamValue::Integer(value));
            samples.iter().find(|(params, _)| **params == wanted).map(|(_, sample)| sample)
        };
        let (short, long) = (sample(low)?, sample(high)?);
        let is_wide = high / WIDE >= low.max(1);
        let is_alike = short.work == long.work && short.checksum == long.checksum;
        let times = [short.wall_ns, long.wall_ns].map(|ns| ns.max(1) as f64);
        let is_as_long = times[0].max(times[1]) < SAME_TIME * times[0].min(times[1]);
        (is_wide && is_alike && is_as_long).then(|| {
            format!(
                "`{}` changes nothing: with {low} and with {high}, `execute` reports the same work and checksum and takes \
                 as long; check that `execute` uses what `setup` stores",
                param.name
            )
        })
    });
    sentences.collect()
}

#[cfg(test)]
mod tests {
    use dyno_core::model::Work;
    use serde_json::json;

    use super::*;

    #[test]
    fn a_size_that_never_reaches_execute_is_named_and_one_that_shows_anywhere_is_not() {
        let info: BenchmarkInfo =
            serde_json::from_value(json!({"name": "b", "hardware": ["cpu"], "params": [
                {"name": "n", "type": "integer", "default": 100, "min": 1, "max": 1000},
                {"name": "few", "type": "integer", "default": 1, "min": 1, "max": 4},
            ]}))
            .unwrap();
        let at = |n| {
            Params::from([
                ("n".to_owned(), ParamValue::Integer(n)),
                ("few".to_owned(), ParamValue::Integer(1)),
            ])
        };
        let (low, high) = (at(1), at(1000));
        let lost = Sample {
            iterations: 1,
            wall_ns: 500,
            cpu_ns: 500,
            device_ns: 0.0,
            work: Work::default(),
            checksum: 7,
            preemptions: 0,
        };
        let said = |long: Sample| without_effect(&info, &[(&low, lost), (&high, long)]);
        let [sentence] = &said(lost)[..] else { panic!("one of the two was due") };
        assert!(sentence.contains("`n` changes nothing: with 1 and with 1000"), "{sentence}");
        let mut more = lost;
        more.work.items = 1000.0;
        for heard in [Sample { wall_ns: 5_000, ..lost }, Sample { checksum: 8, ..lost }, more] {
            assert!(said(heard).is_empty(), "{heard:?}");
        }
        assert!(without_effect(&info, &[(&low, lost)]).is_empty(), "the other end could not be tried");
    }
}
