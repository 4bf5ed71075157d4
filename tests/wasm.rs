//! User story: somebody runs the CPU kernels as WASM. Their matrix products have an implementation of their own there, which
//! must pass the check of the native one for every shape, also where tiles and blocks end.

use crate::support::{arena::Arena, built};

#[test]
fn products_in_wasm_pass_the_check_of_the_native_ones() {
    let arena = Arena::new();
    let Some(plugin) = built::plugin("cpu-kernels.wasm") else { return };
    arena.add(&plugin, "cpu-kernels.wasm");
    let shapes = ["-p", "n=1,13,1009", "-p", "m=1,4", "-p", "k=3,257", "-p", "dtype=f32,f64"];
    let mut arguments =
        vec!["run", "gemm", "--engine", "wasm", "--samples", "1", "--launches", "1", "--json"];
    arguments.extend(shapes);
    let outcome = arena.dyno(&arguments);
    assert_eq!(outcome.code, Some(0), "{}", outcome.shown());
    assert_eq!(outcome.record().cases.len(), 24);
    let layers = ["run", "conv2d", "layernorm", "--engine", "wasm", "--samples", "1", "--launches", "1"];
    let outcome = arena.dyno(&layers);
    assert_eq!(outcome.code, Some(0), "{}", outcome.shown());
}
