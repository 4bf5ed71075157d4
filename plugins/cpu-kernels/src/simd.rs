//! Inside the plugin: one loop, compiled for every vector width of the architecture, chosen while running.

use pulp::{Arch, Simd, WithSimd};

use crate::real::Real;

/// Runs `work` compiled for the widest vectors that this CPU has. What `work` calls has to be inlined into it. Plugins
/// are built for the oldest CPU of their architecture, so that one file runs everywhere; WASM has its vectors fixed
/// while building.
#[inline(always)]
pub(crate) fn widest<R>(work: impl FnOnce() -> R) -> R {
    Arch::new().dispatch(work)
}

/// The same for work that waits for the memory of its arrays. Where these do not fit into the first-level cache, vectors have at most
/// 256 bits, as C compilers choose for CPUs that have AVX-512: on some of them, wider ones take twice as long in the second level.
#[inline(always)]
pub(crate) fn widest_for<W: WithSimd>(bytes: usize, work: W) -> W::Output {
    /// What it has at least on the CPUs that have AVX-512 [bytes].
    const FIRST_LEVEL: usize = 32 << 10;

    #[cfg(target_arch = "x86_64")]
    if let (true, Some(simd)) = (bytes > FIRST_LEVEL, pulp::x86::V3::try_new()) {
        return Simd::vectorize(simd, work);
    }
    Arch::new().dispatch(work)
}

/// Numbers in vectors as wide as the registers of an [`Arch`].
pub(crate) trait Vectors: Real {
    type Vector<S: Simd>: bytemuck::Pod;

    fn splat<S: Simd>(simd: S, value: Self) -> Self::Vector<S>;
    /// `a b + c`, rounded once if `S` has an instruction for it, otherwise twice.
    fn mul_add<S: Simd>(
        simd: S,
        a: Self::Vector<S>,
        b: Self::Vector<S>,
        c: Self::Vector<S>,
    ) -> Self::Vector<S>;
    /// Whole vectors, and the numbers after the last of them.
    fn split<S: Simd>(array: &[Self]) -> (&[Self::Vector<S>], &[Self]);
    fn split_mut<S: Simd>(array: &mut [Self]) -> (&mut [Self::Vector<S>], &mut [Self]);
}

macro_rules! vectors {
    ($($ty:ident $vector:ident $splat:ident $mul_add:ident $split:ident $split_mut:ident)*) => {$(
        impl Vectors for $ty {
            type Vector<S: Simd> = S::$vector;

            #[inline(always)]
            fn splat<S: Simd>(simd: S, value: Self) -> S::$vector {
                simd.$splat(value)
            }

            #[inline(always)]
            fn mul_add<S: Simd>(simd: S, a: S::$vector, b: S::$vector, c: S::$vector) -> S::$vector {
                simd.$mul_add(a, b, c)
            }

            #[inline(always)]
            fn split<S: Simd>(array: &[Self]) -> (&[S::$vector], &[Self]) {
                S::$split(array)
            }

            #[inline(always)]
            fn split_mut<S: Simd>(array: &mut [Self]) -> (&mut [S::$vector], &mut [Self]) {
                S::$split_mut(array)
            }
        }
    )*};
}

vectors! {
    f32 f32s splat_f32s mul_add_e_f32s as_simd_f32s as_mut_simd_f32s
    f64 f64s splat_f64s mul_add_e_f64s as_simd_f64s as_mut_simd_f64s
}

/// How many partial results a reduction keeps: enough to fill the widest vectors twice, because float addition is not
/// associative and the compiler must not reorder a single sum.
pub(crate) const LANES: usize = 32;

/// Relative error to accept in a sum of `count` values that [`reduce`] adds up in [`LANES`] partial sums. Rounding errors mostly
/// cancel, so it grows with the square root of the count. A worst-case bound would accept wrong results.
pub(crate) fn sum_error(count: usize) -> f64 {
    8.0 * f64::from(f32::EPSILON) * (count as f64 / LANES as f64).sqrt()
}

/// Folds `values` into [`LANES`] partial results and those into one.
#[inline(always)]
pub(crate) fn reduce(
    values: &[f32],
    start: f32,
    step: impl Fn(f32, f32) -> f32,
    join: impl Fn(f32, f32) -> f32,
) -> f32 {
    let mut whole = [start; LANES];
    let (blocks, rest) = values.as_chunks::<LANES>();
    for block in blocks {
        for (lane, value) in whole.iter_mut().zip(block) {
            *lane = step(*lane, *value);
        }
    }
    // In a copy: an index that varies would keep the lanes above in memory.
    let mut lanes = whole;
    for (lane, value) in lanes.iter_mut().zip(rest) {
        *lane = step(*lane, *value);
    }
    let mut width = LANES / 2;
    while width > 0 {
        for i in 0..width {
            lanes[i] = join(lanes[i], lanes[i + width]);
        }
        width /= 2;
    }
    lanes[0]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_length_is_reduced_whole() {
        for n in [0, 1, 31, 32, 33, 100] {
            let values: Vec<f32> = (1..=n).map(|i| i as f32).collect();
            let sum = widest(|| reduce(&values, 0.0, |a, b| a + b, |a, b| a + b));
            assert_eq!(sum, (n * (n + 1) / 2) as f32);
            let largest = reduce(&values, f32::MIN, f32::max, f32::max);
            assert_eq!(largest, if n == 0 { f32::MIN } else { n as f32 });
        }
    }
}
