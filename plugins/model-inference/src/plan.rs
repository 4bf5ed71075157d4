//! How a network is to be carried out, and what carries it out.

use dyno_sdk::prelude::*;

use crate::input::Input;

/// Type of the numbers that are multiplied.
#[derive(ParamEnum, Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Precision {
    Fp32,
    Fp16,
    Bf16,
    Int8,
}

/// How a network is to be carried out.
#[derive(Debug, Clone)]
pub(crate) struct Plan {
    pub(crate) precision: Precision,
    pub(crate) device: Device,
    /// Threads, on a CPU.
    pub(crate) threads: usize,
    /// Items of a batch.
    pub(crate) batch: usize,
}

impl Plan {
    /// Whether this is a plan for a CPU.
    pub(crate) fn is_on_cpu(&self) -> bool {
        self.device.threads > 0
    }

    /// The same in `fp32` on the CPU.
    pub(crate) fn on_cpu(&self) -> Self {
        let device = if self.is_on_cpu() { self.device.clone() } else { Device::default() };
        Self { device, precision: Precision::Fp32, ..self.clone() }
    }
}

/// A network that is ready to be carried out.
pub(crate) trait Session {
    /// Puts a batch of input where [`Session::run`] finds it.
    ///
    /// # Errors
    /// When the runtime refuses it.
    fn give(&mut self, input: &Input) -> Result<(), Failure>;

    /// One inference over the batch, whose output `read` is given, item after item.
    ///
    /// # Errors
    /// When the runtime fails.
    fn run(&mut self, read: &mut dyn FnMut(&[f32])) -> Result<(), Failure>;
}
