//! Values that cross the boundary after `execute`: the work that was done, and the samples.

/// The work of one call of `execute`, summed over all its iterations. Fields that are not set are not reported.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Report {
    pub(crate) items: f64,
    pub(crate) bytes: f64,
    pub(crate) flop: f64,
    pub(crate) device_ns: f64,
    pub(crate) checksum: u64,
}

impl Report {
    /// An empty report.
    #[must_use]
    pub const fn new() -> Self {
        Self { items: 0.0, bytes: 0.0, flop: 0.0, device_ns: 0.0, checksum: 0 }
    }

    /// Things processed [items].
    #[must_use]
    pub const fn items(mut self, items: f64) -> Self {
        self.items = items;
        self
    }

    /// Memory or data traffic that the work needs [bytes].
    #[must_use]
    pub const fn bytes(mut self, bytes: f64) -> Self {
        self.bytes = bytes;
        self
    }

    /// Floating-point operations that the work needs [FLOP].
    #[must_use]
    pub const fn flop(mut self, flop: f64) -> Self {
        self.flop = flop;
        self
    }

    /// Time that the device itself measured [ns]. A WASM component has no device that could tell: there it is dropped.
    #[must_use]
    pub const fn device_ns(mut self, device_ns: f64) -> Self {
        self.device_ns = device_ns;
        self
    }

    /// Anything computed from the output: keeps the optimiser honest and lets two builds be compared.
    #[must_use]
    pub const fn checksum(mut self, checksum: u64) -> Self {
        self.checksum = checksum;
        self
    }
}

/// One timed call of `execute`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Sample {
    /// Iterations of the call.
    pub iterations: u64,
    /// Wall time of the call [ns].
    pub wall_ns: u64,
}
