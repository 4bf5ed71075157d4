//! Inside the plugin: `gemm_naive` and `gemm_tiled`, the matrix product of the textbook and one with blocking.

use dyno_sdk::prelude::*;

use crate::{
    check,
    cuda::{Buffer, Gpu, Kernel, Source},
    input,
    reference::{self, Precision, Shape},
    timer::{Cache, Timer},
};

#[derive(Params)]
pub(crate) struct GemmParams {
    /// Columns of the product, and its other two sizes where they are 0
    #[param(default = 1024, min = 1, max = 32_768, unit = "elements")]
    n: usize,
    /// Rows of the product; 0 stands for n
    #[param(default = 0, min = 0, max = 32_768, unit = "elements")]
    m: usize,
    /// Length of the sums; 0 stands for n
    #[param(default = 0, min = 0, max = 32_768, unit = "elements")]
    k: usize,
    /// `hot`: iterations follow each other; `cold`: the L2 cache is overwritten before each one, untimed
    #[param(default = "hot")]
    cache: Cache,
}

/// The sizes, where 0 stands for `n`.
pub(crate) fn shape(m: usize, n: usize, k: usize) -> Shape {
    let or_n = |size| if size == 0 { n } else { size };
    Shape { m: or_n(m), n, k: or_n(k) }
}

/// f32 matrix product C = A B, row-major, one thread per element
#[benchmark(name = "gemm_naive", category = "linear-algebra", hardware = ["cuda"], tags = ["compute"])]
pub(crate) struct GemmNaive(Product);

/// f32 matrix product C = A B, row-major, in tiles through shared memory and registers
#[benchmark(name = "gemm_tiled", category = "linear-algebra", hardware = ["cuda"], tags = ["compute"])]
pub(crate) struct GemmTiled(Product);

impl Benchmark for GemmNaive {
    type Params = GemmParams;

    fn setup(params: GemmParams, context: &Context) -> Result<Self, Failure> {
        Product::new(&params, "gemm_naive", context).map(Self)
    }

    fn verify(&mut self, _: &Context) -> Result<(), Failure> {
        self.0.verify(Kernel::gemm_naive)
    }

    fn execute(&mut self, iterations: u64) -> Result<Report, Failure> {
        self.0.run(iterations, Kernel::gemm_naive)
    }
}

impl Benchmark for GemmTiled {
    type Params = GemmParams;

    fn setup(params: GemmParams, context: &Context) -> Result<Self, Failure> {
        Product::new(&params, "gemm_tiled", context).map(Self)
    }

    fn verify(&mut self, _: &Context) -> Result<(), Failure> {
        self.0.verify(Kernel::gemm_tiled)
    }

    fn execute(&mut self, iterations: u64) -> Result<Report, Failure> {
        self.0.run(iterations, Kernel::gemm_tiled)
    }
}

/// How one of the two kernels is started.
type Start = fn(&Kernel, &Gpu, Shape, [&Buffer<f32>; 2], &mut Buffer<f32>) -> Result<(), Failure>;

struct Product {
    kernel: Kernel,
    shape: Shape,
    a: Buffer<f32>,
    b: Buffer<f32>,
    c: Buffer<f32>,
    input: [Vec<f32>; 2],
    seed: u64,
    checksum: u64,
    timer: Timer,
    gpu: Gpu,
}

impl Product {
    fn new(params: &GemmParams, name: &str, context: &Context) -> Result<Self, Failure> {
        let shape = shape(params.m, params.n, params.k);
        // The reference is in f64, three times as large again.
        input::fits(name, shape.elements() * 12.0)?;
        let gpu = Gpu::open(context)?;
        let mut rng = rng(context.seed());
        let input = [shape.m * shape.k, shape.k * shape.n].map(|count| input::signed::<f32>(&mut rng, count));
        Ok(Self {
            kernel: Kernel::of(&gpu, Source::GEMM, name)?,
            a: gpu.upload(&input[0])?,
            b: gpu.upload(&input[1])?,
            c: gpu.output(shape.m * shape.n)?,
            shape,
            input,
            seed: context.seed(),
            checksum: 0,
            timer: Timer::new(&gpu, params.cache)?,
            gpu,
        })
    }

    fn verify(&mut self, start: Start) -> Result<(), Failure> {
        self.gpu.poison(&mut self.c)?;
        self.run(1, start)?;
        let c = self.gpu.download(&self.c)?;
        self.checksum = check::checksum(&c, |x| u64::from(x.to_bits()));
        let [a, b] = &self.input;
        let tolerance = reference::product_tolerance(Precision::F32, self.shape.k);
        reference::product(self.shape, &wide(a), &wide(b), &wide(&c), tolerance, self.seed)
    }

    fn run(&mut self, iterations: u64, start: Start) -> Result<Report, Failure> {
        let Self { kernel, shape, a, b, c, checksum, timer, gpu, .. } = self;
        let device_ns = timer.time(gpu, iterations, || start(kernel, gpu, *shape, [a, b], c))?;
        Ok(work(iterations, *shape, 4).device_ns(device_ns).checksum(*checksum))
    }
}

fn wide(values: &[f32]) -> Vec<f64> {
    values.iter().map(|x| f64::from(*x)).collect()
}

/// Each matrix counts once, however often it is read again.
pub(crate) fn work(iterations: u64, shape: Shape, element_bytes: usize) -> Report {
    let times = iterations as f64;
    Report::new()
        .items(times * shape.m as f64 * shape.n as f64)
        .bytes(times * shape.elements() * element_bytes as f64)
        .flop(times * shape.flop())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn zero_stands_for_n() {
        assert_eq!(shape(0, 5, 0), Shape { m: 5, n: 5, k: 5 });
        assert_eq!(shape(2, 5, 3), Shape { m: 2, n: 5, k: 3 });
    }

    #[test]
    fn the_report_counts_multiplications_and_additions() {
        let expected = Report::new().items(80.0).bytes(1040.0).flop(480.0);
        assert_eq!(work(10, Shape { m: 2, n: 4, k: 3 }, 4), expected);
    }
}
