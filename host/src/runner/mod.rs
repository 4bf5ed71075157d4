//! One run, from request to record: expansion into cases, launches, the stop rule, what is stored and announced.

mod cancel;
mod case;
mod compiled;
mod compiling;
mod conduct;
mod conformance;
mod desk;
mod dispatcher;
mod duel;
mod error;
mod expand;
mod folder;
mod lanes;
mod launch;
mod loading;
mod names;
mod peak;
mod permitted;
mod rights;
mod session;
mod stop;
mod turn;
mod workers;

pub use cancel::{Cancel, is_ignored};
pub use case::{Match, Obstacle, Planned, Subject};
pub use conduct::Missing;
pub use conformance::{CheckNews, Depth, Kit};
pub use dispatcher::Dispatcher;
pub use duel::{Duel, DuelNews, DuelOptions};
pub use error::RunError;
pub use expand::{ExpandError, Matches, expand, matches, refuse_repeated};
pub use folder::{LaunchFolder, sweep};
pub use loading::Loading;
pub use permitted::Asking;
pub use rights::Rights;
pub use workers::Workers;
