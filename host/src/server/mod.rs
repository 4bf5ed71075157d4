//! The server: HTTP at the edge of the application, and the only room with an async runtime. It calls [`crate::app`], as the
//! command line does.

mod answers;
mod audit;
mod events;
mod executor;
mod extract;
mod guard;
mod history;
mod hub;
mod listen;
mod machine;
mod media;
mod operator;
mod original;
mod peers;
mod problem;
mod reports;
mod router;
mod runs;
mod socket;
mod sql;
mod state;
mod status;
mod tokens;

pub use listen::{ServeError, serve};
pub use router::openapi;
