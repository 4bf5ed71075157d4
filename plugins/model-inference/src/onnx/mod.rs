//! Networks in the format of ONNX, version 1.15 (operator set 20): <https://onnx.ai/onnx/repo-docs/IR.html>.

mod export;
mod message;

pub(crate) use self::export::{Export, INPUT_IDS, OUTPUT, PIXELS, WEIGHTS, export};
