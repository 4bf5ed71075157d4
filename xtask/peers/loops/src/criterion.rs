//! The loop as criterion times it, and criterion's own loop around the same body.

use std::{hint::black_box, time::Instant};

use criterion::Criterion;

fn main() {
    let mut criterion = Criterion::default().configure_from_args();
    let mut group = criterion.benchmark_group("noop");
    group.bench_function("same_loop", |bencher| {
        bencher.iter_custom(|iterations| {
            let start = Instant::now();
            loops::noop(iterations);
            start.elapsed()
        });
    });
    group.bench_function("own_loop", |bencher| {
        let mut i = 0_u64;
        bencher.iter(|| {
            i += 1;
            black_box(i)
        });
    });
    group.finish();
}
