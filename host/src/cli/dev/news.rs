//! What the two sides of a session tell each other: the developer orders, the engine reports.

use dyno_core::model::Comparison;
use serde::Serialize;

/// What the developer wants.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Order {
    /// The sources have changed.
    Changed,
    /// Compare the same two builds again.
    Again,
    /// The latest build becomes the baseline.
    Accept,
    /// Measure these benchmarks from now on.
    Benchmarks(Vec<String>),
    /// Measure with these parameters from now on, each `NAME=VALUES`.
    Params(Vec<String>),
    /// End the session.
    Quit,
}

/// What has happened.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(tag = "event", rename_all = "snake_case")]
pub(super) enum News {
    /// A build has begun.
    Building {
        /// Its number.
        build: u32,
    },
    /// There is no usable plugin. What was there before stays.
    Failed {
        /// The build.
        build: u32,
        /// Why, in a sentence.
        why: String,
        /// What the tools said, from the first error on.
        messages: Vec<String>,
    },
    /// A build works.
    Built {
        /// Its number.
        build: u32,
        /// How long it took [s].
        took_s: f64,
        /// Whether it is byte for byte the build before.
        same: bool,
        /// The benchmarks that it has.
        benchmarks: Vec<String>,
    },
    /// Later builds are compared with this one.
    Baseline {
        /// The build.
        build: u32,
    },
    /// A comparison has begun.
    Comparing {
        /// The build that is judged.
        build: u32,
        /// The build that it is compared with.
        baseline: u32,
        /// The benchmarks.
        benchmarks: Vec<String>,
    },
    /// Where a case of it stands.
    Standing {
        /// Benchmark, parameters, engine and device.
        case: String,
        /// The change with its interval.
        effect: String,
        /// Pairs of this case.
        pairs: u32,
    },
    /// A comparison has ended by itself.
    Verdict(Box<Judged>),
    /// A comparison was ended before it was decided.
    Stopped {
        /// The build.
        build: u32,
        /// Whether the sources have changed meanwhile.
        superseded: bool,
    },
    /// Something worth knowing, or an order that cannot be carried out.
    Remark {
        /// A sentence.
        message: String,
    },
}

/// What came of a comparison.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub(super) struct Judged {
    /// The build that was judged.
    pub(super) build: u32,
    /// The build that it was compared with.
    pub(super) baseline: u32,
    /// How long the comparison took [s].
    pub(super) took_s: f64,
    /// Cases, effects, verdicts.
    pub(super) comparison: Comparison,
}
