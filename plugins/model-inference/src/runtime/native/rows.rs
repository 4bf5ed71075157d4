//! What is done row by row, compiled for the widest vectors of the processor and shared by the threads of the pool.

use pulp::Arch;
use rayon::prelude::*;

use crate::network::{Activation, Input};

/// Numbers that one task takes on: enough to outweigh handing it out.
const TASK: usize = 1 << 13;

/// Rows of a task, for rows of that length.
fn rows_per_task(columns: usize) -> usize {
    (TASK / columns).max(1)
}

/// Calls `work` with each row of `to` and its number.
fn each_row(to: &mut [f32], columns: usize, work: impl Fn(usize, &mut [f32]) + Sync) {
    let rows = rows_per_task(columns);
    to.par_chunks_mut(rows * columns).enumerate().for_each(|(task, to)| {
        Arch::new().dispatch(
            #[inline(always)]
            || {
                for (row, to) in to.chunks_exact_mut(columns).enumerate() {
                    work(task * rows + row, to);
                }
            },
        );
    });
}

/// Exchanges rows and columns.
pub(super) fn transposed(from: &[f32], rows: usize, columns: usize) -> Vec<f32> {
    // In squares that fit into the first-level cache.
    const SIDE: usize = 32;
    let mut to = vec![0.0; from.len()];
    to.par_chunks_mut(SIDE * rows).enumerate().for_each(|(block, to)| {
        for begin in (0..rows).step_by(SIDE) {
            for (i, to) in to.chunks_exact_mut(rows).enumerate() {
                for (row, to) in to.iter_mut().enumerate().skip(begin).take(SIDE) {
                    *to = from[row * columns + block * SIDE + i];
                }
            }
        }
    });
    to
}

/// The squares of images, a row each: colour after colour, as the weights of the layer have them.
pub(super) fn squares(pixels: &[f32], batch: usize, size: usize, patch: usize) -> Vec<f32> {
    let side = Input::grid(size, patch);
    let mut to = Vec::with_capacity(batch * side * side * Input::CHANNELS * patch * patch);
    for image in pixels.chunks_exact(Input::CHANNELS * size * size) {
        for (down, across) in (0..side).flat_map(|down| (0..side).map(move |across| (down, across))) {
            for plane in image.chunks_exact(size * size) {
                for row in down * patch..(down + 1) * patch {
                    let begin = row * size + across * patch;
                    to.extend_from_slice(&plane[begin..begin + patch]);
                }
            }
        }
    }
    to
}

/// The row of a table for each token.
pub(super) fn embed(to: &mut [f32], tokens: &[i64], table: &[f32], columns: usize) {
    each_row(to, columns, |row, to| {
        let begin = tokens[row] as usize * columns;
        to.copy_from_slice(&table[begin..begin + columns]);
    });
}

/// `from` plus a table that begins again at its end.
pub(super) fn add_repeating(to: &mut [f32], from: &[f32], table: &[f32]) {
    each_row(to, table.len(), |row, to| {
        let begin = row * table.len();
        for ((to, from), add) in to.iter_mut().zip(&from[begin..]).zip(table) {
            *to = from + add;
        }
    });
}

/// The sum of two values.
pub(super) fn add(to: &mut [f32], left: &[f32], right: &[f32]) {
    to.par_chunks_mut(TASK).zip(left.par_chunks(TASK).zip(right.par_chunks(TASK))).for_each(
        |(to, (left, right))| {
            Arch::new().dispatch(
                #[inline(always)]
                || to.iter_mut().zip(left).zip(right).for_each(|((to, left), right)| *to = left + right),
            );
        },
    );
}

/// A row before the `rows` rows of each item.
pub(super) fn prepend(to: &mut [f32], from: &[f32], row: &[f32], rows: usize) {
    let columns = row.len();
    for (to, from) in to.chunks_exact_mut((rows + 1) * columns).zip(from.chunks_exact(rows * columns)) {
        let (first, rest) = to.split_at_mut(columns);
        first.copy_from_slice(row);
        rest.copy_from_slice(from);
    }
}

/// The first of the `rows` rows of each item.
pub(super) fn first(to: &mut [f32], from: &[f32], rows: usize, columns: usize) {
    for (to, from) in to.chunks_exact_mut(columns).zip(from.chunks_exact(rows * columns)) {
        to.copy_from_slice(&from[..columns]);
    }
}

/// The direction of the mean of the rows of each item.
pub(super) fn mean_direction(to: &mut [f32], from: &[f32], rows: usize, columns: usize) {
    for (to, from) in to.chunks_exact_mut(columns).zip(from.chunks_exact(rows * columns)) {
        to.fill(0.0);
        for from in from.chunks_exact(columns) {
            to.iter_mut().zip(from).for_each(|(to, from)| *to += from);
        }
        let length = to.iter().map(|x| x * x).sum::<f32>().sqrt();
        to.iter_mut().for_each(|x| *x /= length);
    }
}

/// Brings each row to mean 0 and variance 1, then scales and shifts its columns.
pub(super) fn normalise(to: &mut [f32], from: &[f32], scale: &[f32], shift: &[f32], epsilon: f32) {
    let columns = scale.len();
    each_row(
        to,
        columns,
        #[inline(always)]
        |row, to| {
            let from = &from[row * columns..][..columns];
            let mean = sum(from, |x| x) / columns as f32;
            let variance = sum(from, |x| (x - mean) * (x - mean)) / columns as f32;
            let factor = 1.0 / (variance + epsilon).sqrt();
            for (((to, from), scale), shift) in to.iter_mut().zip(from).zip(scale).zip(shift) {
                *to = (from - mean) * factor * scale + shift;
            }
        },
    );
}

/// Adds the bias to each row, then applies the activation.
pub(super) fn activate(to: &mut [f32], bias: &[f32], activation: Activation) {
    let with = |to: &mut [f32], function: fn(f32) -> f32| {
        to.iter_mut().zip(bias).for_each(|(to, bias)| *to = function(*to + bias));
    };
    match activation {
        Activation::Identity => each_row(
            to,
            bias.len(),
            #[inline(always)]
            |_, to| to.iter_mut().zip(bias).for_each(|(to, bias)| *to += bias),
        ),
        Activation::Gelu => each_row(
            to,
            bias.len(),
            #[inline(always)]
            |_, to| to.iter_mut().zip(bias).for_each(|(to, bias)| *to = gelu(*to + bias)),
        ),
        Activation::Tanh => each_row(to, bias.len(), |_, to| with(to, f32::tanh)),
    }
}

/// The softmax of each row, in place. Within one thread.
pub(super) fn softmax(numbers: &mut [f32], columns: usize) {
    Arch::new().dispatch(
        #[inline(always)]
        || {
            for row in numbers.chunks_exact_mut(columns) {
                let largest = row.iter().fold(f32::MIN, |a, b| if a > *b { a } else { *b });
                row.iter_mut().for_each(|x| *x = exp(*x - largest));
                let factor = 1.0 / sum(row, |x| x);
                row.iter_mut().for_each(|x| *x *= factor);
            }
        },
    );
}

/// The sum of a function of all numbers, in partial sums that fill the widest vectors twice: float addition is not associative, and
/// the compiler must not reorder a single sum.
#[inline(always)]
fn sum(numbers: &[f32], of: impl Fn(f32) -> f32) -> f32 {
    const LANES: usize = 32;
    let mut lanes = [0.0; LANES];
    let (blocks, rest) = numbers.as_chunks::<LANES>();
    for block in blocks {
        for (lane, x) in lanes.iter_mut().zip(block) {
            *lane += of(*x);
        }
    }
    lanes.iter().sum::<f32>() + rest.iter().map(|x| of(*x)).sum::<f32>()
}

/// `eˣ` for x ≤ 0, within two units in the last place: a power of two times the Taylor series around 0.
#[inline(always)]
fn exp(x: f32) -> f32 {
    /// Adding it rounds to a whole number, in the lowest bits.
    const ROUND: f32 = 12_582_912.0;
    // log 2 in two parts: the product of the first with a whole number is exact.
    const HIGH: f32 = 0.693_359_4;
    const LOW: f32 = -2.121_944_4e-4;
    // Below, the result is no normal number.
    let x = if x < -87.0 { -87.0 } else { x };
    let whole = x * std::f32::consts::LOG2_E + ROUND;
    let power = whole - ROUND;
    let rest = x - power * HIGH - power * LOW;
    let series = 1.0 / 720.0;
    let series = series * rest + 1.0 / 120.0;
    let series = series * rest + 1.0 / 24.0;
    let series = series * rest + 1.0 / 6.0;
    let series = series * rest + 0.5;
    let series = series * rest + 1.0;
    let series = series * rest + 1.0;
    let two = f32::from_bits(whole.to_bits().wrapping_add(127) << 23);
    series * two
}

/// `x Φ(x)`, with the error function by formula 7.1.26 of Abramowitz and Stegun, whose error is below 1.5 · 10⁻⁷.
#[inline(always)]
fn gelu(x: f32) -> f32 {
    let z = x.abs() * std::f32::consts::FRAC_1_SQRT_2;
    let t = 1.0 / (1.0 + 0.327_591_1 * z);
    let series = 1.061_405_4;
    let series = series * t - 1.453_152;
    let series = series * t + 1.421_413_7;
    let series = series * t - 0.284_496_74;
    let series = series * t + 0.254_829_6;
    let erf = 1.0 - series * t * exp(-z * z);
    0.5 * (x + x.abs() * erf)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn exp_is_right_from_underflow_to_one() {
        for i in 0..=8_700 {
            let x = -0.01 * i as f32;
            let (got, expected) = (f64::from(exp(x)), f64::from(x).exp());
            assert!((got / expected - 1.0).abs() < 3e-7, "{x}: {got:e}, {expected:e}");
        }
        assert!(exp(f32::NEG_INFINITY) < 1e-37);
    }

    #[test]
    fn gelu_is_right_at_known_points() {
        // Values of x Φ(x) to seven digits, from tables of the normal distribution.
        for (x, expected) in
            [(0.0, 0.0), (1.0, 0.841_344_7), (-1.0, -0.158_655_3), (2.0, 1.954_499_7), (-3.0, -0.004_049_6)]
        {
            assert!((gelu(x) - expected).abs() < 5e-7, "{x}: {} {expected}", gelu(x));
        }
        assert_eq!(gelu(30.0), 30.0);
    }

    #[test]
    fn rows_are_what_their_definitions_say() {
        let mut to = [1.0, 2.0, 3.0, 1.0, 1.0, 1.0];
        softmax(&mut to, 3);
        let sum = (-2f64).exp() + (-1f64).exp() + 1.0;
        let expected = [(-2f64).exp() / sum, (-1f64).exp() / sum, 1.0 / sum, 1.0 / 3.0, 1.0 / 3.0, 1.0 / 3.0];
        assert!(to.iter().zip(expected).all(|(a, b)| (f64::from(*a) - b).abs() < 1e-6), "{to:?}");

        let mut to = [0.0; 4];
        normalise(&mut to, &[1.0, 3.0, 5.0, 5.0], &[2.0, 1.0], &[0.0, 7.0], 1e-12);
        assert_eq!(to, [-2.0, 8.0, 0.0, 7.0]);

        let mut to = [0.0; 2];
        mean_direction(&mut to, &[1.0, 0.0, 5.0, 8.0], 2, 2);
        assert_eq!(to, [0.6, 0.8]);
    }

    #[test]
    fn a_transposition_of_odd_sizes_loses_nothing() {
        let from: Vec<f32> = (0..33 * 70).map(|i| i as f32).collect();
        let to = transposed(&from, 33, 70);
        assert!((0..33).all(|i| (0..70).all(|j| to[j * 33 + i] == from[i * 70 + j])));
        assert_eq!(transposed(&to, 70, 33), from);
    }

    #[test]
    fn squares_have_their_colours_one_after_the_other() {
        let pixels: Vec<f32> = (0..3 * 16).map(|i| i as f32).collect();
        let to = squares(&pixels, 1, 4, 2);
        assert_eq!(to[..12], [0.0, 1.0, 4.0, 5.0, 16.0, 17.0, 20.0, 21.0, 32.0, 33.0, 36.0, 37.0]);
        assert_eq!(to[12..14], [2.0, 3.0]);
    }
}
