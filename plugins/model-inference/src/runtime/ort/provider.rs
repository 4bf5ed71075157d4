//! Execution providers: libraries by which ONNX Runtime computes on a device other than the CPU, or on the CPU in another way.

use dyno_sdk::prelude::*;
use ort::{device::Device as EpDevice, environment::Environment, memory::DeviceType};

use usual_folders::beginning;

use super::library::{folders, switch_on};
use crate::plan::{Plan, Precision};

/// A library that brings a kind of device to ONNX Runtime.
#[derive(Debug)]
pub(super) struct Provider {
    kind: &'static str,
    /// Its name in ONNX Runtime.
    name: &'static str,
    /// The package of PyPI that has it, and the folder of that package.
    package: &'static str,
    folder: &'static str,
    /// The beginning of the library's name.
    library: &'static str,
    /// What it computes in.
    pub(super) precisions: &'static [Precision],
    chooses_precision: bool,
}

const PROVIDERS: [Provider; 3] = [
    Provider {
        kind: "webgpu",
        name: "WebGpuExecutionProvider",
        package: "onnxruntime-ep-webgpu",
        folder: "onnxruntime_ep_webgpu",
        library: "libonnxruntime_providers_webgpu",
        precisions: &[Precision::Fp32, Precision::Fp16],
        chooses_precision: false,
    },
    Provider {
        kind: "cuda",
        name: "CUDAExecutionProvider",
        package: "onnxruntime-gpu",
        folder: "onnxruntime",
        library: "libonnxruntime_providers_cuda",
        precisions: &[Precision::Fp32, Precision::Fp16],
        chooses_precision: false,
    },
    Provider {
        kind: "openvino",
        name: "OpenVINOExecutionProvider",
        package: "onnxruntime-ep-openvino",
        folder: "onnxruntime_ep_openvino",
        library: "libonnxruntime_providers_openvino_plugin",
        precisions: &[Precision::Fp32, Precision::Fp16, Precision::Bf16],
        chooses_precision: true,
    },
];

impl Provider {
    /// The provider for a device. `None`: ONNX Runtime itself computes on a CPU.
    pub(super) fn of(device: &Device) -> Result<Option<&'static Self>, Failure> {
        if device.threads > 0 {
            return Ok(None);
        }
        let kind = device.name.split(':').next().unwrap_or_default();
        let found = PROVIDERS.iter().find(|provider| provider.kind == kind);
        found.map(Some).ok_or_else(|| {
            Failure::skipped(format!(
                "ONNX Runtime has no execution provider for `{kind}` that this plugin knows"
            ))
        })
    }

    /// The device of ONNX Runtime that stands for a device of dyno: the one with its number.
    pub(super) fn device(
        &self,
        environment: &'static Environment,
        device: &Device,
    ) -> Result<EpDevice<'static>, Failure> {
        let nth = || {
            let mut all = environment.devices().filter(|it| it.ep().is_ok_and(|name| name == self.name));
            all.nth(device.index as usize)
        };
        if nth().is_none() {
            self.register(environment)?;
        }
        nth().ok_or_else(|| Failure::skipped(format!("{} finds no device {}", self.name, device.name)))
    }

    /// The precision of the network that it is given.
    pub(super) fn graph(&self, precision: Precision) -> Precision {
        if self.chooses_precision { Precision::Fp32 } else { precision }
    }

    /// What to say when it does not want a device. Its own words begin with places in its source.
    pub(super) fn refused(&self, device: &Device, said: &str) -> Failure {
        let last = said.trim().rsplit(". ").next().unwrap_or_default();
        let hint = if self.kind == "webgpu" {
            "; of the adapters in software, Chromium's SwiftShader has what it needs, and Mesa 22.3 does not: see `WebGPU without a GPU` in the \
             plugin's README"
        } else {
            ""
        };
        Failure::skipped(format!("{} does not accept {}: {last}{hint}", self.name, device.name))
    }

    /// What it is told about a plan, as names and values.
    pub(super) fn options(&self, device: &EpDevice<'_>, plan: &Plan) -> Vec<(String, String)> {
        if !self.chooses_precision {
            return Vec::new();
        }
        let on = match device.hardware_device().ty() {
            DeviceType::CPU => "CPU",
            DeviceType::NPU => "NPU",
            DeviceType::GPU | DeviceType::FPGA => "GPU",
        };
        // Left to itself, it computes in 16 bits where the processor can.
        let precision = match plan.precision {
            Precision::Fp16 => "f16",
            Precision::Bf16 => "bf16",
            Precision::Fp32 | Precision::Int8 => "f32",
        };
        let mut properties = serde_json::json!({ "INFERENCE_PRECISION_HINT": precision });
        if on == "CPU" {
            properties["INFERENCE_NUM_THREADS"] = plan.threads.to_string().into();
        }
        vec![(format!("{}.load_config", self.name), serde_json::json!({ on: properties }).to_string())]
    }

    fn register(&self, environment: &Environment) -> Result<(), Failure> {
        // Without it, an adapter in software is not offered. dyno says of each adapter whether it is one.
        switch_on("ORT_WEBGPU_EP_ALLOW_SOFTWARE_ADAPTER");
        let files =
            folders(self.kind, self.folder).into_iter().flat_map(|folder| beginning(&folder, self.library));
        let mut refused = Vec::new();
        for file in files {
            match environment.register_ep_library(self.name, &file) {
                Ok(()) => return Ok(()),
                Err(error) => refused.push(format!("{}: {error}", file.display())),
            }
        }
        let package = self.package;
        Err(Failure::skipped(if refused.is_empty() {
            format!(
                "{}*.so is not found; install `{package}` of PyPI for this user or the system",
                self.library
            )
        } else {
            format!("{} cannot be used: {}", self.name, refused.join("; "))
        }))
    }
}

#[cfg(test)]
mod tests {
    use dyno_sdk::Params;
    use serde_json::{Value, json};

    use super::*;
    use crate::benchmark::InferenceParams;

    #[test]
    fn the_descriptor_offers_the_precisions_of_every_provider() {
        let params: Vec<Value> = serde_json::from_str(InferenceParams::JSON).unwrap();
        let precision = params.iter().find(|param| param["name"] == "precision").unwrap();
        let cpu = ("cpu", super::super::ON_CPU);
        for (kind, precisions) in PROVIDERS.iter().map(|it| (it.kind, it.precisions)).chain([cpu]) {
            let words: Vec<&str> = precisions.iter().map(ParamEnum::as_str).collect();
            assert_eq!(precision["choices_on"][kind], json!(words), "{kind}");
        }
    }
}
