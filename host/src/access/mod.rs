//! Access tokens: the file that names them, what each permits, how long, and whose a given token is. Knows nothing of HTTP.

mod edit;
mod entry;
mod error;
mod file;
mod list;
mod scope;
mod tokens;

pub use edit::{NewToken, add, remove};
pub use entry::{Identity, TokenInfo};
pub use error::AccessError;
pub use file::listed;
pub use list::Stranger;
pub use scope::Scope;
pub use tokens::Tokens;
