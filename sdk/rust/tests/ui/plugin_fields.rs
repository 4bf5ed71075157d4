use dyno_sdk::prelude::*;

export_plugin! { id: "Hello World", benchmarks: [], version: "1" }

export_plugin! { description: "no id", benchmark: [Sum] }

export_plugin! { id: "numbers", benchmarks: [5] }

export_plugin! { id = "equals", benchmarks = [Sum] }

fn main() {}
