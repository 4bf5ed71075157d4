use dyno_sdk::prelude::*;

#[derive(ParamEnum)]
enum Dtype {
    F32,
    F64,
}

#[derive(Params)]
struct Words {
    #[param(default = "F32")]
    dtype: Dtype,
}

fn main() {}
