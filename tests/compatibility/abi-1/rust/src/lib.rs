//! The smallest useful plugin: one benchmark with three parameters, native and WASM from this one source.

use dyno_sdk::prelude::*;

/// How a vector of floats is summed.
#[derive(Params)]
struct SumParams {
    /// How many floats to add.
    #[param(default = 4096, min = 1, max = 1_048_576, unit = "elements")]
    n: usize,
    /// In how many partial sums: more of them let the processor add several floats at once.
    #[param(default = 8, choices = [1, 8])]
    lanes: usize,
}

#[benchmark(name = "sum", category = "arithmetic", hardware = ["cpu"], tags = ["float"])]
struct Sum {
    data: Vec<f32>,
    lanes: usize,
}

impl Sum {
    fn sum(&self) -> f32 {
        if self.lanes == 1 {
            return self.data.iter().sum();
        }
        let mut lanes = [0.0; 8];
        self.data.iter().enumerate().for_each(|(i, value)| lanes[i % 8] += value);
        lanes.iter().sum()
    }
}

impl Benchmark for Sum {
    type Params = SumParams;

    fn setup(params: SumParams, context: &Context) -> Result<Self, Failure> {
        let mut rng = rng(context.seed());
        Ok(Sum { data: (0..params.n).map(|_| rng.f32()).collect(), lanes: params.lanes })
    }

    fn verify(&mut self, _: &Context) -> Result<(), Failure> {
        let (ours, reference) = (f64::from(self.sum()), self.data.iter().map(|x| f64::from(*x)).sum::<f64>());
        if (ours - reference).abs() > 1e-3 * reference.abs() {
            return Err(Failure::error(format!("the sum is {ours}, expected {reference}")));
        }
        Ok(())
    }

    fn execute(&mut self, iterations: u64) -> Result<Report, Failure> {
        let mut sum = 0.0;
        for _ in 0..iterations {
            sum = black_box(black_box(&*self).sum());
        }
        let adds = iterations as f64 * self.data.len() as f64;
        Ok(Report::new().items(adds).bytes(4.0 * adds).flop(adds).checksum(sum.to_bits().into()))
    }
}

export_plugin! { id: "old-rust", benchmarks: [Sum] }
