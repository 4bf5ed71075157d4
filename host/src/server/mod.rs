//! The server: HTTP at the edge of the application, and the only room with an async runtime. It calls [`crate::app`], as the
//! command line does, and [`crate::service`] for what only a server does.

mod answers;
mod audit;
mod events;
mod extract;
mod guard;
mod history;
mod listen;
mod machine;
mod media;
mod operator;
mod original;
mod overall;
mod peers;
mod problem;
mod reports;
mod router;
mod runs;
mod socket;
mod sql;
mod state;
mod tokens;

pub use listen::{ServeError, serve};
pub use router::openapi;
