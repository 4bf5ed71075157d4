//! Rights beyond those of an ordinary user: a worker of root keeps none of them.

use rustix::{
    io::Errno,
    thread::{CapabilitySet, CapabilitySets, clear_ambient_capability_set, set_capabilities},
};

/// Gives all of them up, and tries to take them back.
pub(super) fn give_up() -> Result<(), String> {
    // What a program that is started would keep; `set_capabilities` empties it anyway where this fails.
    let _ = clear_ambient_capability_set();
    set_capabilities(None, all_three(CapabilitySet::empty()))
        .map_err(|error| format!("the kernel refused ({error})"))?;
    match set_capabilities(None, all_three(CapabilitySet::all())) {
        Err(Errno::PERM) => Ok(()),
        Ok(()) => Err("they could be taken back all the same".to_owned()),
        Err(error) => Err(format!("taking them back was refused for another reason ({error})")),
    }
}

fn all_three(set: CapabilitySet) -> CapabilitySets {
    CapabilitySets { effective: set, permitted: set, inheritable: set }
}
