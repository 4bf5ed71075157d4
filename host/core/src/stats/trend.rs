//! Samples that climb or fall within launches: state that grows, memory that fragments, a machine that heats up.
//!
//! Each launch gives Kendall's score: how many pairs of samples rise in time less how many fall (Mann 1945, Econometrica
//! 13). Scores of launches add up, for what a plugin does it does in every launch, while drift of the machine goes up in
//! one and down in the next. Neighbouring samples are alike on a disturbed machine, which makes the score of one launch
//! larger than chance allows; so launches must also agree with one another, and the change must be large enough to
//! matter.

use super::{median, order::quantile};
use crate::model::Trend;

/// Score in standard deviations from which on it is not chance: 1 in 16,000.
const SCORE: f64 = 4.0;
/// Share of the launches that must go the same way, where there are at least [`SEVERAL`].
const AGREEING: f64 = 0.8;
const SEVERAL: usize = 3;
/// Smallest change over a launch that is said; twice that where there are too few launches to agree.
const MATTERS: f64 = 0.05;
/// Minimum number of samples: fewer have no direction.
const LEAST_SAMPLES: usize = 4;
/// Maximum number of scored values of a launch: more samples are divided into this number of blocks, each represented
/// by its median.
const BLOCKS: usize = 64;

/// The score of one launch.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct LaunchTrend {
    /// Kendall's score, and its variance if there were no trend.
    score: f64,
    variance: f64,
    /// Change from the first to the last sample, relative to the first.
    change: f64,
}

impl LaunchTrend {
    /// Of samples in the order in which they were taken, all positive; `None` with too few of them.
    #[must_use]
    pub fn of(samples: &[f64]) -> Option<Self> {
        let values = blocks(samples);
        let n = values.len();
        if n < LEAST_SAMPLES || values.iter().any(|value| !(value.is_finite() && *value > 0.0)) {
            return None;
        }
        let later = |at: usize| values.get(at + 1..).unwrap_or_default();
        let signs = values
            .iter()
            .enumerate()
            .flat_map(|(at, one)| later(at).iter().map(move |other| other.total_cmp(one) as i32));
        let score = f64::from(signs.sum::<i32>());
        let count = n as f64;
        let third = n.div_ceil(3);
        let begin = quantile_of(values.get(..third)?)?;
        let end = quantile_of(values.get(n - third..)?)?;
        // The middles of the first and the last third are two thirds of a launch apart.
        let apart = (n - third) as f64 / (n - 1).max(1) as f64;
        Some(Self {
            score,
            variance: count * (count - 1.0) * (2.0 * count + 5.0) / 18.0,
            change: ((end / begin).ln() / apart).exp_m1(),
        })
    }
}

/// The trend that these launches share; `None` where there is none to speak of.
#[must_use]
pub fn trend(launches: &[LaunchTrend]) -> Option<Trend> {
    let variance: f64 = launches.iter().map(|launch| launch.variance).sum();
    let score = launches.iter().map(|launch| launch.score).sum::<f64>() / variance.sqrt();
    let change = median(&launches.iter().map(|launch| launch.change).collect::<Vec<_>>())?;
    let agreeing = launches.iter().filter(|launch| launch.score * score > 0.0).count();
    let several = launches.len() >= SEVERAL;
    let agree = !several || agreeing as f64 >= AGREEING * launches.len() as f64;
    let least = if several { MATTERS } else { 2.0 * MATTERS };
    (score.abs() >= SCORE && agree && change.abs() >= least && change * score > 0.0 && change.is_finite())
        .then_some(Trend { change, launches: launches.len() as u32 })
}

fn blocks(samples: &[f64]) -> Vec<f64> {
    if samples.len() <= BLOCKS {
        return samples.to_vec();
    }
    let edge = |block: usize| block * samples.len() / BLOCKS;
    (0..BLOCKS).filter_map(|block| quantile_of(samples.get(edge(block)..edge(block + 1))?)).collect()
}

fn quantile_of(values: &[f64]) -> Option<f64> {
    let mut sorted = values.to_vec();
    sorted.sort_unstable_by(f64::total_cmp);
    quantile(&sorted, 0.5)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use rand::{Rng, RngExt, SeedableRng};
    use rand_pcg::Pcg64Mcg;

    use super::*;

    /// A standard normal number, by the central limit of twelve uniform ones.
    fn normal(random: &mut impl Rng) -> f64 {
        (0..12).map(|_| random.random::<f64>()).sum::<f64>() - 6.0
    }

    /// Launches whose samples change by so much over a launch, with noise of each sample, and a walk of the machine.
    fn launches(
        count: usize,
        samples: usize,
        change: f64,
        noise: f64,
        walk: f64,
        seed: u64,
    ) -> Vec<LaunchTrend> {
        let mut random = Pcg64Mcg::seed_from_u64(seed);
        let one = |random: &mut Pcg64Mcg| {
            let mut level = 100.0 * (1.0 + 0.01 * normal(random));
            let values: Vec<f64> = (0..samples)
                .map(|at| {
                    level *= 1.0 + walk * normal(random);
                    let grown = 1.0 + change * at as f64 / (samples - 1) as f64;
                    level * grown * (1.0 + noise * normal(random))
                })
                .collect();
            LaunchTrend::of(&values).unwrap()
        };
        (0..count).map(|_| one(&mut random)).collect()
    }

    #[test]
    fn what_grows_in_every_launch_is_found_with_its_size() {
        for (count, samples) in [(5, 5), (5, 20), (10, 300), (1, 40)] {
            for change in [0.3, -0.2, 6.0] {
                let found = trend(&launches(count, samples, change, 0.02, 0.0, 1)).expect("it is there");
                let close = (found.change - change).abs() < 0.3 * change.abs();
                assert!(close || change > 1.0, "{count} × {samples}, {change}: {found:?}");
                assert!(found.change * change > 0.0);
            }
        }
    }

    #[test]
    fn noise_a_wandering_machine_and_a_little_warming_up_are_none() {
        for seed in 0..300 {
            assert_eq!(trend(&launches(5, 20, 0.0, 0.05, 0.0, seed)), None);
            assert_eq!(trend(&launches(5, 20, 0.0, 0.01, 0.005, seed)), None, "seed {seed}");
            assert_eq!(trend(&launches(5, 20, 0.02, 0.005, 0.0, seed)), None, "too little to matter");
            assert_eq!(trend(&launches(2, 4, 0.0, 0.1, 0.0, seed)), None);
        }
    }

    #[test]
    fn too_few_samples_have_no_direction() {
        assert_eq!(LaunchTrend::of(&[1.0, 2.0, 3.0]), None);
        assert_eq!(LaunchTrend::of(&[1.0, 2.0, f64::NAN, 4.0, 5.0]), None);
        assert_eq!(trend(&[]), None);
    }

    proptest! {
        #[test]
        fn any_samples_give_a_finite_change_or_none(data in proptest::collection::vec(any::<f64>(), 0..200)) {
            if let Some(trend) = LaunchTrend::of(&data).and_then(|launch| trend(&[launch; 5])) {
                prop_assert!(trend.change.is_finite());
            }
        }
    }
}
