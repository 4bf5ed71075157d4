//! The result of one timed call: as the worker measured it and the plugin reported it.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Shorter than one instruction takes on any processor: eight per cycle at more than six gigahertz [ns].
pub const MIN_NS_PER_ITERATION: f64 = 0.02;

/// How authors keep the work in every iteration, for every language of plugins.
pub const LOOP_REMEDY: &str = "pass what goes in and what comes out through `black_box` (Rust), `dyno::keep` (C++) or \
                               `dyno_keep` (C) in every iteration";

/// One timed call of `execute(iterations)`. All figures are for the whole call, not per iteration.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Sample {
    /// Iterations of the call.
    pub iterations: u64,
    /// Wall time [ns].
    pub wall_ns: u64,
    /// CPU time of the calling thread [ns].
    pub cpu_ns: u64,
    /// Time that the device itself measured [ns]; 0 when it cannot tell.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub device_ns: f64,
    /// Work that the plugin reports.
    #[serde(default)]
    pub work: Work,
    /// Checksum of the output.
    #[serde(default)]
    pub checksum: u64,
    /// Involuntary context switches during the call.
    #[serde(default)]
    pub preemptions: u32,
}

impl Sample {
    /// Whether a preemption took more than a hundredth of its wall time. Means something only for work that is done on
    /// the calling thread.
    #[must_use]
    pub fn is_disturbed(&self) -> bool {
        let lost = self.wall_ns.saturating_sub(self.cpu_ns) as f64;
        self.preemptions > 0 && lost > 0.01 * self.wall_ns as f64
    }

    /// Wall time of one iteration [ns].
    #[must_use]
    pub fn ns_per_iteration(&self) -> f64 {
        self.wall_ns as f64 / self.iterations.max(1) as f64
    }

    /// Time of one iteration by the device's own clock [ns]. `None` if the plugin did not report it.
    #[must_use]
    pub fn device_ns_per_iteration(&self) -> Option<f64> {
        (self.device_ns > 0.0).then(|| self.device_ns / self.iterations.max(1) as f64)
    }

    /// Rate of this work [1/s], by device time if the plugin reported it, otherwise by wall time: the wall time of a call to a
    /// device also contains work of the host and pauses between iterations. `None` if no work was reported.
    #[must_use]
    pub fn per_second(&self, work: f64) -> Option<f64> {
        let ns = if self.device_ns > 0.0 { self.device_ns } else { self.wall_ns as f64 };
        (work > 0.0 && ns > 0.0).then(|| work * 1e9 / ns)
    }
}

/// Work that a plugin reports for a call, summed over its iterations. Zero means "not reported".
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Work {
    /// Things processed [items].
    #[serde(default, skip_serializing_if = "is_zero")]
    pub items: f64,
    /// Traffic [bytes].
    #[serde(default, skip_serializing_if = "is_zero")]
    pub bytes: f64,
    /// Floating-point operations [FLOP].
    #[serde(default, skip_serializing_if = "is_zero")]
    pub flop: f64,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde passes a reference")]
fn is_zero(value: &f64) -> bool {
    *value == 0.0
}

impl Work {
    /// Maximum work per nanosecond: more (a zettaitem per second) is a mistake.
    pub const MAX_PER_NS: f64 = 1e12;

    /// Maximum work of any kind that a processor can do for each of its hardware threads [1/ns]: twice what matrix
    /// units of 8-bit integers do.
    pub const MAX_PER_THREAD_NS: f64 = 16_384.0;
    /// Maximum work of any kind that an accelerator can do [1/ns]: many times the largest of today.
    pub const MAX_PER_ACCELERATOR_NS: f64 = 1e9;

    /// The kind of work of which most was done, and its rate [1/ns]; `None` where nothing was reported.
    #[must_use]
    pub fn fastest_per_ns(&self, wall_ns: u64) -> Option<(&'static str, f64)> {
        [("items", self.items), ("bytes", self.bytes), ("flop", self.flop)]
            .into_iter()
            .filter(|(_, value)| *value > 0.0)
            .map(|(name, value)| (name, value / wall_ns.max(1) as f64))
            .max_by(|one, other| one.1.total_cmp(&other.1))
    }

    /// Refuses numbers that no work can have: negative, not finite, or absurdly large for the time they took.
    ///
    /// # Errors
    /// A sentence with the field and its value.
    pub fn check(&self, wall_ns: u64) -> Result<(), String> {
        for (name, value) in [("items", self.items), ("bytes", self.bytes), ("flop", self.flop)] {
            if !value.is_finite() || value < 0.0 {
                return Err(format!(
                    "the plugin reported {value} {name} of work; work must be finite and not negative"
                ));
            }
            let limit = Self::MAX_PER_NS * wall_ns.max(1) as f64;
            if value > limit {
                return Err(format!(
                    "the plugin reported {value:e} {name} of work in {wall_ns} ns, more than any machine can do. Either \
                     `execute` does not do the work that it reports, or the compiler removed it: {LOOP_REMEDY}"
                ));
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn impossible_work_is_refused_with_its_value() {
        for (bytes, shown) in [
            (f64::NAN, "NaN"),
            (f64::INFINITY, "inf"),
            (-1.0, "-1"),
            (1e300, "1e300"),
            (f64::NEG_INFINITY, "-inf"),
        ] {
            let message = Work { bytes, ..Work::default() }.check(1_000).unwrap_err();
            assert!(message.contains(shown) && message.contains("bytes"), "{message}");
        }
        assert!(Work { items: 1.0, bytes: 1e6, flop: 1e9 }.check(1_000).is_ok());
        assert!(Work { items: 1.0, ..Work::default() }.check(0).is_ok());
    }
}
