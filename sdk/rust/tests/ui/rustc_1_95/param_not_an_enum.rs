use dyno_sdk::prelude::*;

#[derive(Params)]
struct NotAnEnumOfOurs {
    #[param(default = "short")]
    duration: std::time::Duration,
}

fn main() {}
