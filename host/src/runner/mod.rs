//! One run, from request to record: expansion into cases, launches, the stop rule, what is stored and announced.

mod cancel;
mod case;
mod compiled;
mod conduct;
mod desk;
mod dispatcher;
mod duel;
mod error;
mod expand;
mod folder;
mod intake;
mod lanes;
mod launch;
mod pace;
mod pair;
mod peak;
mod stop;
mod turn;

pub use cancel::{Cancel, is_ignored};
pub use case::{Obstacle, Planned};
pub use conduct::Missing;
pub use dispatcher::Dispatcher;
pub use duel::{Duel, DuelNews, DuelOptions, Match};
pub use error::RunError;
pub use expand::{ExpandError, Matches, expand, matches, refuse_repeated};
pub use folder::{LaunchFolder, sweep};
