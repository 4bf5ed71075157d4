//! How the kernel lets this thread speculate, which a filter of system calls can change.

use dyno_core::model::StoreBypass;
use rustix::process::{SpeculationFeature, SpeculationFeatureState as State, speculative_feature_state};

/// Whether this thread can speculate past stores; `None`: the kernel does not report it.
#[must_use]
pub fn store_bypass() -> Option<StoreBypass> {
    let state = speculative_feature_state(SpeculationFeature::SpeculativeStoreBypass).ok().flatten()?;
    Some(if state.is_empty() {
        StoreBypass::NotAffected
    } else if state.contains(State::ENABLE) {
        StoreBypass::Allowed
    } else {
        StoreBypass::Forbidden
    })
}
