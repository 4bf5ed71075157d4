//! Leases: the exclusive right to a device, for one process at a time on this machine.
//!
//! Three things make one. A lock on a file, which the kernel gives back when the process dies, however it dies. A name in
//! the kernel's table of sockets, which nobody else can take away, move or unlink: other users of the machine can write
//! to a folder that all share, and may hold a device, but cannot make two processes believe that they have it. And a
//! ticket, which names the waiting and holding processes, and since when: it decides only the order.

mod acquire;
mod error;
mod folder;
mod guard;
mod holder;
mod lock;
mod resource;
mod standing;
mod ticket;

pub use acquire::{Lease, Wish};
pub use error::LeaseError;
pub use folder::{Leases, Reach};
pub use holder::Holder;
pub use standing::Standing;
