//! What the machine has, how it is, and who may use it.

mod affinity;
mod answer;
mod cache;
mod detect;
mod environment;
mod facts;
mod lease;
mod machine;
mod names;

pub use affinity::{Elsewhere, allowed_threads, keep_off, measured_cpu};
pub use detect::{Ask, Detector, Freshness};
pub use environment::Probe;
pub use lease::{Holder, Lease, LeaseError, Leases, Reach, Standing, Wish};
pub use machine::machine;
pub use names::{ALL, UnknownDevice, find, kinds_of};
