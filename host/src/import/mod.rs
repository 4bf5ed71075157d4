//! Results of other tools as values to compare: one format, one file. Pure: the caller reads files and walks folders.

mod criterion;
mod detect;
mod error;
mod gbench;
mod hyperfine;
mod json;
mod original;

pub use criterion::{criterion, criterion_name};
pub use detect::{Found, detect};
pub use error::ImportError;
pub use gbench::gbench;
pub use hyperfine::hyperfine;
pub use original::original;

#[cfg(test)]
mod tests;
