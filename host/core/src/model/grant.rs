//! What an operator grants a plugin besides computing.

use serde::{Deserialize, Serialize};

use super::{Capability, Endpoint};

/// What an operator grants a plugin, as the configuration says it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize, Serialize)]
#[serde(deny_unknown_fields, default)]
pub struct Grant {
    /// Who must have signed the plugin file; `None`: it does not matter. // eg: "acme"
    #[serde(skip_serializing_if = "Option::is_none")]
    pub publisher: Option<String>,
    /// Files and folders that it may read. // eg: ["/srv/models"]
    pub read: Vec<String>,
    /// Names of variables of the environment that it gets.
    pub environment: Vec<String>,
    /// What it may connect to. // eg: ["models.example.com:443"]
    pub connect: Vec<Endpoint>,
}

impl Grant {
    /// All that it grants, as plugins ask for it.
    pub fn capabilities(&self) -> impl Iterator<Item = Capability> {
        let read = self.read.iter().cloned().map(Capability::Read);
        let environment = self.environment.iter().cloned().map(Capability::Environment);
        let connect = self.connect.iter().cloned().map(Capability::Connect);
        read.chain(environment).chain(connect)
    }
}
