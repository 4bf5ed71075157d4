use dyno_sdk::prelude::*;

#[derive(Params)]
struct Unsupported {
    #[param(default = 1)]
    list: Vec<f32>,
    #[param(default = 1)]
    option: Option<usize>,
    #[param(default = "a")]
    slice: &'static str,
    #[param(default = 1)]
    wide: u128,
    #[param(default = 'a')]
    character: char,
    #[param(default = 1)]
    pair: (u8, u8),
}

type Size = usize;

#[derive(Params)]
struct Alias {
    #[param(default = 1)]
    size: Size,
}

fn main() {}
