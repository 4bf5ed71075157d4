use dyno_sdk::prelude::*;

#[benchmark(name = "form", hardware = ["cpu"], metrics = ["tokens"])]
struct Form;

#[benchmark(name = "direction", hardware = ["cpu"], metrics = [metric("tokens", unit = "1")])]
struct NoDirection;

#[benchmark(name = "wrong_direction", hardware = ["cpu"], metrics = [metric("tokens", better = "more")])]
struct WrongDirection;

#[benchmark(name = "twice", hardware = ["cpu"],
    metrics = [metric("tokens", better = "higher"), metric("tokens", better = "lower")])]
struct Twice;

#[benchmark(name = "characters", hardware = ["cpu"], metrics = [metric("tokens/s", better = "higher")])]
struct Characters;

#[benchmark(name = "typo", hardware = ["cpu"], metrics = [metric("tokens", units = "1", better = "higher")])]
struct Typo;

fn main() {}
