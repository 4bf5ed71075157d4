use dyno_sdk::prelude::*;

#[benchmark(name = "unknown", hardware = ["cpu", "gpu", "tpu"])]
struct Unknown;

#[benchmark(name = "numbered", hardware = ["cuda:0"])]
struct Numbered;

#[benchmark(name = "none", hardware = [])]
struct NoKind;

#[benchmark(name = "twice", hardware = ["cpu", "cuda", "cpu"])]
struct Twice;

fn main() {}
