//! Progress of a queued or running run, derived from its events.

use std::{
    collections::BTreeMap,
    time::{Duration, Instant},
};

use dyno_core::model::{CaseStatus, Event};

use super::status::Status;
use crate::app::{Outline, RunEnd};

/// Progress of one run.
#[derive(Debug)]
pub(super) struct Progress {
    run: String,
    asked_at: String,
    begun: Option<Instant>,
    /// Duration, once the run has ended.
    ran: Option<Duration>,
    step: String,
    cases: u32,
    done: u32,
    /// Completed fraction of each case in progress.
    fractions: BTreeMap<u32, f64>,
    /// Highest completed fraction so far. Progress never goes back, even if an estimate does.
    reached: f64,
    /// Number of unfinished cases of each model.
    models: BTreeMap<String, u32>,
    case_models: Vec<String>,
}

impl Progress {
    pub(super) fn new(outline: Outline) -> Self {
        let mut models: BTreeMap<String, u32> = BTreeMap::new();
        for name in &outline.models {
            *models.entry(name.clone()).or_default() += 1;
        }
        Self {
            run: outline.run,
            asked_at: outline.created_at,
            begun: None,
            ran: None,
            step: "Waiting in the queue".to_owned(),
            cases: outline.models.len() as u32,
            done: 0,
            fractions: BTreeMap::new(),
            reached: 0.0,
            models,
            case_models: outline.models,
        }
    }

    pub(super) fn cases(&self) -> u32 {
        self.cases
    }

    /// Takes in an event; returns whether clients should be told at once.
    pub(super) fn learn(&mut self, event: &Event) -> bool {
        let is_news = self.take_in(event);
        let measured: f64 = self.fractions.values().sum();
        let done = (f64::from(self.done) + measured) / f64::from(self.cases.max(1));
        self.reached = self.reached.max(done.min(1.0));
        is_news
    }

    fn take_in(&mut self, event: &Event) -> bool {
        match event {
            Event::RunStarted { cases, .. } => {
                self.begun = Some(Instant::now());
                // Plugins may have changed while it waited.
                self.cases = *cases;
                self.step = "Preparing benchmark environment".to_owned();
            }
            Event::Waiting { device, holder, .. } => self.step = format!("Waiting for {device}: {holder}"),
            Event::CaseStarted { benchmark, device, .. } => {
                self.step = format!("Running {benchmark} on {device}");
            }
            Event::Estimated { case, estimate, .. } => {
                self.fractions.insert(*case, estimate.fraction.clamp(0.0, 1.0));
                return false;
            }
            // What was given up has not ended: its measuring counts as far as it came.
            Event::CaseFinished { case } if case.status == CaseStatus::Cancelled => {}
            Event::CaseFinished { case } => {
                self.done += 1;
                self.fractions.remove(&case.index);
                if let Some(left) =
                    self.case_models.get(case.index as usize).and_then(|name| self.models.get_mut(name))
                {
                    *left = left.saturating_sub(1);
                }
            }
            Event::RunFinished { .. } => {}
            _ => return false,
        }
        true
    }

    /// Stops the clock: the run has ended.
    pub(super) fn end(&mut self) -> RunEnd {
        let ran = *self.ran.get_or_insert(self.begun.map_or(Duration::ZERO, |begun| begun.elapsed()));
        RunEnd { elapsed_s: ran.as_secs_f64(), progress: Some(self.reached) }
    }

    /// The current status.
    pub(super) fn status(&self) -> Status {
        let progress = self.reached;
        let running = || self.begun.map_or(Duration::ZERO, |begun| begun.elapsed());
        let elapsed = self.ran.unwrap_or_else(running).as_secs_f64();
        let remaining = (progress > 0.0).then(|| elapsed / progress * (1.0 - progress));
        Status {
            run_id: self.run.clone(),
            status: if self.begun.is_some() { "running" } else { "initializing" },
            progress,
            current_step: self.step.clone(),
            start_time: self.asked_at.clone(),
            elapsed_time: elapsed,
            estimated_remaining_time: remaining,
            completed_models: self.models.values().filter(|left| **left == 0).count() as u32,
            total_models: self.models.len() as u32,
            error: None,
        }
    }
}
