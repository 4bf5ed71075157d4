//! The pure heart of dyno, on both sides of the process boundary: no I/O, no clock, no global state.
//!
//! * [`binary`]: what plugin files are, read from their bytes.
//! * [`model`]: what a run is made of, from the request to the record that is stored and exported.
//! * [`protocol`]: what host and worker say to each other, and how a message becomes bytes.
//! * [`stats`]: samples in, summaries out; seeded where it draws random numbers.
//! * [`encoding`]: text of other programs, from bytes.
//! * [`text`]: text of others made fit to be shown.
//! * [`units`]: numbers scaled for reading.

pub mod binary;
pub mod encoding;
pub mod model;
pub mod protocol;
pub mod stats;
pub mod text;
pub mod units;
