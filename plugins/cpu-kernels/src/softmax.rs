//! Inside the plugin: `softmax`, the exponential layer of attention and classification.

use dyno_sdk::prelude::*;

use crate::{
    buffers::Arrays,
    check, input,
    simd::{reduce, sum_error, widest},
};

#[derive(Params)]
pub(crate) struct SoftmaxParams {
    /// Rows, each normalised by itself
    #[param(default = 64, min = 1, max = 1_048_576)]
    rows: usize,
    /// Length of a row
    #[param(default = 1024, min = 1, max = 1_048_576, unit = "elements")]
    columns: usize,
}

/// Softmax of each row of an f32 matrix, shifted by the largest element
#[benchmark(name = "softmax", category = "neural-network", hardware = ["cpu"], tags = ["layer"])]
pub(crate) struct Softmax {
    columns: usize,
    /// Input and output.
    matrices: Arrays<f32, 2>,
}

impl Benchmark for Softmax {
    type Params = SoftmaxParams;

    fn setup(params: SoftmaxParams, context: &Context) -> Result<Self, Failure> {
        let SoftmaxParams { rows, columns } = params;
        input::fits("softmax", rows as f64 * columns as f64 * 8.0)?;
        let mut matrices = Arrays::new([rows * columns; 2]);
        let [input, _] = matrices.all_mut();
        input::signed(&mut rng(context.seed()), input);
        // The range of real logits: some outputs are near one, many are tiny.
        input.iter_mut().for_each(|x| *x *= 12.0);
        Ok(Self { columns, matrices })
    }

    fn verify(&mut self, _: &Context) -> Result<(), Failure> {
        self.execute(1)?;
        let [input, output] = self.matrices.all();
        check(self.columns, input, output)
    }

    fn execute(&mut self, iterations: u64) -> Result<Report, Failure> {
        let Self { columns, matrices } = self;
        let [input, output] = matrices.all_mut();
        widest(
            #[inline(always)]
            || {
                for _ in 0..iterations {
                    softmax(*columns, black_box(&*input), black_box(&mut *output));
                }
            },
        );
        let elements = iterations as f64 * input.len() as f64;
        Ok(Report::new().items(elements).bytes(elements * 8.0).checksum(check::checksum(output)))
    }
}

#[inline(always)]
fn softmax(columns: usize, input: &[f32], output: &mut [f32]) {
    let larger = |a: f32, b: f32| if b > a { b } else { a };
    for (from, to) in input.chunks_exact(columns).zip(output.chunks_exact_mut(columns)) {
        let largest = reduce(from, f32::NEG_INFINITY, larger, larger);
        for (to, from) in to.iter_mut().zip(from) {
            *to = exp(*from - largest);
        }
        let scale = 1.0 / reduce(to, 0.0, |a, b| a + b, |a, b| a + b);
        to.iter_mut().for_each(|to| *to *= scale);
    }
}

/// e to the power of x, for x up to 0, to about three units in the last place. Without a branch or a call, so that
/// the compiler can put it into vectors, which it cannot do with [`f32::exp`].
#[inline(always)]
fn exp(x: f32) -> f32 {
    /// Adding it leaves a float's integer part in the lowest bits of its representation.
    const ROUND: f32 = 12_582_912.0;
    /// ln 2 in two parts; the first has so few digits that its product with a small integer is exact.
    const LN_2_HIGH: f32 = 0.693_359_4;
    const LN_2_LOW: f32 = (std::f64::consts::LN_2 - LN_2_HIGH as f64) as f32;
    // Below -87 the result would be subnormal; softmax has no use for it.
    let x = if x < -87.0 { -87.0 } else { x };
    let shifted = x * std::f32::consts::LOG2_E + ROUND;
    let power = shifted - ROUND;
    let r = (x - power * LN_2_HIGH) - power * LN_2_LOW;
    // The Taylor series: |r| is at most ln 2 / 2, so that the first term left out is below 6e-9.
    let mut series = 1.0 / 5040.0;
    for inverse in [1.0 / 720.0, 1.0 / 120.0, 1.0 / 24.0, 1.0 / 6.0, 0.5, 1.0, 1.0] {
        series = series * r + inverse;
    }
    // Multiplies by 2 to the power: the integer is added to the exponent, and what ROUND put above it is shifted out.
    f32::from_bits(series.to_bits().wrapping_add(shifted.to_bits() << 23))
}

/// The definition with the library's `exp` in `f64`, from the last column to the first.
fn check(columns: usize, input: &[f32], output: &[f32]) -> Result<(), Failure> {
    let tolerance = 4e-6 + sum_error(columns);
    for (row, (from, to)) in input.chunks_exact(columns).zip(output.chunks_exact(columns)).enumerate() {
        let largest = from.iter().fold(f64::MIN, |a, b| a.max(f64::from(*b)));
        let terms: Vec<f64> = from.iter().map(|x| (f64::from(*x) - largest).exp()).collect();
        let sum: f64 = terms.iter().rev().sum();
        for (column, (got, term)) in to.iter().zip(terms).enumerate() {
            let expected = term / sum;
            let what = || format!("row {row}, column {column}");
            check::close(what, f64::from(*got), expected, expected * tolerance + 1e-35)?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use dyno_sdk::testing;

    use super::*;

    #[test]
    fn exp_is_right_over_its_whole_range() {
        let mut worst = 0.0f64;
        for i in 0..=870_000 {
            let x = i as f32 * -1e-4;
            let expected = f64::from(x).exp();
            worst = worst.max((f64::from(exp(x)) / expected - 1.0).abs());
        }
        assert!(worst < 3.0 * f64::from(f32::EPSILON), "{worst:e}");
        assert_eq!(exp(0.0), 1.0);
        assert!(exp(f32::NEG_INFINITY) < 1e-37);
    }

    #[test]
    fn every_shape_is_right() {
        for (rows, columns) in [(1, 1), (3, 7), (2, 64), (5, 1000), (1, 100_000)] {
            testing::run::<Softmax>(SoftmaxParams { rows, columns }, 2).unwrap();
        }
    }

    #[test]
    fn a_wrong_element_and_nan_are_found() {
        let input = [1.0, 2.0, 3.0, 4.0];
        let mut output = [0.0; 4];
        softmax(2, &input, &mut output);
        check(2, &input, &output).unwrap();
        let right = output[3];
        for wrong in [right * 1.0001, f32::NAN] {
            output[3] = wrong;
            assert!(check(2, &input, &output).unwrap_err().message().contains("row 1, column 1"));
        }
    }

    #[test]
    fn rows_times_columns_is_bounded() {
        let params = SoftmaxParams { rows: 1_048_576, columns: 1_048_576 };
        assert!(testing::run::<Softmax>(params, 1).unwrap_err().message().starts_with("softmax needs"));
    }
}
