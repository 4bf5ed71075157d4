//! What the plugin of a case may do besides computing, decided once.

use std::{net::SocketAddr, path::PathBuf};

use dyno_core::model::{Capability, Endpoint, Reachable, is_of_dyno};
use dyno_plugin_api::environment::ADDRESSES;
use indexmap::IndexMap;

use super::names::Names;

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
    /// Files and folders that it may read.
    pub(super) read: Vec<PathBuf>,
    /// Variables of the environment, with their values.
    pub(super) environment: IndexMap<String, String>,
    /// What it may connect to.
    pub(super) connect: Vec<Reachable>,
    /// What it asks for, is there, and is not granted, a sentence each.
    pub(super) withheld: Vec<String>,
}

impl Permitted {
    /// Lets it connect to endpoints, as far as they have addresses now. A launch after another must find the same server.
    pub(super) fn connect_to(&mut self, endpoints: &[Endpoint], names: &Names) {
        for located in names.locate(endpoints) {
            match located {
                Ok(reachable) => self.connect.push(reachable),
                Err(why) => self.withheld.push(why),
            }
        }
        let words = self.connect.iter().map(|it| {
            let addresses: Vec<String> = it.addresses.iter().map(SocketAddr::to_string).collect();
            format!("{}={}", it.endpoint, addresses.join(","))
        });
        let words: Vec<String> = words.collect();
        if !words.is_empty() {
            self.environment.insert(ADDRESSES.to_owned(), words.join(" "));
        }
    }

    /// All of it, in the words in which plugins ask for it.
    pub(super) fn words(&self) -> Vec<String> {
        let read = self.read.iter().map(|path| Capability::Read(path.display().to_string()));
        let variables = self.environment.keys().filter(|name| !is_of_dyno(name));
        let variables = variables.cloned().map(Capability::Environment);
        let endpoints = self.connect.iter().map(|it| Capability::Connect(it.endpoint.clone()));
        read.chain(variables).chain(endpoints).map(|it| it.to_string()).collect()
    }
}
