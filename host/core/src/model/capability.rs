//! What a plugin asks for besides computing, as its descriptor writes it.

use std::{fmt, str::FromStr};

use dyno_plugin_api::environment::{ADDRESSES, USER_HOME};

use super::Endpoint;

/// One thing that a plugin asks for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Capability {
    /// To read a file or a folder; `~/` stands for the user's home. // eg: `read:/srv/models`
    Read(String),
    /// To know a variable of the environment. // eg: `env:MODEL_LICENCE`
    Environment(String),
    /// To connect to a host. // eg: `connect:models.example.com:443`
    Connect(Endpoint),
    /// To connect to what parameters name.
    ConnectToParams,
}

/// Why a text asks for nothing, as the rest of a sentence that begins with the text.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NoCapability {
    /// It begins with a word that dyno knows, and what follows cannot be granted.
    #[error("but {0}")]
    Malformed(String),
    /// A later version of dyno may know it.
    #[error(
        "which means nothing to this version of dyno; there are `read:PATH`, `env:NAME`, `connect` and `connect:HOST:PORT`"
    )]
    Unknown,
}

impl FromStr for Capability {
    type Err = NoCapability;

    fn from_str(text: &str) -> Result<Self, NoCapability> {
        let (word, of) = text.split_once(':').map_or((text, None), |(word, of)| (word, Some(of)));
        let judged = match (word, of) {
            ("read", Some(path)) => unusable_path(path).map_or_else(|| Ok(Self::Read(path.to_owned())), Err),
            ("read", None) => Err("it names no file; write `read:PATH`".to_owned()),
            ("env", Some(name)) => {
                unusable_variable(name).map_or_else(|| Ok(Self::Environment(name.to_owned())), Err)
            }
            ("env", None) => Err("it names no variable; write `env:NAME`".to_owned()),
            ("connect", Some(place)) => place.parse().map(Self::Connect),
            ("connect", None) => Ok(Self::ConnectToParams),
            _ => return Err(NoCapability::Unknown),
        };
        judged.map_err(NoCapability::Malformed)
    }
}

impl fmt::Display for Capability {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Read(path) => write!(f, "read:{path}"),
            Self::Environment(name) => write!(f, "env:{name}"),
            Self::Connect(endpoint) => write!(f, "connect:{endpoint}"),
            Self::ConnectToParams => f.write_str("connect"),
        }
    }
}

impl Capability {
    /// What is wrong with the capabilities of a descriptor, each with its text.
    pub fn faults(capabilities: &[String]) -> impl Iterator<Item = (&str, NoCapability)> {
        capabilities.iter().filter_map(|text| Some((text.as_str(), text.parse::<Self>().err()?)))
    }
}

/// Why a path can be neither asked for nor granted, and what to write instead.
#[must_use]
pub fn unusable_path(path: &str) -> Option<String> {
    let is_whole = path.starts_with('/') || path.starts_with("~/");
    (!is_whole || path.contains('\0'))
        .then(|| format!("`{path}` is not a whole path; begin it with `/` or `~/`"))
}

/// Why a variable can be neither asked for nor granted.
#[must_use]
pub fn unusable_variable(name: &str) -> Option<String> {
    if name.is_empty() || name.contains(['=', '\0']) {
        return Some(format!(
            "`{name}` is not the name of a variable; give one without `=`, such as `MODEL_LICENCE`"
        ));
    }
    is_of_dyno(name)
        .then(|| format!("`{name}` is set by dyno itself for a plugin that needs it; leave it out"))
}

/// Whether dyno itself sets a variable for plugins.
#[must_use]
pub fn is_of_dyno(name: &str) -> bool {
    matches!(name, USER_HOME | ADDRESSES)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_can_be_granted_is_told_from_what_never_can() {
        assert_eq!("read:~/x".parse(), Ok(Capability::Read("~/x".to_owned())));
        assert_eq!("env:A".parse(), Ok(Capability::Environment("A".to_owned())));
        assert_eq!("connect".parse(), Ok(Capability::ConnectToParams));
        assert!(matches!("connect:h:1".parse(), Ok(Capability::Connect(_))));
        for text in ["read:~/x", "env:A", "connect", "connect:h:1"] {
            assert_eq!(text.parse::<Capability>().unwrap().to_string(), text);
        }
        for (text, said) in [
            ("read", "it names no file; write `read:PATH`"),
            ("read:", "`` is not a whole path; begin it with `/` or `~/`"),
            ("read:relative/path", "`relative/path` is not a whole path"),
            ("read:~", "`~` is not a whole path"),
            ("env", "it names no variable; write `env:NAME`"),
            ("env:", "`` is not the name of a variable"),
            ("env:A=B", "`A=B` is not the name of a variable"),
            ("env:DYNO_CONNECT", "`DYNO_CONNECT` is set by dyno itself"),
            ("connect:", "`` has no port; give a host and a port"),
            ("connect:nohost", "`nohost` has no port; give a host and a port"),
            ("connect:h:0", "`h:0` has no port from 1 to 65535"),
        ] {
            match text.parse::<Capability>() {
                Err(NoCapability::Malformed(why)) => assert!(why.starts_with(said), "{text}: {why}"),
                other => panic!("{text}: {other:?}"),
            }
        }
        for text in ["", "frobnicate:x", "Read:/x", "network", ":", "connects"] {
            assert_eq!(text.parse::<Capability>(), Err(NoCapability::Unknown), "{text}");
        }
    }
}
