//! Settings: flags over environment over file over defaults, resolved once. Every value knows where it came from.

mod file;
mod paths;
mod settings;

pub use file::{ConfigError, File};
pub use settings::{Flags, Origin, Profile, Resolved, Setting, Watch};
