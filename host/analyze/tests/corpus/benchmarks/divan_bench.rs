//! Read by the tests, never compiled.
fn main() {
    divan::main();
}

#[divan::bench(args = [1, 10, 100], sample_count = 1)]
fn fill(n: usize) -> Vec<u8> {
    vec![0; n]
}

#[bench]
fn old(b: &mut Bencher) {
    b.iter(|| 1 + 1);
}

#[bench]
fn other() {}
