//! Talking to a dyno server: requests, answers, its stream of events. Knows HTTP and no use case.

mod connection;
mod found;
mod server_file;
mod stream;
mod writer;

pub use connection::{Connection, Download, SHA256, ServerError};
pub use found::{Found, beside};
pub use server_file::ServerFile;
pub use stream::Heard;
