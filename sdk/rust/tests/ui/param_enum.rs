use dyno_sdk::prelude::*;

#[derive(ParamEnum)]
enum NoVariants {}

#[derive(ParamEnum)]
enum WithFields {
    A,
    B(u8),
}

#[derive(ParamEnum)]
enum SameWord {
    F32,
    #[param(name = "f32")]
    Single,
}

#[derive(ParamEnum)]
enum BadAttribute {
    #[param(rename = "a")]
    A,
    #[param(name = "")]
    B,
}

#[derive(ParamEnum)]
struct NotAnEnum;

fn main() {}
