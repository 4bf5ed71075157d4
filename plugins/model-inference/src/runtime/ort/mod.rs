//! The runtime `ort`: ONNX Runtime, which is opened while running, over an export of the network.

mod library;
mod provider;
mod told;

use dyno_sdk::prelude::*;
use ort::{
    ErrorCode,
    session::{self, IoBinding, builder::GraphOptimizationLevel},
    value::Tensor,
};

use self::{provider::Provider, told::told};
use crate::{
    input::Input,
    network::{self, Network},
    onnx::{self, Export},
    plan::{Plan, Precision, Session},
    weights::{Storage, Weights},
};

/// What ONNX Runtime itself computes on a CPU.
const ON_CPU: &[Precision] = &[Precision::Fp32, Precision::Int8];

/// Loads a network, with all that ONNX Runtime knows to make it faster.
pub(super) fn load(network: &Network, weights: &Weights, plan: &Plan) -> Result<Box<dyn Session>, Failure> {
    load_at(GraphOptimizationLevel::All, network, weights, plan)
}

fn load_at(
    level: GraphOptimizationLevel,
    network: &Network,
    weights: &Weights,
    plan: &Plan,
) -> Result<Box<dyn Session>, Failure> {
    let provider = Provider::of(&plan.device)?;
    let precisions = provider.map_or(ON_CPU, |it| it.precisions);
    if !precisions.contains(&plan.precision) {
        let names: Vec<&str> = precisions.iter().map(ParamEnum::as_str).collect();
        return Err(Failure::skipped(format!(
            "precision={} does not run on {} with ONNX Runtime, where it can be {}",
            plan.precision.as_str(),
            plan.device.name,
            names.join(", ")
        )));
    }
    let environment = library::environment()?;
    let mut builder =
        session::Session::builder(environment).map_err(told)?.with_optimization_level(level).map_err(told)?;
    if let Some(provider) = provider {
        let device = provider.device(environment, &plan.device)?;
        let options = provider.options(&device, plan);
        builder = builder.with_devices([device], Some(&options)).map_err(told)?;
    } else {
        // Named: a provider that something else in this process brought in would be preferred.
        let own = environment.devices().filter(|it| it.ep().is_ok_and(|name| name == "CPUExecutionProvider"));
        builder = builder
            .with_devices(own.take(1), None)
            .map_err(told)?
            .with_intra_threads(plan.threads)
            .map_err(told)?
            // Threads wait awake for the next step, but not between two inferences: there, they would disturb what is measured.
            .with_config_entry("session.force_spinning_stop", "1")
            .map_err(told)?;
    }
    let file;
    match weights.storage() {
        Storage::Memory(bytes) => {
            file = onnx::WEIGHTS.to_owned();
            builder = builder.with_external_initializer_file_in_memory(&file, bytes.clone()).map_err(told)?;
        }
        Storage::File(path) => {
            let folder = path.parent().unwrap_or(path).display().to_string();
            file = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
            let key = "session.model_external_initializers_file_folder_path";
            builder = builder.with_config_entry(key, folder).map_err(told)?;
        }
    }
    let precision = provider.map_or(plan.precision, |it| it.graph(plan.precision));
    let export = Export { network, weights, file: &file, batch: plan.batch, precision };
    let session = builder.commit_from_memory(&onnx::export(&export)).map_err(|error| {
        // The execution provider does not want this device, although it was offered.
        if let (Some(provider), ErrorCode::ExecutionProviderFailure) = (provider, error.code()) {
            provider.refused(&plan.device, &error.to_string())
        } else {
            told(error)
        }
    })?;
    let mut binding = session.create_binding().map_err(told)?;
    let output = network.output();
    let shape = [plan.batch, output.rows, output.columns];
    let tensor = Tensor::<f32>::new(session.allocator(), shape).map_err(told)?;
    binding.bind_output(onnx::OUTPUT, tensor).map_err(told)?;
    Ok(Box::new(Loaded { session, binding, input: network.input, batch: plan.batch }))
}

/// A network in ONNX Runtime, with input and output in place.
struct Loaded {
    session: session::Session,
    binding: IoBinding,
    input: network::Input,
    batch: usize,
}

impl Session for Loaded {
    fn give(&mut self, input: &Input) -> Result<(), Failure> {
        match (input, self.input) {
            (Input::Tokens(tokens), network::Input::Tokens { length, .. }) => {
                let tensor = Tensor::from_array(([self.batch, length], tokens.clone())).map_err(told)?;
                self.binding.bind_input(onnx::INPUT_IDS, &tensor).map_err(told)
            }
            (Input::Pixels(pixels), network::Input::Image { size, .. }) => {
                let shape = [self.batch, network::Input::CHANNELS, size, size];
                let tensor = Tensor::from_array((shape, pixels.clone())).map_err(told)?;
                self.binding.bind_input(onnx::PIXELS, &tensor).map_err(told)
            }
            _ => Err(Failure::error("the input is not of the model's kind")),
        }
    }

    fn run(&mut self, read: &mut dyn FnMut(&[f32])) -> Result<(), Failure> {
        let outputs = self.session.run_binding(&self.binding).map_err(told)?;
        let (_, numbers) = outputs[onnx::OUTPUT].try_extract_tensor::<f32>().map_err(told)?;
        read(numbers);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::{env, path::Path, process::Command};

    use super::*;
    use crate::{
        check,
        models::{Lengths, Model},
        runtime::native,
        weights::Source,
    };

    fn plan(device: Device) -> Plan {
        Plan { precision: Precision::Fp32, device, threads: 1, batch: 2 }
    }

    fn output(session: &mut dyn Session, network: &Network) -> Vec<f32> {
        session.give(&Input::random(network, 2, 3)).unwrap();
        let mut output = Vec::new();
        session.run(&mut |numbers| output.extend_from_slice(numbers)).unwrap();
        output
    }

    #[test]
    fn fused_and_unfused_operators_agree() {
        for model in [Model::BertTiny, Model::MiniLm, Model::VitTiny] {
            let network = model.network(Lengths { sequence: 24, image: 64 }).unwrap();
            let weights = Source::Random(5).load(model, &network).unwrap();
            let levels = [GraphOptimizationLevel::All, GraphOptimizationLevel::Disable];
            let mut outputs = Vec::new();
            for level in levels {
                match load_at(level, &network, &weights, &plan(Device::default())) {
                    Ok(mut session) => outputs.push(output(&mut *session, &network)),
                    Err(failure) if failure.is_skipped() => return println!("skipped: {failure}"),
                    Err(failure) => panic!("{model:?}: {failure}"),
                }
            }
            check::alike(&outputs[0], &outputs[1], Precision::Fp32, "the unfused operators").unwrap();
        }
    }

    /// A driver of Vulkan in software, which browsers bring with them. The one of Debian's Mesa lacks what ONNX Runtime needs.
    const DRIVER: &str = "/usr/lib/chromium/vk_swiftshader_icd.json";
    const INSIDE: &str = "DYNO_TEST_INSIDE";

    /// In a process of its own, since a driver is chosen by the environment.
    #[test]
    fn webgpu_in_software_agrees_with_the_cpu() {
        if env::var_os(INSIDE).is_none() {
            if !Path::new(DRIVER).is_file() {
                return println!("skipped: {DRIVER} is not there (Debian: chromium-common)");
            }
            let mut again = Command::new(env::current_exe().unwrap());
            again.args([
                "--exact",
                "--nocapture",
                "runtime::ort::tests::webgpu_in_software_agrees_with_the_cpu",
            ]);
            again.env(INSIDE, "1").env("VK_DRIVER_FILES", DRIVER).env("VK_ICD_FILENAMES", DRIVER);
            let ran = again.output().unwrap();
            let text = String::from_utf8_lossy(&ran.stdout);
            assert!(ran.status.success(), "{text}{}", String::from_utf8_lossy(&ran.stderr));
            println!("{}", text.lines().find(|line| line.starts_with("skipped")).unwrap_or("ran"));
            return;
        }
        agrees_with_the_cpu("webgpu:0", Precision::Fp32);
    }

    #[test]
    fn openvino_agrees_with_the_cpu_in_each_precision() {
        for precision in [Precision::Fp32, Precision::Fp16, Precision::Bf16] {
            agrees_with_the_cpu("openvino:0", precision);
        }
    }

    /// Or says why this machine cannot show it.
    fn agrees_with_the_cpu(device: &str, precision: Precision) {
        let model = Model::BertTiny;
        let network = model.network(Lengths { sequence: 16, image: 224 }).unwrap();
        let weights = Source::Random(1).load(model, &network).unwrap();
        let device = Device { name: device.to_owned(), index: 0, threads: 0 };
        let mut session = match load(&network, &weights, &Plan { precision, ..plan(device) }) {
            Ok(session) => session,
            Err(failure) if failure.is_skipped() => return println!("skipped: {failure}"),
            Err(failure) => panic!("{failure}"),
        };
        let there = output(&mut *session, &network);
        let mut session = native::load(&network, &weights, &plan(Device::default())).unwrap();
        let on_cpu = output(&mut *session, &network);
        check::alike(&there, &on_cpu, precision, "the CPU").unwrap();
        let exact = there == on_cpu;
        assert!(!exact || precision == Precision::Fp32, "{precision:?} computes in another precision");
    }
}
