//! Inside the plugin: `softmax`, the exponential layer of attention and classification.

use dyno_sdk::prelude::*;

use crate::{
    check, geometry,
    gpu::Gpu,
    input,
    work::{Iteration, Step, Work},
};

#[derive(Params)]
pub(crate) struct SoftmaxParams {
    /// Rows, each normalised by itself
    #[param(default = 1024, min = 1, max = 1_048_576)]
    pub(crate) rows: usize,
    /// Length of a row
    #[param(default = 1024, min = 1, max = 1_048_576, unit = "elements")]
    pub(crate) columns: usize,
}

/// Softmax of each row of an f32 matrix, shifted by the largest element; a workgroup per row
#[benchmark(name = "softmax", category = "neural-network", hardware = ["webgpu"], tags = ["layer"])]
pub(crate) struct Softmax {
    rows: usize,
    columns: usize,
    work: Work,
}

/// The range of real logits: some outputs are near one, many are tiny.
fn logits(seed: u64) -> impl Iterator<Item = f32> {
    input::signed(seed, 1).map(|x| x * 12.0)
}

impl Benchmark for Softmax {
    type Params = SoftmaxParams;

    fn setup(params: SoftmaxParams, context: &Context) -> Result<Self, Failure> {
        let SoftmaxParams { rows, columns } = params;
        let gpu = Gpu::open(context)?;
        let count = rows * columns;
        let output = gpu.array("output", count)?;
        let values: Vec<f32> = logits(context.seed()).take(count).collect();
        let from = gpu.filled("input", count, &values)?;
        let constants = [("ROWS", rows as f64), ("COLUMNS", columns as f64)];
        let pipeline = gpu.pipeline(include_str!("shaders/softmax.wgsl"), "softmax", &constants)?;
        let bindings = gpu.bind(&pipeline, &[(0, &output), (1, &from)])?;
        let groups = (geometry::groups(rows, 1, gpu.limits.max_compute_workgroups_per_dimension), 1);
        let work = Work::new(gpu, Iteration::Kernels(vec![Step { pipeline, bindings, groups }]), output)?;
        Ok(Self { rows, columns, work })
    }

    fn verify(&mut self, context: &Context) -> Result<(), Failure> {
        self.work.poison()?;
        self.work.run(1)?;
        check(&self.work.output(self.rows * self.columns)?, self.columns, context.seed())
    }

    fn prepare(&mut self, iterations: u64) -> Result<(), Failure> {
        self.work.prepare(iterations)
    }

    fn execute(&mut self, iterations: u64) -> Result<Report, Failure> {
        let done = self.work.run(iterations)?;
        let elements = iterations as f64 * (self.rows * self.columns) as f64;
        Ok(Report::new()
            .items(elements)
            .bytes(elements * 8.0)
            .device_ns(done.device_ns)
            .checksum(done.checksum))
    }
}

/// Each row against the definition in `f64`, since a row of one element weighs more than all of a long one.
fn check(output: &[f32], columns: usize, seed: u64) -> Result<(), Failure> {
    let mut logits = logits(seed).map(f64::from);
    for (row, got) in output.chunks_exact(columns).enumerate() {
        let from: Vec<f64> = logits.by_ref().take(columns).collect();
        let largest = from.iter().copied().fold(f64::MIN, f64::max);
        let terms: Vec<f64> = from.iter().map(|x| (x - largest).exp()).collect();
        let sum: f64 = terms.iter().sum();
        // WGSL asks of `exp` no more than 3 + 2 |x| units in the last place.
        check::near(&format!("row {row}"), got, terms.iter().map(|term| term / sum), 4e-6)?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_wrong_row_is_found() {
        // Rows of one element are 1, whatever the input.
        check(&[1.0; 5], 1, 9).unwrap();
        assert!(check(&[1.0, 1.0, 0.999], 1, 9).unwrap_err().message().starts_with("row 2"));
        assert!(check(&[f32::NAN; 4], 2, 9).is_err());
    }
}
