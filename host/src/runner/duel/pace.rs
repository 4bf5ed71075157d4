//! How much a pair of launches measures: from what starting costs and from where the noise comes.

use std::f64::consts::FRAC_PI_2;

use super::clock::Clock;

/// How much a pair measures, on both sides alike.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Pace {
    /// Iterations of a slice.
    pub(super) iterations: u64,
    /// Slices per side.
    pub(super) slices: usize,
    /// Expected length of a slice [ns].
    pub(super) slice_ns: u64,
    /// By whose clock the sides are compared. The first pair finds out.
    pub(super) clock: Clock,
}

/// Time inside the timed calls that a pair takes per side at least [ns].
const LEAST_NS: f64 = 12_500_000.0;
/// A pair whose start is expensive measures for this share of it at least, on both sides together: it costs little more.
const LEAST_SHARE: f64 = 0.05;
/// Measuring takes as long as starting at most, unless starting is shorter than this [ns]: beyond that, pairs are better.
const MOST_NS: f64 = 50_000_000.0;
/// Many short slices: a disturbance then hits few of them, and neighbours are close in time.
const MIN_SLICES: f64 = 10.0;
/// Each is a message to a worker and back.
const MAX_SLICES: f64 = 1_000.0;

/// Where the noise of pairs comes from: variances of logarithms of ratios.
#[derive(Debug, Clone, Copy)]
pub(super) struct Spread {
    /// Of neighbouring slices within a pair.
    pub(super) within: f64,
    /// Of pairs, whatever was measured in each.
    pub(super) between: f64,
}

impl Spread {
    /// What launches differ by where nothing is known yet: MEASUREMENT's 0.25 to 0.6 % of quiet code.
    const UNKNOWN_BETWEEN: f64 = 0.003 * 0.003;
    /// Launches never agree better than that.
    const LEAST_BETWEEN: f64 = 0.0005 * 0.0005;

    /// From the variance within pairs and, once it is known, that of the effects of pairs with so many slices.
    pub(super) fn new(within: f64, effects: Option<f64>, slices: usize) -> Self {
        let of_median = FRAC_PI_2 * within / slices.max(1) as f64;
        let between = effects.map_or(Self::UNKNOWN_BETWEEN, |effects| effects - of_median);
        Self { within, between: between.max(Self::LEAST_BETWEEN) }
    }
}

impl Pace {
    /// The pace of the first pair, of sides that take so long to start, both together.
    pub(super) fn first(iterations: u64, slice_ns: u64, starts_ns: u64) -> Self {
        Self { iterations, slice_ns, slices: 0, clock: Clock::Wall }.bounded(0.0, starts_ns as f64)
    }

    /// The pace that gives the narrowest interval per wall time.
    ///
    /// A pair of `m` slices takes `start + 2 m · slice`, and the variance of its effect is `between + π/2 · within / m`, for
    /// it is a median. Variance × time is smallest at `m = √(start · π/2 · within / (2 · slice · between))`.
    ///
    /// The choice looks at spreads and costs only, never at the effect: it cannot favour a verdict.
    pub(super) fn revised(self, spread: Spread, starts_ns: u64) -> Self {
        let start = starts_ns as f64;
        let slice = self.slice_ns.max(1) as f64;
        let best = (start * FRAC_PI_2 * spread.within / (2.0 * slice * spread.between)).sqrt();
        self.bounded(best, start)
    }

    fn bounded(self, slices: f64, starts_ns: f64) -> Self {
        let slice = self.slice_ns.max(1) as f64;
        let least =
            (LEAST_NS / slice).max(LEAST_SHARE * starts_ns / (2.0 * slice)).clamp(MIN_SLICES, MAX_SLICES);
        let most = (starts_ns.max(MOST_NS) / (2.0 * slice)).clamp(least, MAX_SLICES);
        let slices = if slices.is_finite() { slices.clamp(least, most) } else { least };
        // Even: blocks of two balance who goes first.
        Self { slices: (slices as usize).next_multiple_of(2), ..self }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MS: u64 = 1_000_000;

    #[test]
    fn a_pair_is_short_unless_starting_is_expensive() {
        let slices = |slice_ns, starts_ns| Pace::first(7, slice_ns, starts_ns).slices;
        assert_eq!(slices(250_000, 6 * MS), 50);
        assert_eq!(slices(500_000, 6 * MS), 26);
        assert_eq!(slices(500_000, 700 * MS), 36, "a twentieth of both starts");
        assert_eq!(slices(900 * MS, 0), 10, "a long iteration still has ten");
        assert_eq!(slices(0, u64::MAX), 1_000);
    }

    #[test]
    fn where_the_noise_is_within_launches_a_pair_measures_longer_and_elsewhere_not() {
        let pace = Pace::first(7, 300_000, 700 * MS);
        let revised = |within: f64, effects: f64, starts| {
            let spread = Spread::new(within * within, Some(effects * effects), pace.slices);
            pace.revised(spread, starts).slices
        };
        assert_eq!(revised(0.001, 0.02, 700 * MS), pace.slices, "longer launches would not agree better");
        let longer = revised(0.03, 0.004, 700 * MS);
        assert!(longer > 2 * pace.slices, "{longer}");
        assert!(longer as u64 * 2 * 300_000 <= 701 * MS, "measuring takes as long as starting at most");
        let cheap = revised(0.03, 0.004, 10 * MS);
        assert!(
            cheap as u64 * 2 * 300_000 <= 51 * MS,
            "cheap pairs stay short, 50 ms on both sides: {cheap}"
        );
    }

    #[test]
    fn any_spread_gives_a_pace() {
        for within in [0.0, 1e-300, 1e300, f64::INFINITY, f64::NAN] {
            for effects in [None, Some(0.0), Some(f64::INFINITY), Some(f64::NAN)] {
                let slices = Pace::first(1, 1, 1).revised(Spread::new(within, effects, 0), u64::MAX).slices;
                assert!(
                    (10..=1_000).contains(&slices) && slices.is_multiple_of(2),
                    "{within} {effects:?}: {slices}"
                );
            }
        }
    }
}
