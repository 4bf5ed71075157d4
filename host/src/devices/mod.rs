//! What the machine has, how it is, and who may use it.

mod affinity;
mod detect;
mod environment;
mod lease;
mod machine;

pub use affinity::{Elsewhere, allowed_threads, keep_off, measured_cpu};
pub use detect::{UnknownDevice, detect, find};
pub use environment::Probe;
pub use lease::{Holder, Lease, LeaseError};
pub use machine::machine;
