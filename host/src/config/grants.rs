//! Whether what an operator grants can be given.

use std::collections::BTreeMap;

use dyno_core::model::{Grant, unusable_path, unusable_variable};
use serde::Deserializer;

use crate::{toml_text, trust::TrustStore};

/// Reads `[grants]`.
pub(super) fn of_plugins<'de, D: Deserializer<'de>>(from: D) -> Result<BTreeMap<String, Grant>, D::Error> {
    toml_text::tables(from, "a table `[grants.ID]` for each plugin id", |key| {
        format!(
            "a table of what the plugin `{key}` may do: grants are per plugin id, so write `{key}` below `[grants.ID]`"
        )
    })
}

/// Refuses grants that could never be given: for a publisher that is not in the trust store, of relative paths, or of variables
/// without a name.
///
/// # Errors
/// A sentence that names the grant.
pub(super) fn check(grants: &BTreeMap<String, Grant>, trust: &TrustStore) -> Result<(), String> {
    for (plugin, granted) in grants {
        let unknown = granted.publisher.as_ref().filter(|name| !trust.publishers.contains_key(*name));
        if let Some(name) = unknown {
            return Err(format!(
                "`[grants.{plugin}]` names the publisher `{name}`, which is not in the trust store; add its public key below \
                 `[trust.publishers.{name}]`"
            ));
        }
        if let Some(why) = granted.read.iter().find_map(|path| unusable_path(path)) {
            return Err(format!("`read` of `[grants.{plugin}]`: {why}"));
        }
        if let Some(why) = granted.environment.iter().find_map(|name| unusable_variable(name)) {
            return Err(format!("`environment` of `[grants.{plugin}]`: {why}"));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_could_never_be_given_is_refused() {
        let said = |text: &str| {
            let grants = toml::from_str(text).unwrap();
            check(&grants, &TrustStore::default()).unwrap_err()
        };
        assert!(
            said("[a]\nread = ['models']").contains("`read` of `[grants.a]`: `models` is not a whole path")
        );
        assert!(said("[a]\nenvironment = ['A=B']").contains("`environment` of `[grants.a]`: `A=B` is not"));
        assert!(said("[a]\npublisher = 'acme'").contains("`acme`, which is not in the trust store"));
        let good =
            toml::from_str("[a]\nread = ['/srv', '~/x']\nenvironment = ['A']\nconnect = ['h:1']").unwrap();
        assert_eq!(check(&good, &TrustStore::default()), Ok(()));
    }
}
