//! Use cases: which program runs plugins, and what they may do, by the settings.

use crate::{
    config::{Isolation, Profile, Resolved},
    runner::{Rights, Workers},
};

/// The program of workers, and what the plugins in them may do.
pub(super) fn workers(settings: &Resolved) -> Workers {
    Workers {
        program: settings.worker.value.clone(),
        rights: Rights {
            confined: settings.isolation.value == Isolation::Full,
            required: settings.require_isolation.value.clone(),
            trusts_declarations: settings.profile.value == Profile::Dev,
            grants: settings.grants.iter().map(|(id, it)| (id.clone(), it.grant.clone())).collect(),
            home: settings.home.clone(),
        },
    }
}
