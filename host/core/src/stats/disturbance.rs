//! How much the surroundings of a launch disturbed it, as one number.
//!
//! Each cause alone gives a share `w · min(1, x / full)` of a launch that is spoilt: `x` is what was read, `full` where that
//! cause has done all that it can do, `w` how much that is. Causes are taken as independent: what one leaves good, the next
//! may spoil. So the score is `1 − Π (1 − w · min(1, x / full))`, which no cause can lower.

use crate::model::Environment;

/// What spoils how much: where it is full, and its weight.
struct Cause {
    value: Option<f64>,
    full: f64,
    weight: f64,
}

/// The score of a launch: 0 (nothing disturbed it) to 1.
#[must_use]
pub fn disturbance(environment: &Environment) -> f64 {
    let Environment { before, after, .. } = environment;
    let clock = before
        .clock_hz
        .zip(after.clock_hz)
        .map(|(before, after)| (after as f64 - before as f64).abs() / before.max(1) as f64);
    let throttled =
        before.throttles.zip(after.throttles).map(|(before, after)| after.saturating_sub(before) as f64);
    let causes = [
        // A tenth of the time given to others is more than any comparison can bear.
        Cause { value: environment.steal, full: 0.10, weight: 1.0 },
        // Others on other processors share caches and memory only.
        Cause { value: environment.others_busy, full: 1.0, weight: 0.5 },
        Cause { value: after.memory_pressure, full: 0.5, weight: 1.0 },
        Cause { value: clock, full: 0.2, weight: 1.0 },
        Cause { value: throttled, full: 1.0, weight: 0.8 },
        // Retaken samples are not in the result, but their neighbours are.
        Cause { value: environment.retaken_share, full: 0.5, weight: 0.8 },
    ];
    let good: f64 = causes
        .iter()
        .filter_map(|cause| {
            let value = cause.value.filter(|value| value.is_finite() && *value > 0.0)?;
            Some(1.0 - cause.weight * (value / cause.full).min(1.0))
        })
        .product();
    (1.0 - good).clamp(0.0, 1.0)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_quiet_launch_scores_nothing_and_causes_add_up_as_if_independent() {
        let mut environment = Environment::default();
        assert!(disturbance(&environment).abs() < 1e-12);
        environment.others_busy = Some(1.0);
        assert!((disturbance(&environment) - 0.5).abs() < 1e-12);
        environment.steal = Some(0.05);
        assert!((disturbance(&environment) - 0.75).abs() < 1e-12);
        environment.steal = Some(0.5);
        assert!((disturbance(&environment) - 1.0).abs() < 1e-12);
    }

    #[test]
    fn each_cause_counts() {
        let quiet = Environment::default();
        let change = |change: fn(&mut Environment)| {
            let mut environment = quiet.clone();
            change(&mut environment);
            disturbance(&environment)
        };
        for (found, expected) in [
            (change(|it| it.after.memory_pressure = Some(0.25)), 0.5),
            (change(|it| (it.before.clock_hz, it.after.clock_hz) = (Some(100), Some(90))), 0.5),
            (change(|it| (it.before.throttles, it.after.throttles) = (Some(3), Some(9))), 0.8),
            (change(|it| it.retaken_share = Some(0.25)), 0.4),
        ] {
            assert!((found - expected).abs() < 1e-12, "{found}, expected {expected}");
        }
    }

    proptest! {
        #[test]
        fn it_is_a_share_whatever_was_read(steal in any::<f64>(), busy in any::<f64>(), retaken in any::<f64>()) {
            let environment = Environment {
                steal: Some(steal),
                others_busy: Some(busy),
                retaken_share: Some(retaken),
                ..Environment::default()
            };
            prop_assert!((0.0..=1.0).contains(&disturbance(&environment)));
        }
    }
}
