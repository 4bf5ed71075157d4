//! The trait that a plugin author implements: the lifecycle of one case, as safe Rust.

use crate::{Context, Failure, Params, Report, Sample};

/// A named piece of work that can be measured.
///
/// The host calls `setup`, `verify`, then `prepare` and `execute` once per sample, then `process_results`, all on one
/// thread; cleaning up is [`Drop`]. Only `execute` is timed. A panic in any of them, in `drop` too, is reported as an
/// error of that stage.
pub trait Benchmark: Described + Sized + 'static {
    /// The typed parameters; `()` where there are none.
    type Params: Params;

    /// Makes everything that `execute` needs. Random input comes from [`Context::seed`], so that equal seeds make
    /// equal work.
    ///
    /// # Errors
    /// [`Failure::error`] if it failed, [`Failure::skipped`] if this case cannot run here.
    fn setup(params: Self::Params, context: &Context) -> Result<Self, Failure>;

    /// Checks the output against an independent reference, before any timing counts.
    ///
    /// # Errors
    /// When the answer is wrong: the case fails.
    fn verify(&mut self, context: &Context) -> Result<(), Failure> {
        let _ = context;
        Ok(())
    }

    /// Makes fresh input for the next `execute`, which will do `iterations` iterations. Untimed.
    ///
    /// # Errors
    /// When the input cannot be made.
    fn prepare(&mut self, iterations: u64) -> Result<(), Failure> {
        let _ = iterations;
        Ok(())
    }

    /// Does the work `iterations` times: the only timed call. The report holds totals over all iterations.
    ///
    /// # Errors
    /// When the work cannot be done.
    fn execute(&mut self, iterations: u64) -> Result<Report, Failure>;

    /// Derives metrics from the samples of the launch and reports them with [`Context::metric`]. Untimed.
    ///
    /// # Errors
    /// When no metric can be derived.
    fn process_results(&mut self, samples: &[Sample], context: &Context) -> Result<(), Failure> {
        let _ = (samples, context);
        Ok(())
    }
}

/// The metadata of a benchmark as constants. Only `#[benchmark(...)]` implements it.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not described as a benchmark",
    label = "no `#[benchmark(...)]` attribute on this type",
    note = "write `#[benchmark(name = \"…\", hardware = [\"cpu\"])]` above `{Self}`"
)]
pub trait Described {
    /// Name, unique in the plugin.
    const NAME: &'static str;
    /// The entry in the descriptor, as JSON.
    #[doc(hidden)]
    const JSON: &'static str;
}
