//! Read by the tests, never compiled.
use criterion::{BenchmarkId, Criterion, criterion_group, criterion_main};
use std::time::{Duration, Instant};

fn parsing(c: &mut Criterion) {
    c.bench_function("parse", |b| b.iter(|| parse("1 + 2")));
    let mut group = c.benchmark_group("sizes");
    group.warm_up_time(Duration::from_secs(0));
    for size in [10, 100, 1000] {
        group.bench_with_input(BenchmarkId::new("sort", size), &size, |b, size| {
            b.iter(|| {
                let mut data = vec![1; *size];
                data.sort();
                data
            })
        });
    }
    group.finish();
}

criterion_group!(benches, parsing);
criterion_main!(benches);

fn by_hand() {
    let start = Instant::now();
    let total: u64 = compute(1000);
    println!("{total} {:?}", start.elapsed());
}
