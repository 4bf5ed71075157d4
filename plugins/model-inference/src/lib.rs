//! First-party benchmark of model inference: on the plugin's side of the boundary.
//!
//! A family of models is one file that describes its members as steps (`network.rs`); a runtime is one folder that carries steps
//! out. `README.md` says what one iteration is and how results are verified.

#![cfg_attr(test, allow(clippy::print_stdout, reason = "a test that is skipped says why"))]

mod benchmark;
mod check;
mod family;
mod input;
mod models;
mod network;
mod onnx;
mod plan;
mod reference;
mod runtime;
mod stream;
mod weights;

use self::benchmark::ModelInference;

dyno_sdk::export_plugin! {
    id: "model-inference",
    description: "Inference by transformers of the BERT and ViT families, on ONNX Runtime or a forward pass of our own",
    benchmarks: [ModelInference],
    // ONNX Runtime, and downloaded weights.
    capabilities: ["read:~/.cache/dyno/tools/onnxruntime", "read:~/.local/lib", "read:~/.cache/huggingface/hub"],
}
