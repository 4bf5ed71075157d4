//! What `dyno doctor` says of a machine for measuring: readings, what follows from them, and two machines beside one
//! another.

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
    /// When the machine was looked at (RFC 3339, UTC).
    pub at: String,
    /// Version of the dyno that looked.
    pub dyno_version: String,
    /// The machine, as it is stored with every run.
    pub machine: Machine,
    /// What was read.
    pub readings: Readings,
    /// What A/A comparisons have shown here.
    pub noise: NoiseReport,
    /// What follows from all that, worst first.
    pub findings: Vec<Finding>,
}

/// How much a finding matters for measuring.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    /// Numbers measured now mislead, or nothing can be measured.
    Problem,
    /// Numbers are noisier than they need be.
    Warning,
    /// Worth knowing when reading the numbers.
    Note,
    /// As it should be.
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

/// One thing about the machine.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Finding {
    /// What it is about, in one word that stays the same. // eg: "governor"
    pub topic: String,
    /// How much it matters.
    pub severity: Severity,
    /// What was found, and what that does to numbers.
    pub text: String,
    /// The command that improves it; absent where none does, or nothing needs to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub command: Option<String>,
    /// What to do where no command does it, or beside the command.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub advice: Option<String>,
}

/// What comparisons of equal builds (`dyno aa`) have shown on a machine, all of them together.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct NoiseReport {
    /// The database that was asked.
    pub database: String,
    /// Comparisons of equal builds.
    pub comparisons: u32,
    /// How many of them raised an alarm, which was wrong.
    pub alarms: u32,
    /// What share of such comparisons alarms at most, at 95 % (Clopper–Pearson); absent without comparisons.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub upper_bound: Option<f64>,
    /// The cases, noisiest first.
    #[serde(default)]
    pub cases: Vec<NoiseCase>,
    /// Why the database could not be asked; absent where it could.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unreadable: Option<String>,
}

/// One case of it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct NoiseCase {
    /// Benchmark, parameters, engine and device.
    pub label: String,
    /// Comparisons of equal builds.
    pub comparisons: u32,
    /// Alarms among them.
    pub alarms: u32,
    /// What share alarms at most, at 95 %.
    pub upper_bound: f64,
    /// Pairs over all comparisons.
    pub pairs: u32,
    /// Standard deviation of the effects of pairs, relative.
    pub spread: f64,
}

/// Two machines beside one another, or one at two times.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct DoctorComparison {
    /// Always `dyno.doctor-comparison`.
    pub schema: String,
    /// Version of the format.
    pub version: u32,
    /// The first: its name and when it was looked at.
    pub first: String,
    /// The second.
    pub second: String,
    /// What differs, what matters most first.
    pub differences: Vec<Difference>,
    /// Whether times measured on one may be held against times measured on the other.
    pub comparable: Comparable,
    /// Why, in a sentence.
    pub reason: String,
}

/// One difference between two machines.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Difference {
    /// What it is about.
    pub topic: String,
    /// How it is with the first.
    pub first: String,
    /// How it is with the second.
    pub second: String,
    /// What it does to comparisons of results.
    pub matters: Comparable,
}

/// Whether results of two machines may be held against one another.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Comparable {
    /// No: the speed is another.
    No,
    /// With care: the speed may be another, or the noise is.
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
