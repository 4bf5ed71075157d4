//! The server: HTTP at the edge of the application, and the only room with an async runtime. It calls [`crate::app`], as the
//! command line does, and the room `service` for what only a server does.

mod answers;
mod audit;
mod backups;
mod baselines;
mod comparisons;
mod connections;
mod error;
mod events;
mod extract;
mod guard;
mod history;
mod listen;
mod machine;
mod me;
mod media;
mod naming;
mod noise;
mod operator;
mod original;
mod overall;
mod page;
mod peers;
mod plugins;
mod problem;
mod proxy;
mod reports;
mod results;
mod router;
mod runs;
mod series;
mod socket;
mod sql;
mod state;
mod staying;
mod tls;
mod trust;

pub use error::ServeError;
pub use listen::serve;
pub use proxy::{ApiUrl, Proxied, dashboard};
pub use router::openapi;
