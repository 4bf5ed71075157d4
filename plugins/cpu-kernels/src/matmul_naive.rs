//! Inside the plugin: `matmul_naive`, the product of the textbook, and the check that it shares with `gemm`.

use dyno_sdk::prelude::*;

use crate::{
    buffers::Arrays,
    check, input,
    real::{Dtype, Kernel, Real},
    simd::widest,
};

#[derive(Params)]
pub(crate) struct MatmulNaiveParams {
    /// Rows and columns of both matrices
    #[param(default = 128, min = 1, max = 4096, unit = "elements")]
    n: usize,
    /// Order of the three loops: `ijk` walks down columns, `ikj` along rows
    #[param(default = "ijk")]
    order: Order,
    /// Float type
    #[param(default = "f32")]
    dtype: Dtype,
}

/// Order of the three loops.
#[derive(ParamEnum, Clone, Copy, PartialEq)]
pub(crate) enum Order {
    Ijk,
    Ikj,
}

/// Dense matrix product by three plain loops: the distance to `gemm` is what blocking and packing are worth
#[benchmark(name = "matmul_naive", category = "linear-algebra", hardware = ["cpu"], tags = ["compute"])]
pub(crate) struct MatmulNaive(Box<dyn Kernel>);

impl Benchmark for MatmulNaive {
    type Params = MatmulNaiveParams;

    fn setup(params: MatmulNaiveParams, context: &Context) -> Result<Self, Failure> {
        Ok(Self(match params.dtype {
            Dtype::F32 => Box::new(Matrices::<f32>::new(params.n, params.order, context.seed())),
            Dtype::F64 => Box::new(Matrices::<f64>::new(params.n, params.order, context.seed())),
        }))
    }

    fn verify(&mut self, _: &Context) -> Result<(), Failure> {
        self.0.verify()
    }

    fn execute(&mut self, iterations: u64) -> Result<Report, Failure> {
        Ok(self.0.run(iterations))
    }
}

struct Matrices<T> {
    shape: Shape,
    order: Order,
    /// `a`, `b` and `c`.
    arrays: Arrays<T, 3>,
}

impl<T: Real> Matrices<T> {
    fn new(n: usize, order: Order, seed: u64) -> Self {
        let mut rng = rng(seed);
        let shape = Shape { m: n, n, k: n };
        let mut arrays = Arrays::new(shape.lengths());
        let [a, b, _] = arrays.all_mut();
        input::signed(&mut rng, a);
        input::signed(&mut rng, b);
        Self { shape, order, arrays }
    }
}

impl<T: Real> Kernel for Matrices<T> {
    fn verify(&mut self) -> Result<(), Failure> {
        self.run(1);
        let [a, b, c] = self.arrays.all();
        check_product(self.shape, a, b, c)
    }

    fn run(&mut self, iterations: u64) -> Report {
        let Self { shape, order, arrays } = self;
        let [a, b, c] = arrays.all_mut();
        for _ in 0..iterations {
            let (a, b, c) = (black_box(&a[..]), black_box(&b[..]), black_box(&mut c[..]));
            match order {
                Order::Ijk => ijk(shape.n, a, b, c),
                Order::Ikj => widest(
                    #[inline(always)]
                    || ikj(shape.n, a, b, c),
                ),
            }
        }
        shape.report(iterations, size_of::<T>()).checksum(check::checksum(c))
    }
}

fn ijk<T: Real>(n: usize, a: &[T], b: &[T], c: &mut [T]) {
    for i in 0..n {
        for j in 0..n {
            let mut sum = T::default();
            for k in 0..n {
                sum += a[i * n + k] * b[k * n + j];
            }
            c[i * n + j] = sum;
        }
    }
}

#[inline(always)]
fn ikj<T: Real>(n: usize, a: &[T], b: &[T], c: &mut [T]) {
    for (a, c) in a.chunks_exact(n).zip(c.chunks_exact_mut(n)) {
        c.fill(T::default());
        for (&a, b) in a.iter().zip(b.chunks_exact(n)) {
            for (c, &b) in c.iter_mut().zip(b) {
                *c += a * b;
            }
        }
    }
}

/// Sizes of a product: `c` is m × n, the sums have k terms.
#[derive(Clone, Copy)]
pub(crate) struct Shape {
    pub(crate) m: usize,
    pub(crate) n: usize,
    pub(crate) k: usize,
}

impl Shape {
    /// Of the three matrices [elements].
    pub(crate) fn lengths(self) -> [usize; 3] {
        [self.m * self.k, self.k * self.n, self.m * self.n]
    }

    /// Of all three matrices together.
    pub(crate) fn elements(self) -> f64 {
        let (m, n, k) = (self.m as f64, self.n as f64, self.k as f64);
        m * k + k * n + m * n
    }

    /// Items are elements of the product; each matrix counts once as traffic.
    pub(crate) fn report(self, iterations: u64, element_bytes: usize) -> Report {
        let products = iterations as f64 * self.m as f64 * self.n as f64;
        Report::new()
            .items(products)
            .bytes(iterations as f64 * self.elements() * element_bytes as f64)
            .flop(products * self.k as f64 * 2.0)
    }
}

/// Freivalds' check of the whole product, `c x = a (b x)` for a random vector of signs, and single elements by their
/// definition from the last term to the first; all in `f64`. One product would be too slow to repeat for large n.
pub(crate) fn check_product<T: Real>(shape: Shape, a: &[T], b: &[T], c: &[T]) -> Result<(), Failure> {
    let Shape { n, k, .. } = shape;
    let mut rng = rng(0x5eed);
    let signs: Vec<f64> = (0..n).map(|_| if rng.next_u64() & 1 == 0 { 1.0 } else { -1.0 }).collect();
    let dot = |row: &[T], x: &[f64]| row.iter().zip(x).map(|(a, x)| a.wide() * x).sum::<f64>();
    let bx: Vec<f64> = b.chunks_exact(n).map(|row| dot(row, &signs)).collect();
    // The terms are below 1, so rounding errors grow with the square root of their number, for sums of at most k
    // terms each; a wrong element is off by about the square root of k.
    let element = T::EPSILON * (k as f64).sqrt() * (k as f64).sqrt().max(8.0);
    let row = element * (n as f64).sqrt() * 4.0;
    for (i, (a, c)) in a.chunks_exact(k).zip(c.chunks_exact(n)).enumerate() {
        check::close(
            || format!("row {i} of the product, times a vector of signs,"),
            dot(c, &signs),
            dot(a, &bx),
            row,
        )?;
    }
    for index in check::spread(c.len(), 256) {
        let (i, j) = (index / n, index % n);
        let expected: f64 = (0..k).rev().map(|p| a[i * k + p].wide() * b[p * n + j].wide()).sum();
        check::close(|| format!("element ({i}, {j})"), c[index].wide(), expected, element)?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use dyno_sdk::testing;

    use super::*;

    #[test]
    fn both_orders_and_types_are_right() {
        for n in [1, 2, 31, 100] {
            for order in [Order::Ijk, Order::Ikj] {
                for dtype in [Dtype::F32, Dtype::F64] {
                    testing::run::<MatmulNaive>(MatmulNaiveParams { n, order, dtype }, 2).unwrap();
                }
            }
        }
    }

    #[test]
    fn one_wrong_element_anywhere_is_found() {
        let shape = Shape { m: 100, n: 90, k: 80 };
        let mut rng = rng(5);
        let (a, b) = (input::signed_vec::<f32>(&mut rng, 8000), input::signed_vec::<f32>(&mut rng, 7200));
        let mut c = vec![0.0; 9000];
        crate::gemm::multiply(shape, &a, &b, &mut c, gemm::Parallelism::None);
        check_product(shape, &a, &b, &c).unwrap();
        for wrong in [0, 4567, 8999] {
            let right = c[wrong];
            for value in [right + 0.01, f32::NAN] {
                c[wrong] = value;
                assert!(check_product(shape, &a, &b, &c).is_err(), "{wrong}");
            }
            c[wrong] = right;
        }
    }

    #[test]
    fn a_small_product_is_that_of_the_textbook() {
        let (a, b) = ([1.0, 2.0, 3.0, 4.0], [5.0, 6.0, 7.0, 8.0]);
        for product in [ijk::<f64>, ikj] {
            let mut c = [9.0; 4];
            product(2, &a, &b, &mut c);
            assert_eq!(c, [19.0, 22.0, 43.0, 50.0]);
        }
    }
}
