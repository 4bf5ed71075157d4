//! What `dyno check` found: the conformance kit's tests of plugin files, one after the other.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::PluginRef;

/// The name of the document.
pub const CHECK_SCHEMA: &str = "dyno.check";
/// The version of the document.
pub const CHECK_VERSION: u32 = 1;

/// The document: `dyno check --json` prints it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct CheckReport {
    /// Always `dyno.check`.
    pub schema: String,
    /// Version of the format.
    pub version: u32,
    /// Version of dyno that checked.
    pub dyno_version: String,
    /// Seed of the inputs and of the random parameters: `dyno check --reproduce` takes it.
    pub seed: u64,
    /// Time that each test has [s].
    pub budget_s: f64,
    /// The files, in the order in which they were named.
    pub files: Vec<CheckedFile>,
}

/// A file with the results of its tests.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct CheckedFile {
    /// Path of the file.
    pub path: String,
    /// The plugin; absent where the file is none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub plugin: Option<PluginRef>,
    /// The tests, in the order in which they were carried out.
    pub tests: Vec<TestResult>,
}

/// What a test found.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct TestResult {
    /// The test.
    pub test: ConformanceTest,
    /// The benchmark; absent in tests of the whole file.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub benchmark: Option<String>,
    /// The device; absent in tests of the whole file. // eg: "cpu"
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub device: Option<String>,
    /// How it ended.
    #[serde(flatten)]
    pub outcome: TestOutcome,
    /// How long it took [s].
    pub elapsed_s: f64,
}

/// How a test ended.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "outcome", rename_all = "lowercase")]
pub enum TestOutcome {
    /// The promise is kept.
    Passed,
    /// The promise is broken.
    Failed {
        /// How, and what to do.
        message: String,
    },
    /// Nothing is broken, but the author should know something. With `--strict` this is a failure.
    Noted {
        /// What.
        message: String,
    },
    /// The test has nothing to look at here.
    Skipped {
        /// Why.
        message: String,
    },
}

impl TestOutcome {
    /// A broken promise.
    pub fn failed(message: impl Into<String>) -> Self {
        Self::Failed { message: message.into() }
    }

    /// Something to know.
    pub fn noted(message: impl Into<String>) -> Self {
        Self::Noted { message: message.into() }
    }

    /// Nothing to look at.
    pub fn skipped(message: impl Into<String>) -> Self {
        Self::Skipped { message: message.into() }
    }

    /// Failed if there is something to complain about.
    #[must_use]
    pub fn unless(complaints: &[String]) -> Self {
        if complaints.is_empty() { Self::Passed } else { Self::failed(complaints.join("; ")) }
    }

    /// The word for it, as in JSON.
    #[must_use]
    pub fn word(&self) -> &'static str {
        match self {
            Self::Passed => "passed",
            Self::Failed { .. } => "failed",
            Self::Noted { .. } => "noted",
            Self::Skipped { .. } => "skipped",
        }
    }

    /// What there is to say; `None` for a kept promise.
    #[must_use]
    pub fn message(&self) -> Option<&str> {
        match self {
            Self::Passed => None,
            Self::Failed { message } | Self::Noted { message } | Self::Skipped { message } => Some(message),
        }
    }

    /// Whether the plugin does not pass with it; `strict` also refuses what is only worth knowing.
    #[must_use]
    pub fn is_failure(&self, strict: bool) -> bool {
        matches!(self, Self::Failed { .. }) || strict && matches!(self, Self::Noted { .. })
    }
}

/// The tests, in the order in which they are carried out: first of the file, then of each benchmark.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum ConformanceTest {
    /// Of the file: it is a plugin.
    Plugin,
    /// Of the file: its descriptor is understood.
    Descriptor,
    /// Of the file: it is no debug build.
    Build,
    /// The stage `load`.
    Load,
    /// Both entry points of a native plugin.
    Doors,
    /// The stage `setup`.
    Setup,
    /// The stage `verify`.
    Verify,
    /// The stage `calibrate`.
    Grow,
    /// The stage `sample`.
    Sample,
    /// The stage `process_results`.
    Metrics,
    /// The stage `cleanup`.
    Cleanup,
    /// Nothing is written while measured.
    Quiet,
    /// No thread, file or descriptor is left.
    Leftovers,
    /// `execute(0)`.
    NoIteration,
    /// `execute(1)`.
    OneIteration,
    /// The same seed gives the same checksum.
    Reproducible,
    /// A second instance is like the first.
    Independent,
    /// Many calls need no more memory than a few.
    Steady,
    /// A hundred instances need no more than one.
    Repeat,
    /// Cancellation.
    Cancel,
    /// The ends of the ranges of parameters.
    Limits,
    /// Random parameters.
    Fuzz,
}

impl ConformanceTest {
    /// Its name, as in JSON.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Plugin => "plugin",
            Self::Descriptor => "descriptor",
            Self::Build => "build",
            Self::Load => "load",
            Self::Doors => "doors",
            Self::Setup => "setup",
            Self::Verify => "verify",
            Self::Grow => "grow",
            Self::Sample => "sample",
            Self::Metrics => "metrics",
            Self::Cleanup => "cleanup",
            Self::Quiet => "quiet",
            Self::Leftovers => "leftovers",
            Self::NoIteration => "no-iteration",
            Self::OneIteration => "one-iteration",
            Self::Reproducible => "reproducible",
            Self::Independent => "independent",
            Self::Steady => "steady",
            Self::Repeat => "repeat",
            Self::Cancel => "cancel",
            Self::Limits => "limits",
            Self::Fuzz => "fuzz",
        }
    }

    /// The promise that it looks at, a sentence.
    #[must_use]
    pub fn promise(self) -> &'static str {
        match self {
            Self::Plugin => "the file is a plugin that this dyno can run",
            Self::Descriptor => "every key of the descriptor is known, and each capability can be granted",
            Self::Build => "the code is optimised",
            Self::Load => "the code has the benchmark that the descriptor names",
            Self::Doors => {
                "both entry points lead to the same functions, and the types of both agree with the host's"
            }
            Self::Setup => "`setup` succeeds with the default parameters",
            Self::Verify => "`verify` agrees with the result",
            Self::Grow => "time and reported work grow with the iterations",
            Self::Sample => "`execute` succeeds again and again",
            Self::Metrics => "`process_results` reports only declared metrics",
            Self::Cleanup => "`cleanup` succeeds, and the process ends by itself",
            Self::Quiet => "`execute` writes nothing",
            Self::Leftovers => "no thread, file or socket is left",
            Self::NoIteration => "`execute(0)` succeeds and reports no work",
            Self::OneIteration => "`execute(1)` succeeds",
            Self::Reproducible => "the same seed gives the same checksum in every process",
            Self::Independent => "a second instance in one process is like the first",
            Self::Steady => {
                "after a thousand calls, `execute` takes no more memory and no more time than after a hundred"
            }
            Self::Repeat => "a hundred instances, one after the other, take no more memory than one",
            Self::Cancel => "a cancelled measurement stops within two seconds",
            Self::Limits => "every parameter works at both ends of its range, and with each of its choices",
            Self::Fuzz => "parameters at random in their ranges work together",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_test_is_called_the_same_everywhere() {
        for test in [ConformanceTest::Plugin, ConformanceTest::NoIteration, ConformanceTest::Fuzz] {
            assert_eq!(serde_json::to_value(test).unwrap(), test.name());
        }
        let result = TestResult {
            test: ConformanceTest::Quiet,
            benchmark: None,
            device: None,
            outcome: TestOutcome::noted("hm"),
            elapsed_s: 0.5,
        };
        let json = serde_json::to_value(&result).unwrap();
        assert_eq!((&json["outcome"], &json["message"]), (&"noted".into(), &"hm".into()));
        assert_eq!(serde_json::from_value::<TestResult>(json).unwrap(), result);
    }

    #[test]
    fn what_is_worth_knowing_fails_only_where_that_is_asked_for() {
        let fails = |outcome: &TestOutcome| [false, true].map(|strict| outcome.is_failure(strict));
        assert_eq!(fails(&TestOutcome::failed("x")), [true, true]);
        assert_eq!(fails(&TestOutcome::noted("x")), [false, true]);
        assert_eq!(fails(&TestOutcome::skipped("x")), [false, false]);
        assert_eq!(fails(&TestOutcome::Passed), [false, false]);
    }
}
