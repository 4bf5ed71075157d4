//! When a case has been measured enough: how many samples the next launch takes, and whether there is a next launch.

use dyno_core::{model::StopRule, protocol::Quota};

/// Samples of a launch where the rule leaves it open: enough for a median within the launch, few enough that the time
/// goes into launches, which are what the statistics count.
const SAMPLES_PER_LAUNCH: u32 = 20;
/// A launch with fewer cannot show its own spread.
const MIN_SAMPLES: u32 = 2;
/// More than this in one launch tells nothing that fewer would not.
const MAX_SAMPLES: u32 = 100_000;

/// What the next launch may take.
pub(super) fn quota(rule: StopRule) -> Quota {
    match rule {
        StopRule::Time { launches, budget_ns } => Quota {
            min_samples: 1,
            max_samples: MAX_SAMPLES,
            budget_ns: budget_ns / u64::from(launches.max(1)),
            retake: true,
        },
        StopRule::Samples { per_launch, .. } => Quota {
            min_samples: per_launch.max(1),
            max_samples: per_launch.max(1),
            budget_ns: u64::MAX,
            retake: true,
        },
        StopRule::Precision { min_launches, budget_ns, .. } => Quota {
            min_samples: MIN_SAMPLES,
            max_samples: SAMPLES_PER_LAUNCH,
            budget_ns: budget_ns / u64::from(min_launches.max(1)),
            retake: true,
        },
    }
}

/// Where a case stands.
#[derive(Debug, Clone, Copy)]
pub(super) struct Standing {
    /// Launches that gave samples.
    pub(super) launches: u32,
    /// Time spent sampling so far [ns].
    pub(super) sampled_ns: u64,
    /// Half-width of the interval relative to the median, once it is known.
    pub(super) half_width: Option<f64>,
}

/// Whether the case needs another launch.
pub(super) fn wants_more(rule: StopRule, standing: Standing) -> bool {
    match rule {
        StopRule::Time { launches, .. } | StopRule::Samples { launches, .. } => {
            standing.launches < launches.max(1)
        }
        StopRule::Precision { target, min_launches, max_launches, budget_ns } => {
            if standing.launches < min_launches.max(1) {
                return true;
            }
            let precise = standing.half_width.is_some_and(|half_width| half_width <= target);
            !precise && standing.launches < max_launches && standing.sampled_ns < budget_ns
        }
    }
}

/// How much of the measuring is done, 0 to 1, as far as it can be told.
pub(super) fn fraction(rule: StopRule, standing: Standing) -> f64 {
    let launches = f64::from(standing.launches);
    match rule {
        StopRule::Time { launches: all, .. } | StopRule::Samples { launches: all, .. } => {
            launches / f64::from(all.max(1))
        }
        StopRule::Precision { target, min_launches, max_launches, budget_ns } => {
            let least = f64::from(min_launches.max(1));
            let needed = match standing.half_width {
                // The half-width shrinks with the square root of the launches.
                Some(half_width) if half_width > target && target > 0.0 => {
                    (launches * (half_width / target).powi(2)).min(f64::from(max_launches))
                }
                _ => least,
            };
            let by_launches = launches / needed.max(least);
            let by_time = standing.sampled_ns as f64 / budget_ns.max(1) as f64;
            if launches < least { by_launches } else { by_launches.max(by_time) }
        }
    }
    .clamp(0.0, 1.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    const RULE: StopRule =
        StopRule::Precision { target: 0.01, min_launches: 5, max_launches: 30, budget_ns: 3_000_000_000 };

    fn standing(launches: u32, sampled_ns: u64, half_width: f64) -> Standing {
        Standing { launches, sampled_ns, half_width: Some(half_width) }
    }

    #[test]
    fn precision_stops_when_narrow_but_not_before_the_floor() {
        assert!(wants_more(RULE, standing(4, 0, 0.001)));
        assert!(!wants_more(RULE, standing(5, 0, 0.01)));
        assert!(wants_more(RULE, standing(5, 0, 0.02)));
    }

    #[test]
    fn precision_gives_up_at_its_bounds() {
        assert!(!wants_more(RULE, standing(30, 0, 0.5)));
        assert!(!wants_more(RULE, standing(6, 3_000_000_000, 0.5)));
        assert!(wants_more(RULE, Standing { launches: 5, sampled_ns: 0, half_width: None }));
    }

    #[test]
    fn time_is_shared_out_among_the_launches() {
        let rule = StopRule::Time { launches: 4, budget_ns: 1_000 };
        assert_eq!(quota(rule).budget_ns, 250);
        assert!(wants_more(rule, standing(3, 900, 1.0)) && !wants_more(rule, standing(4, 100, 1.0)));
    }

    #[test]
    fn the_fraction_is_one_at_the_end_and_never_outside() {
        for launches in 0..40 {
            for half_width in [0.0001, 0.01, 0.3, f64::INFINITY] {
                let fraction =
                    fraction(RULE, standing(launches, u64::from(launches) * 100_000_000, half_width));
                assert!((0.0..=1.0).contains(&fraction));
            }
        }
        assert_eq!(fraction(RULE, standing(5, 0, 0.009)), 1.0);
    }
}
