//! A home for drivers, which keep compiled shaders and kernels in the user's cache: a launch must find none and leave none.

#![allow(unsafe_code, reason = "variables of a process are only safe to set while it has one thread")]

use std::env;

/// Makes the directory of the launch, which is gone after it, the home of whatever is loaded from now on. The variables
/// are the only ones that a worker has; without them drivers look the user's home up in the system's list of users.
pub(crate) fn private_home() -> Option<&'static str> {
    let directory = env::current_dir().ok()?;
    for name in ["HOME", "XDG_CACHE_HOME", "XDG_CONFIG_HOME", "XDG_DATA_HOME", "XDG_RUNTIME_DIR"] {
        // SAFETY: the worker has one thread until a plugin is loaded, and this is called before.
        unsafe { env::set_var(name, &directory) };
    }
    Some("private_home")
}
