//! Talking to a dyno server: requests, answers, its stream of events. Knows HTTP and no use case.

mod connection;
mod found;

pub use connection::{Connection, ServerError};
pub use found::{ServerFile, beside};
