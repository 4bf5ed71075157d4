//! One set-up benchmark, whatever technology its plugin has: the lifecycle that measuring drives.

use dyno_core::model::Work;

/// Why a stage did not succeed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Failure {
    /// The stage failed.
    Error(String),
    /// This case cannot run here, which is not a failure.
    Skipped(String),
    /// The machine lacked a resource that a launch needs, before any code of the plugin ran.
    Host {
        /// The attempted step.
        doing: String,
        /// The system's error number, where there is one.
        code: Option<i32>,
        /// The system's message.
        said: String,
    },
}

impl Failure {
    /// A failure of the machine while `doing` something for the launch.
    pub(crate) fn host(doing: impl Into<String>, error: &std::io::Error) -> Self {
        Self::Host { doing: doing.into(), code: error.raw_os_error(), said: error.to_string() }
    }
}

impl From<String> for Failure {
    fn from(message: String) -> Self {
        Self::Error(message)
    }
}

/// The report of one call of `execute`.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub(crate) struct Report {
    pub(crate) work: Work,
    /// Time that the device itself measured [ns]; 0 when it cannot tell.
    pub(crate) device_ns: f64,
    pub(crate) checksum: u64,
}

/// A benchmark of a loaded plugin.
pub(crate) trait Instance {
    /// Makes the instance. Called once, before anything else.
    fn setup(&mut self) -> Result<(), Failure>;
    /// Checks the output; says whether the plugin has such a check.
    fn verify(&mut self) -> Result<bool, Failure>;
    /// Makes fresh input for the next `execute`. Untimed.
    fn prepare(&mut self, iterations: u64) -> Result<(), Failure>;
    /// Does the work. The only timed call: nothing is allocated or formatted in it unless it fails.
    fn execute(&mut self, iterations: u64) -> Result<Report, Failure>;
    /// Derives metrics from samples: iterations and wall time [ns] of each.
    fn process_results(&mut self, samples: &[(u64, u64)]) -> Result<(), Failure>;
    /// Frees the instance. Called once if `setup` succeeded.
    fn cleanup(&mut self) -> Result<(), Failure>;
}
