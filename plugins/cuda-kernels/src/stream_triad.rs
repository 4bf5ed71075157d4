//! Inside the plugin: `stream_triad`, the memory bandwidth of the device.

use dyno_sdk::prelude::*;

use crate::{
    check,
    cuda::{Buffer, Gpu, Kernel, Source},
    input,
    real::{Dtype, Real},
    timer::{Cache, Timer},
};

#[derive(Params)]
pub(crate) struct StreamTriadParams {
    /// Length of each of the three arrays; the default is larger than any cache
    #[param(default = 33_554_432, min = 1, max = 536_870_912, unit = "elements")]
    n: usize,
    /// Float type
    #[param(default = "f32")]
    dtype: Dtype,
    /// `hot`: iterations follow each other; `cold`: the L2 cache is overwritten before each one, untimed
    #[param(default = "hot")]
    cache: Cache,
}

/// `a[i] = b[i] + s * c[i]`, the triad of STREAM, on a CUDA device
#[benchmark(name = "stream_triad", category = "memory", hardware = ["cuda"], tags = ["bandwidth"])]
pub(crate) struct StreamTriad(Box<dyn Work>);

/// The benchmark once its float type is chosen.
trait Work {
    fn verify(&mut self) -> Result<(), Failure>;
    fn run(&mut self, iterations: u64) -> Result<Report, Failure>;
}

impl Benchmark for StreamTriad {
    type Params = StreamTriadParams;

    fn setup(params: StreamTriadParams, context: &Context) -> Result<Self, Failure> {
        Ok(Self(match params.dtype {
            Dtype::F32 => Box::new(Arrays::<f32>::new(&params, context)?),
            Dtype::F64 => Box::new(Arrays::<f64>::new(&params, context)?),
        }))
    }

    fn verify(&mut self, _: &Context) -> Result<(), Failure> {
        self.0.verify()
    }

    fn execute(&mut self, iterations: u64) -> Result<Report, Failure> {
        self.0.run(iterations)
    }
}

/// What the second array is multiplied by.
const S: f64 = 3.0;

struct Arrays<T> {
    kernel: Kernel,
    a: Buffer<T>,
    b: Buffer<T>,
    c: Buffer<T>,
    input: [Vec<T>; 2],
    checksum: u64,
    timer: Timer,
    gpu: Gpu,
}

impl<T: Real> Arrays<T> {
    fn new(params: &StreamTriadParams, context: &Context) -> Result<Self, Failure> {
        let gpu = Gpu::open(context)?;
        let mut rng = rng(context.seed());
        let input = [input::signed::<T>(&mut rng, params.n), input::signed::<T>(&mut rng, params.n)];
        Ok(Self {
            kernel: Kernel::of(&gpu, Source::TRIAD, &format!("triad_{}", T::SUFFIX))?,
            a: gpu.output(params.n)?,
            b: gpu.upload(&input[0])?,
            c: gpu.upload(&input[1])?,
            input,
            checksum: 0,
            timer: Timer::new(&gpu, params.cache)?,
            gpu,
        })
    }
}

impl<T: Real> Work for Arrays<T> {
    fn verify(&mut self) -> Result<(), Failure> {
        self.gpu.poison(&mut self.a)?;
        self.run(1)?;
        let a = self.gpu.download(&self.a)?;
        self.checksum = check::checksum(&a, |x| x.wide().to_bits());
        verify(&a, &self.input[0], &self.input[1])
    }

    fn run(&mut self, iterations: u64) -> Result<Report, Failure> {
        let Self { kernel, a, b, c, checksum, timer, gpu, .. } = self;
        let device_ns = timer.time(gpu, iterations, || kernel.triad(gpu, a, [b, c], T::of(S)))?;
        Ok(work::<T>(iterations, a.len()).device_ns(device_ns).checksum(*checksum))
    }
}

/// At most two roundings per element, fused or not; twice that.
fn verify<T: Real>(a: &[T], b: &[T], c: &[T]) -> Result<(), Failure> {
    let expected = b.iter().zip(c).map(|(b, c)| S.mul_add(c.wide(), b.wide()));
    check::norm("the triad", a.iter().map(|a| a.wide()), expected, 4.0 * T::ROUNDOFF)
}

/// Two arrays are read and one is written.
fn work<T>(iterations: u64, n: usize) -> Report {
    let elements = iterations as f64 * n as f64;
    Report::new().items(elements).bytes(elements * 3.0 * size_of::<T>() as f64).flop(elements * 2.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_wrong_element_is_found() {
        let (b, c) = (vec![1.0_f32; 1000], vec![0.5_f32; 1000]);
        let mut a = vec![2.5_f32; 1000];
        verify(&a, &b, &c).unwrap();
        a[999] = 2.501;
        assert!(verify(&a, &b, &c).is_err());
        a[999] = f32::from_bits(u32::MAX);
        assert!(verify(&a, &b, &c).is_err(), "poison");
    }

    #[test]
    fn the_report_counts_three_arrays() {
        assert_eq!(work::<f64>(4, 10), Report::new().items(40.0).bytes(960.0).flop(80.0));
    }
}
