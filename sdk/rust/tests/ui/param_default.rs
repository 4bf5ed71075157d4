use dyno_sdk::prelude::*;

#[derive(Params)]
struct Missing {
    n: usize,
    #[param(min = 1)]
    m: usize,
    #[param]
    k: usize,
}

#[derive(Params)]
struct Mistyped {
    #[param(default = "4096")]
    text_for_integer: usize,
    #[param(default = 1.5)]
    float_for_integer: i32,
    #[param(default = 1)]
    integer_for_bool: bool,
    #[param(default = true)]
    bool_for_float: f64,
    #[param(default = 'a')]
    character_for_string: String,
    #[param(default = 1 + 1)]
    expression: u8,
}

#[derive(Params)]
struct Outside {
    #[param(default = 0, min = 1, max = 8)]
    below: usize,
    #[param(default = 9, min = 1, max = 8)]
    above: usize,
    #[param(default = 1.5, max = 1.25)]
    float: f32,
    #[param(default = 300)]
    small: u8,
    #[param(default = -1)]
    negative: u64,
    #[param(default = 9_223_372_036_854_775_808)]
    large: u64,
    #[param(default = 1e999)]
    infinite: f64,
}

fn main() {}
