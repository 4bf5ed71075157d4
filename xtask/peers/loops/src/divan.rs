//! The loop as divan times it.

/// Turns per timed call; `xtask/src/bench/loops.rs` divides by the same number.
const TURNS: u64 = 1_000_000;

fn main() {
    divan::main();
}

#[divan::bench]
fn same_loop() {
    loops::noop(divan::black_box(TURNS));
}
