use dyno_sdk::prelude::*;

#[benchmark(hardware = ["cpu"])]
struct NoName;

#[benchmark(name = "no_hardware")]
struct NoHardware;

#[benchmark]
struct Nothing;

#[benchmark(name = "typo", hardwares = ["cpu"])]
struct UnknownField;

#[benchmark(name = "twice", name = "twice", hardware = ["cpu"])]
struct Twice;

#[benchmark(name("parentheses"), hardware = ["cpu"])]
struct NoEqualsSign;

#[benchmark(name = 5, hardware = "cpu", tags = [1], category = ["a"])]
struct WrongTypes;

fn main() {}
