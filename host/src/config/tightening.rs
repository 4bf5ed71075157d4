//! Settings that say what plugins may do, which programs run with the user's rights, and where the user's data go. Whoever writes a
//! `dyno.toml` into a folder must not loosen the first, nor choose the others.

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
};

use dyno_core::model::{Grant, IsolationLayer};

use super::{
    ConfigError, File,
    choices::{Isolation, Profile},
    flags::Flags,
    grants::{self, Granted},
    layers::{Layers, variable},
    setting::{Origin, Setting},
};
use crate::trust::{TrustError, TrustStore};

/// Why a setting that names a program is the user's own.
pub(super) const PROGRAM: &str = "it names a program that would run with your rights";

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

    /// What plugins may do in profile `server`. If another source than the chosen file asks for that profile, the chosen file can only
    /// narrow what the user's own file grants: always if it merely lies in the current folder, otherwise if the user's own file says
    /// anything about this. `home` is what `~` stands for.
    pub(super) fn grants(
        &self,
        trust: &TrustStore,
        profile: &Setting<Profile>,
        home: Option<&Path>,
    ) -> Result<BTreeMap<String, Granted>, ConfigError> {
        let Some((path, file)) = &self.file else { return Ok(BTreeMap::new()) };
        let origin = Origin::File(path.clone());
        let refused = |origin: &Origin, message: String| ConfigError::Value {
            name: "grants",
            origin: origin.to_string(),
            message,
        };
        grants::check(&file.grants, trust).map_err(|why| refused(&origin, why))?;
        let own_decides = self
            .own
            .as_ref()
            .is_some_and(|(_, own)| !own.grants.is_empty() || own.profile.as_deref() == Some("server"));
        let is_limited =
            profile.value == Profile::Server && profile.origin != origin && (self.is_found || own_decides);
        let granted_by = |origin: &Origin, grants: &BTreeMap<String, Grant>| -> BTreeMap<String, Granted> {
            let granted = |grant: &Grant| Granted { grant: grant.clone(), origin: origin.clone() };
            grants.iter().map(|(id, grant)| (id.clone(), granted(grant))).collect()
        };
        if !is_limited {
            return Ok(granted_by(&origin, &file.grants));
        }
        let mut granted = BTreeMap::new();
        if let Some((path, own)) = &self.own {
            let origin = Origin::File(path.clone());
            let table = own.trust.clone().unwrap_or_default();
            // Publishers of the other file do not count here.
            let trust = TrustStore::of(&table).map_err(|error| untrusted(&origin, &error))?;
            grants::check(&own.grants, &trust).map_err(|why| refused(&origin, why))?;
            granted = granted_by(&origin, &own.grants);
        }
        for (id, grant) in &file.grants {
            let limit = granted.get(id).map(|it| it.grant.clone()).unwrap_or_default();
            let publisher = match (&limit.publisher, &grant.publisher) {
                (Some(own), Some(other)) if own != other => Some(format!("to the publisher `{other}`")),
                _ => None,
            };
            let beyond = grants::beyond(grant, &limit, home).map(|what| format!("`{what}`"));
            if let Some(what) = publisher.or(beyond) {
                let named = if own_decides { "" } else { ", or name this file with `--config`" };
                return Err(refused(
                    &origin,
                    format!(
                        "`[grants.{id}]` grants {what}, which your own configuration does not: another `dyno.toml` can only \
                         narrow what you grant in profile server; add it to `~/.config/dyno/dyno.toml`{named}"
                    ),
                ));
            }
            let publisher = grant.publisher.clone().or(limit.publisher);
            let grant = Grant { publisher, ..grant.clone() };
            granted.insert(id.clone(), Granted { grant, origin: origin.clone() });
        }
        Ok(granted)
    }

    /// Of two files, the stricter counts.
    pub(super) fn profile(&self, flags: &Flags) -> Result<Setting<Profile>, ConfigError> {
        let given =
            self.text("--profile", flags.profile.as_ref(), "DYNO_PROFILE", |file| file.profile.clone());
        let judged = |text: Option<&str>, origin: Origin| match text {
            None | Some("dev") => Ok(Setting { value: Profile::Dev, origin }),
            Some("server") => Ok(Setting { value: Profile::Server, origin }),
            Some(other) => Err(ConfigError::Value {
                name: "profile",
                origin: origin.to_string(),
                message: format!("`{other}` is not a profile; give dev or server"),
            }),
        };
        let chosen = judged(given.value.as_deref(), given.origin)?;
        let Some((path, own)) = &self.own else { return Ok(chosen) };
        let own = judged(own.profile.as_deref(), Origin::File(path.clone()))?;
        let is_by_file = matches!(chosen.origin, Origin::File(_) | Origin::Default);
        Ok(if is_by_file && own.value == Profile::Server { own } else { chosen })
    }

    /// A file that merely lies in the current folder cannot switch it off, nor can any other switch off what the user's own file asks
    /// for.
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
            Some("basic") if matches!(given.origin, Origin::File(_)) && self.keeps_isolation() => {
                return Err(refused(
                    "`basic` gives plugins all rights of the user, and this file cannot: your own configuration asks for `full`, or \
                     nobody named this file; give `--isolation basic`, or remove the key"
                        .to_owned(),
                ));
            }
            Some("basic") => Isolation::Basic,
            Some(other) => return Err(refused(format!("`{other}` is not known; give full or basic"))),
        };
        Ok(Setting { value, origin: given.origin })
    }

    fn keeps_isolation(&self) -> bool {
        match self.own.as_ref().and_then(|(_, own)| own.isolation.as_deref()) {
            Some("basic") => false,
            Some(_) => true,
            None => self.is_found,
        }
    }

    /// A setting that a file cannot choose if it merely lies in the current folder. `why` says what would come of it.
    pub(super) fn users_own<T>(
        &self,
        (name, variable): (&'static str, &'static str),
        why: &str,
        setting: Setting<T>,
    ) -> Result<Setting<T>, ConfigError> {
        let is_by_file = matches!(setting.origin, Origin::File(_));
        if !(is_by_file && self.is_found) {
            return Ok(setting);
        }
        let message = format!(
            "{why}, and nobody named this file: if it is yours, give `--config dyno.toml`; otherwise set `{variable}`, or remove \
             the key"
        );
        Err(ConfigError::Value { name, origin: setting.origin.to_string(), message })
    }

    /// What any source demands: none of them takes back what another one demands.
    pub(super) fn require_isolation(
        &self,
        flags: &Flags,
    ) -> Result<Setting<Vec<IsolationLayer>>, ConfigError> {
        let files = self.file.iter().chain(&self.own);
        let of_files = files
            .filter_map(|(path, file)| Some((Origin::File(path.clone()), file.require_isolation.clone()?)));
        let listed = |text: String| text.split(',').map(|name| name.trim().to_owned()).collect::<Vec<_>>();
        let flag =
            flags.require_isolation.clone().map(|it| (Origin::Flag("--require-isolation"), listed(it)));
        let name = "DYNO_REQUIRE_ISOLATION";
        let of_environment = variable(name).map(|it| (Origin::Environment(name), listed(it)));
        let sources = flag.into_iter().chain(of_environment).chain(of_files);
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
    use super::*;

    /// The key on minisign's own page.
    const KEY: &str = "RWQf6LRCGA9i53mlYecO4IzT51TGPpvWucNSCh1CBM0QTaLn73Y7GFO3";

    fn layer(path: &str, text: &str) -> Option<(PathBuf, File)> {
        Some((path.into(), toml::from_str(text).unwrap()))
    }

    /// A file in the current folder, and the user's own.
    fn layers(found: &str, own: &str) -> Layers {
        Layers {
            file: layer("/work/dyno.toml", found),
            is_found: true,
            own: Some(own).filter(|own| !own.is_empty()).and_then(|own| layer("/home/dyno.toml", own)),
        }
    }

    /// Who may do what, in the words of a plugin, by the settings.
    fn granted(layers: &Layers, flags: &Flags) -> Result<Vec<String>, String> {
        let found = || {
            let trust = layers.trust()?.value;
            let profile = layers.profile(flags)?;
            layers.grants(&trust, &profile, Some(Path::new("/home")))
        };
        let words = |(id, Granted { grant, origin }): (String, Granted)| {
            format!("{id}: {} by {:?}; {origin}", grant.read.join(","), grant.publisher)
        };
        found().map(|all| all.into_iter().map(words).collect()).map_err(|error| error.to_string())
    }

    #[test]
    fn a_file_in_a_folder_grants_nothing_that_the_user_does_not() {
        let server = Flags { profile: Some("server".to_owned()), ..Flags::default() };
        let dev = Flags::default();
        let found = "[grants.x]\nread = ['/srv/a']";
        let beyond = "`[grants.x]` grants `read:/srv/a`, which your own configuration does not";
        // Who asks for the profile decides about grants: the user, by a flag or in a file.
        let said = granted(&layers(found, ""), &server).unwrap_err();
        assert!(said.contains(beyond) && said.ends_with("or name this file with `--config`"), "{said}");
        let own = "profile = 'server'";
        let said = granted(&layers(found, own), &dev).unwrap_err();
        assert!(said.contains(beyond) && said.ends_with("dyno.toml`"), "{said}");
        let loosened = format!("profile = 'dev'\n{found}");
        assert!(granted(&layers(&loosened, own), &dev).unwrap_err().contains(beyond));
        assert!(
            granted(&layers(found, "[grants.y]\nread = ['/srv/a']"), &server).unwrap_err().contains(beyond)
        );
        // Or the file itself, which then takes rights away.
        let strict = format!("profile = 'server'\n{found}");
        assert_eq!(granted(&layers(&strict, ""), &dev).unwrap(), ["x: /srv/a by None; file /work/dyno.toml"]);
        assert!(granted(&layers(&strict, ""), &server).unwrap_err().contains(beyond));
        // What the user grants can be narrowed, and stands where it is not.
        let own = "[grants.x]\nread = ['/srv']\n[grants.y]\nread = ['/y']";
        let expected = ["x: /srv/a by None; file /work/dyno.toml", "y: /y by None; file /home/dyno.toml"];
        assert_eq!(granted(&layers(found, own), &server).unwrap(), expected);
        // A file that the user names is the user's, unless the user's own file says otherwise.
        let named = |own| Layers { is_found: false, ..layers(found, own) };
        assert!(granted(&named(""), &server).is_ok() && granted(&named("timeout = '1s'"), &server).is_ok());
        assert!(granted(&named("[grants.y]\nread = ['/']"), &server).unwrap_err().contains(beyond));
    }

    #[test]
    fn whom_a_file_in_a_folder_calls_a_publisher_is_none_of_the_users() {
        let server = Flags { profile: Some("server".to_owned()), ..Flags::default() };
        let own = "[grants.x]\npublisher = 'acme'\nread = ['/srv']";
        let theirs = format!("[trust.publishers.acme]\nkeys = ['{KEY}']");
        let said = granted(&layers(&theirs, own), &server).unwrap_err();
        assert!(said.contains("`acme`, which is not in the trust store"), "{said}");
        let own = format!("{own}\n{theirs}");
        let narrowed = "[grants.x]\nread = ['/srv']";
        let expected = ["x: /srv by Some(\"acme\"); file /work/dyno.toml"];
        assert_eq!(granted(&layers(narrowed, &own), &server).unwrap(), expected);
    }

    #[test]
    fn a_file_in_a_folder_takes_no_isolation_away() {
        let flags = Flags::default();
        let isolation = |layers: &Layers| {
            let profile = layers.profile(&flags).map(|it| it.value);
            let found = profile.and_then(|profile| layers.isolation(&flags, profile));
            found.map(|it| it.value).map_err(|error| error.to_string())
        };
        let said = isolation(&layers("isolation = 'basic'", "")).unwrap_err();
        assert!(said.contains("/work/dyno.toml") && said.contains("give `--isolation basic`"), "{said}");
        let named = |own| Layers { is_found: false, ..layers("isolation = 'basic'", own) };
        assert_eq!(isolation(&named("")), Ok(Isolation::Basic));
        assert!(isolation(&named("isolation = 'full'")).is_err());
        assert_eq!(isolation(&layers("isolation = 'basic'", "isolation = 'basic'")), Ok(Isolation::Basic));
        assert!(isolation(&layers("isolation = 'basic'", "profile = 'server'")).is_err());
        let both = layers("require-isolation = ['no_network']", "require-isolation = ['file_rules']");
        assert_eq!(both.require_isolation(&flags).unwrap().value.len(), 2);
    }

    #[test]
    fn a_file_in_a_folder_chooses_no_program() {
        let program = |origin, is_found| {
            let layers = Layers { is_found, ..layers("", "") };
            let setting = Setting { value: "evil", origin };
            let chosen = layers.users_own(("worker", "DYNO_WORKER"), PROGRAM, setting);
            chosen.map(|it| it.value).map_err(|it| it.to_string())
        };
        let by_file = || Origin::File("/work/dyno.toml".into());
        let said = program(by_file(), true).unwrap_err();
        for part in ["worker from file /work/dyno.toml", "`--config dyno.toml`", "`DYNO_WORKER`"] {
            assert!(said.contains(part), "{said}");
        }
        assert_eq!(program(by_file(), false), Ok("evil"));
        assert_eq!(program(Origin::Environment("DYNO_WORKER"), true), Ok("evil"));
        assert_eq!(program(Origin::Default, true), Ok("evil"));
    }

    #[test]
    fn a_file_in_a_folder_cannot_loosen_what_the_user_requires() {
        let own = format!("[trust]\nrequire = 'signature'\n[trust.publishers.acme]\nkeys = ['{KEY}']");
        let trust = |file: &str| {
            let layers = layers(file, &own);
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
        assert!(Layers { file, is_found: true, own: keys }.trust().unwrap().value.require.signature());
        let alone = Layers { file: None, is_found: false, own: None }.trust().unwrap();
        assert_eq!((alone.value, alone.origin), (TrustStore::default(), Origin::Default));
    }

    #[test]
    fn a_key_that_is_not_one_is_named_with_its_file() {
        let file = layer("/work/dyno.toml", "[trust.publishers.acme]\nkeys = ['RWshort']");
        let said = Layers { file, is_found: true, own: None }.trust().unwrap_err().to_string();
        for part in ["trust from file /work/dyno.toml", "publisher `acme`", "`RWshort` is not a public key"] {
            assert!(said.contains(part), "{said}");
        }
    }
}
