//! What the host offers a benchmark, as safe Rust: log, progress, cancellation, metrics, seed and device.

use crate::export::platform::Link;

/// The host, as a benchmark sees it. Its functions may be called from any thread.
#[derive(Debug)]
pub struct Context {
    link: Link,
    seed: u64,
    device: Device,
}

/// The device that a case runs on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Device {
    /// A kind, or kind and number. // eg: "cpu", "cuda:0"
    pub name: String,
    /// Number of the device among those of its kind, from 0.
    pub index: u32,
    /// How many threads the case may use [threads]; 0 when the device is not a CPU.
    pub threads: u32,
}

/// Level of a log line.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Level {
    /// An error.
    Error,
    /// A possible error.
    Warn,
    /// Worth knowing.
    Info,
    /// Details for debugging.
    Debug,
}

impl Context {
    pub(crate) fn new(link: Link, seed: u64, device: Device) -> Self {
        Self { link, seed, device }
    }

    /// Writes a line to the log of the launch. Not in `execute`: it would be timed.
    pub fn log(&self, level: Level, message: impl AsRef<str>) {
        self.link.log(level, message.as_ref());
    }

    /// Logs an error.
    pub fn error(&self, message: impl AsRef<str>) {
        self.log(Level::Error, message);
    }

    /// Logs a warning.
    pub fn warn(&self, message: impl AsRef<str>) {
        self.log(Level::Warn, message);
    }

    /// Logs information.
    pub fn info(&self, message: impl AsRef<str>) {
        self.log(Level::Info, message);
    }

    /// Logs a detail for debugging.
    pub fn debug(&self, message: impl AsRef<str>) {
        self.log(Level::Debug, message);
    }

    /// Reports the progress of a long stage: `fraction` from 0 to 1.
    pub fn progress(&self, fraction: f64) {
        self.link.progress(fraction);
    }

    /// Whether the user has cancelled. A long stage should ask from time to time and return early.
    #[must_use]
    pub fn cancelled(&self) -> bool {
        self.link.cancelled()
    }

    /// Reports a metric that the benchmark declares in `metrics = [...]`; the last value of a name counts.
    pub fn metric(&self, name: &str, value: f64) {
        self.link.metric(name, value);
    }

    /// Seed of all random numbers in the case. With the same seed, the plugin must do the same work.
    #[must_use]
    pub fn seed(&self) -> u64 {
        self.seed
    }

    /// The device of the case.
    #[must_use]
    pub fn device(&self) -> &Device {
        &self.device
    }
}

impl Default for Device {
    /// One thread of the CPU.
    fn default() -> Self {
        Self { name: "cpu".to_owned(), index: 0, threads: 1 }
    }
}
