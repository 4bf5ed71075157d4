//! Inside the plugin: `copy`, from the adapter's memory to the adapter's memory.

use dyno_sdk::prelude::*;

use crate::{
    check,
    geometry::{LANES, WORKGROUP, groups, padded},
    gpu::Gpu,
    input,
    work::{Iteration, Step, Work},
};

/// What performs the copy.
#[derive(ParamEnum, Clone, Copy, PartialEq)]
pub(crate) enum Method {
    Kernel,
    Command,
}

#[derive(Params)]
pub(crate) struct CopyParams {
    /// Words of four bytes; the default is larger than the caches of most GPUs
    #[param(default = 16_777_216, min = 1, max = 134_217_728, unit = "elements")]
    pub(crate) n: usize,
    /// A kernel of ours, or the adapter's own copy command
    #[param(default = "kernel")]
    pub(crate) method: Method,
}

/// Copies an array within the adapter's memory
#[benchmark(name = "copy", category = "memory", hardware = ["webgpu"], tags = ["bandwidth"])]
pub(crate) struct Copy {
    n: usize,
    work: Work,
}

impl Benchmark for Copy {
    type Params = CopyParams;

    fn setup(params: CopyParams, context: &Context) -> Result<Self, Failure> {
        let CopyParams { n, method } = params;
        let gpu = Gpu::open(context)?;
        let to = gpu.array("to", padded(n))?;
        let values: Vec<f32> = input::signed(context.seed(), 1).take(n).collect();
        let from = gpu.filled("from", padded(n), &values)?;
        let iteration = match method {
            Method::Kernel => {
                let vectors = padded(n) / LANES;
                let pipeline =
                    gpu.pipeline(include_str!("shaders/copy.wgsl"), "copy", &[("COUNT", vectors as f64)])?;
                let bindings = gpu.bind(&pipeline, &[(0, &to), (1, &from)])?;
                let groups = (groups(vectors, WORKGROUP, gpu.limits.max_compute_workgroups_per_dimension), 1);
                Iteration::Kernels(vec![Step { pipeline, bindings, groups }])
            }
            Method::Command => Iteration::Copy { from, to: to.clone(), bytes: n as u64 * 4 },
        };
        Ok(Self { n, work: Work::new(gpu, iteration, to)? })
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
            .bytes(elements * 8.0)
            .device_ns(done.device_ns)
            .checksum(done.checksum))
    }
}

/// Against the source: a copy is exact.
fn check(to: &[f32], seed: u64) -> Result<(), Failure> {
    check::near("the copy", to, input::signed(seed, 1).take(to.len()).map(f64::from), 0.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_bit_of_one_element_counts() {
        let mut to: Vec<f32> = input::signed(5, 1).take(1000).collect();
        check(&to, 5).unwrap();
        to[500] = f32::from_bits(to[500].to_bits() ^ 1);
        assert!(check(&to, 5).unwrap_err().message().contains("element 500"));
    }
}
