//! What plugins may do besides computing: what they ask for, and who decides.

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
};

use dyno_core::{
    model::{Capability, Endpoint, Grant, IsolationLayer, NoCapability, ParamValue, PluginKind},
    protocol::Confinement,
};
use dyno_plugin_api::environment::USER_HOME;
use indexmap::IndexMap;

use super::Planned;

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

/// What a plugin asks for besides computing, and whose it is.
#[derive(Debug, Clone, Default)]
pub struct Asking {
    /// What it declares.
    pub capabilities: Vec<String>,
    /// Who signed the plugin file, if that was checked and counts.
    pub publisher: Option<String>,
}

/// What the plugin of a case may do besides computing.
#[derive(Debug, Default)]
pub(super) struct Permitted {
    read: Vec<PathBuf>,
    environment: IndexMap<String, String>,
    connect: Vec<Endpoint>,
    /// What it asks for, is there, and is not granted, a sentence each.
    pub(super) withheld: Vec<String>,
}

impl Rights {
    /// What the plugin of a case may do.
    pub(super) fn permitted(&self, case: &Planned) -> Permitted {
        let granter = self.granter(case);
        let mut permitted = Permitted::default();
        for text in &case.asking.capabilities {
            let judged = match text.parse() {
                Ok(capability) => granter.judge(case, capability, &mut permitted),
                Err(fault) => Err(NoCapability::to_string(&fault)),
            };
            if let Err(why) = judged {
                permitted.withheld.push(format!("the plugin asks for `{text}`, {why}"));
            }
        }
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
        let Permitted { read, environment, connect, .. } = self.permitted(case);
        Confinement { full: self.confined, read, environment, connect, required }
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
    fn judge(&self, case: &Planned, asked: Capability, permitted: &mut Permitted) -> Result<(), String> {
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
            Capability::Connect(_) | Capability::ConnectToParams if case.plugin.kind == PluginKind::Wasm => {
                return Err("which components cannot be given: they have no network".to_owned());
            }
            Capability::Connect(endpoint) => {
                if !self.lets_connect(&endpoint) {
                    return not_granted();
                }
                permitted.connect.push(endpoint);
            }
            Capability::ConnectToParams => {
                let (given, others): (Vec<_>, Vec<_>) =
                    texts(case).filter_map(Endpoint::named_in).partition(|it| self.lets_connect(it));
                if given.is_empty() && others.is_empty() {
                    return Err("but no parameter names a host and a port".to_owned());
                }
                permitted.connect.extend(given);
                if let [first, ..] = &others[..] {
                    return Err(format!("but `{first}` of a parameter is not in `connect` of {table}"));
                }
            }
        }
        Ok(())
    }
}

impl Permitted {
    /// All of it, in the words in which plugins ask for it.
    pub(super) fn words(&self) -> Vec<String> {
        let read = self.read.iter().map(|path| format!("read:{}", path.display()));
        let variables =
            self.environment.keys().filter(|name| *name != USER_HOME).map(|name| format!("env:{name}"));
        let endpoints = self.connect.iter().map(|endpoint| format!("connect:{endpoint}"));
        read.chain(variables).chain(endpoints).collect()
    }
}

/// The values of parameters that are texts.
fn texts(case: &Planned) -> impl Iterator<Item = &str> {
    case.params.values().filter_map(|value| match value {
        ParamValue::Text(text) => Some(text.as_str()),
        _ => None,
    })
}
