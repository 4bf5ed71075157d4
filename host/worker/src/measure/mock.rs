//! A clock that only moves when told, and an instance that moves it: measuring is tested without sleeping.

use std::{cell::Cell, rc::Rc};

use super::Clock;
use crate::instance::{Failure, Instance, Report};

#[derive(Debug, Clone, Default)]
pub(crate) struct MockClock {
    wall: Rc<Cell<u64>>,
    cpu: Rc<Cell<u64>>,
    preemptions: Rc<Cell<u64>>,
}

impl Clock for MockClock {
    fn now_ns(&self) -> u64 {
        self.wall.get()
    }

    fn cpu_ns(&self) -> u64 {
        self.cpu.get()
    }

    fn preemptions(&self) -> u64 {
        self.preemptions.get()
    }
}

#[derive(Debug)]
pub(crate) struct MockInstance {
    clock: MockClock,
    /// Cost of a call beside its iterations [ns].
    fixed_ns: u64,
    /// Cost of an iteration [ns].
    cost_ns: u64,
    /// Iterations that cost as much as one of `cost_ns`.
    together: u64,
    pub(crate) items_per_iteration: f64,
    pub(crate) prepared: u32,
    pub(crate) calls: u64,
    /// Calls in the middle of which another task runs for as long as the call itself.
    pub(crate) preempt_calls: Vec<u64>,
    pub(crate) report: Report,
    pub(crate) largest: u64,
}

impl MockInstance {
    pub(crate) fn new(clock: &MockClock, cost_ns: u64) -> Self {
        Self {
            clock: clock.clone(),
            fixed_ns: 0,
            cost_ns,
            together: 1,
            items_per_iteration: 0.0,
            prepared: 0,
            calls: 0,
            preempt_calls: Vec::new(),
            report: Report::default(),
            largest: 0,
        }
    }

    /// What a call costs, and each of its iterations.
    pub(crate) fn call_ns(&mut self, fixed_ns: u64, cost_ns: u64) {
        (self.fixed_ns, self.cost_ns) = (fixed_ns, cost_ns);
    }

    /// So many iterations take a nanosecond together.
    pub(crate) fn iterations_per_ns(&mut self, count: u64) {
        (self.cost_ns, self.together) = (1, count);
    }
}

impl Instance for MockInstance {
    fn setup(&mut self) -> Result<(), Failure> {
        Ok(())
    }

    fn verify(&mut self) -> Result<bool, Failure> {
        Ok(false)
    }

    fn prepare(&mut self, _: u64) -> Result<(), Failure> {
        self.prepared += 1;
        Ok(())
    }

    fn execute(&mut self, iterations: u64) -> Result<Report, Failure> {
        let spent = self.fixed_ns + self.cost_ns * (iterations / self.together);
        self.largest = self.largest.max(iterations);
        self.clock.wall.set(self.clock.wall.get() + spent);
        self.clock.cpu.set(self.clock.cpu.get() + spent);
        if self.preempt_calls.contains(&self.calls) {
            self.clock.wall.set(self.clock.wall.get() + spent);
            self.clock.preemptions.set(self.clock.preemptions.get() + 1);
        }
        self.calls += 1;
        let mut report = self.report;
        report.work.items += self.items_per_iteration * iterations as f64;
        Ok(report)
    }

    fn process_results(&mut self, _: &[(u64, u64)]) -> Result<(), Failure> {
        Ok(())
    }

    fn cleanup(&mut self) -> Result<(), Failure> {
        Ok(())
    }
}
