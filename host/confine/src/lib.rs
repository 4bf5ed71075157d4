//! The layers that a process puts between itself and the machine, before it loads the code of others: a worker before it loads a
//! plugin, the probe before it loads a driver. Each layer that is in force is proven and reported by its word.

mod calls;
mod capabilities;
mod confine;
mod connect;
mod files;
mod foreign;
mod numbers;
mod proof;
mod speculation;

pub use calls::take_refused_calls;
pub use confine::{Confined, confine};
pub use foreign::Foreign;
pub use speculation::store_bypass;
