//! Settings that say what plugins may do. Whoever writes a `dyno.toml` into a folder must not loosen them.

use std::{collections::BTreeMap, path::PathBuf};

use dyno_core::model::{Grant, IsolationLayer};

use super::{
    ConfigError, File,
    choices::{Isolation, Profile},
    flags::Flags,
    grants,
    layers::{Layers, variable},
    setting::{Origin, Setting},
};
use crate::trust::{TrustError, TrustStore};

impl Layers {
    /// The trust store of the user's own file, which the chosen file can tighten. There is no flag or variable for it.
    pub(super) fn trust(&self) -> Result<Setting<TrustStore>, ConfigError> {
        let store = |layer: &Option<(PathBuf, File)>| -> Result<Option<Setting<TrustStore>>, ConfigError> {
            let Some((path, table)) =
                layer.as_ref().and_then(|(path, file)| Some((path, file.trust.as_ref()?)))
            else {
                return Ok(None);
            };
            let origin = Origin::File(path.clone());
            let value = TrustStore::of(table).map_err(|error| untrusted(&origin, &error))?;
            Ok(Some(Setting { value, origin }))
        };
        let (value, origin) = match (store(&self.own)?, store(&self.file)?) {
            (Some(own), Some(other)) => (own.value.tightened(&other.value), other.origin),
            (Some(one), None) | (None, Some(one)) => (Ok(one.value), one.origin),
            (None, None) => (Ok(TrustStore::default()), Origin::Default),
        };
        match value.and_then(TrustStore::usable) {
            Ok(value) => Ok(Setting { value, origin }),
            Err(error) => Err(untrusted(&origin, &error)),
        }
    }

    pub(super) fn grants(&self, trust: &TrustStore) -> Result<BTreeMap<String, Grant>, ConfigError> {
        let Some((path, file)) = &self.file else { return Ok(BTreeMap::new()) };
        let origin = || Origin::File(path.clone()).to_string();
        grants::check(&file.grants, trust).map_err(|message| ConfigError::Value {
            name: "grants",
            origin: origin(),
            message,
        })?;
        Ok(file.grants.clone())
    }

    pub(super) fn profile(&self, flags: &Flags) -> Result<Setting<Profile>, ConfigError> {
        let given =
            self.text("--profile", flags.profile.as_ref(), "DYNO_PROFILE", |file| file.profile.clone());
        let value = match given.value.as_deref() {
            None | Some("dev") => Profile::Dev,
            Some("server") => Profile::Server,
            Some(other) => {
                return Err(ConfigError::Value {
                    name: "profile",
                    origin: given.origin.to_string(),
                    message: format!("`{other}` is not a profile; give dev or server"),
                });
            }
        };
        Ok(Setting { value, origin: given.origin })
    }

    pub(super) fn isolation(
        &self,
        flags: &Flags,
        profile: Profile,
    ) -> Result<Setting<Isolation>, ConfigError> {
        let given = self
            .text("--isolation", flags.isolation.as_ref(), "DYNO_ISOLATION", |file| file.isolation.clone());
        let refused = |message: String| ConfigError::Value {
            name: "isolation",
            origin: given.origin.to_string(),
            message,
        };
        let value = match given.value.as_deref() {
            None | Some("full") => Isolation::Full,
            Some("basic") if profile == Profile::Server => {
                return Err(refused("in profile server, isolation is always full".to_owned()));
            }
            Some("basic") => Isolation::Basic,
            Some(other) => return Err(refused(format!("`{other}` is not known; give full or basic"))),
        };
        Ok(Setting { value, origin: given.origin })
    }

    /// What any source demands: none of them takes back what another one demands.
    pub(super) fn require_isolation(
        &self,
        flags: &Flags,
    ) -> Result<Setting<Vec<IsolationLayer>>, ConfigError> {
        let of_file = self
            .file
            .as_ref()
            .and_then(|(path, file)| Some((Origin::File(path.clone()), file.require_isolation.clone()?)));
        let listed = |text: String| text.split(',').map(|name| name.trim().to_owned()).collect::<Vec<_>>();
        let flag =
            flags.require_isolation.clone().map(|it| (Origin::Flag("--require-isolation"), listed(it)));
        let name = "DYNO_REQUIRE_ISOLATION";
        let of_environment = variable(name).map(|it| (Origin::Environment(name), listed(it)));
        let sources = flag.into_iter().chain(of_environment).chain(of_file);
        let mut setting = Setting { value: Vec::new(), origin: Origin::Default };
        for (origin, names) in sources {
            for name in names.into_iter().filter(|name| !name.is_empty()) {
                let layer = name.parse().map_err(|message| ConfigError::Value {
                    name: "require-isolation",
                    origin: origin.to_string(),
                    message,
                })?;
                if setting.value.is_empty() {
                    setting.origin = origin.clone();
                }
                setting.value.push(layer);
            }
        }
        setting.value.sort_unstable();
        setting.value.dedup();
        Ok(setting)
    }
}

fn untrusted(origin: &Origin, error: &TrustError) -> ConfigError {
    ConfigError::Value { name: "trust", origin: origin.to_string(), message: error.to_string() }
}

#[cfg(test)]
mod tests {
    use std::path::PathBuf;

    use super::*;

    /// The key on minisign's own page.
    const KEY: &str = "RWQf6LRCGA9i53mlYecO4IzT51TGPpvWucNSCh1CBM0QTaLn73Y7GFO3";

    fn layer(path: &str, text: &str) -> Option<(PathBuf, File)> {
        Some((path.into(), toml::from_str(text).unwrap()))
    }

    #[test]
    fn a_file_in_a_folder_cannot_loosen_what_the_user_requires() {
        let own = format!("[trust]\nrequire = 'signature'\n[trust.publishers.acme]\nkeys = ['{KEY}']");
        let trust = |file: &str| {
            let layers = Layers { file: layer("/work/dyno.toml", file), own: layer("/home/dyno.toml", &own) };
            layers.trust().map_err(|error| error.to_string())
        };
        for looser in ["", "[trust]", "[trust]\nrequire = 'none'"] {
            assert!(trust(looser).unwrap().value.require.signature(), "{looser}");
        }
        assert!(trust("[trust]\nrequire = 'lock'").unwrap().value.require.lock());
        let other = "RWRzq51bKcS8oJvZ4xEm+nRvGYPdsNRD3ciFPu1YJEL8Bl/3daWaj72r";
        let said = trust(&format!("[trust.publishers.evil]\nkeys = ['{other}']")).unwrap_err();
        assert!(said.contains("/work/dyno.toml") && said.contains("can only tighten"), "{said}");
        // The keys may be in one file, and the requirement in the other.
        let keys = layer("/home/dyno.toml", &own.replace("require = 'signature'", ""));
        let file = layer("/work/dyno.toml", "[trust]\nrequire = 'signature'");
        assert!(Layers { file, own: keys }.trust().unwrap().value.require.signature());
        let alone = Layers { file: None, own: None }.trust().unwrap();
        assert_eq!((alone.value, alone.origin), (TrustStore::default(), Origin::Default));
    }

    #[test]
    fn a_key_that_is_not_one_is_named_with_its_file() {
        let file = layer("/work/dyno.toml", "[trust.publishers.acme]\nkeys = ['RWshort']");
        let said = Layers { file, own: None }.trust().unwrap_err().to_string();
        for part in ["trust from file /work/dyno.toml", "publisher `acme`", "`RWshort` is not a public key"] {
            assert!(said.contains(part), "{said}");
        }
    }
}
