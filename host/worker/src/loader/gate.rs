//! What a loader passes on its way.

use dyno_confine::Foreign;

use crate::instance::Failure;

/// What happens to this process on the way to a loaded plugin.
pub(crate) trait Gate {
    /// Isolates the process: called once, with the plugin's bytes read, and before anything is made of them. It may refuse to go on.
    fn confine(&mut self, plugin: Foreign<'_>) -> Result<(), Failure>;
    /// Tells the host: called once after that, before any code of the plugin runs.
    fn enter(&mut self);
}
