//! The machine's devices, its state, and the leases on it.

mod activity;
mod affinity;
mod answer;
mod cache;
mod detect;
mod doctor;
mod energy;
mod environment;
mod facts;
mod files;
mod group;
mod heat;
mod lease;
mod machine;
mod names;
mod placement;
mod topology;

pub use affinity::{Elsewhere, allowed_cpus, allowed_threads, keep_off};
pub use detect::{Ask, Detector, Freshness, Unanswered};
pub use doctor::{Wanted, compare, findings, readings};
pub use energy::EnergyMeter;
pub use environment::{Probe, Sampling};
pub use lease::{Holder, Lease, LeaseError, Leases, Reach, Standing, Wish};
pub use machine::machine;
pub use names::{ALL, UnknownDevice, find, kinds_of};
pub use placement::{BadCpus, Placement, check_cpus, choose_again, place, ranked_cpus};
