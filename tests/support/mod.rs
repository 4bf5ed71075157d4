//! What the stories share: places to run dyno in, plugins to run, and those who talk to it.

pub(crate) mod arena;
pub(crate) mod browser;
pub(crate) mod built;
pub(crate) mod eventually;
pub(crate) mod fake;
pub(crate) mod fixtures;
pub(crate) mod launch;
pub(crate) mod sandbox;
pub(crate) mod served;
pub(crate) mod terminal;
