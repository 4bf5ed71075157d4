//! Inside the plugin: `noop`, the cheapest iteration there is, which shows what the loop around it costs.

use dyno_sdk::prelude::*;

/// Counts, and does nothing else: what one turn of a benchmark loop costs
#[benchmark(name = "noop", category = "baseline", hardware = ["cpu"], tags = ["overhead"])]
pub(crate) struct Noop;

impl Benchmark for Noop {
    type Params = ();

    fn setup((): (), _: &Context) -> Result<Self, Failure> {
        Ok(Self)
    }

    fn execute(&mut self, iterations: u64) -> Result<Report, Failure> {
        for i in 0..iterations {
            // Natively a value is put into memory by `black_box`: one store in each turn. In WASM it is not, and several
            // turns would become one addition; there only a reference makes the same store.
            if cfg!(target_family = "wasm") {
                black_box(&i);
            } else {
                black_box(i);
            }
        }
        Ok(Report::new().items(iterations as f64).checksum(iterations))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_counts() {
        let report = dyno_sdk::testing::run::<Noop>((), 1000).unwrap();
        assert_eq!(report, Report::new().items(1000.0).checksum(1000));
    }
}
