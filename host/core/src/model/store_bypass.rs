//! Whether the processor may guess, which every time depends on.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Whether loads may go ahead of stores whose addresses are not known yet (`Speculation_Store_Bypass` of the kernel). Code takes longer
/// where they may not.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum StoreBypass {
    /// The processor does it without harm.
    NotAffected,
    /// They may.
    Allowed,
    /// The kernel forbids it.
    Forbidden,
}

impl StoreBypass {
    /// Its word in records.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::NotAffected => "not_affected",
            Self::Allowed => "allowed",
            Self::Forbidden => "forbidden",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_those_of_the_json() {
        for state in [StoreBypass::NotAffected, StoreBypass::Allowed, StoreBypass::Forbidden] {
            assert_eq!(serde_json::to_value(state).unwrap(), state.word());
        }
    }
}
