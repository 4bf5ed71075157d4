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
    /// Whether plugins are confined: `full`, or `basic` to see whether one fails because of it [env: DYNO_ISOLATION]
    /// [default: full]
    #[arg(long, value_name = "LEVEL")]
    isolation: Option<String>,
    /// Comma-separated layers of isolation without which no plugin is loaded, e.g. `file_rules,no_network` [env:
    /// DYNO_REQUIRE_ISOLATION] [default: none]
    #[arg(long, value_name = "LAYERS")]
    require_isolation: Option<String>,
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
        Flags {
            timeout: self.timeout.clone(),
            memory: self.memory.clone(),
            isolation: self.isolation.clone(),
            require_isolation: self.require_isolation.clone(),
            ..flags
        }
    }
}

impl WaitArgs {
    /// This flag over others.
    pub(super) fn over(&self, flags: Flags) -> Flags {
        Flags { lease_timeout: self.lease_timeout.clone(), ..flags }
    }
}
