//! What makes a machine measure well or badly: read, judged, and compared with another machine.

mod compare;
mod findings;
mod limits;
mod read;

pub use compare::compare;
pub use findings::findings;
pub use read::{Wanted, readings};
