//! Child processes, seen from outside: workers, probes and tools; spawned, spoken to, bounded, killed. The only room that starts
//! processes.

mod begun;
mod believed;
mod connections;
mod control_group;
mod family;
mod helper;
mod interruption;
mod out_of_memory;
mod output;
mod signal;
mod tool;
mod worker;

pub use begun::begin_again_with;
pub use connections::{locate, serve_connections};
pub use control_group::ungrouped;
pub use family::{adopt_orphans, unadopted};
pub use helper::{HelperCommand, HelperFault, ask_helper};
pub use interruption::Interruption;
pub use output::Captured;
pub use tool::{Complaints, ToolCommand, run_tool};
pub use worker::{Farewell, Unsolicited, Worker, WorkerCommand};
