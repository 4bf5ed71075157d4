//! Inside the plugin: `reduction`, the sum of an array in two kernels.

use dyno_sdk::prelude::*;

use crate::{
    check,
    geometry::{LANES, WORKGROUP, groups, padded},
    gpu::Gpu,
    input,
    work::{Iteration, Step, Work},
};

/// Most sums that the first kernel leaves to the second.
const MAX_PARTIALS: u32 = 1024;

#[derive(Params)]
pub(crate) struct ReductionParams {
    /// Length of the array
    #[param(default = 16_777_216, min = 1, max = 134_217_728, unit = "elements")]
    pub(crate) n: usize,
}

/// Sum of an f32 array: partial sums by workgroups, then their sum
#[benchmark(name = "reduction", category = "parallel", hardware = ["webgpu"], tags = ["bandwidth"])]
pub(crate) struct Reduction {
    n: usize,
    work: Work,
}

impl Benchmark for Reduction {
    type Params = ReductionParams;

    fn setup(params: ReductionParams, context: &Context) -> Result<Self, Failure> {
        let n = params.n;
        let gpu = Gpu::open(context)?;
        let values: Vec<f32> = input::whole(context.seed(), 1).take(n).collect();
        let from = gpu.filled("values", padded(n), &values)?;
        let vectors = padded(n) / LANES;
        let count = groups(vectors, WORKGROUP, MAX_PARTIALS);
        let partials = gpu.array("partials", count as usize)?;
        let total = gpu.array("total", 1)?;
        let source = include_str!("shaders/reduction.wgsl");
        let step = |entry, groups, buffers: &[(u32, &wgpu::Buffer)]| -> Result<Step, Failure> {
            let constants = [("COUNT", vectors as f64), ("PARTIALS", f64::from(count))];
            let pipeline = gpu.pipeline(source, entry, &constants)?;
            let bindings = gpu.bind(&pipeline, buffers)?;
            Ok(Step { pipeline, bindings, groups: (groups, 1) })
        };
        let steps = vec![
            step("sum_by_groups", count, &[(0, &from), (1, &partials)])?,
            step("sum_of_groups", 1, &[(1, &partials), (2, &total)])?,
        ];
        Ok(Self { n, work: Work::new(gpu, Iteration::Kernels(steps), total)? })
    }

    fn verify(&mut self, context: &Context) -> Result<(), Failure> {
        self.work.poison()?;
        self.work.run(1)?;
        check(&self.work.output(1)?, self.n, context.seed())
    }

    fn prepare(&mut self, iterations: u64) -> Result<(), Failure> {
        self.work.prepare(iterations)
    }

    fn execute(&mut self, iterations: u64) -> Result<Report, Failure> {
        let done = self.work.run(iterations)?;
        let elements = iterations as f64 * self.n as f64;
        Ok(Report::new()
            .items(elements)
            .bytes(elements * 4.0)
            .flop(elements)
            .device_ns(done.device_ns)
            .checksum(done.checksum))
    }
}

/// Against the sum in `f64`: whole numbers have one sum, so it must be met exactly.
fn check(total: &[f32], n: usize, seed: u64) -> Result<(), Failure> {
    let sum: f64 = input::whole(seed, 1).take(n).map(f64::from).sum();
    check::near("the sum", total, [sum], 0.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_element_too_few_is_found() {
        let all: f32 = input::whole(3, 1).take(1_000_000).sum();
        check(&[all], 1_000_000, 3).unwrap();
        check(&[all], 999_999, 3).unwrap_err();
    }
}
