//! Change points of a series: where the level changed and stayed changed.
//!
//! The split that parts a segment best by the energy distance (E-Divisive: Matteson & James 2014, Journal of the
//! American Statistical Association 109), searched again in both parts. Whether a split counts is decided by Welch's
//! test instead of permutations (as in Fleming et al. 2023, "Hunter"): the same answer every time, and fast. The distance
//! of all splits of a segment is found in n log n steps by keeping running sums in a Fenwick tree over ranks.

use super::{median, welch};

/// When a change counts.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct ChangeOptions {
    /// Chance of a false change point in a whole series of equal values.
    pub alpha: f64,
    /// Smallest relative change of the level. // eg: 0.01
    pub min_magnitude: f64,
    /// Points that a level must last.
    pub persistence: usize,
}

impl Default for ChangeOptions {
    fn default() -> Self {
        Self { alpha: 0.01, min_magnitude: 0.01, persistence: 3 }
    }
}

/// A change of the level.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct ChangePoint {
    /// The first point of the new level.
    pub index: usize,
    /// Median of the level before.
    pub before: f64,
    /// Median of the level after.
    pub after: f64,
    /// Welch's p of the two levels.
    pub p_value: f64,
}

impl ChangePoint {
    /// Relative change of the level; absent where the level was zero.
    #[must_use]
    pub fn effect(&self) -> Option<f64> {
        (self.before != 0.0).then(|| (self.after - self.before) / self.before.abs())
    }
}

/// The change points of a series of finite values, in order.
#[must_use]
pub fn change_points(series: &[f64], options: &ChangeOptions) -> Vec<ChangePoint> {
    // Welch's test needs two values on either side.
    let least = options.persistence.max(2);
    // Each split is the best of about this many, so the error is divided among them.
    let level = options.alpha / series.len().max(1) as f64;
    let mut cuts = vec![0, series.len()];
    let mut open = vec![(0, series.len())];
    while let Some((start, end)) = open.pop() {
        let Some(part) = series.get(start..end) else { continue };
        let Some(split) = best_split(part, least) else { continue };
        if judge(part, split, level, options.min_magnitude).is_some() {
            let middle = start + split;
            cuts.push(middle);
            open.extend([(start, middle), (middle, end)]);
        }
    }
    cuts.sort_unstable();
    cuts.dedup();
    // A cut was judged against what lay around it then: now against its neighbours alone, weakest dropped first.
    loop {
        let judged: Vec<(usize, Option<ChangePoint>)> = cuts
            .windows(3)
            .enumerate()
            .map(|(place, around)| {
                let part = &series[around[0]..around[2]];
                let found = judge(part, around[1] - around[0], level, options.min_magnitude)
                    .map(|point| ChangePoint { index: around[1], ..point });
                (place + 1, found)
            })
            .collect();
        match judged.iter().find(|(_, found)| found.is_none()) {
            Some((place, _)) => drop(cuts.remove(*place)),
            None => return judged.into_iter().filter_map(|(_, found)| found).collect(),
        }
    }
}

fn judge(part: &[f64], split: usize, level: f64, min_magnitude: f64) -> Option<ChangePoint> {
    let (left, right) = part.split_at(split);
    let (before, after) = (median(left)?, median(right)?);
    let p_value = welch(left, right)?.p_value;
    let large = (after - before).abs() > min_magnitude * before.abs();
    (p_value <= level && large).then_some(ChangePoint { index: split, before, after, p_value })
}

/// The split with the largest energy distance, weighted by the sizes of its parts.
fn best_split(part: &[f64], least: usize) -> Option<usize> {
    let n = part.len();
    if n < 2 * least {
        return None;
    }
    let ranks = ranks(part);
    // Sum of distances among all points, then among those left and right of the split as it moves.
    let mut seen = Fenwick::new(n);
    let (mut total, mut to_all) = (0.0, Vec::with_capacity(n));
    part.iter().zip(&ranks).for_each(|(value, rank)| seen.add(*rank, *value));
    for (value, rank) in part.iter().zip(&ranks) {
        let distance = seen.distances(*rank, *value);
        total += distance / 2.0;
        to_all.push(distance);
    }
    let mut left_tree = Fenwick::new(n);
    let (mut left, mut right) = (0.0, total);
    let mut best: Option<(usize, f64)> = None;
    for split in 1..n {
        let (value, rank) = (part[split - 1], ranks[split - 1]);
        let to_left = left_tree.distances(rank, value);
        left_tree.add(rank, value);
        left += to_left;
        right -= to_all[split - 1] - to_left;
        if split < least || n - split < least {
            continue;
        }
        let (a, b) = (split as f64, (n - split) as f64);
        let between = total - left - right;
        let energy = 2.0 * between / (a * b) - 2.0 * left / (a * (a - 1.0)) - 2.0 * right / (b * (b - 1.0));
        let weighted = energy * a * b / (a + b);
        if best.is_none_or(|(_, most)| weighted > most) {
            best = Some((split, weighted));
        }
    }
    best.map(|(split, _)| split)
}

fn ranks(values: &[f64]) -> Vec<usize> {
    let mut order: Vec<usize> = (0..values.len()).collect();
    order.sort_by(|a, b| values[*a].total_cmp(&values[*b]));
    let mut ranks = vec![0; values.len()];
    order.into_iter().enumerate().for_each(|(rank, index)| ranks[index] = rank);
    ranks
}

/// Counts and sums of the values at or below a rank.
struct Fenwick {
    nodes: Vec<(f64, f64)>,
    all: (f64, f64),
}

impl Fenwick {
    fn new(size: usize) -> Self {
        Self { nodes: vec![(0.0, 0.0); size + 1], all: (0.0, 0.0) }
    }

    fn add(&mut self, rank: usize, value: f64) {
        let mut node = rank + 1;
        while let Some((count, sum)) = self.nodes.get_mut(node) {
            *count += 1.0;
            *sum += value;
            node += node & node.wrapping_neg();
        }
        self.all = (self.all.0 + 1.0, self.all.1 + value);
    }

    /// Sum of the distances from `value` to every value in the tree.
    fn distances(&self, rank: usize, value: f64) -> f64 {
        let (mut count, mut sum) = (0.0, 0.0);
        let mut node = rank + 1;
        while node > 0 {
            let (more, added) = self.nodes[node];
            count += more;
            sum += added;
            node -= node & node.wrapping_neg();
        }
        value * count - sum + (self.all.1 - sum) - value * (self.all.0 - count)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use rand::{RngExt, SeedableRng};
    use rand_pcg::Pcg64Mcg;

    use super::*;

    /// Levels of so many points each, with noise of 1 %.
    fn series(levels: &[(f64, usize)], seed: u64) -> Vec<f64> {
        let mut random = Pcg64Mcg::seed_from_u64(seed);
        levels
            .iter()
            .flat_map(|(level, count)| vec![*level; *count])
            .map(|level| level * (1.0 + 0.01 * (random.random::<f64>() + random.random::<f64>() - 1.0)))
            .collect()
    }

    fn indices(series: &[f64]) -> Vec<usize> {
        change_points(series, &ChangeOptions::default()).iter().map(|point| point.index).collect()
    }

    #[test]
    fn steps_are_found_where_they_are() {
        assert_eq!(indices(&series(&[(100.0, 30), (105.0, 40)], 1)), [30]);
        assert_eq!(indices(&series(&[(100.0, 20), (110.0, 20), (100.0, 20)], 2)), [20, 40]);
        let found = change_points(&series(&[(100.0, 30), (90.0, 30)], 3), &ChangeOptions::default());
        assert!((found[0].effect().unwrap() + 0.1).abs() < 0.005, "{found:?}");
    }

    #[test]
    fn one_odd_point_and_small_steps_are_none() {
        let mut odd = series(&[(100.0, 60)], 4);
        odd[30] = 300.0;
        assert!(indices(&odd).is_empty());
        assert!(indices(&series(&[(100.0, 200), (100.5, 200)], 5)).is_empty(), "below the magnitude");
    }

    #[test]
    fn noise_alone_rarely_has_one() {
        let wrong = (0..300).filter(|seed| !indices(&series(&[(100.0, 100)], *seed)).is_empty()).count();
        assert!(wrong <= 3, "{wrong} of 300");
    }

    #[test]
    fn the_fast_energy_is_the_slow_one() {
        let part = series(&[(100.0, 9), (104.0, 13)], 6);
        let sum = |a: &[f64], b: &[f64]| -> f64 {
            a.iter().flat_map(|x| b.iter().map(move |y| (x - y).abs())).sum()
        };
        let slow = (3..part.len() - 2).max_by(|one, other| {
            let energy = |split: usize| {
                let (l, r) = part.split_at(split);
                let (a, b) = (l.len() as f64, r.len() as f64);
                let mean =
                    2.0 * sum(l, r) / (a * b) - sum(l, l) / (a * (a - 1.0)) - sum(r, r) / (b * (b - 1.0));
                mean * a * b / (a + b)
            };
            energy(*one).total_cmp(&energy(*other))
        });
        assert_eq!(best_split(&part, 3), slow);
    }

    proptest! {
        #[test]
        fn any_series_has_ordered_points_inside(values in proptest::collection::vec(-1e6..1e6f64, 0..80)) {
            let found = indices(&values);
            prop_assert!(found.windows(2).all(|pair| pair[0] < pair[1]));
            prop_assert!(found.iter().all(|index| *index >= 2 && *index < values.len()));
        }
    }
}
