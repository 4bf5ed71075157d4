//! The program of workers, and what the plugins in them may do.

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
};

use dyno_core::{
    model::{IsolationLayer, ParamValue, PluginKind},
    protocol::Confinement,
};
use indexmap::IndexMap;

use super::Planned;

/// How the worker of a plugin learns where its user's home is, if it may read something there.
const HOME: &str = "DYNO_USER_HOME";

/// The program of workers, and what the plugins in them may do.
#[derive(Debug, Clone)]
pub struct Workers {
    /// The `dyno-worker` binary.
    pub program: PathBuf,
    /// What plugins may do.
    pub rights: Rights,
}

/// What native plugins may do besides computing.
#[derive(Debug, Clone)]
pub struct Rights {
    /// Whether they are confined at all.
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

/// What an operator grants a plugin.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Grant {
    /// Files and folders that it may read.
    pub read: Vec<String>,
    /// Names of variables of the environment that it gets.
    pub environment: Vec<String>,
}

impl Rights {
    /// What stands between the plugin of a case and the machine. `demanded`: layers that the request demands, too.
    pub(super) fn confinement(&self, case: &Planned, demanded: &[IsolationLayer]) -> Confinement {
        let mut required = self.required.clone();
        IsolationLayer::demand(&mut required, demanded);
        let granted = self.grants.get(case.plugin.id.as_str());
        let mut read: Vec<PathBuf> = Vec::new();
        let mut environment = IndexMap::new();
        for capability in &case.capabilities {
            if let Some(path) = capability.strip_prefix("read:") {
                let path = self.expanded(path);
                if self.trusts_declarations || self.is_granted(granted, &path) {
                    read.push(path);
                }
            } else if let Some(name) = capability.strip_prefix("env:") {
                let is_granted = granted.is_some_and(|it| it.environment.iter().any(|known| known == name));
                if let (true, Ok(value)) = (self.trusts_declarations || is_granted, std::env::var(name)) {
                    environment.insert(name.to_owned(), value);
                }
            }
        }
        // Who names a file in a parameter means it to be read.
        let texts = case.params.values().filter_map(|value| match value {
            ParamValue::Text(text) => Some(Path::new(text)),
            _ => None,
        });
        let named = texts.filter(|path| path.is_absolute() && path.exists());
        read.extend(
            named
                .filter(|path| self.trusts_declarations || self.is_granted(granted, path))
                .map(Path::to_owned),
        );
        if let Some(home) = self.home.as_ref().filter(|home| read.iter().any(|path| path.starts_with(home))) {
            environment.insert(HOME.to_owned(), home.display().to_string());
        }
        Confinement { full: self.confined, read, environment, required }
    }

    /// What the plugin of a case may do besides computing, in the words in which plugins ask for it.
    pub(super) fn granted(&self, case: &Planned) -> Vec<String> {
        if case.plugin.kind != PluginKind::Native {
            return Vec::new();
        }
        let Confinement { read, environment, .. } = self.confinement(case, &[]);
        let read = read.iter().map(|path| format!("read:{}", path.display()));
        let variables = environment.keys().filter(|name| *name != HOME).map(|name| format!("env:{name}"));
        read.chain(variables).collect()
    }

    /// What the plugin of a case asks for, is there, and is not granted, a sentence each.
    pub(super) fn withheld(&self, case: &Planned) -> Vec<String> {
        if case.plugin.kind != PluginKind::Native || self.trusts_declarations {
            return Vec::new();
        }
        let Confinement { read, environment, .. } = self.confinement(case, &[]);
        let is_withheld = |capability: &&String| match capability.split_once(':') {
            Some(("read", path)) => {
                let path = self.expanded(path);
                path.exists() && !read.contains(&path)
            }
            Some(("env", name)) => std::env::var_os(name).is_some() && !environment.contains_key(name),
            _ => false,
        };
        let plugin = &case.plugin.id;
        let sentence = |capability: &String| {
            format!(
                "the plugin asks for `{capability}`, which `[grants.{plugin}]` in dyno.toml does not grant"
            )
        };
        case.capabilities.iter().filter(is_withheld).map(sentence).collect()
    }

    fn is_granted(&self, granted: Option<&Grant>, path: &Path) -> bool {
        // `..` would lead out of what is granted.
        let Ok(path) = path.canonicalize() else { return false };
        granted.is_some_and(|it| it.read.iter().any(|folder| path.starts_with(self.expanded(folder))))
    }

    fn expanded(&self, path: &str) -> PathBuf {
        match (path.strip_prefix("~/"), &self.home) {
            (Some(rest), Some(home)) => home.join(rest),
            _ => PathBuf::from(path),
        }
    }
}
