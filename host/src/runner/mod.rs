//! One run, from request to record: expansion into cases, launches, the stop rule, what is stored and announced.

mod cancel;
mod case;
mod dispatcher;
mod expand;
mod launch;
mod stop;

pub use cancel::Cancel;
pub use case::Planned;
pub use dispatcher::{Dispatcher, RunError};
pub use expand::{ExpandError, expand};
