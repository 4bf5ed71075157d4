//! The server: HTTP at the edge of the application, and the only room with an async runtime. It calls [`crate::app`], as the
//! command line does.

mod answers;
mod events;
mod executor;
mod extract;
mod guard;
mod history;
mod hub;
mod listen;
mod machine;
mod operator;
mod original;
mod problem;
mod reports;
mod router;
mod runs;
mod sql;
mod state;
mod status;
mod tokens;

pub use listen::{ServeError, serve};
pub use router::openapi;
