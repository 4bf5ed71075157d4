//! Worker processes, seen from outside: spawned, spoken to, bounded, killed. The only room that starts processes.

mod family;
mod helper;
mod out_of_memory;
mod output;
mod signal;
mod worker;

pub use family::{adopt_orphans, unadopted};
pub use helper::{HelperCommand, HelperFault, ask_helper};
pub use output::Captured;
pub use worker::{Farewell, Interruption, Unsolicited, Worker, WorkerCommand};
