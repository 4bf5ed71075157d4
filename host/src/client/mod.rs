//! Talking to a dyno server: requests, answers, its stream of events. Knows HTTP and no use case.

mod connection;
mod found;
mod stream;
mod writer;

pub use connection::{Connection, ServerError};
pub use found::{Found, ServerFile, beside};
pub use stream::Heard;
