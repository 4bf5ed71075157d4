//! Use cases: which program runs plugins, and what they may do, by the settings.

use crate::{
    config::{Granted, Isolation, Profile, Resolved},
    runner::{Grant, Rights, Workers},
};

/// The program of workers, and what the plugins in them may do.
pub(super) fn workers(settings: &Resolved) -> Workers {
    let grants = settings.grants.iter().map(|(plugin, granted)| {
        let Granted { publisher, read, environment, connect } = granted.clone();
        (plugin.clone(), Grant { publisher, read, environment, connect })
    });
    Workers {
        program: settings.worker.value.clone(),
        rights: Rights {
            confined: settings.isolation.value == Isolation::Full,
            required: settings.require_isolation.value.clone(),
            trusts_declarations: settings.profile.value == Profile::Dev,
            grants: grants.collect(),
            home: settings.home.clone(),
        },
    }
}
