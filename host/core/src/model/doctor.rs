//! The report of `dyno doctor`: readings, findings that follow from them, and the comparison of two machines.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Machine, Readings};

/// The name of the document.
pub const DOCTOR_SCHEMA: &str = "dyno.doctor";
/// The version of the document.
pub const DOCTOR_VERSION: u32 = 1;

/// The document: `dyno doctor --json` prints it, `--save` writes it, `--compare` reads it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Doctor {
    /// Always `dyno.doctor`.
    pub schema: String,
    /// Version of the format.
    pub version: u32,
    /// When the machine was examined (RFC 3339, UTC).
    pub at: String,
    /// Version of dyno that examined it.
    pub dyno_version: String,
    /// The machine, as it is stored with every run.
    pub machine: Machine,
    /// The readings.
    pub readings: Readings,
    /// Noise of this machine, by A/A comparisons.
    pub noise: NoiseReport,
    /// The findings that follow, worst first.
    pub findings: Vec<Finding>,
}

/// How much a finding matters for measuring.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    /// Numbers measured now are misleading, or nothing can be measured.
    Problem,
    /// Numbers are noisier than necessary.
    Warning,
    /// Worth knowing when reading the numbers.
    Note,
    /// Good: nothing to do.
    Good,
}

impl Severity {
    /// Its word.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Problem => "problem",
            Self::Warning => "warning",
            Self::Note => "note",
            Self::Good => "good",
        }
    }
}

/// One finding about the machine.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Finding {
    /// Topic, a fixed word. // eg: "governor"
    pub topic: String,
    /// How much it matters.
    pub severity: Severity,
    /// What was found, and how it affects the numbers.
    pub text: String,
    /// The command that improves it; absent if none does, or none is needed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub command: Option<String>,
    /// What else to do, instead of the command or besides it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub advice: Option<String>,
}

/// Noise of a machine: all its comparisons of equal builds (`dyno aa`) together.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct NoiseReport {
    /// The database that was read.
    pub database: String,
    /// Comparisons of equal builds.
    pub comparisons: u32,
    /// How many of them raised a false alarm.
    pub alarms: u32,
    /// Upper bound of the false-alarm rate, with 95 % confidence (Clopper–Pearson); absent without comparisons.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub upper_bound: Option<f64>,
    /// The cases, noisiest first.
    #[serde(default)]
    pub cases: Vec<NoiseCase>,
    /// Why the database could not be read; absent if it could.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unreadable: Option<String>,
}

/// Noise of one case.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct NoiseCase {
    /// Benchmark, parameters, engine and device.
    pub label: String,
    /// Comparisons of equal builds.
    pub comparisons: u32,
    /// Alarms among them.
    pub alarms: u32,
    /// Upper bound of the false-alarm rate, with 95 % confidence.
    pub upper_bound: f64,
    /// Pairs over all comparisons.
    pub pairs: u32,
    /// Standard deviation of the effects of pairs, relative.
    pub spread: f64,
}

/// The comparison of two machines, or of one at two times.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct DoctorComparison {
    /// Always `dyno.doctor-comparison`.
    pub schema: String,
    /// Version of the format.
    pub version: u32,
    /// The first: its name and when it was examined.
    pub first: String,
    /// The second.
    pub second: String,
    /// Differences, the most important first.
    pub differences: Vec<Difference>,
    /// Whether times from the two machines can be compared.
    pub comparable: Comparable,
    /// Why, in a sentence.
    pub reason: String,
}

/// One difference between two machines.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Difference {
    /// Topic.
    pub topic: String,
    /// Value of the first machine.
    pub first: String,
    /// Value of the second machine.
    pub second: String,
    /// Its effect on comparisons of results.
    pub matters: Comparable,
}

/// Whether results of two machines can be compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Comparable {
    /// No: the speed differs.
    No,
    /// With care: the speed may differ, or the noise does.
    Care,
    /// Yes.
    Yes,
}

impl Comparable {
    /// Its word.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::No => "no",
            Self::Care => "with care",
            Self::Yes => "yes",
        }
    }
}
