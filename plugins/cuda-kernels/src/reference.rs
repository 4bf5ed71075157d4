//! Inside the plugin: what the right answer is, in f64 on the CPU, and how far from it a right implementation may be.

use dyno_sdk::prelude::*;

/// Half the distance from 1 to the next f32.
const U: f64 = (f32::EPSILON / 2.0) as f64;

/// Added to the variance, as usual in transformers.
pub(crate) const TINY: f32 = 1e-5;

/// Softmax of each row.
pub(crate) fn softmax(input: &[f32], columns: usize) -> impl Iterator<Item = f64> {
    input.chunks_exact(columns).flat_map(|row| {
        let peak = row.iter().copied().fold(f32::MIN, f32::max);
        let power = move |x: &f32| (f64::from(*x) - f64::from(peak)).exp();
        let sum: f64 = row.iter().map(power).sum();
        row.iter().map(move |x| power(x) / sum)
    })
}

/// Relative error of an f32 softmax. The shifted arguments are at most 8 and rounded once, which the exponential turns
/// into a relative error of 8 roundings; itself it has 2. The sum of positive numbers adds one rounding per addition in
/// the worst case, and their square root where roundings are random; four times that is far from any real mistake.
pub(crate) fn softmax_tolerance(columns: usize) -> f64 {
    4.0 * U * (10.0 + (columns as f64).sqrt())
}

/// Layer normalisation of each row.
pub(crate) fn layernorm<'a>(
    input: &'a [f32],
    scale: &'a [f32],
    shift: &'a [f32],
) -> impl Iterator<Item = f64> + 'a {
    let columns = scale.len();
    input.chunks_exact(columns).flat_map(move |row| {
        let count = columns as f64;
        let mean = row.iter().map(|x| f64::from(*x)).sum::<f64>() / count;
        let variance = row.iter().map(|x| (f64::from(*x) - mean).powi(2)).sum::<f64>() / count;
        let inverse = 1.0 / (variance + f64::from(TINY)).sqrt();
        row.iter().zip(scale).zip(shift).map(move |((x, scale), shift)| {
            (f64::from(*x) - mean) * inverse * f64::from(*scale) + f64::from(*shift)
        })
    })
}

/// Relative error of an f32 layer normalisation. An error of the mean is multiplied by at most 1 / sqrt(TINY), about
/// 316, in rows that hardly vary; sums over a row add the square root of its length.
pub(crate) fn layernorm_tolerance(columns: usize) -> f64 {
    U * (512.0 + 4.0 * (columns as f64).sqrt())
}

/// The sum, and the sum of magnitudes that its error is measured against: a sum that cancels has no relative error.
pub(crate) fn sum(input: &[f32]) -> (f64, f64) {
    input.iter().fold((0.0, 0.0), |(sum, size), x| {
        let x = f64::from(*x);
        (sum + x, size + x.abs())
    })
}

/// Error of an f32 sum against the sum of magnitudes: one rounding per addition on the longest way through the tree of
/// additions. A bound, not an estimate.
pub(crate) fn sum_tolerance(longest: usize) -> f64 {
    U * longest as f64
}

/// How often each key occurs among `bins`.
pub(crate) fn histogram(keys: &[u32], bins: usize) -> Vec<u32> {
    let mut counts = vec![0_u32; bins];
    for key in keys {
        if let Some(count) = counts.get_mut(*key as usize) {
            *count += 1;
        }
    }
    counts
}

/// Sizes of a product: C has m rows and n columns, sums have k terms.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Shape {
    pub(crate) m: usize,
    pub(crate) n: usize,
    pub(crate) k: usize,
}

impl Shape {
    /// Multiplications and additions [FLOP].
    pub(crate) fn flop(self) -> f64 {
        2.0 * self.m as f64 * self.n as f64 * self.k as f64
    }

    /// Elements of all three matrices.
    pub(crate) fn elements(self) -> f64 {
        let Self { m, n, k } = self;
        m as f64 * k as f64 + k as f64 * n as f64 + m as f64 * n as f64
    }
}

/// How the elements of a product are rounded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Precision {
    F32,
    Tf32,
    Bf16,
    F16,
}

/// Relative error of a product whose sums are kept in f32. Roundings of a sum of k terms of random sign, each of the size
/// of the partial sum, are together about `U * sqrt(k / 2)` of the result: four times that. To this comes, for tf32, the
/// cutting of both inputs to 11 bits (2⁻¹⁰ each); for the 16-bit types, whose inputs are exact, the rounding of the
/// result (2⁻⁸ for bf16, 2⁻¹¹ for f16), twice, for partial sums may be rounded as well where the library splits k.
pub(crate) fn product_tolerance(precision: Precision, k: usize) -> f64 {
    let sums = 4.0 * U * (1.0 + (k as f64 / 2.0).sqrt());
    let two = |exponent: i32| 2_f64.powi(exponent);
    sums + match precision {
        Precision::F32 => 0.0,
        Precision::Tf32 => 2.0 * two(-10),
        Precision::Bf16 => 2.0 * two(-8),
        Precision::F16 => 2.0 * two(-11),
    }
}

/// Multiplications that a check by definition may take: a second or so.
const BY_DEFINITION: usize = 1 << 28;

/// Checks C = A B: rows spread over C by definition, all of them where that is quick; and all of C by Freivalds' check,
/// which compares C x with A (B x) for two random x of ±1: an error anywhere in C changes C x by as much.
pub(crate) fn product(
    shape: Shape,
    a: &[f64],
    b: &[f64],
    c: &[f64],
    tolerance: f64,
    seed: u64,
) -> Result<(), Failure> {
    let Shape { m, n, k } = shape;
    let rows = (BY_DEFINITION / (n * k).max(1)).clamp(2, m.max(2));
    let step = (m.saturating_sub(1) / (rows - 1)).max(1);
    for row in (0..m).step_by(step).chain([m - 1]) {
        let mut expected = vec![0.0; n];
        for (a, b) in a[row * k..][..k].iter().zip(b.chunks_exact(n)) {
            expected.iter_mut().zip(b).for_each(|(sum, b)| *sum += a * b);
        }
        let got = c[row * n..][..n].iter().copied();
        crate::check::norm(
            &format!("row {row} of the product"),
            got,
            expected.into_iter(),
            row_slack(n) * tolerance,
        )?;
    }
    let mut rng = rng(seed ^ 0x5eed);
    for _ in 0..2 {
        let x: Vec<f64> = (0..n).map(|_| if rng.next_u64() >> 63 == 0 { 1.0 } else { -1.0 }).collect();
        let expected = times(a, &times(b, &x));
        crate::check::norm(
            "the product, times a vector,",
            times(c, &x).into_iter(),
            expected.into_iter(),
            row_slack(m) * tolerance,
        )?;
    }
    Ok(())
}

/// A norm over few elements may happen to be a small one, as where terms cancel: more slack, the fewer there are.
fn row_slack(elements: usize) -> f64 {
    1.0 + 64.0 / elements as f64
}

/// A matrix times a vector.
fn times(matrix: &[f64], vector: &[f64]) -> Vec<f64> {
    matrix.chunks_exact(vector.len()).map(|row| row.iter().zip(vector).map(|(a, x)| a * x).sum()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_softmax_adds_up_to_one_in_every_row() {
        let out: Vec<f64> = softmax(&[0.0, 0.0, 1.0, 3.0], 2).collect();
        assert_eq!(&out[..2], [0.5, 0.5]);
        assert!((out[2] + out[3] - 1.0).abs() < 1e-15 && (out[3] / out[2] - 2_f64.exp()).abs() < 1e-12);
    }

    #[test]
    fn a_layernorm_has_mean_shift_and_deviation_scale() {
        let out: Vec<f64> = layernorm(&[1.0, 3.0], &[1.0, 2.0], &[0.0, 10.0]).collect();
        assert!((out[0] + 1.0).abs() < 1e-5 && (out[1] - 12.0).abs() < 1e-4, "{out:?}");
    }

    #[test]
    fn sums_and_counts() {
        assert_eq!(sum(&[1.0, -2.0]), (-1.0, 3.0));
        assert_eq!(histogram(&[0, 2, 2, 9], 3), [1, 0, 2]);
    }

    fn ones(shape: Shape) -> (Vec<f64>, Vec<f64>, Vec<f64>) {
        let mut rng = rng(1);
        let mut random = |count| (0..count).map(|_| rng.f64() - 0.5).collect::<Vec<f64>>();
        let (a, b) = (random(shape.m * shape.k), random(shape.k * shape.n));
        let mut c = vec![0.0; shape.m * shape.n];
        for row in 0..shape.m {
            for column in 0..shape.n {
                c[row * shape.n + column] =
                    (0..shape.k).map(|i| a[row * shape.k + i] * b[i * shape.n + column]).sum();
            }
        }
        (a, b, c)
    }

    #[test]
    fn every_wrong_element_of_a_product_is_found() {
        for shape in [Shape { m: 1, n: 1, k: 1 }, Shape { m: 9, n: 7, k: 5 }] {
            let (a, b, c) = ones(shape);
            let tolerance = product_tolerance(Precision::F32, shape.k);
            product(shape, &a, &b, &c, tolerance, 3).unwrap();
            for place in 0..c.len() {
                let mut wrong = c.clone();
                wrong[place] += 0.01;
                assert!(product(shape, &a, &b, &wrong, tolerance, 3).is_err(), "{place}");
                wrong[place] = f64::NAN;
                assert!(product(shape, &a, &b, &wrong, tolerance, 3).is_err(), "{place}");
            }
        }
    }

    #[test]
    fn rounding_to_a_type_is_within_its_tolerance_and_a_coarser_one_is_not() {
        let shape = Shape { m: 40, n: 400, k: 64 };
        let (mut a, mut b, _) = ones(shape);
        let bf16 = |x: &mut f64| *x = half::bf16::from_f64(*x).to_f64();
        a.iter_mut().for_each(bf16);
        b.iter_mut().for_each(bf16);
        let mut c = vec![0.0; shape.m * shape.n];
        for row in 0..shape.m {
            for column in 0..shape.n {
                c[row * shape.n + column] =
                    (0..shape.k).map(|i| a[row * shape.k + i] * b[i * shape.n + column]).sum();
            }
        }
        c.iter_mut().for_each(bf16);
        product(shape, &a, &b, &c, product_tolerance(Precision::Bf16, shape.k), 3).unwrap();
        assert!(product(shape, &a, &b, &c, product_tolerance(Precision::F16, shape.k), 3).is_err());
    }

    #[test]
    fn work_is_that_of_the_task() {
        let shape = Shape { m: 2, n: 3, k: 4 };
        assert_eq!((shape.flop(), shape.elements()), (48.0, 26.0));
    }
}
