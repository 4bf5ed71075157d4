//! Inside the plugin: a matrix product in blocks, for WASM, where the crate `gemm` keeps more vectors than the engine
//! has registers.
//!
//! As usual, what the innermost loop reads is packed beforehand, side by side: a panel of rows of `a` stays in the
//! first-level cache while a block of `b`, in the second-level cache, passes by.

use std::{array::from_fn, ops::Range};

use pulp::{Arch, Simd, WithSimd};

use crate::{matmul_naive::Shape, simd::Vectors};

/// Size of a tile of the product. The engine loads all operands of a turn of the innermost loop before it uses any, so
/// nine sums, three vectors of `a` and three of `b` leave one of the 16 registers that it uses on x86-64.
const ROWS: usize = 3;
const VECTORS: usize = 3;

/// Terms of a block. With vectors of 128 bits, a panel of `a` or `b` takes 12 KiB.
const DEPTH: usize = 256;
/// Columns of a block: a multiple of a tile's width for all vectors up to 256 bits. The block of `b` takes 1 MiB in f32.
const WIDTH: usize = 1008;

/// `c = a b`, all row-major.
pub(crate) fn multiply<T: Vectors>(shape: Shape, a: &[T], b: &[T], c: &mut [T]) {
    let Shape { m, n, k } = shape;
    assert_eq!((a.len(), b.len(), c.len()), (m * k, k * n, m * n), "the sizes of the matrices");
    Arch::new().dispatch(Product { n, k, a, b, c });
}

struct Product<'a, T> {
    n: usize,
    k: usize,
    a: &'a [T],
    b: &'a [T],
    c: &'a mut [T],
}

impl<T: Vectors> WithSimd for Product<'_, T> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        let Self { n, k, a, b, c } = self;
        let width = VECTORS * size_of::<T::Vector<S>>() / size_of::<T>();
        let (mut rows, mut columns) = (Vec::new(), Vec::new());
        for left in (0..n).step_by(WIDTH) {
            let right = n.min(left + WIDTH);
            for first in (0..k).step_by(DEPTH) {
                let terms = first..k.min(first + DEPTH);
                pack_columns(simd, &b[first * n..terms.end * n], n, left..right, &mut columns);
                for (a, c) in a.chunks(ROWS * k).zip(c.chunks_mut(ROWS * n)) {
                    pack_rows(simd, a, k, terms.clone(), &mut rows);
                    for (column, columns) in
                        (left..right).step_by(width).zip(columns.chunks_exact(terms.len()))
                    {
                        let sums = tile::<T, S>(simd, &rows, columns);
                        for (c, sums) in c.chunks_exact_mut(n).zip(&sums) {
                            let c = &mut c[column..right.min(column + width)];
                            add::<T>(c, bytemuck::cast_slice(sums), first > 0);
                        }
                    }
                }
            }
        }
    }
}

/// Sums of the products of [`ROWS`] rows and [`VECTORS`] vectors of columns.
#[inline(always)]
fn tile<T: Vectors, S: Simd>(
    simd: S,
    rows: &[[T::Vector<S>; ROWS]],
    columns: &[[T::Vector<S>; VECTORS]],
) -> [[T::Vector<S>; VECTORS]; ROWS] {
    let mut sums = [[T::splat(simd, T::default()); VECTORS]; ROWS];
    for (row, column) in rows.iter().zip(columns) {
        for (sums, &row) in sums.iter_mut().zip(row) {
            for (sum, &column) in sums.iter_mut().zip(column) {
                *sum = T::mul_add(simd, row, column, *sum);
            }
        }
    }
    sums
}

/// Stores `sums`, or adds them to earlier ones.
#[inline(always)]
fn add<T: Vectors>(c: &mut [T], sums: &[T], to_earlier: bool) {
    for (c, sum) in c.iter_mut().zip(sums) {
        *c = if to_earlier { *c + *sum } else { *sum };
    }
}

/// [`ROWS`] rows of `a`, term by term, each element in all lanes of a vector. Rows that are not there are zero.
#[inline(always)]
fn pack_rows<T: Vectors, S: Simd>(
    simd: S,
    a: &[T],
    k: usize,
    terms: Range<usize>,
    packed: &mut Vec<[T::Vector<S>; ROWS]>,
) {
    let mut rows = a.chunks_exact(k).map(|row| &row[terms.clone()]);
    let rows: [&[T]; ROWS] = from_fn(|_| rows.next().unwrap_or_default());
    let element = |row: &[T], term| row.get(term).copied().unwrap_or_default();
    packed.clear();
    packed.extend((0..terms.len()).map(|term| rows.map(|row| T::splat(simd, element(row, term)))));
}

/// These columns of some rows of `b`, [`VECTORS`] vectors wide and term by term. Columns that are not there are zero.
#[inline(always)]
fn pack_columns<T: Vectors, S: Simd>(
    simd: S,
    b: &[T],
    n: usize,
    columns: Range<usize>,
    packed: &mut Vec<[T::Vector<S>; VECTORS]>,
) {
    let width = VECTORS * size_of::<T::Vector<S>>() / size_of::<T>();
    packed.clear();
    for left in columns.clone().step_by(width) {
        let panel = left..columns.end.min(left + width);
        packed.extend(b.chunks_exact(n).map(|row| {
            let row = &row[panel.clone()];
            if let (&[first, second, third], []) = T::split::<S>(row) {
                return [first, second, third];
            }
            let mut vectors = [T::splat(simd, T::default()); VECTORS];
            bytemuck::cast_slice_mut(&mut vectors)[..row.len()].copy_from_slice(row);
            vectors
        }));
    }
}

#[cfg(test)]
mod tests {
    use dyno_sdk::prelude::*;

    use super::*;
    use crate::{check::close, input::signed_vec, matmul_naive::check_product};

    /// Against the definition, and against the crate `gemm`, whose sums are rounded in another order.
    fn is_right<T: Vectors>(m: usize, n: usize, k: usize) {
        let shape = Shape { m, n, k };
        let mut rng = rng(7);
        let (a, b) = (signed_vec::<T>(&mut rng, m * k), signed_vec::<T>(&mut rng, k * n));
        let (mut c, mut other) = (vec![T::of(9.0); m * n], vec![T::of(9.0); m * n]);
        multiply(shape, &a, &b, &mut c);
        check_product(shape, &a, &b, &c).unwrap();
        crate::gemm::multiply(shape, &a, &b, &mut other, gemm::Parallelism::None);
        let tolerance = 8.0 * T::EPSILON * (k as f64).sqrt();
        for (i, (got, expected)) in c.iter().zip(&other).enumerate() {
            close(|| format!("c[{i}] of {m} x {n} x {k}"), got.wide(), expected.wide(), tolerance).unwrap();
        }
    }

    #[test]
    fn every_shape_is_right_around_the_borders_of_tiles_and_blocks() {
        let shapes =
            [(1, 1, 1), (2, 3, 5), (3, 12, 2), (4, 13, 3), (6, 1008, 256), (7, 1009, 257), (5, 2021, 513)];
        for (m, n, k) in shapes {
            is_right::<f32>(m, n, k);
            is_right::<f64>(m, n, k);
        }
    }
}
