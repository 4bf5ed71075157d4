//! Use cases: comparing results, and the noise and drift of machines.

use std::collections::HashMap;

use dyno_core::{
    model::{CaseComparison, Comparison, Event, KnownDrift, Measured, Verdict},
    stats::{self, CompareOptions, upper_bound},
};

use super::{error::AppError, root::App};
use crate::{notify, runner::Cancel, store::Noise};

/// Comparing results.
#[derive(Debug, Clone, Copy)]
pub struct Verdicts<'a>(&'a App);

impl App {
    /// The use cases of comparing results.
    #[must_use]
    pub fn verdicts(&self) -> Verdicts<'_> {
        Verdicts(self)
    }
}

impl Verdicts<'_> {
    /// Compares two results.
    ///
    /// # Errors
    /// When a side cannot be read.
    pub fn compare(
        &self,
        baseline: &str,
        candidate: &str,
        options: &CompareOptions,
    ) -> Result<Comparison, AppError> {
        let results = self.0.results();
        Ok(self.judge(&results.measured(baseline)?, &results.measured(candidate)?, options))
    }

    /// Compares two sides, taking into account the known drift of the candidate's machine. Drift only widens intervals, so a missing
    /// or unreadable database does not prevent a comparison of two files.
    #[must_use]
    pub fn judge(&self, baseline: &Measured, candidate: &Measured, options: &CompareOptions) -> Comparison {
        let known = candidate.machine.as_deref().map(|machine| self.drift(machine));
        let (drift, unknown) = match known {
            None | Some(Err(AppError::NoDatabase(_))) => (Vec::new(), None),
            Some(Ok(drift)) => (drift, None),
            Some(Err(error)) => (Vec::new(), Some(error)),
        };
        let mut comparison = stats::compare(baseline, candidate, options, &drift);
        comparison.differences.extend(unknown.map(|error| {
            format!("how much runs of equal builds differ on this machine is not taken into account: {error}")
        }));
        comparison
    }

    /// Compares two stored runs, or a run with a baseline. Reads no file.
    ///
    /// # Errors
    /// When there is no such run or baseline.
    pub fn compare_stored(
        &self,
        baseline: &str,
        candidate: &str,
        options: &CompareOptions,
    ) -> Result<Comparison, AppError> {
        let results = self.0.results();
        Ok(self.judge(&results.stored_side(baseline)?, &results.stored_side(candidate)?, options))
    }

    /// The drift of a machine: how much runs of equal builds differ.
    ///
    /// # Errors
    /// When there is no database, or it fails.
    pub fn drift(&self, machine: &str) -> Result<Vec<KnownDrift>, AppError> {
        self.0.backend.reading()?.drift(machine)
    }

    /// The noise of a machine: how much pairs of equal builds differ.
    ///
    /// # Errors
    /// When there is no database, or it fails.
    pub fn noise(&self, machine: &str) -> Result<Vec<Noise>, AppError> {
        self.0.backend.reading()?.noise(machine)
    }

    /// Stores a comparison.
    ///
    /// # Errors
    /// When the database refuses.
    pub fn record(&self, comparison: &Comparison) -> Result<(), AppError> {
        self.0.backend.writing(&self.0.cancel, &mut |_| {})?.record_comparison(comparison)
    }

    /// Stores the noise that an A/A comparison measured on a machine.
    ///
    /// # Errors
    /// When the database refuses.
    pub fn record_noise(&self, machine: &str, found: &[Noise]) -> Result<(), AppError> {
        self.0.backend.writing(&self.0.cancel, &mut |_| {})?.record_noise(machine, found)
    }

    /// Sends the notifications in the settings about the regressions of a comparison. Returns a sentence for each that failed.
    #[must_use]
    pub fn notify(&self, comparison: &Comparison) -> Vec<String> {
        notify::regression(
            self.0.settings.notify_webhook.value.as_deref(),
            self.0.settings.notify_command.value.as_deref(),
            &self.0.hardware().machine().hostname,
            comparison,
            &|| self.0.cancel.is_set(),
        )
    }

    /// Warnings about alarms: a sentence for each case whose equal builds raised alarms on this machine as well.
    ///
    /// # Errors
    /// When the database refuses.
    pub fn doubts(&self, comparison: &Comparison) -> Result<Vec<String>, AppError> {
        let alarmed = |case: &&CaseComparison| {
            case.metrics.iter().any(|metric| matches!(metric.verdict, Verdict::Regressed | Verdict::Improved))
        };
        if !comparison.cases.iter().any(|case| alarmed(&case)) {
            return Ok(Vec::new());
        }
        let noise = self.noise_here(&self.0.cancel, &mut |_| {})?;
        let doubt = |case: &CaseComparison| {
            let known = noise.get(&Noise::place_of(case.key.as_ref()?)).filter(|known| known.alarms > 0)?;
            let bound = upper_bound(u64::from(known.alarms), u64::from(known.comparisons), 0.95);
            (bound > comparison.alpha).then(|| {
                format!(
                    "{}: on this machine {} of {} comparisons of equal builds alarmed too (at most {:.1} % at 95 %); \
                     repeat the comparison before you believe it",
                    case.label,
                    known.alarms,
                    known.comparisons,
                    bound * 100.0
                )
            })
        };
        Ok(comparison.cases.iter().filter(alarmed).filter_map(doubt).collect())
    }

    /// The noise of this machine, by case; empty without an A/A comparison.
    pub(super) fn noise_here(
        &self,
        cancel: &Cancel,
        announce: &mut dyn FnMut(&Event),
    ) -> Result<HashMap<(String, String), Noise>, AppError> {
        let machine = self.0.hardware().machine().fingerprint;
        let known = match self.0.backend.reading_when_free(cancel, announce) {
            Ok(results) => results.noise(&machine)?,
            Err(AppError::NoDatabase(_)) => Vec::new(),
            Err(error) => return Err(error),
        };
        Ok(known.into_iter().map(|noise| (noise.place(), noise)).collect())
    }
}
