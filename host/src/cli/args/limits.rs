//! Limits of a launch, which settings can give as well.

use clap::Args;

use crate::config::Flags;

#[derive(Debug, Args)]
pub(in crate::cli) struct LimitArgs {
    /// Maximum time for any stage of a launch [env: DYNO_TIMEOUT] [default: 60s]
    #[arg(long, value_name = "DURATION")]
    timeout: Option<String>,
    /// Maximum memory of a worker [env: DYNO_MEMORY] [default: 4GiB]
    #[arg(long, value_name = "BYTES")]
    memory: Option<String>,
}

#[derive(Debug, Args)]
pub(in crate::cli) struct WaitArgs {
    /// Maximum wait for a device that another process holds [env: DYNO_LEASE_TIMEOUT] [default: wait indefinitely]
    #[arg(long, value_name = "DURATION")]
    lease_timeout: Option<String>,
}

impl LimitArgs {
    /// These flags over others.
    pub(super) fn over(&self, flags: Flags) -> Flags {
        Flags { timeout: self.timeout.clone(), memory: self.memory.clone(), ..flags }
    }
}

impl WaitArgs {
    /// This flag over others.
    pub(super) fn over(&self, flags: Flags) -> Flags {
        Flags { lease_timeout: self.lease_timeout.clone(), ..flags }
    }
}
