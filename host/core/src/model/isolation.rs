//! Layers between a plugin and the machine that an operator can demand.

use std::{fmt, str::FromStr};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// A layer that a launch can be refused for the lack of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum IsolationLayer {
    /// Files are closed but for those that a plugin needs, and those that it was granted.
    FileRules,
    /// No sockets.
    NoNetwork,
    /// No signals to other processes.
    NoSignals,
    /// No system calls that no benchmark needs.
    CallFilter,
    /// None of root's rights, where root started the worker.
    NoCapabilities,
    /// Nothing that the plugin starts gains privileges.
    NoNewPrivs,
    /// The worker dies with its host.
    DeathSignal,
    /// Memory is bounded.
    MemoryLimit,
    /// Memory and number of all its processes together are bounded, and they are ended at once.
    ControlGroup,
}

impl IsolationLayer {
    /// All of them.
    pub const ALL: [Self; 9] = [
        Self::FileRules,
        Self::NoNetwork,
        Self::NoSignals,
        Self::CallFilter,
        Self::NoCapabilities,
        Self::NoNewPrivs,
        Self::DeathSignal,
        Self::MemoryLimit,
        Self::ControlGroup,
    ];

    /// Its word in records. // eg: `file_rules`
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::FileRules => "file_rules",
            Self::NoNetwork => "no_network",
            Self::NoSignals => "no_signals",
            Self::CallFilter => "call_filter",
            Self::NoCapabilities => "no_capabilities",
            Self::NoNewPrivs => "no_new_privs",
            Self::DeathSignal => "death_signal",
            Self::MemoryLimit => "memory_limit",
            Self::ControlGroup => "control_group",
        }
    }

    /// What a plugin can do without it.
    #[must_use]
    pub const fn absent(self) -> &'static str {
        match self {
            Self::FileRules => "the plugin can open all files of this user",
            Self::NoNetwork => "the plugin can use the network",
            Self::NoSignals => "the plugin can signal other processes of this user",
            Self::CallFilter => "the plugin can use every system call",
            Self::NoCapabilities => "the plugin keeps the rights that root has beyond other users",
            Self::NoNewPrivs => "what the plugin starts may gain privileges",
            Self::DeathSignal => "the worker may outlive its host",
            Self::MemoryLimit => "the kernel does not bound the worker's memory",
            Self::ControlGroup => {
                "the kernel does not bound what the worker and all that it starts use together"
            }
        }
    }

    /// The sentence about a launch that demands it, and cannot have it. `why`: if it is known.
    #[must_use]
    pub fn lacking(self, why: Option<&str>) -> String {
        format!(
            "the layer of isolation `{self}` is required, and is not in force here: {}; nothing of the plugin was run",
            why.unwrap_or(self.absent())
        )
    }

    /// What keeps a plugin in its control group: without it, a plugin can write itself into another one.
    pub const KEEPS_IN_GROUP: Self = Self::FileRules;

    /// Adds the layer that the host puts around workers to those that a worker tells of, if it holds. `is_grouped`: whether workers
    /// have control groups.
    pub fn add_group(told: &mut Vec<String>, is_grouped: bool) {
        told.retain(|word| word != Self::ControlGroup.word());
        if is_grouped && told.iter().any(|word| word == Self::KEEPS_IN_GROUP.word()) {
            told.push(Self::ControlGroup.word().to_owned());
        }
    }

    /// Adds layers to those that are demanded already.
    pub fn demand(demanded: &mut Vec<Self>, more: &[Self]) {
        for layer in more {
            if !demanded.contains(layer) {
                demanded.push(*layer);
            }
        }
    }
}

impl fmt::Display for IsolationLayer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.word())
    }
}

impl FromStr for IsolationLayer {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        Self::ALL.into_iter().find(|layer| layer.word() == text).ok_or_else(|| {
            let all = Self::ALL.map(Self::word).join(", ");
            format!("`{text}` is not a layer of isolation; there are {all}")
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_control_group_is_a_layer_only_where_file_rules_keep_a_plugin_in_it() {
        let told = |words: &[&str], is_grouped| {
            let mut told: Vec<String> = words.iter().map(|word| (*word).to_owned()).collect();
            IsolationLayer::add_group(&mut told, is_grouped);
            told
        };
        assert_eq!(told(&["file_rules"], true), ["file_rules", "control_group"]);
        assert_eq!(told(&["file_rules"], false), ["file_rules"]);
        assert_eq!(told(&["call_filter"], true), ["call_filter"]);
        // A worker cannot claim it.
        assert_eq!(told(&["control_group", "file_rules"], false), ["file_rules"]);
    }

    #[test]
    fn words_lead_back_to_their_layers_and_others_are_told_which_there_are() {
        for layer in IsolationLayer::ALL {
            assert_eq!(layer.word().parse(), Ok(layer));
            assert_eq!(serde_json::to_value(layer).unwrap(), layer.word());
        }
        let message = "files".parse::<IsolationLayer>().unwrap_err();
        assert!(
            message.starts_with("`files` is not a layer of isolation; there are file_rules,"),
            "{message}"
        );
    }
}
