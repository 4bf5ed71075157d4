//! Inside the plugin: `gemm_cublas`, the matrix product of NVIDIA's own library.

use cudarc::driver::{DeviceRepr, ValidAsZeroBits};
use dyno_sdk::prelude::*;
use half::{bf16, f16};

use crate::{
    check,
    cuda::{Blas, Buffer, Gpu},
    gemm, input,
    reference::{self, Precision, Shape},
    timer::{Cache, Timer},
};

/// Type of the matrices, and of the multiplications; sums are f32 throughout.
#[derive(ParamEnum, Clone, Copy, PartialEq)]
pub(crate) enum Dtype {
    F32,
    Tf32,
    Bf16,
    F16,
}

#[derive(Params)]
pub(crate) struct GemmCublasParams {
    /// Columns of the product, and its other two sizes where they are 0
    #[param(default = 4096, min = 1, max = 32_768, unit = "elements")]
    n: usize,
    /// Rows of the product; 0 stands for n
    #[param(default = 0, min = 0, max = 32_768, unit = "elements")]
    m: usize,
    /// Length of the sums; 0 stands for n
    #[param(default = 0, min = 0, max = 32_768, unit = "elements")]
    k: usize,
    /// Type of the matrices; `tf32` multiplies f32 matrices in tensor cores with 11 bits; sums are f32 throughout
    #[param(default = "f32")]
    dtype: Dtype,
    /// `hot`: iterations follow each other; `cold`: the L2 cache is overwritten before each one, untimed
    #[param(default = "hot")]
    cache: Cache,
}

/// Matrix product C = A B, row-major, by cuBLAS
#[benchmark(name = "gemm_cublas", category = "linear-algebra", hardware = ["cuda"], tags = ["blas", "compute"])]
pub(crate) struct GemmCublas(Box<dyn Work>);

/// The benchmark once its type is chosen.
trait Work {
    fn verify(&mut self) -> Result<(), Failure>;
    fn run(&mut self, iterations: u64) -> Result<Report, Failure>;
}

impl Benchmark for GemmCublas {
    type Params = GemmCublasParams;

    fn setup(params: GemmCublasParams, context: &Context) -> Result<Self, Failure> {
        let f32s: Coding<f32> = Coding { encode: |x| x as f32, decode: f64::from };
        // As bits: the bindings know no 16-bit floats of their own.
        let bf16s: Coding<u16> =
            Coding { encode: |x| bf16::from_f64(x).to_bits(), decode: |bits| bf16::from_bits(bits).to_f64() };
        let f16s: Coding<u16> =
            Coding { encode: |x| f16::from_f64(x).to_bits(), decode: |bits| f16::from_bits(bits).to_f64() };
        Ok(Self(match params.dtype {
            Dtype::F32 => Box::new(Matrices::new(&params, Precision::F32, f32s, context)?),
            Dtype::Tf32 => Box::new(Matrices::new(&params, Precision::Tf32, f32s, context)?),
            Dtype::Bf16 => Box::new(Matrices::new(&params, Precision::Bf16, bf16s, context)?),
            Dtype::F16 => Box::new(Matrices::new(&params, Precision::F16, f16s, context)?),
        }))
    }

    fn verify(&mut self, _: &Context) -> Result<(), Failure> {
        self.0.verify()
    }

    fn execute(&mut self, iterations: u64) -> Result<Report, Failure> {
        self.0.run(iterations)
    }
}

/// How numbers are stored.
#[derive(Clone, Copy)]
struct Coding<T> {
    encode: fn(f64) -> T,
    decode: fn(T) -> f64,
}

struct Matrices<T> {
    // Before the device, so that it is given back first.
    blas: Blas,
    precision: Precision,
    coding: Coding<T>,
    shape: Shape,
    a: Buffer<T>,
    b: Buffer<T>,
    c: Buffer<T>,
    input: [Vec<T>; 2],
    seed: u64,
    checksum: u64,
    timer: Timer,
    gpu: Gpu,
}

impl<T: DeviceRepr + ValidAsZeroBits + Copy + Default + 'static> Matrices<T> {
    fn new(
        params: &GemmCublasParams,
        precision: Precision,
        coding: Coding<T>,
        context: &Context,
    ) -> Result<Self, Failure> {
        let shape = gemm::shape(params.m, params.n, params.k);
        // The reference is in f64.
        input::fits("gemm_cublas", shape.elements() * (8 + size_of::<T>()) as f64)?;
        let gpu = Gpu::open(context)?;
        let mut rng = rng(context.seed());
        let mut random =
            |count: usize| -> Vec<T> { (0..count).map(|_| (coding.encode)(rng.f64() * 2.0 - 1.0)).collect() };
        let input = [random(shape.m * shape.k), random(shape.k * shape.n)];
        Ok(Self {
            blas: Blas::new(&gpu)?,
            precision,
            coding,
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
}

impl<T: DeviceRepr + ValidAsZeroBits + Copy + Default + 'static> Work for Matrices<T> {
    fn verify(&mut self) -> Result<(), Failure> {
        self.gpu.poison(&mut self.c)?;
        self.run(1)?;
        let wide = |values: &[T]| -> Vec<f64> { values.iter().map(|x| (self.coding.decode)(*x)).collect() };
        let c = wide(&self.gpu.download(&self.c)?);
        let checksum = check::checksum(&c, f64::to_bits);
        let tolerance = reference::product_tolerance(self.precision, self.shape.k);
        let [a, b] = &self.input;
        reference::product(self.shape, &wide(a), &wide(b), &c, tolerance, self.seed)?;
        self.checksum = checksum;
        Ok(())
    }

    fn run(&mut self, iterations: u64) -> Result<Report, Failure> {
        let Self { blas, precision, shape, a, b, c, checksum, timer, gpu, .. } = self;
        let device_ns = timer.time(gpu, iterations, || blas.product(gpu, *shape, *precision, [a, b], c))?;
        Ok(gemm::work(iterations, *shape, size_of::<T>()).device_ns(device_ns).checksum(*checksum))
    }
}
