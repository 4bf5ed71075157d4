//! Settings that are one of a few words.

use serde::Serialize;

/// How much a server trusts the plugin folders that it is given.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Profile {
    /// A developer's own machine.
    #[default]
    Dev,
    /// A machine that runs other people's plugins: only root or the server's user may be able to write to the plugin
    /// folders.
    Server,
}

/// Whether native plugins are confined beyond what every worker is.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Isolation {
    /// By rules for files, and a filter of system calls.
    #[default]
    Full,
    /// Not: a plugin has the user's rights.
    Basic,
}

/// Whether a server watches its plugin folders.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Watch {
    /// It looks into them whenever it needs to know its plugins, and loads new ones only for runs.
    #[default]
    Off,
    /// The kernel tells it about changes; it looks once per second where the kernel cannot.
    Auto,
    /// It looks once per second.
    Poll,
}
