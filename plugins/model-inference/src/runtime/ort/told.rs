//! What ONNX Runtime says.

use dyno_sdk::prelude::*;

/// What ONNX Runtime said, as a failure.
#[allow(clippy::needless_pass_by_value, reason = "it is what `map_err` calls")]
pub(super) fn told<R>(error: ort::Error<R>) -> Failure {
    Failure::error(format!("ONNX Runtime: {error}"))
}
