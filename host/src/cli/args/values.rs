//! Values of flags with a unit. Each function names the flag in its error.

use dyno_core::units;

use crate::cli::Failure;

/// A share, or its default.
pub(in crate::cli) fn share(flag: &str, given: Option<&str>, default: f64) -> Result<f64, Failure> {
    given.map_or(Ok(default), units::parse_fraction).map_err(|message| refused(flag, &message))
}

/// A relative change, which may be above 100 %, or its default.
pub(in crate::cli) fn change(flag: &str, given: Option<&str>, default: f64) -> Result<f64, Failure> {
    given.map_or(Ok(default), units::parse_change).map_err(|message| refused(flag, &message))
}

/// A duration [ns].
pub(super) fn duration(flag: &str, text: &str) -> Result<u64, Failure> {
    units::parse_duration(text).map_err(|message| refused(flag, &message))
}

/// A duration [ns] in which something is measured, and which therefore is not zero.
pub(in crate::cli) fn time_to_spend(flag: &str, text: &str, example: &str) -> Result<u64, Failure> {
    match duration(flag, text)? {
        0 => Err(refused(flag, &format!("`{text}` is zero; give more, like `{example}`"))),
        ns => Ok(ns),
    }
}

pub(super) fn refused(flag: &str, why: &str) -> Failure {
    Failure::Usage(format!("{flag}: {why}"))
}
