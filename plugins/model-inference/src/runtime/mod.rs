//! Runtimes: one file or folder for each, which says how it carries out a network.

mod native;
mod ort;

pub(crate) use self::native::gemm_rate;

use dyno_sdk::prelude::*;

use crate::{
    network::Network,
    plan::{Plan, Session},
    weights::Weights,
};

/// What carries out a network.
#[derive(ParamEnum, Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Runtime {
    /// ONNX Runtime, opened while running.
    #[param(name = "ort")]
    Ort,
    /// The forward pass in this plugin.
    #[param(name = "native")]
    Native,
}

impl Runtime {
    /// Loads a network.
    pub(crate) fn load(
        self,
        network: &Network,
        weights: &Weights,
        plan: &Plan,
    ) -> Result<Box<dyn Session>, Failure> {
        match self {
            Self::Ort => ort::load(network, weights, plan),
            Self::Native => native::load(network, weights, plan),
        }
    }
}
