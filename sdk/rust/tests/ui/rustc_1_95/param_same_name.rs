use dyno_sdk::prelude::*;

#[derive(Params)]
struct SameName {
    #[param(default = 1)]
    n: usize,
    #[param(default = 1)]
    n: usize,
}

fn main() {}
