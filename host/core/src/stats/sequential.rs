//! Deciding while pairs of launches still come in, without raising the error by looking early.
//!
//! Two designs. *Group-sequential*: t intervals at looks that are fixed in advance, each with a share of the error
//! (Bonferroni, so the sum is a bound whatever the correlation of the looks). *Confidence sequence*: the normal-mixture
//! boundary of Robbins, as in Howard, Ramdas, McAuliffe & Sekhon 2021 (Annals of Statistics 49), valid at every pair at
//! once, if the noise of this machine and benchmark is known from an A/A comparison.

use rand::{RngExt, SeedableRng, seq::SliceRandom};
use rand_pcg::Pcg64Mcg;

use super::welch::t_quantile;
use crate::model::{PairEffect, Verdict};

/// Pairs after which the group-sequential design looks, and the share of the chance of a false alarm that each look may
/// use. The last ones are for noisy cases with budget left: what is quiet is decided by the first.
pub const LOOKS: [(usize, f64); 7] =
    [(6, 0.2), (10, 0.2), (14, 0.1), (20, 0.1), (32, 0.15), (50, 0.15), (80, 0.1)];

/// The same if pairs are so expensive that the budget allows few: with four, the spread is hardly known and the
/// interval wide, but a change of several per cent is found.
pub const EARLY_LOOKS: [(usize, f64); 8] =
    [(4, 0.3), (5, 0.15), (6, 0.15), (8, 0.1), (10, 0.1), (14, 0.1), (20, 0.05), (32, 0.05)];

/// The mixture's variance in units of the effects' variance: small, so that the boundary is tight for many pairs.
const RHO_SQUARED: f64 = 0.25;
/// The stored variance is taken a little larger than it was: it is an estimate.
const CAUTION: f64 = 1.15;
/// Pairs before which the confidence sequence is not looked at: fewer hardly show their own spread, which may be larger than
/// that of equal builds. The two sides of those run the same code on the same input, so what an input does to one build and
/// not to the other is not in their variance.
const FIRST_LOOK: usize = 6;

/// How a decision is made.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Rule {
    /// Looks after fixed numbers of pairs.
    GroupSequential {
        /// Chance of a false alarm over all looks.
        alpha: f64,
    },
    /// Looks after fixed numbers of pairs that begin early, for pairs that are expensive.
    FewPairs {
        /// Chance of a false alarm over all looks.
        alpha: f64,
    },
    /// A look after every pair, with the variance of an earlier A/A comparison.
    ConfidenceSequence {
        /// Variance of the effects of pairs of equal sides.
        variance: f64,
        /// Chance of a false alarm over all looks.
        alpha: f64,
    },
}

impl Rule {
    /// Its word in results.
    #[must_use]
    pub fn word(&self) -> &'static str {
        match self {
            Self::GroupSequential { .. } => "group-sequential",
            Self::FewPairs { .. } => "group-sequential, early",
            Self::ConfidenceSequence { .. } => "confidence-sequence",
        }
    }

    /// Chance of a false alarm over all looks.
    #[must_use]
    pub fn alpha(&self) -> f64 {
        match self {
            Self::GroupSequential { alpha }
            | Self::FewPairs { alpha }
            | Self::ConfidenceSequence { alpha, .. } => *alpha,
        }
    }

    /// The same rule with another chance of a false alarm.
    #[must_use]
    pub fn with_alpha(self, alpha: f64) -> Self {
        match self {
            Self::GroupSequential { .. } => Self::GroupSequential { alpha },
            Self::FewPairs { .. } => Self::FewPairs { alpha },
            Self::ConfidenceSequence { variance, .. } => Self::ConfidenceSequence { variance, alpha },
        }
    }

    /// The rule for an independent repetition of an alarm, where so many cases are judged together.
    ///
    /// That one of `m` equal cases alarms twice, the same way, has a chance of at most `m · α · α₂ / 2`: half of α.
    #[must_use]
    pub fn repetition(self, cases: usize) -> Self {
        self.with_alpha(self.alpha().min(1.0 / cases.max(1) as f64))
    }

    /// Pairs that suffice for any decision that this rule can make; more would not be looked at.
    #[must_use]
    pub fn most_pairs(&self) -> Option<usize> {
        self.looks()?.last().map(|(pairs, _)| *pairs)
    }

    /// Pairs before its first look: with fewer, nothing can be said.
    #[must_use]
    pub fn first_look(&self) -> usize {
        self.looks().and_then(|looks| looks.first()).map_or(FIRST_LOOK, |(pairs, _)| *pairs)
    }

    /// Its looks, where they are fixed in advance.
    fn looks(&self) -> Option<&'static [(usize, f64)]> {
        match self {
            Self::GroupSequential { .. } => Some(&LOOKS),
            Self::FewPairs { .. } => Some(&EARLY_LOOKS),
            Self::ConfidenceSequence { .. } => None,
        }
    }

    /// The latest look at this number of pairs, and its share of the chance of a false alarm.
    fn latest_look(&self, pairs: usize) -> Option<(usize, f64)> {
        self.looks()?.iter().rev().copied().find(|(look, _)| *look <= pairs)
    }

    /// The rule for a case, given the number of pairs that its budget pays for. Choose it by the cost of pairs, never by their
    /// effects.
    #[must_use]
    pub fn for_budget(self, affordable_pairs: f64) -> Self {
        match self {
            rule if affordable_pairs < FEW_PAIRS => Self::FewPairs { alpha: rule.alpha() },
            rule => rule,
        }
    }
}

/// With fewer pairs than this in the budget, looks begin early. From here on two looks of the other rule have room, each of which
/// finds more than a look at so few pairs.
const FEW_PAIRS: f64 = 8.0;

/// Which side goes first in each of `twos` neighbouring slices of a pair: true for the candidate. Balanced in blocks of
/// two (ABBA or BAAB), so that drift within a block cancels.
#[must_use]
pub fn slice_order(seed: u64, pair: u64, twos: usize) -> Vec<bool> {
    // Spread by the golden ratio, so that neighbouring pairs do not get similar seeds.
    let mut random = Pcg64Mcg::seed_from_u64(seed ^ pair.wrapping_mul(0x9e37_79b9_7f4a_7c15));
    let mut order = Vec::with_capacity(twos + 1);
    while order.len() < twos {
        let first = random.random::<bool>();
        order.extend([first, !first]);
    }
    order.truncate(twos);
    order
}

/// The order of `count` things, by chance.
#[must_use]
pub fn shuffled(seed: u64, round: u64, count: usize) -> Vec<usize> {
    let mut random = Pcg64Mcg::seed_from_u64(seed.rotate_left(17) ^ round);
    let mut order: Vec<usize> = (0..count).collect();
    order.shuffle(&mut random);
    order
}

/// Which side a pair starts first: true for the candidate. By chance, but in every two pairs once each.
#[must_use]
pub fn candidate_first(seed: u64, pair: u64) -> bool {
    (slice_order(seed.rotate_left(32), pair / 2, 1) == [true]) ^ (pair % 2 == 1)
}

/// The difference as estimated from pairs, without the advantage of starting first.
///
/// The worker that starts first may get better memory than the other: measured here, 9 % on a walk over 64 MiB. So the
/// model is `effect = difference ± advantage + noise`, by least squares; the sign is random and balanced.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Estimate {
    /// The difference.
    pub effect: f64,
    /// Variance of the noise of a pair, where the error of the effect is as for a mean of so many pairs; absent while
    /// nothing is left to tell it from.
    pub variance: Option<f64>,
    /// Degrees of freedom of that variance.
    pub degrees: f64,
    /// As many balanced pairs would give the same error.
    pub pairs: f64,
}

/// Pairs from which on the extreme ones are trimmed: with fewer, what trimming costs in degrees of freedom is more than
/// what it gains.
const TRIM_FROM: usize = 20;
/// Share of the pairs that is trimmed at either end.
const TRIM: f64 = 0.2;

/// The estimate from these pairs; `None` without any.
///
/// From twenty pairs on it is the trimmed mean with the error of Yuen 1974 (Biometrika 61), for each order of
/// starting: a neighbour on the machine that comes or goes within a pair makes effects of ten per cent and more out of
/// nothing, and a mean would need many pairs to forget one.
#[must_use]
pub fn estimate(pairs: &[PairEffect]) -> Option<Estimate> {
    let trim = if pairs.len() >= TRIM_FROM { TRIM } else { 0.0 };
    let group = |first: bool| {
        let of_group = pairs.iter().filter(|pair| pair.candidate_first == first);
        Group::new(of_group.map(|pair| pair.effect).collect(), trim)
    };
    let (pairs, groups): (f64, Vec<Group>) = match (group(true), group(false)) {
        // Twice the harmonic mean of the groups, which is the number of pairs if the groups are equal.
        (Some(a), Some(b)) => (4.0 / (1.0 / a.count + 1.0 / b.count), vec![a, b]),
        (a, b) => {
            let only = a.or(b)?;
            (only.count, vec![only])
        }
    };
    let count = groups.len() as f64;
    let effect = groups.iter().map(|group| group.mean).sum::<f64>() / count;
    let degrees: f64 = groups.iter().map(|group| group.kept - 1.0).sum();
    let squares: f64 = groups.iter().map(|group| group.squares).sum();
    let per_kept = groups.iter().map(|group| 1.0 / group.kept).sum::<f64>() / (count * count);
    let variance = (degrees > 0.0).then(|| squares / degrees * per_kept * pairs);
    Some(Estimate { effect, variance, degrees, pairs })
}

/// The pairs in which the same side started first.
struct Group {
    count: f64,
    /// Number of pairs left after trimming the extreme ones.
    kept: f64,
    /// Mean of those.
    mean: f64,
    /// Squared distances of all of them, the extreme ones moved in to the last that is kept, from their mean.
    squares: f64,
}

impl Group {
    fn new(mut effects: Vec<f64>, trim: f64) -> Option<Self> {
        effects.sort_unstable_by(f64::total_cmp);
        let count = effects.len();
        let cut = (count as f64 * trim) as usize;
        let kept = effects.get(cut..count - cut)?;
        let (low, high) = (*kept.first()?, *kept.last()?);
        let mean_of = |values: &[f64]| values.iter().sum::<f64>() / values.len() as f64;
        let mean = mean_of(kept);
        let moved_in: Vec<f64> = effects.iter().map(|effect| effect.clamp(low, high)).collect();
        let middle = mean_of(&moved_in);
        let squares = moved_in.iter().map(|effect| (effect - middle).powi(2)).sum();
        Some(Self { count: count as f64, kept: kept.len() as f64, mean, squares })
    }
}

/// The state of knowledge after some pairs. Effects are logarithms of ratios.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Standing {
    /// Mean of the effects.
    pub effect: f64,
    /// Half-width of the interval on it, with the error of all looks so far counted.
    pub half_width: f64,
    /// Chance that the interval misses, as the rule counts it.
    pub alpha: f64,
}

/// The interval of the rule after these effects: at its latest look, or `None` before the first.
#[must_use]
pub fn standing(rule: Rule, effects: &[PairEffect]) -> Option<Standing> {
    match rule {
        Rule::GroupSequential { alpha } | Rule::FewPairs { alpha } => {
            let (pairs, share) = rule.latest_look(effects.len())?;
            let alpha = alpha * share;
            let seen = estimate(effects.get(..pairs)?)?;
            let error = (seen.variance? / seen.pairs).sqrt();
            let half_width = t_quantile(1.0 - alpha / 2.0, seen.degrees) * error;
            Some(Standing { effect: seen.effect, half_width, alpha })
        }
        Rule::ConfidenceSequence { variance, alpha } => {
            let seen = estimate(effects).filter(|_| effects.len() >= FIRST_LOOK)?;
            let own = seen.variance?;
            let known = CAUTION * variance;
            let by_mixture = radius(known.max(own).sqrt(), seen.pairs, alpha);
            // Pairs that differ more than those of equal builds are not like them: only their own spread counts, by Student's t,
            // with shares of the chance of an error that add up to all of it, however many looks there are.
            let by_own = if own > known {
                let look = (effects.len() - FIRST_LOOK + 1) as f64;
                let share = alpha / (look * (look + 1.0));
                t_quantile(1.0 - share / 2.0, seen.degrees) * (own / seen.pairs).sqrt()
            } else {
                0.0
            };
            Some(Standing { effect: seen.effect, half_width: by_mixture.max(by_own), alpha })
        }
    }
}

/// Whether other pairs contradict an alarm: their t interval, with that chance to miss, where nothing in it is such a
/// change. They need not find the change again, and may find a smaller one.
#[must_use]
pub fn contradiction(
    alarm: Verdict,
    others: &[PairEffect],
    threshold: f64,
    alpha: f64,
) -> Option<(f64, f64)> {
    let seen = estimate(others)?;
    let half_width = t_quantile(1.0 - alpha / 2.0, seen.degrees) * (seen.variance? / seen.pairs).sqrt();
    let (low, high) = (seen.effect - half_width, seen.effect + half_width);
    let contradicts = match alarm {
        Verdict::Regressed => high < threshold.ln_1p(),
        Verdict::Improved => low > (-threshold.min(0.999)).ln_1p(),
        Verdict::Equivalent | Verdict::Inconclusive => false,
    };
    contradicts.then_some((low, high))
}

/// The boundary of the normal mixture after `n` pairs.
fn radius(sigma: f64, n: f64, alpha: f64) -> f64 {
    let grown = n * RHO_SQUARED + 1.0;
    sigma * (2.0 * grown / (n * n * RHO_SQUARED) * (grown.sqrt() / alpha).ln()).sqrt()
}

/// The verdict on times (more is worse) once there is one: the interval lies beyond the threshold, or inside it.
#[must_use]
pub fn verdict(standing: Standing, threshold: f64) -> Option<Verdict> {
    let (low, high) = (standing.effect - standing.half_width, standing.effect + standing.half_width);
    // A time cannot fall by 100 % or more, and the logarithm would not exist.
    let (worse, better) = (threshold.ln_1p(), (-threshold.min(0.999)).ln_1p());
    if low > worse {
        Some(Verdict::Regressed)
    } else if high < better {
        Some(Verdict::Improved)
    } else if low > better && high < worse {
        Some(Verdict::Equivalent)
    } else {
        None
    }
}

/// Whether an alarm is so clear that it counts without a repetition where so many cases are judged together.
///
/// Alone, any alarm is. Among others it must be one at α / 2m too, so that over all equal cases such alarms have half of
/// α, and repeated ones the other half: a suite of any size alarms wrongly with a chance of at most α.
#[must_use]
pub fn is_clear(rule: Rule, effects: &[PairEffect], threshold: f64, cases: usize) -> bool {
    let strict = rule.with_alpha(rule.alpha() / (2 * cases) as f64);
    let judged = |rule| standing(rule, effects).and_then(|standing| verdict(standing, threshold));
    cases <= 1 || matches!(judged(strict), Some(Verdict::Regressed | Verdict::Improved))
}

/// The smallest change beyond the threshold that `pairs` pairs of this spread tell from it nine times in ten.
#[must_use]
pub fn detectable(rule: Rule, std_dev: f64, pairs: usize, threshold: f64) -> Option<f64> {
    let n = pairs as f64;
    let half_width = match rule {
        Rule::GroupSequential { alpha } | Rule::FewPairs { alpha } => {
            let (look, share) = rule.latest_look(pairs)?;
            t_quantile(1.0 - alpha * share / 2.0, look as f64 - 2.0) * std_dev / (look as f64).sqrt()
        }
        Rule::ConfidenceSequence { variance, alpha } if pairs > 0 => {
            radius((CAUTION * variance).sqrt().max(std_dev), n, alpha)
        }
        Rule::ConfidenceSequence { .. } => return None,
    };
    // The 90th percentile of the normal distribution, in standard errors.
    Some((threshold.ln_1p() + half_width + 1.281_551_6 * std_dev / n.sqrt()).exp_m1())
}

#[cfg(test)]
mod tests {
    use rand::Rng;

    use super::*;

    /// A standard normal number, by the central limit of twelve uniform ones.
    fn normal(random: &mut impl Rng) -> f64 {
        (0..12).map(|_| random.random::<f64>()).sum::<f64>() - 6.0
    }

    const LOOKING: Rule = Rule::GroupSequential { alpha: 0.01 };

    /// What starting first is worth: large against the noise.
    const ADVANTAGE: f64 = 0.05;

    /// Share of comparisons that end in an alarm, and pairs taken on average.
    fn simulate(rule: Rule, effect: f64, noise: f64, threshold: f64, trials: u32) -> (f64, f64) {
        let mut random = Pcg64Mcg::seed_from_u64(11);
        let (mut alarms, mut pairs) = (0u32, 0usize);
        for trial in 0..trials {
            let mut effects = Vec::new();
            let mut end = None;
            while end.is_none() && effects.len() < rule.most_pairs().unwrap_or(20) {
                let candidate_first = candidate_first(u64::from(trial), effects.len() as u64);
                let advantage = if candidate_first { -ADVANTAGE } else { ADVANTAGE };
                effects.push(PairEffect {
                    candidate_first,
                    effect: effect + advantage + noise * normal(&mut random),
                });
                end = standing(rule, &effects).and_then(|standing| verdict(standing, threshold));
            }
            alarms += u32::from(matches!(end, Some(Verdict::Regressed | Verdict::Improved)));
            pairs += effects.len();
        }
        (f64::from(alarms) / f64::from(trials), pairs as f64 / f64::from(trials))
    }

    #[test]
    fn equal_sides_raise_no_alarm_and_different_ones_do() {
        for rule in [
            Rule::GroupSequential { alpha: 0.01 },
            Rule::FewPairs { alpha: 0.01 },
            Rule::ConfidenceSequence { variance: 0.005 * 0.005, alpha: 0.01 },
        ] {
            const TRIALS: u32 = 4_000;
            let (alarms, _) = simulate(rule, 0.0, 0.005, 0.0, TRIALS);
            let hits = (alarms * f64::from(TRIALS)).round() as u64;
            let at_least = crate::stats::lower_bound(hits, u64::from(TRIALS), 0.95);
            assert!(at_least <= 0.01, "{rule:?}: {alarms}, even with no threshold at all");
            let (power, pairs) = simulate(rule, 0.02, 0.005, 0.005, 1_000);
            assert!(power >= 0.95 && pairs < 12.0, "{rule:?}: {power} after {pairs} pairs");
        }
    }

    #[test]
    fn what_an_input_does_to_one_build_is_noise_although_equal_builds_do_not_show_it() {
        // Pairs of equal builds differ by 0.1 %, those of different ones by as much or more, as inputs go.
        for noise in [0.001, 0.0014, 0.002, 0.003, 0.04] {
            for rule in [LOOKING, Rule::ConfidenceSequence { variance: 1e-6, alpha: 0.01 }] {
                const TRIALS: u32 = 4_000;
                let (alarms, _) = simulate(rule, 0.0, noise, 0.0, TRIALS);
                let hits = (alarms * f64::from(TRIALS)).round() as u64;
                let at_least = crate::stats::lower_bound(hits, u64::from(TRIALS), 0.95);
                assert!(at_least <= 0.01, "{rule:?}, {noise}: {alarms}");
            }
        }
    }

    #[test]
    fn few_pairs_find_a_change_of_several_per_cent() {
        let rule = LOOKING.for_budget(4.5);
        assert_eq!(rule, Rule::FewPairs { alpha: 0.01 });
        assert_eq!(LOOKING.for_budget(40.0), LOOKING);
        assert!(EARLY_LOOKS.iter().map(|(_, share)| share).sum::<f64>() <= 1.0 + 1e-12);
        assert!(LOOKS.iter().map(|(_, share)| share).sum::<f64>() <= 1.0 + 1e-12);
        let found = (0..1_000u64).filter(|trial| {
            let mut random = Pcg64Mcg::seed_from_u64(*trial);
            let pair = |pair| PairEffect {
                effect: 0.05 + 0.003 * normal(&mut random),
                candidate_first: candidate_first(*trial, pair),
            };
            let effects: Vec<PairEffect> = (0..4).map(pair).collect();
            let standing = standing(rule, &effects).expect("it looks at four");
            verdict(standing, 0.005) == Some(Verdict::Regressed)
        });
        assert!(found.count() > 900, "5 % at a spread of 0.3 %");
    }

    #[test]
    fn a_few_wild_pairs_neither_alarm_nor_hide_a_change() {
        let mut random = Pcg64Mcg::seed_from_u64(5);
        let mut alarms = |effect: f64| {
            let found = (0..1_000u64).filter(|trial| {
                let effects: Vec<PairEffect> = (0..50u64)
                    .map(|pair| {
                        let wild = if random.random::<f64>() < 0.08 { 20.0 } else { 1.0 };
                        let candidate_first = candidate_first(*trial, pair);
                        PairEffect { effect: effect + wild * 0.005 * normal(&mut random), candidate_first }
                    })
                    .collect();
                let looks = LOOKS.into_iter().filter(|(pairs, _)| *pairs <= effects.len());
                looks.map(|(pairs, _)| &effects[..pairs]).any(|seen| {
                    standing(LOOKING, seen).and_then(|standing| verdict(standing, 0.0))
                        == Some(Verdict::Regressed)
                })
            });
            found.count()
        };
        assert!(alarms(0.0) <= 10, "one of a hundred at most, half of them upwards");
        assert!(alarms(0.006) >= 950, "a mean would hardly ever find it");
    }

    #[test]
    fn trimming_is_that_of_yuen() {
        // SciPy 1.17: stats.trim_mean(x, .2) and stats.ttest_ind(a, b, trim=.2, equal_var=True) of the two orders.
        let pairs: Vec<PairEffect> = (0..20)
            .map(|i| PairEffect {
                effect: f64::from(i * i % 23) + if i == 7 { 1e3 } else { 0.0 },
                candidate_first: i % 2 == 0,
            })
            .collect();
        let seen = estimate(&pairs).unwrap();
        let error = (seen.variance.unwrap() / seen.pairs).sqrt();
        assert_eq!((seen.degrees, seen.pairs), (10.0, 20.0));
        assert!((seen.effect - 9.166_666_666_666_666).abs() < 1e-12, "half of the sum of the trimmed means");
        assert!((error - 1.715_614_564_327_702_5).abs() < 1e-12, "half of their difference by its t");
    }

    #[test]
    fn among_many_cases_an_alarm_must_be_clearer() {
        let pairs = |effect: f64| -> Vec<PairEffect> {
            let noise = |pair: u32| 0.001 * (f64::from(pair % 3) - 1.0);
            let pair = |pair| PairEffect { effect: effect + noise(pair), candidate_first: pair % 2 == 0 };
            (0..6).map(pair).collect()
        };
        for rule in [LOOKING, Rule::ConfidenceSequence { variance: 1e-6, alpha: 0.01 }] {
            let clear = |effect, cases| is_clear(rule, &pairs(effect), 0.0, cases);
            assert!(clear(0.005, 1) && clear(0.1, 1_000), "{rule:?}");
            assert!((0..100).any(|at| clear(0.0001 * f64::from(at), 1) != clear(0.0001 * f64::from(at), 50)));
            let both = |cases: usize| {
                let repeated = cases as f64 * rule.alpha() * rule.repetition(cases).alpha() / 2.0;
                rule.alpha() / 2.0 + repeated
            };
            assert!([2, 50, 200, 100_000].into_iter().all(|cases| both(cases) <= rule.alpha() + 1e-15));
        }
    }

    #[test]
    fn an_alarm_is_contradicted_where_other_pairs_leave_no_room_for_it() {
        let others: Vec<PairEffect> = (0..8)
            .map(|pair| PairEffect {
                effect: 0.01 + 0.004 * (f64::from(pair / 2) - 1.5),
                candidate_first: pair % 2 == 0,
            })
            .collect();
        let (low, high) = contradiction(Verdict::Improved, &others, 0.005, 0.01).expect("it got slower");
        assert!(low < 0.01 && 0.01 < high && high < 0.03, "{low} {high}");
        let regressed = |threshold| contradiction(Verdict::Regressed, &others, threshold, 0.01);
        assert_eq!(regressed(0.005), None, "noisier pairs need not find it again");
        assert!(regressed(0.05).is_some(), "that much it is not");
        assert_eq!(contradiction(Verdict::Improved, &others[..1], 0.005, 0.01), None, "one has no spread");
    }

    #[test]
    fn the_boundary_is_that_of_the_paper() {
        // sigma 1, n 4, rho² 1/4, alpha .01: sqrt(2·2/(16/4) · ln(sqrt 2 / .01)).
        let expected = (1.0f64 * (2.0f64.sqrt() / 0.01).ln()).sqrt();
        assert!((radius(1.0, 4.0, 0.01) - expected).abs() < 1e-12);
    }

    #[test]
    fn sides_are_balanced_and_the_order_is_by_chance() {
        let order = slice_order(1, 2, 10);
        assert_eq!(order.iter().filter(|first| **first).count(), 5);
        assert!((0..20).any(|pair| slice_order(1, pair, 10) != order));
        let mut all = shuffled(1, 2, 9);
        all.sort_unstable();
        assert_eq!(all, (0..9).collect::<Vec<_>>());
    }

    #[test]
    fn between_looks_the_last_look_stands() {
        let effects: Vec<PairEffect> = (0..8)
            .map(|pair| PairEffect {
                effect: if pair < 6 { 0.01 + 0.001 * f64::from(pair) } else { 9.0 },
                candidate_first: pair % 2 == 0,
            })
            .collect();
        assert_eq!(standing(LOOKING, &effects[..5]), None);
        assert_eq!(standing(LOOKING, &effects[..6]), standing(LOOKING, &effects[..8]));
    }

    #[test]
    fn the_advantage_of_starting_first_is_taken_out() {
        let pair = |effect, candidate_first| PairEffect { effect, candidate_first };
        let found = estimate(&[pair(0.11, false), pair(-0.09, true), pair(0.11, false), pair(-0.09, true)]);
        let found = found.unwrap();
        assert!(
            (found.effect - 0.01).abs() < 1e-12 && found.variance.is_some_and(|it| it < 1e-20),
            "{found:?}"
        );
        assert_eq!((found.degrees, found.pairs), (2.0, 4.0));
        assert_eq!(estimate(&[]), None);
        assert!(estimate(&[pair(0.1, true)]).unwrap().variance.is_none());
        for block in 0..20 {
            assert_ne!(candidate_first(7, 2 * block), candidate_first(7, 2 * block + 1));
        }
    }

    #[test]
    fn verdicts_need_the_whole_interval() {
        let at = |effect: f64, half_width: f64| verdict(Standing { effect, half_width, alpha: 0.01 }, 0.01);
        assert_eq!(at(0.03, 0.01), Some(Verdict::Regressed));
        assert_eq!(at(-0.03, 0.01), Some(Verdict::Improved));
        assert_eq!(at(0.0, 0.009), Some(Verdict::Equivalent));
        assert_eq!(at(0.015, 0.01), None);
    }

    #[test]
    fn what_is_detectable_is_detected() {
        let detectable = detectable(LOOKING, 0.005, 20, 0.005).unwrap();
        let (power, _) = simulate(LOOKING, detectable.ln_1p(), 0.005, 0.005, 1_000);
        assert!(power > 0.85, "{detectable}: {power}");
    }
}
