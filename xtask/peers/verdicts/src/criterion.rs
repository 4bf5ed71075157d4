//! The workloads, timed by criterion.

use criterion::{Criterion, criterion_group, criterion_main};

fn benches(criterion: &mut Criterion) {
    criterion.bench_function("arithmetic", |b| b.iter(verdicts::arithmetic));
    criterion.bench_function("strings", |b| b.iter(verdicts::strings));
    // Only where it is asked for: the others should not pay for its memory.
    if std::env::args().any(|argument| argument.contains("memory")) {
        let memory = verdicts::Memory::new();
        criterion.bench_function("memory", |b| b.iter(|| memory.turn()));
    }
}

criterion_group!(all, benches);
criterion_main!(all);
