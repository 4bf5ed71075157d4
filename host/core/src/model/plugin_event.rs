//! What happens to the plugins of a server that watches its folders. Announced when the new list is served, not before.

use serde::{Deserialize, Serialize};

use super::PluginRef;

/// One change of the served plugins.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "event", rename_all = "snake_case")]
#[expect(missing_docs, reason = "fields carry the names of the model")]
pub enum PluginEvent {
    /// A file that had no usable version has one.
    PluginAdded { plugin: PluginRef },
    /// New content of a file replaces the version that was served from it.
    PluginReplaced { plugin: PluginRef, previous: PluginRef },
    /// The file is gone.
    PluginRemoved { plugin: PluginRef },
    /// The content of a file cannot be used. The previous version, if there is one, is still served.
    PluginRefused {
        path: String,
        /// One sentence.
        reason: String,
        serving: Option<PluginRef>,
    },
}
