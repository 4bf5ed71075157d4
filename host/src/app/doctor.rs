//! The use case of the doctor: what makes this machine measure well or badly, what A/A comparisons have shown on it, and
//! how it compares to another.

use std::path::Path;

use dyno_core::{
    model::{DOCTOR_SCHEMA, DOCTOR_VERSION, Doctor, DoctorComparison, NoiseCase, NoiseReport},
    stats::upper_bound,
};
use serde_json::Value;

use super::{error::AppError, root::App};
use crate::{
    devices, doctor,
    fault::Place,
    user_file::{read_text, write_whole},
};

/// Confidence of the bounds.
const CONFIDENCE: f64 = 0.95;

/// What makes this machine measure well or badly.
#[derive(Debug, Clone, Copy)]
pub struct Checkup<'a>(&'a App);

impl App {
    /// The use cases of the doctor.
    #[must_use]
    pub fn doctor(&self) -> Checkup<'_> {
        Checkup(self)
    }
}

impl Checkup<'_> {
    /// Looks at this machine. Takes half a second, to see what goes on meanwhile.
    #[must_use]
    pub fn examine(&self) -> Doctor {
        let mut readings = devices::readings(&devices::Wanted {
            leases: self.0.settings.leases.value.clone(),
            worker_bytes: self.0.settings.memory_bytes.value,
        });
        readings.isolation = self.0.hardware().isolation();
        let noise = self.noise_report();
        let findings = doctor::findings(&readings, &noise);
        Doctor {
            schema: DOCTOR_SCHEMA.to_owned(),
            version: DOCTOR_VERSION,
            at: crate::timestamp::now(),
            dyno_version: env!("CARGO_PKG_VERSION").to_owned(),
            machine: self.0.hardware().machine(),
            readings,
            noise,
            findings,
        }
    }

    /// What comparisons of equal builds have shown here. A database that cannot be read is a sentence in it.
    fn noise_report(&self) -> NoiseReport {
        let mut report = NoiseReport {
            database: self.0.settings.db_path.value.display().to_string(),
            ..NoiseReport::default()
        };
        let known = match self.0.verdicts().noise(&self.0.hardware().machine().fingerprint) {
            Err(AppError::NoDatabase(_)) => return report,
            Ok(known) => known,
            Err(error) => {
                report.unreadable = Some(error.to_string());
                return report;
            }
        };
        let bound = |alarms: u32, comparisons: u32| {
            upper_bound(u64::from(alarms), u64::from(comparisons), CONFIDENCE)
        };
        report.cases = known
            .into_iter()
            .map(|noise| NoiseCase {
                upper_bound: bound(noise.alarms, noise.comparisons),
                label: noise.name(),
                comparisons: noise.comparisons,
                alarms: noise.alarms,
                pairs: noise.pairs,
                spread: noise.variance.max(0.0).sqrt(),
            })
            .collect();
        report.cases.sort_unstable_by(|a, b| b.spread.total_cmp(&a.spread).then(a.label.cmp(&b.label)));
        report.comparisons = report.cases.iter().map(|case| case.comparisons).sum();
        report.alarms = report.cases.iter().map(|case| case.alarms).sum();
        report.upper_bound = (report.comparisons > 0).then(|| bound(report.alarms, report.comparisons));
        report
    }

    /// A document that an earlier `dyno doctor` wrote, here or on another machine.
    ///
    /// # Errors
    /// A sentence that says what the file is instead.
    pub fn saved(&self, path: &Path) -> Result<Doctor, AppError> {
        let refused = |why: String| AppError::Side(format!("`{}`: {why}", path.display()));
        let text = read_text(path).map_err(|error| refused(error.to_string()))?;
        let value: Value =
            serde_json::from_str(&text).map_err(|error| refused(format!("the file is not JSON: {error}")))?;
        let schema = value.get("schema").unwrap_or(&Value::Null);
        if schema.as_str() != Some(DOCTOR_SCHEMA) {
            return Err(refused(format!(
                "the file was not written by `dyno doctor`: its `schema` is {schema}, expected `{DOCTOR_SCHEMA}`"
            )));
        }
        let newer = |found: &u64| *found > u64::from(DOCTOR_VERSION);
        if let Some(found) = value.get("version").and_then(Value::as_u64).filter(newer) {
            return Err(refused(format!(
                "the document has version {found}, this dyno reads versions up to {DOCTOR_VERSION}; use a newer dyno"
            )));
        }
        serde_json::from_value(value).map_err(|error| {
            refused(format!(
                "the document is damaged: {error}; write it again with `dyno doctor --save FILE`"
            ))
        })
    }

    /// Writes such a document.
    ///
    /// # Errors
    /// When the file cannot be written.
    pub fn save(&self, doctor: &Doctor, path: &Path) -> Result<(), AppError> {
        let mut text = serde_json::to_string_pretty(doctor).map_err(|error| AppError::System {
            what: "cannot write it as JSON".to_owned(),
            source: error.into(),
        })?;
        text.push('\n');
        Ok(write_whole(path, text.as_bytes(), Place::Named)?)
    }

    /// Two such documents beside one another.
    #[must_use]
    pub fn compare(&self, first: &Doctor, second: &Doctor) -> DoctorComparison {
        doctor::compare(first, second)
    }
}
