//! Settings: flags over environment over file over defaults, resolved once. Every value knows where it came from.

mod choices;
mod file;
mod flags;
mod grants;
mod layers;
mod paths;
mod retention;
mod setting;
mod settings;
mod tightening;

pub use choices::{Isolation, Profile, Watch};
pub use file::{ConfigError, File};
pub use flags::Flags;
pub use grants::Granted;
pub use retention::{Retention, RetentionTable};
pub use setting::{Origin, Setting};
pub use settings::Resolved;
