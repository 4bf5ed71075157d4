//! What an operator grants plugins, by their ids.

use std::collections::BTreeMap;

use dyno_core::model::Endpoint;
use serde::{Deserialize, Serialize};

use crate::trust::TrustStore;

/// What an operator grants a plugin.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Granted {
    /// Who must have signed the plugin file. // eg: "acme"
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub publisher: Option<String>,
    /// Files and folders that it may read. // eg: ["/srv/models"]
    #[serde(default)]
    pub read: Vec<String>,
    /// Names of variables of the environment that it gets.
    #[serde(default)]
    pub environment: Vec<String>,
    /// Hosts with their ports that it may connect to. // eg: ["models.example.com:443"]
    #[serde(default)]
    pub connect: Vec<Endpoint>,
}

/// Checks that every publisher is one of the trust store: what is granted to another would never be given.
///
/// # Errors
/// A sentence that names the grant.
pub(super) fn check(grants: &BTreeMap<String, Granted>, trust: &TrustStore) -> Result<(), String> {
    for (plugin, granted) in grants {
        let unknown = granted.publisher.as_ref().filter(|name| !trust.publishers.contains_key(*name));
        if let Some(name) = unknown {
            return Err(format!(
                "`[grants.{plugin}]` names the publisher `{name}`, which is not in the trust store; add its public key below \
                 `[trust.publishers.{name}]`"
            ));
        }
    }
    Ok(())
}
