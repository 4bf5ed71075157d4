use dyno_sdk::prelude::*;

#[derive(Params)]
struct Fields {
    #[param(default = 1, minimum = 1)]
    unknown: usize,
    #[param(default = 1, default = 2)]
    twice: usize,
    #[param(default = 1)]
    #[param(min = 1)]
    split: usize,
    #[param(default = 1, unit = 5)]
    unit: usize,
    #[param(default = 1)]
    _hidden: usize,
    #[param(default: 1)]
    colon: usize,
}

#[derive(Params)]
struct Tuple(usize);

#[derive(Params)]
struct Generic<T> {
    #[param(default = 1)]
    n: T,
}

#[derive(Params)]
enum Words {
    A,
}

fn main() {}
