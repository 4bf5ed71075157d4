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
    /// How often the weights are in memory at the highest, in `verify`: as given, as the runtime reorders them, and as `native` does for
    /// comparing. ONNX Runtime also has its file in memory while it loads. Measured with bert-large-uncased and vit-large-patch16-224.
    pub(crate) fn copies_of_weights(self) -> f64 {
        match self {
            Self::Ort => 4.2,
            Self::Native => 3.1,
        }
    }

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
