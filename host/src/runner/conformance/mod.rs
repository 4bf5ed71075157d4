//! The conformance kit: what a plugin promises by its descriptor and by the contract, tried in workers, one test after the
//! other.

mod calls;
mod kit;
mod lifecycle;
mod ranges;
mod trial;

pub use kit::{CheckNews, Depth, Kit};
