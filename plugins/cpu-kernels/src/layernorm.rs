//! Inside the plugin: `layernorm`, the normalising layer of a transformer.

use dyno_sdk::prelude::*;

use crate::{
    buffers::Arrays,
    check, input,
    simd::{reduce, sum_error, widest},
};

/// Added to the variance, as usual in transformers.
const TINY: f32 = 1e-5;

#[derive(Params)]
pub(crate) struct LayerNormParams {
    /// Rows, each normalised by itself
    #[param(default = 128, min = 1, max = 1_048_576)]
    rows: usize,
    /// Length of a row
    #[param(default = 768, min = 1, max = 1_048_576, unit = "elements")]
    columns: usize,
}

/// Layer normalisation of each row of an f32 matrix, with scale and shift
#[benchmark(name = "layernorm", category = "neural-network", hardware = ["cpu"], tags = ["layer"])]
pub(crate) struct LayerNorm {
    /// Input, scale, shift and output.
    arrays: Arrays<f32, 4>,
}

impl Benchmark for LayerNorm {
    type Params = LayerNormParams;

    fn setup(params: LayerNormParams, context: &Context) -> Result<Self, Failure> {
        let LayerNormParams { rows, columns } = params;
        input::fits("layernorm", rows as f64 * columns as f64 * 8.0)?;
        let mut rng = rng(context.seed());
        let mut arrays = Arrays::new([rows * columns, columns, columns, rows * columns]);
        let [input, scale, shift, _] = arrays.all_mut();
        for array in [input, scale, shift] {
            input::signed(&mut rng, array);
        }
        Ok(Self { arrays })
    }

    fn verify(&mut self, _: &Context) -> Result<(), Failure> {
        self.execute(1)?;
        let [input, scale, shift, output] = self.arrays.all();
        check(input, scale, shift, output)
    }

    fn execute(&mut self, iterations: u64) -> Result<Report, Failure> {
        let [input, scale, shift, output] = self.arrays.all_mut();
        widest(
            #[inline(always)]
            || {
                for _ in 0..iterations {
                    normalise(
                        black_box(&*input),
                        black_box(&*scale),
                        black_box(&*shift),
                        black_box(&mut *output),
                    );
                }
            },
        );
        let elements = iterations as f64 * input.len() as f64;
        Ok(Report::new().items(elements).bytes(elements * 8.0).checksum(check::checksum(output)))
    }
}

#[inline(always)]
fn normalise(input: &[f32], scale: &[f32], shift: &[f32], output: &mut [f32]) {
    let columns = scale.len();
    let count = columns as f32;
    for (from, to) in input.chunks_exact(columns).zip(output.chunks_exact_mut(columns)) {
        let mean = reduce(from, 0.0, |a, b| a + b, |a, b| a + b) / count;
        let square = |sum, x: f32| sum + (x - mean) * (x - mean);
        let variance = reduce(from, 0.0, square, |a, b| a + b) / count;
        let inverse = 1.0 / (variance + TINY).sqrt();
        for (((to, from), scale), shift) in to.iter_mut().zip(from).zip(scale).zip(shift) {
            *to = (from - mean) * inverse * scale + shift;
        }
    }
}

/// In `f64`, with the variance as the mean of the squares less the square of the mean.
fn check(input: &[f32], scale: &[f32], shift: &[f32], output: &[f32]) -> Result<(), Failure> {
    let columns = scale.len();
    for (row, (from, to)) in input.chunks_exact(columns).zip(output.chunks_exact(columns)).enumerate() {
        let wide = || from.iter().rev().map(|x| f64::from(*x));
        let mean = wide().sum::<f64>() / columns as f64;
        let variance = wide().map(|x| x * x).sum::<f64>() / columns as f64 - mean * mean;
        let deviation = (variance.max(0.0) + f64::from(TINY)).sqrt();
        for (i, got) in to.iter().enumerate() {
            let expected =
                (f64::from(from[i]) - mean) / deviation * f64::from(scale[i]) + f64::from(shift[i]);
            check::close(
                || format!("row {row}, column {i}"),
                f64::from(*got),
                expected,
                tolerance(columns, deviation),
            )?;
        }
    }
    Ok(())
}

/// Rounding of the mean is divided by the deviation, which is small only for rows of a few elements.
fn tolerance(columns: usize, deviation: f64) -> f64 {
    f64::from(f32::EPSILON) * (16.0 + 4.0 / deviation) + sum_error(columns) * (1.0 + 1.0 / deviation)
}

#[cfg(test)]
mod tests {
    use dyno_sdk::testing;

    use super::*;

    #[test]
    fn every_shape_is_right() {
        for (rows, columns) in [(1, 1), (3, 2), (2, 33), (5, 1000), (1, 100_000)] {
            testing::run::<LayerNorm>(LayerNormParams { rows, columns }, 2).unwrap();
        }
    }

    #[test]
    fn a_wrong_element_and_nan_are_found() {
        let mut layer =
            LayerNorm::setup(LayerNormParams { rows: 3, columns: 50 }, &testing::context(9)).unwrap();
        layer.verify(&testing::context(9)).unwrap();
        let [input, scale, shift, output] = layer.arrays.all_mut();
        let right = output[149];
        for wrong in [right + 1e-4, f32::NAN] {
            output[149] = wrong;
            let failure = check(input, scale, shift, output).unwrap_err();
            assert!(failure.message().starts_with("row 2, column 49"), "{failure}");
        }
    }
}
