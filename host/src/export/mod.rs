//! Records as text: one format, one file. Pure: the caller writes.

mod csv;
mod json;
mod markdown;

pub use csv::csv;
pub use json::{ReadError, json, read};
pub use markdown::markdown;

#[cfg(test)]
mod tests;
