//! The workloads, timed by tango.

use tango_bench::{IntoBenchmarks, benchmark_fn, tango_benchmarks, tango_main};

fn benchmarks() -> impl IntoBenchmarks {
    [
        benchmark_fn("arithmetic", |b| b.iter(verdicts::arithmetic)),
        benchmark_fn("strings", |b| b.iter(verdicts::strings)),
        benchmark_fn("memory", |b| {
            let memory = verdicts::Memory::new();
            b.iter(move || memory.turn())
        }),
    ]
}

tango_benchmarks!(benchmarks());
tango_main!();
