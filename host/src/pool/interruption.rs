//! Why a worker gave no answer.

use dyno_core::{model::Exit, protocol::FrameError};

use crate::fault::HostFault;

/// Why no answer came.
#[derive(Debug)]
pub enum Interruption {
    /// The deadline passed.
    TimedOut,
    /// The user gave up.
    Cancelled,
    /// It used more memory than it may.
    OverMemory {
        /// Whether what it started counts, too.
        together: bool,
        /// What it used [bytes].
        used: u64,
        /// What it may use [bytes].
        limit: u64,
    },
    /// It ended.
    Died(Exit),
    /// It closed the channel and went on.
    LeftChannel,
    /// It sent data that is not a valid message.
    Babbled(FrameError),
    /// It sent more messages of a kind than a worker's own code does.
    Flooded {
        /// Of which kind. // eg: "log lines"
        what: &'static str,
        /// How many a worker sends at most.
        most: u32,
    },
    /// The machine did not give it what it needs, before any code of the plugin ran.
    Host(HostFault),
}
