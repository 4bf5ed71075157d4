//! Requests that measure nothing: what the conformance kit asks of a verified instance. The numbers are looked at, never
//! reported.

use std::time::Duration;

use dyno_core::{
    model::{Sample, Stage},
    protocol::{Renewal, Reply, Request},
};

use super::{Session, Step, Verified};

impl<'a> Session<'a, Verified> {
    /// Calls `execute` once, with any number of iterations.
    pub(in crate::runner) fn call(self, iterations: u64) -> Step<'a, Verified, Sample> {
        self.step(Verified, |line| match line.ask(Stage::Sample, &Request::Call { iterations })? {
            Reply::Called(sample) if sample.iterations == iterations => {
                sample.work.check(sample.wall_ns).map_err(|message| line.failed(message))?;
                Ok(sample)
            }
            other => Err(line.unexpected(&other)),
        })
    }

    /// Calls `cleanup` and `setup` so many times, or until that time is over.
    pub(in crate::runner) fn renew(self, times: u32, budget: Duration) -> Step<'a, Verified, Renewal> {
        let budget_ns = u64::try_from(budget.as_nanos()).unwrap_or(u64::MAX);
        self.step(Verified, |line| match line.ask(Stage::Setup, &Request::Renew { times, budget_ns })? {
            Reply::Renewed(renewal) if renewal.settled <= renewal.times => Ok(renewal),
            other => Err(line.unexpected(&other)),
        })
    }
}
