use dyno_sdk::prelude::*;

struct Forgotten;

impl Benchmark for Forgotten {
    type Params = ();

    fn setup((): (), _: &Context) -> Result<Self, Failure> {
        Ok(Self)
    }

    fn execute(&mut self, _: u64) -> Result<Report, Failure> {
        Ok(Report::new())
    }
}

struct NotDerived;

#[benchmark(name = "described", hardware = ["cpu"])]
struct Described;

impl Benchmark for Described {
    type Params = NotDerived;

    fn setup(_: NotDerived, _: &Context) -> Result<Self, Failure> {
        Ok(Self)
    }

    fn execute(&mut self, _: u64) -> Result<Report, Failure> {
        Ok(Report::new())
    }
}

fn main() {}
