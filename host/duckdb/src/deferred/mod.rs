//! DuckDB's functions, found in its library at the first use.

mod functions;
mod library;
mod trampoline;

pub use library::open;
