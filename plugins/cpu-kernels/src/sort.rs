//! Inside the plugin: `sort`, which destroys its input, so that every iteration needs a fresh one.

use std::collections::BinaryHeap;

use dyno_sdk::prelude::*;

use crate::{buffers::Arrays, check, input};

#[derive(Params)]
pub(crate) struct SortParams {
    /// Length of the array
    #[param(default = 10_000, min = 1, max = 16_777_216, unit = "elements")]
    n: usize,
    /// Algorithm of the standard library: `unstable` (ipnsort) or `stable` (driftsort)
    #[param(default = "unstable")]
    algorithm: Algorithm,
    /// Order of the input: `random`, `sorted`, `reversed`, or `few_values` (16 different ones, at random)
    #[param(default = "random")]
    order: Order,
}

#[derive(ParamEnum, Clone, Copy, PartialEq)]
pub(crate) enum Algorithm {
    Unstable,
    Stable,
}

#[derive(ParamEnum, Clone, Copy, PartialEq)]
pub(crate) enum Order {
    Random,
    Sorted,
    Reversed,
    FewValues,
}

/// Sorts an array of 64-bit integers by the standard library, another array in each iteration
#[benchmark(name = "sort", category = "data-processing", hardware = ["cpu"], tags = ["branches"])]
pub(crate) struct Sort {
    params: SortParams,
    seed: u64,
    /// The arrays of the coming sample, one after the other.
    arrays: Arrays<u64, 1>,
    fresh: bool,
}

impl Benchmark for Sort {
    type Params = SortParams;

    fn setup(params: SortParams, context: &Context) -> Result<Self, Failure> {
        Ok(Self { params, seed: context.seed(), arrays: Arrays::new([0]), fresh: false })
    }

    fn verify(&mut self, _: &Context) -> Result<(), Failure> {
        self.prepare(1)?;
        let before = self.arrays.all()[0].to_vec();
        self.execute(1)?;
        check(&before, self.arrays.all()[0])
    }

    /// Array i is the same in every sample of the case, and different from its neighbours, so that the branch
    /// predictor cannot learn one by heart.
    fn prepare(&mut self, iterations: u64) -> Result<(), Failure> {
        let SortParams { n, order, .. } = self.params;
        let what = format!("sort: the input of {iterations} iterations with n={n}");
        input::fits(&what, iterations as f64 * n as f64 * size_of::<u64>() as f64)?;
        let length = iterations as usize * n;
        if self.arrays.all()[0].len() != length {
            // The old block goes first: two may be more than there is.
            self.arrays = Arrays::new([0]);
            self.arrays = Arrays::new([length]);
        }
        let mut rng = rng(self.seed);
        let [arrays] = self.arrays.all_mut();
        for array in arrays.chunks_exact_mut(n) {
            fill(array, order, &mut rng);
        }
        self.fresh = true;
        Ok(())
    }

    fn execute(&mut self, iterations: u64) -> Result<Report, Failure> {
        let n = self.params.n;
        let [arrays] = self.arrays.all_mut();
        if !std::mem::take(&mut self.fresh) || arrays.len() as u64 != iterations * n as u64 {
            return Err(Failure::error(format!(
                "sort: execute({iterations}) needs fresh input from prepare({iterations}) just before"
            )));
        }
        for array in black_box(&mut *arrays).chunks_exact_mut(n) {
            match self.params.algorithm {
                Algorithm::Unstable => array.sort_unstable(),
                Algorithm::Stable => array.sort(),
            }
        }
        black_box(&*arrays);
        let elements = iterations as f64 * n as f64;
        let checksum = check::spread(arrays.len(), 16).fold(0, |sum: u64, i| sum.rotate_left(7) ^ arrays[i]);
        Ok(Report::new().items(elements).bytes(elements * size_of::<u64>() as f64).checksum(checksum))
    }
}

fn fill(array: &mut [u64], order: Order, rng: &mut Rng) {
    let n = array.len() as u64;
    // Small enough for a sum of n of them, large enough to make every step of a sequence different.
    let step = u64::from(u32::MAX);
    for (i, value) in (0..n).zip(array) {
        *value = match order {
            Order::Random => rng.next_u64(),
            Order::Sorted => i * step + rng.below(step),
            Order::Reversed => (n - i) * step + rng.below(step),
            Order::FewValues => rng.below(16),
        };
    }
}

/// Against another algorithm: a heap.
fn check(before: &[u64], after: &[u64]) -> Result<(), Failure> {
    let expected = BinaryHeap::from(before.to_vec()).into_sorted_vec();
    check::same("length of the sorted array", &after.len(), &expected.len())?;
    match after.iter().zip(&expected).position(|(got, expected)| got != expected) {
        None => Ok(()),
        Some(i) => check::same(&format!("element {i} of the sorted array"), &after[i], &expected[i]),
    }
}

#[cfg(test)]
mod tests {
    use dyno_sdk::testing;

    use super::*;

    #[test]
    fn every_algorithm_and_order_is_right() {
        for algorithm in [Algorithm::Unstable, Algorithm::Stable] {
            for order in [Order::Random, Order::Sorted, Order::Reversed, Order::FewValues] {
                for n in [1, 2, 21, 1000] {
                    testing::run::<Sort>(SortParams { n, algorithm, order }, 3).unwrap();
                }
            }
        }
    }

    #[test]
    fn orders_are_what_they_say() {
        let filled = |order| {
            let mut array = [0; 200];
            fill(&mut array, order, &mut rng(1));
            array
        };
        assert!(filled(Order::Sorted).is_sorted_by(|a, b| a < b));
        assert!(filled(Order::Reversed).is_sorted_by(|a, b| a > b));
        assert!(!filled(Order::Random).is_sorted());
        assert!(filled(Order::FewValues).iter().all(|value| *value < 16));
    }

    #[test]
    fn sorting_twice_without_fresh_input_is_refused() {
        let params = SortParams { n: 10, algorithm: Algorithm::Stable, order: Order::Random };
        let mut sort = Sort::setup(params, &testing::context(1)).unwrap();
        sort.prepare(4).unwrap();
        assert!(sort.execute(3).is_err());
        sort.prepare(4).unwrap();
        let first = sort.execute(4).unwrap();
        assert!(sort.execute(4).is_err());
        sort.prepare(4).unwrap();
        assert_eq!(sort.execute(4).unwrap(), first);
    }

    #[test]
    fn input_that_does_not_fit_is_refused() {
        let params = SortParams { n: 16_777_216, algorithm: Algorithm::Stable, order: Order::Random };
        let mut sort = Sort::setup(params, &testing::context(1)).unwrap();
        let failure = sort.prepare(9).unwrap_err();
        assert!(failure.message().contains("9 iterations with n=16777216 needs 1152 MiB"), "{failure}");
    }

    #[test]
    fn a_wrong_result_is_found() {
        check(&[3, 1, 2], &[1, 2, 3]).unwrap();
        assert!(check(&[3, 1, 2], &[1, 3, 2]).unwrap_err().message().contains("element 1"));
        assert!(check(&[3, 1, 2], &[1, 2]).is_err());
    }
}
