//! What plugins may do besides computing: what they ask for, and who decides.

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
};

use dyno_core::{
    model::{Capability, Endpoint, Grant, IsolationLayer, NoCapability, ParamValue},
    protocol::Confinement,
};
use dyno_plugin_api::environment::USER_HOME;

use super::{Planned, permitted::Permitted};

/// What plugins may do besides computing.
#[derive(Debug, Clone)]
pub struct Rights {
    /// Whether native plugins are confined at all.
    pub confined: bool,
    /// Layers of isolation without which none is loaded.
    pub required: Vec<IsolationLayer>,
    /// Whether a plugin gets what it declares, and may read a path that a parameter names: a developer's own plugins. Otherwise it
    /// gets what it declares and the operator grants.
    pub trusts_declarations: bool,
    /// What the operator grants, by the plugin's id.
    pub grants: BTreeMap<String, Grant>,
    /// The user's home, which `~` stands for.
    pub home: Option<PathBuf>,
}

impl Rights {
    /// What the plugin of a case may do: the same in all its launches.
    pub(super) fn permitted<'a>(&self, case: &'a Planned) -> &'a Permitted {
        case.permitted_once(|| self.decided(case))
    }

    fn decided(&self, case: &Planned) -> Permitted {
        let granter = self.granter(case);
        let (mut permitted, mut connect) = (Permitted::default(), Vec::new());
        for text in &case.asking.capabilities {
            let judged = match text.parse() {
                Ok(capability) => granter.judge(case, capability, &mut permitted, &mut connect),
                Err(fault) => Err(NoCapability::to_string(&fault)),
            };
            if let Err(why) = judged {
                permitted.withheld.push(format!("the plugin asks for `{text}`, {why}"));
            }
        }
        permitted.connect_to(&connect, case.names());
        // Who names a file in a parameter means it to be read.
        let named = texts(case).map(Path::new).filter(|path| path.is_absolute() && path.exists());
        permitted.read.extend(named.filter(|path| granter.lets_read(path)).map(Path::to_owned));
        let is_in = |home: &&PathBuf| permitted.read.iter().any(|path| path.starts_with(home));
        if let Some(home) = self.home.as_ref().filter(is_in) {
            permitted.environment.insert(USER_HOME.to_owned(), home.display().to_string());
        }
        permitted
    }

    /// What stands between the plugin of a case and the machine. `demanded`: layers that the request demands, too.
    pub(super) fn confinement(&self, case: &Planned, demanded: &[IsolationLayer]) -> Confinement {
        let mut required = self.required.clone();
        IsolationLayer::demand(&mut required, demanded);
        let permitted = self.permitted(case);
        Confinement {
            full: self.confined,
            read: permitted.read.clone(),
            environment: permitted.environment.clone(),
            connect: permitted.connect.clone(),
            required,
        }
    }

    /// Who decides about the plugin of a case.
    fn granter(&self, case: &Planned) -> Granter<'_> {
        let of_its_publisher =
            |grant: &&Grant| grant.publisher.is_none() || grant.publisher == case.asking.publisher;
        Granter { rights: self, grant: self.grants.get(case.plugin.id.as_str()).filter(of_its_publisher) }
    }

    fn expanded(&self, path: &str) -> PathBuf {
        match (path.strip_prefix("~/"), &self.home) {
            (Some(rest), Some(home)) => home.join(rest),
            _ => PathBuf::from(path),
        }
    }
}

/// Decides what one plugin may do.
struct Granter<'a> {
    rights: &'a Rights,
    /// What the operator grants it.
    grant: Option<&'a Grant>,
}

impl Granter<'_> {
    fn lets_read(&self, path: &Path) -> bool {
        // `..` would lead out of what is granted.
        let is_within = |path: &Path, grant: &Grant| {
            grant.read.iter().any(|folder| path.starts_with(self.rights.expanded(folder)))
        };
        self.rights.trusts_declarations
            || path.canonicalize().is_ok_and(|path| self.grant.is_some_and(|grant| is_within(&path, grant)))
    }

    fn lets_know(&self, variable: &str) -> bool {
        self.rights.trusts_declarations
            || self.grant.is_some_and(|grant| grant.environment.iter().any(|known| known == variable))
    }

    fn lets_connect(&self, endpoint: &Endpoint) -> bool {
        self.rights.trusts_declarations || self.grant.is_some_and(|grant| grant.connect.contains(endpoint))
    }

    /// Adds a capability to what is permitted.
    ///
    /// # Errors
    /// Why it is not, as the rest of a sentence. What is not there is neither given nor withheld.
    fn judge(
        &self,
        case: &Planned,
        asked: Capability,
        permitted: &mut Permitted,
        connect: &mut Vec<Endpoint>,
    ) -> Result<(), String> {
        let table = format!("`[grants.{}]` in dyno.toml", case.plugin.id);
        let not_granted = || Err(format!("which {table} does not grant"));
        match asked {
            Capability::Read(path) => {
                let path = self.rights.expanded(&path);
                if self.lets_read(&path) {
                    permitted.read.push(path);
                } else if path.exists() {
                    return not_granted();
                }
            }
            Capability::Environment(name) => {
                let Ok(value) = std::env::var(&name) else { return Ok(()) };
                if !self.lets_know(&name) {
                    return not_granted();
                }
                permitted.environment.insert(name, value);
            }
            Capability::Connect(endpoint) => {
                if !self.lets_connect(&endpoint) {
                    return not_granted();
                }
                connect.push(endpoint);
            }
            Capability::ConnectToParams => {
                let (given, others): (Vec<_>, Vec<_>) =
                    texts(case).filter_map(Endpoint::named_in).partition(|it| self.lets_connect(it));
                if given.is_empty() && others.is_empty() {
                    return Err("but no parameter names a host and a port".to_owned());
                }
                connect.extend(given);
                if let [first, ..] = &others[..] {
                    return Err(format!("but `{first}` of a parameter is not in `connect` of {table}"));
                }
            }
        }
        Ok(())
    }
}

/// The values of parameters that are texts.
fn texts(case: &Planned) -> impl Iterator<Item = &str> {
    case.params.values().filter_map(|value| match value {
        ParamValue::Text(text) => Some(text.as_str()),
        _ => None,
    })
}

#[cfg(test)]
mod tests {
    use std::{fs, sync::Arc};

    use dyno_core::model::{DeviceInfo, DeviceKind, Reachable};

    use super::*;
    use crate::runner::{Asking, case::subject_of_tests, names::Names};

    fn case(capabilities: &[&str], params: &[(&str, &str)]) -> Planned {
        let capabilities = capabilities.iter().map(|text| (*text).to_owned()).collect();
        let asking = Asking { capabilities, publisher: None };
        let subject = subject_of_tests(asking, DeviceInfo::new(DeviceKind::Cpu, 0));
        let values =
            params.iter().map(|(name, value)| ((*name).to_owned(), ParamValue::Text((*value).to_owned())));
        Planned::new(Arc::new(subject), Arc::new(values.collect()))
    }

    fn of_a_developer() -> Rights {
        Rights {
            confined: true,
            required: Vec::new(),
            trusts_declarations: true,
            grants: BTreeMap::new(),
            home: None,
        }
    }

    #[test]
    fn what_a_case_may_do_is_decided_once_for_the_record_and_all_its_launches() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("weights");
        fs::write(&file, "x").unwrap();
        let case = case(&[], &[("file", file.to_str().unwrap())]);
        let rights = of_a_developer();
        let words = rights.permitted(&case).words();
        assert_eq!(words, [format!("read:{}", file.display())]);
        fs::remove_file(&file).unwrap();
        assert_eq!(rights.permitted(&case.clone()).words(), words, "another launch");
        assert_eq!(rights.confinement(&case, &[]).read, [file]);
    }

    #[test]
    fn both_sides_of_a_comparison_find_the_same_server() {
        let moved = "moved.invalid:80";
        let known =
            Reachable { endpoint: moved.parse().unwrap(), addresses: vec!["192.0.2.1:80".parse().unwrap()] };
        let baseline = case(&[&format!("connect:{moved}")], &[]).knowing(Names::with(known.clone()));
        let subject = subject_of_tests(baseline.asking.clone(), DeviceInfo::new(DeviceKind::Cpu, 0));
        let candidate = baseline.other_side(Arc::new(subject), Arc::clone(&baseline.params));
        let rights = of_a_developer();
        assert_eq!(rights.confinement(&candidate, &[]).connect, [known]);
    }

    #[test]
    fn an_endpoint_without_an_address_is_not_granted_and_the_layer_stays() {
        let case = case(&["connect:nobody.invalid:80", "connect"], &[("endpoint", "127.0.0.1:9")]);
        let rights = of_a_developer();
        let permitted = rights.permitted(&case);
        assert_eq!(permitted.words(), ["connect:127.0.0.1:9"]);
        assert!(permitted.withheld[0].starts_with("`nobody.invalid:80` has no address"), "{permitted:?}");
        assert_eq!(rights.confinement(&case, &[]).connect.len(), 1);
        let case = self::case(&["connect:nobody.invalid:80"], &[]);
        let confinement = rights.confinement(&case, &[]);
        assert!(confinement.connect.is_empty() && confinement.environment.is_empty(), "{confinement:?}");
    }
}
