//! What makes a machine measure well or badly: its readings judged, and compared with another machine's. Pure.

mod compare;
mod finding;
mod findings;
mod limits;

pub use compare::compare;
pub use findings::findings;
