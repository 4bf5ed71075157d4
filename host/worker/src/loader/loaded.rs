//! What every loader makes of a plugin.

use dyno_core::model::EngineInfo;

use crate::instance::Instance;

/// A loaded plugin with one of its benchmarks chosen.
pub(crate) struct Loaded {
    pub(crate) instance: Box<dyn Instance>,
    pub(crate) engine: EngineInfo,
    /// Layers of isolation that the loader itself adds.
    pub(crate) layers: Vec<String>,
    /// Requested features that were not available, a sentence each.
    pub(crate) missing: Vec<String>,
    /// If a component was compiled for the host to keep: the compatibility hash of the engine.
    pub(crate) compiled: Option<u64>,
}
