use dyno_sdk::prelude::*;

#[benchmark(name = "Sum", hardware = ["cpu"])]
struct Capital;

#[benchmark(name = "sum of floats", hardware = ["cpu"])]
struct Spaces;

#[benchmark(name = "", hardware = ["cpu"])]
struct Empty;

fn main() {}
