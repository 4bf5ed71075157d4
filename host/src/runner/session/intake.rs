//! What a launch may send while it is measured: no more than it was asked for, nothing empty, and not for longer than a worker
//! that keeps to its request could take. Each batch alone has the time limit of a stage; a plugin that forges batches could
//! otherwise go on for years.

use std::time::{Duration, Instant};

use dyno_core::protocol::{QUERIES_PER_BATCH, Quota};

/// What has come, and what may.
#[derive(Debug)]
pub(super) struct Intake {
    /// What it is made of. // eg: "samples"
    what: &'static str,
    taken: usize,
    most: usize,
    begin: Instant,
    /// Longest time for all of it.
    whole: Duration,
}

impl Intake {
    /// For samples, each of which takes at most `timeout`.
    pub(super) fn of_samples(quota: Quota, timeout: Duration) -> Self {
        // A worker retakes at most one sample more than it keeps, and goes on after its budget until it has the least number.
        let calls = quota.min_samples.max(1).saturating_add(1).saturating_mul(2);
        // A request for a number of samples has no budget.
        let budget = if quota.budget_ns == u64::MAX { 0 } else { quota.budget_ns };
        Self::new(
            "samples",
            quota.max_samples.max(1),
            Duration::from_nanos(budget),
            timeout.saturating_mul(calls),
        )
    }

    /// For the queries of a scenario.
    pub(super) fn of_queries(max_queries: u32, duration_ns: u64, timeout: Duration) -> Self {
        // All batches but the last are full.
        let batches = (max_queries as usize).div_ceil(QUERIES_PER_BATCH) + 1;
        let batches = u32::try_from(batches).unwrap_or(u32::MAX);
        Self::new("queries", max_queries, Duration::from_nanos(duration_ns), timeout.saturating_mul(batches))
    }

    fn new(what: &'static str, most: u32, planned: Duration, slack: Duration) -> Self {
        let whole = planned.saturating_add(slack);
        Self { what, taken: 0, most: most as usize, begin: Instant::now(), whole }
    }

    /// Counts a batch in.
    ///
    /// # Errors
    /// A sentence when no worker that keeps to its request sends it.
    pub(super) fn take(&mut self, count: usize) -> Result<(), String> {
        if count == 0 {
            return Err(format!("the worker sent a batch without {}", self.what));
        }
        self.taken = self.taken.saturating_add(count);
        if self.taken > self.most {
            return Err(format!(
                "the worker sent {} {}, more than the {} it was asked for",
                self.taken, self.what, self.most
            ));
        }
        Ok(())
    }

    /// The deadline of the next batch, where it is not that of all of them.
    pub(super) fn capped(&self, deadline: Instant) -> Instant {
        self.begin.checked_add(self.whole).map_or(deadline, |end| end.min(deadline))
    }

    /// The limit for all of it, once it has passed.
    pub(super) fn spent(&self) -> Option<Duration> {
        (self.begin.elapsed() >= self.whole).then_some(self.whole)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TIMEOUT: Duration = Duration::from_secs(60);

    fn quota(min_samples: u32, max_samples: u32, budget_ns: u64) -> Quota {
        Quota { min_samples, max_samples, budget_ns, retake: true }
    }

    #[test]
    fn more_than_was_asked_for_is_refused_and_so_is_nothing() {
        let mut intake = Intake::of_samples(quota(2, 20, 1), TIMEOUT);
        intake.take(19).unwrap();
        intake.take(1).unwrap();
        assert_eq!(
            intake.take(1).unwrap_err(),
            "the worker sent 21 samples, more than the 20 it was asked for"
        );
        let mut intake = Intake::of_samples(quota(2, 20, 1), TIMEOUT);
        assert_eq!(intake.take(0).unwrap_err(), "the worker sent a batch without samples");
        assert!(Intake::of_queries(200_000, 1, TIMEOUT).take(200_001).is_err());
    }

    #[test]
    fn all_batches_together_end_however_slowly_they_come() {
        let whole = |intake: &Intake| intake.whole.as_secs();
        assert_eq!(whole(&Intake::of_samples(quota(2, 20, 5_000_000_000), TIMEOUT)), 5 + 6 * 60);
        assert_eq!(whole(&Intake::of_samples(quota(10, 10, u64::MAX), TIMEOUT)), 22 * 60);
        assert_eq!(whole(&Intake::of_queries(8192, 5_000_000_000, TIMEOUT)), 5 + 3 * 60);
        let late = Instant::now() + 1000 * TIMEOUT;
        let intake = Intake::of_samples(quota(2, 20, 1), TIMEOUT);
        assert!(intake.capped(late) < late && intake.spent().is_none());
        let over = Intake::of_samples(quota(1, 1, 0), Duration::ZERO);
        assert_eq!(over.spent(), Some(Duration::ZERO));
        // A limit beyond every clock is none.
        assert_eq!(Intake::of_samples(quota(2, 20, 1), Duration::MAX).capped(late), late);
    }
}
