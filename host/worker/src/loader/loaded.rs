//! What every loader makes of a plugin.

use dyno_core::{model::EngineInfo, protocol::CompiledCode};

use crate::instance::Instance;

/// A loaded plugin with one of its benchmarks chosen.
pub(crate) struct Loaded {
    pub(crate) instance: Box<dyn Instance>,
    pub(crate) engine: EngineInfo,
    /// Layers of isolation that the loader itself adds.
    pub(crate) layers: Vec<String>,
    /// Requested features that were not available, a sentence each.
    pub(crate) missing: Vec<String>,
    /// What is new about the compiled code of a component.
    pub(crate) compiled: Option<CompiledCode>,
}
