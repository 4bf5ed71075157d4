//! Tests of parameters: the ends of their ranges, and values at random.

use std::time::Instant;

use dyno_core::{
    model::{CaseStatus, Params, Settings, Stage, TestOutcome, extreme_params, random_params},
    units,
};

use super::trial::{Stop, Tested, Trial, broken, settled, verified};
use crate::runner::session::{Assignment, Ended};

/// How many sets of random values are tried.
const RANDOM: u64 = 16;
/// So many broken promises are named.
const NAMED: usize = 3;

pub(super) fn limits(trial: &Trial<'_>) -> Tested {
    match extreme_params(trial.info) {
        Ok(all) if all.is_empty() => {
            Ok(TestOutcome::skipped("no parameter has a smallest or largest value, or choices"))
        }
        Ok(all) => try_all(trial, &all, ""),
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
            try_all(trial, &all, &format!(" (again with --reproduce {seed})"))
        }
        Err(contradiction) => Ok(TestOutcome::failed(contradiction)),
    }
}

/// Sets up, verifies and executes once with each set of parameters, as far as the time reaches. What takes too long, or what
/// `setup` refuses with a reason, is no failure: it may be meant for larger machines, or for other values of other
/// parameters.
fn try_all(trial: &Trial<'_>, all: &[Params], again: &str) -> Tested {
    let begin = Instant::now();
    let (mut broke, mut refused, mut too_long) = (Vec::new(), Vec::new(), Vec::new());
    let mut tried = 0;
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
            // A plugin may say that it cannot do this here.
            Ok(_) | Err(Ended::Case(CaseStatus::Skipped { .. })) => {}
            Err(Ended::Case(CaseStatus::TimedOut { .. })) => too_long.push(with()),
            Err(Ended::Case(CaseStatus::Failed { stage: Stage::Setup, reason })) if reason.exit.is_none() => {
                refused.push(format!("{}: {reason}", with()));
            }
            Err(Ended::Case(status)) if status != CaseStatus::Cancelled => {
                broke.extend(broken(&status).message().map(|why| format!("{}: {why}", with())));
            }
            Err(ended) => {
                return settled(Err(ended));
            }
        }
        if trial.cancel.is_set() {
            return Err(Stop::GaveUp);
        }
    }
    let budget = units::duration(trial.budget().as_nanos() as f64);
    Ok(if !broke.is_empty() {
        TestOutcome::failed(format!("{}{again}", broke.join("; ")))
    } else if !too_long.is_empty() {
        TestOutcome::noted(format!(
            "it takes longer than the {budget} of this test {}; declare a smaller range if nobody can wait for that",
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
    })
}
