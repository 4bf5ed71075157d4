use dyno_sdk::prelude::*;

#[benchmark(name = "sum", hardware = ["cpu"])]
struct Sum;

impl Benchmark for Sum {
    type Params = ();

    fn setup((): (), _: &Context) -> Result<Self, Failure> {
        Ok(Self)
    }

    fn execute(&mut self, _: u64) -> Result<Report, Failure> {
        Ok(Report::new())
    }
}

export_plugin! { id: "same-type", benchmarks: [Sum, Sum] }

fn main() {}
