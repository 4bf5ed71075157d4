//! Inside the plugin: `stream_triad`, the memory bandwidth that a kernel reaches.

use dyno_sdk::prelude::*;

use crate::{
    check,
    geometry::{LANES, WORKGROUP, groups, padded},
    gpu::Gpu,
    input,
    work::{Iteration, Step, Work},
};

#[derive(Params)]
pub(crate) struct StreamTriadParams {
    /// Length of each of the three arrays; the default is larger than the caches of most GPUs
    #[param(default = 8_388_608, min = 1, max = 134_217_728, unit = "elements")]
    pub(crate) n: usize,
}

/// `a[i] = b[i] + 3 * c[i]` in f32, the triad of STREAM
#[benchmark(name = "stream_triad", category = "memory", hardware = ["webgpu"], tags = ["bandwidth"])]
pub(crate) struct StreamTriad {
    n: usize,
    work: Work,
}

impl Benchmark for StreamTriad {
    type Params = StreamTriadParams;

    fn setup(params: StreamTriadParams, context: &Context) -> Result<Self, Failure> {
        let n = params.n;
        let gpu = Gpu::open(context)?;
        let a = gpu.array("a", padded(n))?;
        let random = |array| input::signed(context.seed(), array).take(n).collect::<Vec<_>>();
        let b = gpu.filled("b", padded(n), &random(1))?;
        let c = gpu.filled("c", padded(n), &random(2))?;
        let vectors = padded(n) / LANES;
        let pipeline =
            gpu.pipeline(include_str!("shaders/stream_triad.wgsl"), "triad", &[("COUNT", vectors as f64)])?;
        let bindings = gpu.bind(&pipeline, &[(0, &a), (1, &b), (2, &c)])?;
        let groups = (groups(vectors, WORKGROUP, gpu.limits.max_compute_workgroups_per_dimension), 1);
        let work = Work::new(gpu, Iteration::Kernels(vec![Step { pipeline, bindings, groups }]), a)?;
        Ok(Self { n, work })
    }

    fn verify(&mut self, context: &Context) -> Result<(), Failure> {
        self.work.poison()?;
        self.work.run(1)?;
        check(&self.work.output(self.n)?, context.seed())
    }

    fn prepare(&mut self, iterations: u64) -> Result<(), Failure> {
        self.work.prepare(iterations)
    }

    fn execute(&mut self, iterations: u64) -> Result<Report, Failure> {
        let done = self.work.run(iterations)?;
        let elements = iterations as f64 * self.n as f64;
        Ok(Report::new()
            .items(elements)
            .bytes(elements * 12.0)
            .flop(elements * 2.0)
            .device_ns(done.device_ns)
            .checksum(done.checksum))
    }
}

/// Against the formula in `f64`.
fn check(a: &[f32], seed: u64) -> Result<(), Failure> {
    let pairs = input::signed(seed, 1).zip(input::signed(seed, 2)).take(a.len());
    check::near("a", a, pairs.map(|(b, c)| f64::from(b) + 3.0 * f64::from(c)), 2e-7)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_wrong_element_is_found() {
        let pairs = input::signed(5, 1).zip(input::signed(5, 2)).take(1003);
        let mut a: Vec<f32> = pairs.map(|(b, c)| 3.0f32.mul_add(c, b)).collect();
        check(&a, 5).unwrap();
        a[1002] += 1e-3;
        assert!(check(&a, 5).unwrap_err().message().contains("element 1002"));
    }
}
