//! For the tests of a plugin: run a benchmark through its whole lifecycle without a host.

use crate::{Benchmark, Context, Device, Failure, Report, Sample, export::platform::Link};

/// A context that leads nowhere: log lines, progress and metrics are dropped, nothing is ever cancelled.
#[must_use]
pub fn context(seed: u64) -> Context {
    Context::new(Link::nowhere(), seed, Device::default())
}

/// Takes one instance through setup, verify, prepare, execute, process_results and drop, and returns the report of
/// `execute(iterations)`. Panics are not caught: a test wants them.
///
/// ```
/// # use dyno_sdk::prelude::*;
/// # #[benchmark(name = "noop", hardware = ["cpu"])]
/// # struct Noop;
/// # impl Benchmark for Noop {
/// #     type Params = ();
/// #     fn setup((): (), _: &Context) -> Result<Self, Failure> { Ok(Noop) }
/// #     fn execute(&mut self, n: u64) -> Result<Report, Failure> { Ok(Report::new().items(n as f64)) }
/// # }
/// let report = dyno_sdk::testing::run::<Noop>(Params::defaults(), 3).unwrap();
/// assert_eq!(report, Report::new().items(3.0));
/// ```
///
/// # Errors
/// What the first stage that fails returned.
pub fn run<B: Benchmark>(params: B::Params, iterations: u64) -> Result<Report, Failure> {
    let context = context(42);
    let mut benchmark = B::setup(params, &context)?;
    benchmark.verify(&context)?;
    benchmark.prepare(iterations)?;
    let report = benchmark.execute(iterations)?;
    benchmark.process_results(&[Sample { iterations, wall_ns: iterations.max(1) }], &context)?;
    Ok(report)
}
