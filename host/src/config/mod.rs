//! Settings: flags over environment over file over defaults, resolved once. Every value knows where it came from.

mod file;
mod grants;
mod paths;
mod retention;
mod settings;

pub use file::{ConfigError, File};
pub use retention::{Retention, RetentionTable};
pub use settings::{Flags, Isolation, Origin, Profile, Resolved, Setting, Watch};
