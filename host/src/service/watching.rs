//! The thread that watches the plugin folders: what it finds is logged, and announced to those who listen to events.

use std::{
    io,
    panic::{self, AssertUnwindSafe},
    sync::Arc,
    thread,
};

use dyno_core::model::{PluginEvent, PluginRef};

use super::root::Service;
use crate::app::WatchNews;

impl Service {
    /// Starts the thread, until [`Service::end`], if the folders are to be watched.
    ///
    /// # Errors
    /// When no thread can be started.
    pub(crate) fn watch(self: &Arc<Self>) -> io::Result<()> {
        let Some(watching) = self.serving.watching().cloned() else { return Ok(()) };
        watching.keep_served();
        let service = Arc::clone(self);
        let watch = move || {
            let mut told = |news: WatchNews<'_>| service.tell_of(&news);
            // What was served stays served.
            if panic::catch_unwind(AssertUnwindSafe(|| watching.run(&mut told))).is_err() {
                tracing::error!(
                    "watching the plugin folders ended in a panic: restart the server to see changes"
                );
            }
        };
        thread::Builder::new().name("watch".to_owned()).spawn(watch).map(drop)
    }

    fn tell_of(&self, news: &WatchNews<'_>) {
        let event = match news {
            WatchNews::Plugins(event) => event,
            WatchNews::Trouble(why) => {
                return tracing::warn!(why, "there is a problem with the plugin folders");
            }
            WatchNews::Over(why) => {
                return tracing::info!(why, "a problem with the plugin folders is solved");
            }
        };
        match event {
            PluginEvent::PluginAdded { plugin } => {
                tracing::info!(plugin = named(plugin), path = plugin.path, "a plugin is served");
            }
            PluginEvent::PluginReplaced { plugin, previous } => tracing::info!(
                plugin = named(plugin),
                previous = named(previous),
                path = plugin.path,
                "a plugin was replaced"
            ),
            PluginEvent::PluginRemoved { plugin } => {
                tracing::info!(plugin = named(plugin), path = plugin.path, "a plugin was removed");
            }
            PluginEvent::PluginRefused { path, reason, serving } => tracing::warn!(
                path,
                reason,
                serving = serving.as_ref().map(named),
                "a plugin file cannot be used"
            ),
        }
        self.table.tell_of_plugins(event);
    }
}

/// A version, with enough of its hash to tell it from others of the same number.
fn named(plugin: &PluginRef) -> String {
    format!("{} {} ({})", plugin.id, plugin.version, plugin.sha256.get(..8).unwrap_or(&plugin.sha256))
}
