use dyno_sdk::prelude::*;

macro_rules! benchmarks {
    ($($name:ident $text:literal)*) => {$(
        #[benchmark(name = $text, hardware = ["cpu"])]
        struct $name;

        impl Benchmark for $name {
            type Params = ();

            fn setup((): (), _: &Context) -> Result<Self, Failure> {
                Ok(Self)
            }

            fn execute(&mut self, _: u64) -> Result<Report, Failure> {
                Ok(Report::new())
            }
        }
    )*};
}

benchmarks! { Sum "sum" Product "product" OtherSum "sum" }

export_plugin! { id: "same-name", benchmarks: [Sum, Product, OtherSum] }

fn main() {}
