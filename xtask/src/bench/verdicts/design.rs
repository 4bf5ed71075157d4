//! Which tools try which workloads, with how much work, for how long.

/// Amounts of work: the baseline has 1000, so that these are tenths of a per cent.
pub(super) const WORK: [u64; 5] = [1000, 1010, 1020, 1050, 1100];
/// Wall time that a comparison may take: of dyno at most, of the others about.
pub(super) const BUDGET_S: u64 = 3;
pub(super) const CLASSES: [&str; 5] = ["arithmetic", "strings", "memory", BRANCHES, COSTLY];
/// Its inputs decide how fast it is; one per cent more work must never be called less.
pub(super) const BRANCHES: &str = "branches";
/// It takes a third of a second to set up.
pub(super) const COSTLY: &str = "costly";
/// dyno with twice the time.
pub(super) const PATIENT: &str = "dyno, twice the time";
pub(super) const TOOLS: [&str; 4] = ["dyno", PATIENT, "criterion", "tango"];
