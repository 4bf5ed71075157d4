//! Speculation past stores, which affects measured times.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Whether the processor can execute loads before earlier stores whose addresses are not known yet (the kernel's
/// `Speculation_Store_Bypass`). Code is slower where it cannot.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum StoreBypass {
    /// The processor is not vulnerable to attacks by it.
    NotAffected,
    /// It can.
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
