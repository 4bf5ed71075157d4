//! Beginning this process again, with variables that its libraries read only when a program begins.

use std::{env, ffi::OsString, os::unix::process::CommandExt, process::Command};

/// Replaces this process by the same program with the same arguments, unless every one of these variables is set; those that
/// are set already keep their values. Returns if nothing was to do, or if the system refused: then this process goes on as
/// it is.
///
/// To be called before there is a second thread, or anything that would be lost: a new program has neither.
pub fn begin_again_with(variables: &[(&str, &str)]) {
    let missing: Vec<_> = variables.iter().filter(|(name, _)| env::var_os(name).is_none()).collect();
    let Ok(program) = env::current_exe() else { return };
    if missing.is_empty() {
        return;
    }
    let mut given = env::args_os();
    let name = given.next().unwrap_or_else(|| OsString::from("dyno"));
    let mut command = Command::new(program);
    command.arg0(name).args(given);
    command.envs(missing.into_iter().copied());
    // An answer is a refusal, for instance because the program was replaced and its old file is gone.
    let _ = command.exec();
}
