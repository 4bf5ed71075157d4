use dyno_sdk::prelude::*;

#[derive(ParamEnum)]
enum Dtype {
    F32,
}

#[derive(Params)]
struct Bounds {
    #[param(default = "a", min = 1)]
    string: String,
    #[param(default = true, max = 1)]
    boolean: bool,
    #[param(default = "f32", min = "f32")]
    word: Dtype,
    #[param(default = 4, min = 5, max = 3)]
    crossed: i64,
    #[param(default = 4, min = "1")]
    mistyped: i64,
}

#[derive(Params)]
struct Choices {
    #[param(default = 3, choices = [1, 2, 4])]
    not_among_them: usize,
    #[param(default = 1, max = 2, choices = [1, 2, 4])]
    above: usize,
    #[param(default = 1, choices = [])]
    empty: usize,
    #[param(default = 1, choices = [1, 2, 1])]
    twice: usize,
    #[param(default = 1, choices = [1, "2"])]
    mixed: usize,
    #[param(default = "f32", choices = ["f32"])]
    word: Dtype,
    #[param(default = true, choices = [true])]
    boolean: bool,
    #[param(default = 1, choices_on = ["cpu"])]
    no_hardware: usize,
    #[param(default = 1, choices = [1, 2], choices_on = [on("cpu", [1]), on("cpu", [2])])]
    hardware_twice: usize,
    #[param(default = 1, choices = [1, 2], choices_on = [on("cpu", [])])]
    nothing_on_it: usize,
}

fn main() {}
