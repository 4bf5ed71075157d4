//! The machine's devices, and its state.

mod activity;
mod affinity;
mod answer;
mod cache;
mod detect;
mod energy;
mod environment;
mod facts;
mod files;
mod group;
mod heat;
mod machine;
mod names;
mod placement;
mod readings;
mod topology;

pub use affinity::{Elsewhere, Joined, allowed_cpus, allowed_threads, join, keep_off};
pub use detect::{Ask, Detector, Freshness, Rights, Unanswered};
pub use energy::EnergyMeter;
pub use environment::{Probe, Sampling};
pub use machine::machine;
pub use names::{ALL, UnknownDevice, find, kinds_of};
pub use placement::{BadCpus, Placement, check_cpus, choose_again, place, ranked_cpus};
pub use readings::{Wanted, readings};
