use dyno_sdk::prelude::*;

#[benchmark(name = "generic", hardware = ["cpu"])]
struct Generic<T>(T);

#[benchmark(name = "function", hardware = ["cpu"])]
fn function() {}

fn main() {}
