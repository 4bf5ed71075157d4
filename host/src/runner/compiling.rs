//! Compiling a component before it is launched: a launch of its own, which measures nothing.

use super::session::{Assignment, Ended, Session};

/// Compiles the case's component in a worker of its own, so that no launch has the memory of a compiler.
pub(super) fn compile(assignment: &Assignment<'_>) {
    let loaded = || -> Result<(), Ended> {
        let (session, _) = Session::spawn(assignment, Box::new(|_| {}))?.greet()?;
        session.load()?;
        Ok(())
    };
    // What is wrong with the plugin or the machine is said by the launch that follows.
    let _ = loaded();
}
