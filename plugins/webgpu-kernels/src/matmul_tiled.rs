//! Inside the plugin: `matmul_tiled`, a matrix product by tiles in the memory of workgroups.

use dyno_sdk::prelude::*;

use crate::{
    check,
    gpu::Gpu,
    input,
    work::{Iteration, Step, Work},
};

/// Edge of the tile of C that a workgroup computes, as written in the shader.
const TILE: usize = 64;
/// Multiplications that the reference by definition may take; beyond, it takes some of the rows.
const REFERENCE_LIMIT: usize = 1 << 27;

#[derive(Params)]
pub(crate) struct MatmulTiledParams {
    /// Columns of B and C
    #[param(default = 512, min = 1, max = 8192)]
    pub(crate) n: usize,
    /// Rows of A and C; 0: as n
    #[param(default = 0, min = 0, max = 8192)]
    pub(crate) m: usize,
    /// Columns of A and rows of B; 0: as n
    #[param(default = 0, min = 0, max = 8192)]
    pub(crate) k: usize,
}

/// C = A B in f32, row-major, by tiles of 64 × 64
#[benchmark(name = "matmul_tiled", category = "linear-algebra", hardware = ["webgpu"], tags = ["compute"])]
pub(crate) struct MatmulTiled {
    shape: Shape,
    work: Work,
}

/// C is m × n, and k long is what is summed.
#[derive(Debug, Clone, Copy)]
struct Shape {
    m: usize,
    n: usize,
    k: usize,
}

impl Shape {
    fn a(self, seed: u64) -> Vec<f32> {
        input::signed(seed, 1).take(self.m * self.k).collect()
    }

    fn b(self, seed: u64) -> Vec<f32> {
        input::signed(seed, 2).take(self.k * self.n).collect()
    }
}

impl Benchmark for MatmulTiled {
    type Params = MatmulTiledParams;

    fn setup(params: MatmulTiledParams, context: &Context) -> Result<Self, Failure> {
        let or_n = |given: usize| if given == 0 { params.n } else { given };
        let shape = Shape { m: or_n(params.m), n: params.n, k: or_n(params.k) };
        let Shape { m, n, k } = shape;
        let gpu = Gpu::open(context)?;
        let c = gpu.array("C", m * n)?;
        let a = gpu.filled("A", m * k, &shape.a(context.seed()))?;
        let b = gpu.filled("B", k * n, &shape.b(context.seed()))?;
        let constants = [("M", m as f64), ("N", n as f64), ("K", k as f64)];
        let pipeline = gpu.pipeline(include_str!("shaders/matmul_tiled.wgsl"), "matmul", &constants)?;
        let bindings = gpu.bind(&pipeline, &[(0, &c), (1, &a), (2, &b)])?;
        let groups = (n.div_ceil(TILE) as u32, m.div_ceil(TILE) as u32);
        let work = Work::new(gpu, Iteration::Kernels(vec![Step { pipeline, bindings, groups }]), c)?;
        Ok(Self { shape, work })
    }

    fn verify(&mut self, context: &Context) -> Result<(), Failure> {
        self.work.poison()?;
        self.work.run(1)?;
        let Shape { m, n, .. } = self.shape;
        let seed = context.seed();
        check(self.shape, &self.shape.a(seed), &self.shape.b(seed), &self.work.output(m * n)?, seed)
    }

    fn prepare(&mut self, iterations: u64) -> Result<(), Failure> {
        self.work.prepare(iterations)
    }

    fn execute(&mut self, iterations: u64) -> Result<Report, Failure> {
        let done = self.work.run(iterations)?;
        let Shape { m, n, k } = self.shape;
        let (times, [m, n, k]) = (iterations as f64, [m, n, k].map(|edge| edge as f64));
        Ok(Report::new()
            .items(times * m * n)
            .bytes(times * 4.0 * (m * n + m * k + k * n))
            .flop(times * 2.0 * m * n * k)
            .device_ns(done.device_ns)
            .checksum(done.checksum))
    }
}

/// Rows by definition in `f64`, all of them where that is quick; and all of C by Freivalds: C x is A (B x).
fn check(shape: Shape, a: &[f32], b: &[f32], c: &[f32], seed: u64) -> Result<(), Failure> {
    let Shape { m, n, k } = shape;
    // Rounding of sums of k terms in f32 grows with the root of k.
    let tolerance = f64::from(f32::EPSILON) * (8.0 + (k as f64).sqrt());
    let step = m.div_ceil((REFERENCE_LIMIT / (n * k)).max(1));
    for row in (0..m).step_by(step) {
        let mut sums = vec![0.0f64; n];
        for (a, b) in a[row * k..][..k].iter().zip(b.chunks_exact(n)) {
            let a = f64::from(*a);
            sums.iter_mut().zip(b).for_each(|(sum, b)| *sum += a * f64::from(*b));
        }
        check::near(&format!("row {row} of C"), &c[row * n..][..n], sums, tolerance)?;
    }
    let x: Vec<f64> = input::signed(seed, 3).take(n).map(f64::from).collect();
    let times = |matrix: &[f32], vector: &[f64]| -> Vec<f64> {
        let row = |row: &[f32]| row.iter().zip(vector).map(|(a, x)| f64::from(*a) * x).sum();
        matrix.chunks_exact(vector.len()).map(row).collect()
    };
    let (left, right) = (times(c, &x), times(a, &times(b, &x)));
    let norm = |values: &mut dyn Iterator<Item = f64>| values.map(|value| value * value).sum::<f64>().sqrt();
    let difference = norm(&mut left.iter().zip(&right).map(|(left, right)| left - right));
    let bound = 4.0 * tolerance * norm(&mut right.iter().copied());
    if difference <= bound {
        return Ok(());
    }
    Err(Failure::error(format!(
        "C x differs from A (B x) by {difference:e} for a random x, at most {bound:e} is right"
    )))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn product(shape: Shape, a: &[f32], b: &[f32]) -> Vec<f32> {
        let Shape { m, n, k } = shape;
        let element = |row: usize, column: usize| (0..k).map(|i| a[row * k + i] * b[i * n + column]).sum();
        (0..m * n).map(|i| element(i / n, i % n)).collect()
    }

    #[test]
    fn a_wrong_element_is_found_in_a_row_that_is_checked_and_in_one_that_is_not() {
        let shape = Shape { m: 5, n: 7, k: 3 };
        let (a, b) = (shape.a(1), shape.b(1));
        let mut c = product(shape, &a, &b);
        check(shape, &a, &b, &c, 1).unwrap();
        c[12] += 1e-3;
        assert!(check(shape, &a, &b, &c, 1).unwrap_err().message().starts_with("row 1 of C"));
        let shape = Shape { m: 3, n: REFERENCE_LIMIT / 4, k: 1 };
        let (a, b) = (vec![1.0; 3], vec![0.5; shape.n]);
        let mut c = vec![0.5; 3 * shape.n];
        check(shape, &a, &b, &c, 1).unwrap();
        c[2 * shape.n - 1] = f32::NAN;
        assert!(check(shape, &a, &b, &c, 1).is_err());
    }
}
