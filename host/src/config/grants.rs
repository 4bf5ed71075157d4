//! What an operator grants: whether it can be given, and whether it lies within what somebody else grants.

use std::{
    collections::BTreeMap,
    path::{Component, Path, PathBuf},
};

use dyno_core::model::{Capability, Grant, unusable_path, unusable_variable};
use serde::{Deserializer, Serialize};

use super::setting::Origin;
use crate::{toml_text, trust::TrustStore};

/// What a plugin may do that declares it, and who says so.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Granted {
    /// What it may do.
    #[serde(flatten)]
    pub grant: Grant,
    /// Where that is granted.
    pub origin: Origin,
}

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

/// What `grant` has beyond `limit`, in the words in which plugins ask for it; `None`: nothing. `home` is what `~` stands for.
pub(super) fn beyond(grant: &Grant, limit: &Grant, home: Option<&Path>) -> Option<String> {
    let whole = |path: &str| match (path.strip_prefix("~/"), home) {
        (Some(rest), Some(home)) => home.join(rest),
        _ => PathBuf::from(path),
    };
    let is_within = |path: &str| {
        let path = whole(path);
        // `..` would lead out.
        !path.components().any(|part| part == Component::ParentDir)
            && limit.read.iter().any(|folder| path.starts_with(whole(folder)))
    };
    let is_granted = |capability: &Capability| match capability {
        Capability::Read(path) => is_within(path),
        Capability::Environment(name) => limit.environment.contains(name),
        Capability::Connect(endpoint) => limit.connect.contains(endpoint),
        Capability::ConnectToParams => false,
    };
    grant.capabilities().find(|capability| !is_granted(capability)).map(|beyond| beyond.to_string())
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

    #[test]
    fn a_grant_is_within_another_or_what_is_beyond_it_is_named() {
        let limit: Grant =
            toml::from_str("read = ['/srv', '~/x']\nenvironment = ['A']\nconnect = ['h:1']").unwrap();
        for (text, expected) in [
            (
                "read = ['/srv', '/srv/a', '/home/me/x/y', '~/x']\nenvironment = ['A']\nconnect = ['h:1']",
                None,
            ),
            ("", None),
            ("read = ['/srv', '/srv-of-others']", Some("read:/srv-of-others")),
            ("read = ['/srv/../etc']", Some("read:/srv/../etc")),
            ("read = ['~/']", Some("read:~/")),
            ("environment = ['A', 'B']", Some("env:B")),
            ("connect = ['h:2']", Some("connect:h:2")),
        ] {
            let grant: Grant = toml::from_str(text).unwrap();
            let found = beyond(&grant, &limit, Some(Path::new("/home/me")));
            assert_eq!(found.as_deref(), expected, "{text}");
        }
    }
}
