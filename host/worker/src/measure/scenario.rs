//! Load scenarios: sends queries when they are scheduled, and records when each was sent and answered.

use std::time::Duration;

use dyno_core::{
    model::{Query, Scenario},
    protocol::QUERIES_PER_BATCH,
    stats::poisson_arrivals,
};

use super::Clock;
use crate::instance::{Failure, Instance};

/// Closer than this to an arrival, the worker polls the clock, because sleeping would be late by more.
const SPIN_NS: u64 = 200_000;

#[derive(Debug, Clone, Copy)]
pub(crate) struct Demand {
    pub(crate) scenario: Scenario,
    pub(crate) seed: u64,
    /// For how long queries arrive [ns].
    pub(crate) duration_ns: u64,
    pub(crate) max_queries: u32,
    /// Iterations that take about a slice, as calibrated: for `offline`.
    pub(crate) iterations: u64,
    /// Length of such a slice [ns].
    pub(crate) slice_ns: u64,
}

pub(crate) fn play(
    instance: &mut dyn Instance,
    clock: &impl Clock,
    demand: &Demand,
    cancelled: &dyn Fn() -> bool,
    hand_on: &mut dyn FnMut(Vec<Query>),
) -> Result<(), Failure> {
    let most = demand.max_queries.max(1) as usize;
    let mut player = Player { instance, clock, begin: 0, batch: Vec::new(), sent: 0, hand_on };
    // Input for the first query, made before the clock starts.
    player.instance.prepare(1)?;
    player.begin = clock.now_ns();
    match demand.scenario {
        Scenario::SingleStream => player.stream(1, demand.duration_ns, most, cancelled)?,
        Scenario::MultiStream { streams } => {
            player.stream(streams.max(1), demand.duration_ns, most, cancelled)?;
        }
        Scenario::Offline => {
            let slices = demand.duration_ns as f64 / demand.slice_ns.max(1) as f64;
            let samples = (demand.iterations as f64 * slices.max(1.0)).min(2f64.powi(53)) as u64;
            player.query(0, samples.max(1))?;
        }
        Scenario::Server { target_qps, .. } => {
            let rate = target_qps.unwrap_or(1.0);
            for arrival in poisson_arrivals(demand.seed, rate, demand.duration_ns, most) {
                player.wait_until(arrival);
                if cancelled() {
                    break;
                }
                player.query(arrival, 1)?;
            }
        }
    }
    player.hand_on_rest();
    Ok(())
}

struct Player<'a, C> {
    instance: &'a mut dyn Instance,
    clock: &'a C,
    begin: u64,
    batch: Vec<Query>,
    sent: usize,
    hand_on: &'a mut dyn FnMut(Vec<Query>),
}

impl<C: Clock> Player<'_, C> {
    fn now(&self) -> u64 {
        self.clock.now_ns() - self.begin
    }

    /// One query after the other.
    fn stream(
        &mut self,
        samples: u64,
        duration_ns: u64,
        most: usize,
        cancelled: &dyn Fn() -> bool,
    ) -> Result<(), Failure> {
        loop {
            let scheduled = self.now();
            self.query(scheduled, samples)?;
            if self.now() >= duration_ns || self.sent >= most || cancelled() {
                return Ok(());
            }
        }
    }

    fn query(&mut self, scheduled_ns: u64, samples: u64) -> Result<(), Failure> {
        if samples > 1 {
            self.instance.prepare(samples)?;
        }
        let start_ns = self.now();
        self.instance.execute(samples)?;
        let end_ns = self.now();
        // A stream has no schedule but its own: making the input is not part of the latency.
        let scheduled_ns = if samples > 1 { start_ns } else { scheduled_ns };
        self.batch.push(Query { scheduled_ns, start_ns, end_ns, samples });
        self.sent += 1;
        if samples == 1 {
            self.instance.prepare(1)?;
        }
        if self.batch.len() >= QUERIES_PER_BATCH {
            self.hand_on_rest();
        }
        Ok(())
    }

    fn hand_on_rest(&mut self) {
        if !self.batch.is_empty() {
            (self.hand_on)(std::mem::take(&mut self.batch));
        }
    }

    fn wait_until(&self, arrival: u64) {
        loop {
            let now = self.now();
            if now >= arrival {
                return;
            }
            if arrival - now > SPIN_NS {
                std::thread::sleep(Duration::from_nanos(arrival - now - SPIN_NS));
            } else {
                std::hint::spin_loop();
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::measure::mock::{MockClock, MockInstance};

    fn demand(scenario: Scenario, duration_ns: u64) -> Demand {
        Demand { scenario, seed: 1, duration_ns, max_queries: 1_000, iterations: 10, slice_ns: 10_000 }
    }

    fn played(scenario: Scenario, duration_ns: u64) -> Vec<Query> {
        let clock = MockClock::default();
        let mut instance = MockInstance::new(&clock, 1_000);
        let mut all = Vec::new();
        play(&mut instance, &clock, &demand(scenario, duration_ns), &|| false, &mut |batch| {
            all.extend(batch);
        })
        .unwrap();
        all
    }

    #[test]
    fn streams_send_the_next_query_when_the_last_is_answered() {
        let single = played(Scenario::SingleStream, 10_000);
        assert_eq!(single.len(), 10);
        assert!(single.windows(2).all(|pair| pair[1].start_ns >= pair[0].end_ns));
        let multi = played(Scenario::MultiStream { streams: 4 }, 10_000);
        assert!(multi.iter().all(|query| query.samples == 4 && query.end_ns - query.start_ns == 4_000));
    }

    #[test]
    fn offline_is_one_query_that_lasts_as_long_as_asked() {
        let offline = played(Scenario::Offline, 1_000_000);
        assert_eq!(offline.len(), 1);
        assert_eq!(offline[0].end_ns - offline[0].start_ns, 1_000_000);
    }
}
