//! The benchmark `model_inference`: one inference over a batch is one iteration.

use std::{fs, time::Instant};

use dyno_sdk::prelude::*;

use crate::{
    check,
    input::{self, Input},
    models::{Architecture, Lengths, Model},
    network::{self, Network},
    plan::{Plan, Precision, Session},
    reference,
    runtime::{Runtime, gemm_rate},
    weights::{Source, Weights},
};

#[derive(Params, Clone)]
pub(crate) struct InferenceParams {
    /// Model, by its name on the Hugging Face hub
    #[param(default = "bert-tiny")]
    pub(crate) model: Model,
    /// Texts or images that go through the model together
    #[param(default = 1, min = 1, max = 1024, unit = "items")]
    pub(crate) batch_size: usize,
    /// Length of each text, for a model of texts
    #[param(default = 128, min = 2, max = 512, unit = "tokens")]
    pub(crate) sequence_length: usize,
    /// Side of each image, for a model of images: a multiple of 16
    #[param(default = 224, min = 16, max = 1024, unit = "pixels")]
    pub(crate) image_size: usize,
    /// Type of the numbers that are multiplied
    #[param(default = "fp32", choices_on = [
        on("cpu", ["fp32", "int8"]),
        on("cuda", ["fp32", "fp16"]),
        on("openvino", ["fp32", "fp16", "bf16"]),
        on("webgpu", ["fp32", "fp16"]),
    ])]
    pub(crate) precision: Precision,
    /// What carries the model out
    #[param(default = "ort", choices_on = [on("cuda", ["ort"]), on("openvino", ["ort"]), on("webgpu", ["ort"])])]
    pub(crate) runtime: Runtime,
    /// Threads that share an inference on a CPU
    #[param(default = 1, min = 1, max = 256, unit = "threads")]
    pub(crate) threads: usize,
    /// `random:SEED`, `hub` (what was downloaded from the Hugging Face hub), or the path of a file or folder of safetensors
    #[param(default = "random:1")]
    pub(crate) weights: String,
}

/// One inference over a batch by a transformer: BERT for texts, ViT for images
#[benchmark(
    name = "model_inference",
    category = "inference",
    models = [
        model("bert-tiny", family = "bert", modality = "text", parameters = 4_385_920, tags = ["low"], precisions = ["fp32", "fp16", "bf16", "int8"]),
        model("bert-base-uncased", family = "bert", modality = "text", parameters = 109_482_240, tags = ["critical"], precisions = ["fp32", "fp16", "bf16", "int8"]),
        model("bert-large-uncased", family = "bert", modality = "text", parameters = 335_141_888, tags = ["medium"], precisions = ["fp32", "fp16", "bf16", "int8"]),
        model("distilbert-base-uncased", family = "bert", modality = "text", parameters = 66_362_880, tags = ["high"], precisions = ["fp32", "fp16", "bf16", "int8"]),
        model("all-MiniLM-L6-v2", family = "bert", modality = "text", parameters = 22_565_376, tags = ["high"], precisions = ["fp32", "fp16", "bf16", "int8"]),
        model("vit-tiny-patch16-224", family = "vit", modality = "image", parameters = 5_717_416, tags = ["low"], precisions = ["fp32", "fp16", "bf16", "int8"]),
        model("vit-small-patch16-224", family = "vit", modality = "image", parameters = 22_050_664, tags = ["medium"], precisions = ["fp32", "fp16", "bf16", "int8"]),
        model("vit-base-patch16-224", family = "vit", modality = "image", parameters = 86_567_656, tags = ["critical"], precisions = ["fp32", "fp16", "bf16", "int8"]),
        model("vit-large-patch16-224", family = "vit", modality = "image", parameters = 304_326_632, tags = ["medium"], precisions = ["fp32", "fp16", "bf16", "int8"]),
        model("deit-tiny-patch16-224", family = "vit", modality = "image", parameters = 5_717_416, tags = ["low"], precisions = ["fp32", "fp16", "bf16", "int8"]),
    ],
    hardware = ["cpu", "cuda", "openvino", "webgpu"],
    tags = ["transformer"],
    metrics = [
        metric("tokens_per_second", unit = "tokens/s", better = "higher"),
        metric("first_inference", unit = "ms", better = "lower"),
        metric("load_time", unit = "ms", better = "lower"),
        metric("gemm_share", unit = "%", better = "higher"),
        metric("parameters", unit = "parameters", better = "lower"),
        metric("weights_size", unit = "MB", better = "lower"),
    ],
)]
pub(crate) struct ModelInference {
    network: Network,
    weights: Weights,
    plan: Plan,
    params: InferenceParams,
    session: Box<dyn Session>,
    input: Input,
    /// Time to the weights and into the runtime [ms].
    load_ms: f64,
    /// Time of the first inference [ms].
    first_ms: f64,
}

impl Benchmark for ModelInference {
    type Params = InferenceParams;

    fn setup(params: InferenceParams, context: &Context) -> Result<Self, Failure> {
        let source = Source::parse(&params.weights)?;
        let network = params.model.network(params.lengths())?;
        let plan = params.plan(context)?;
        fits(&params, &network)?;
        let begin = Instant::now();
        let weights = source.load(params.model, &network)?;
        let mut session = params.runtime.load(&network, &weights, &plan)?;
        let load_ms = begin.elapsed().as_secs_f64() * 1e3;
        let input = Input::random(&network, plan.batch, context.seed());
        session.give(&input)?;
        let begin = Instant::now();
        session.run(&mut |_| ())?;
        let first_ms = begin.elapsed().as_secs_f64() * 1e3;
        Ok(Self { network, weights, plan, params, session, input, load_ms, first_ms })
    }

    fn verify(&mut self, _: &Context) -> Result<(), Failure> {
        let mut output = Vec::new();
        self.session.run(&mut |numbers| output.extend_from_slice(numbers))?;
        check::finite(&output)?;
        let on_cpu = self.plan.on_cpu();
        // `native` is compared with the authors' output, and this very batch with `native`: a second session of another runtime
        // would need its memory, which may be a GPU's, twice.
        if self.params.weights == reference::WEIGHTS {
            reference::verify(self.params.model, &on_cpu, Some((&self.network, &self.weights)))?;
        }
        if self.params.runtime == Runtime::Native && self.plan.batch == 1 {
            return Ok(());
        }
        let last = self.plan.batch - 1;
        let mut alone = Runtime::Native.load(&self.network, &self.weights, &Plan { batch: 1, ..on_cpu })?;
        alone.give(&self.input.item(last, self.plan.batch))?;
        let mut expected = Vec::new();
        alone.run(&mut |numbers| expected.extend_from_slice(numbers))?;
        check::alike(
            input::part(&output, last, self.plan.batch),
            &expected,
            self.plan.precision,
            "the runtime `native`",
        )
    }

    fn execute(&mut self, iterations: u64) -> Result<Report, Failure> {
        let mut checksum = 0;
        for _ in 0..iterations {
            self.session.run(&mut |numbers| checksum = check::checksum(numbers))?;
        }
        let items = iterations as f64 * self.plan.batch as f64;
        Ok(Report::new().items(items).flop(items * self.network.flop()).checksum(checksum))
    }

    fn process_results(&mut self, samples: &[Sample], context: &Context) -> Result<(), Failure> {
        let items_per_second = self.plan.batch as f64 / (median_ns(samples) * 1e-9);
        if let network::Input::Tokens { length, .. } = self.network.input {
            context.metric("tokens_per_second", items_per_second * length as f64);
        }
        // A rate in 32 bits says nothing of products in fewer.
        if self.plan.is_on_cpu() && self.plan.precision == Precision::Fp32 {
            let rate = gemm_rate(self.plan.threads)?;
            context.metric("gemm_share", 100.0 * items_per_second * self.network.flop() / rate);
        }
        context.metric("first_inference", self.first_ms);
        context.metric("load_time", self.load_ms);
        context.metric("parameters", self.network.parameters() as f64);
        context.metric("weights_size", self.weights.size() as f64 * 1e-6);
        Ok(())
    }
}

impl InferenceParams {
    fn lengths(&self) -> Lengths {
        Lengths { sequence: self.sequence_length, image: self.image_size }
    }

    fn plan(&self, context: &Context) -> Result<Plan, Failure> {
        let device = context.device().clone();
        let allowed = device.threads as usize;
        if self.threads > allowed && allowed > 0 {
            return Err(Failure::skipped(format!(
                "threads={}: the case may use {allowed} on {}",
                self.threads, device.name
            )));
        }
        Ok(Plan { precision: self.precision, device, threads: self.threads, batch: self.batch_size })
    }

    /// What is computed on, in words. // eg: "texts of 128 tokens"
    fn items(&self) -> String {
        match self.model.architecture() {
            Architecture::Bert(_) => format!("texts of {} tokens", self.sequence_length),
            Architecture::Vit(_) => format!("images of {0} × {0} pixels", self.image_size),
        }
    }
}

/// The time of an inference in the middle of all samples [ns], as dyno's own median is.
fn median_ns(samples: &[Sample]) -> f64 {
    let mut times: Vec<f64> = samples.iter().map(|it| it.wall_ns as f64 / it.iterations as f64).collect();
    times.sort_unstable_by(f64::total_cmp);
    match times.len() {
        0 => f64::NAN,
        count if count % 2 == 1 => times[count / 2],
        count => times[count / 2 - 1].midpoint(times[count / 2]),
    }
}

/// Refuses a case for which there is not enough memory, before the system has to end somebody.
fn fits(params: &InferenceParams, network: &Network) -> Result<(), Failure> {
    const MIB: f64 = 1_048_576.0;
    let needed = network.memory(params.batch_size, params.runtime.copies_of_weights());
    let next =
        if params.batch_size > 1 { "choose a smaller batch_size" } else { "choose a smaller model or input" };
    let (available, what, next) = match (free_memory(), own_limit()) {
        (free, Some(limit)) if limit < free.unwrap_or(f64::INFINITY) => {
            (limit, "this launch may have", format!("{next}, or give a larger `--memory`"))
        }
        (Some(free), _) => (free, "the machine has free", next.to_owned()),
        (None, _) => return Ok(()),
    };
    if needed <= available {
        return Ok(());
    }
    Err(Failure::error(format!(
        "{} {} need about {:.0} MiB with {}, and {what} {:.0} MiB; {next}",
        params.batch_size,
        params.items(),
        needed / MIB,
        params.model.as_str(),
        available / MIB
    )))
}

/// Memory that programs can still have [bytes].
fn free_memory() -> Option<f64> {
    let all = fs::read_to_string("/proc/meminfo").ok()?;
    let line = all.lines().find_map(|line| line.strip_prefix("MemAvailable:"))?;
    let kibibytes: f64 = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
    Some(kibibytes * 1024.0)
}

/// Memory that this process may allocate [bytes].
fn own_limit() -> Option<f64> {
    let all = fs::read_to_string("/proc/self/limits").ok()?;
    let line = all.lines().find_map(|line| line.strip_prefix("Max data size"))?;
    line.split_whitespace().next()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use dyno_sdk::testing;

    use super::*;

    fn short(model: Model, runtime: Runtime) -> InferenceParams {
        InferenceParams { model, runtime, sequence_length: 16, batch_size: 2, ..InferenceParams::defaults() }
    }

    /// Runs a case; a machine without ONNX Runtime skips it with a sentence.
    fn ran(params: InferenceParams) -> Option<Report> {
        let (model, runtime) = (params.model, params.runtime);
        match testing::run::<ModelInference>(params, 1) {
            Ok(report) => Some(report),
            Err(failure) if failure.is_skipped() && runtime == Runtime::Ort => {
                println!("skipped: {failure}");
                None
            }
            Err(failure) => panic!("{}, {}: {failure}", model.as_str(), runtime.as_str()),
        }
    }

    /// The two large models take a minute more; `cargo xtask bench inference` runs them.
    #[test]
    fn models_agree_with_their_authors_on_both_runtimes() {
        let large = [Model::BertLarge, Model::VitLarge];
        for model in Model::all().filter(|model| !large.contains(model)) {
            let native = ran(short(model, Runtime::Native)).unwrap();
            assert_eq!(native, ran(short(model, Runtime::Native)).unwrap(), "{model:?}: the same seed");
            ran(short(model, Runtime::Ort));
        }
    }

    #[test]
    fn threads_and_eight_bits_stay_within_the_tolerance() {
        let wide =
            InferenceParams { batch_size: 5, sequence_length: 33, ..short(Model::BertTiny, Runtime::Ort) };
        ran(InferenceParams { precision: Precision::Int8, ..wide.clone() });
        ran(InferenceParams { runtime: Runtime::Native, ..wide });
    }

    #[test]
    fn what_cannot_run_here_is_a_skip_that_says_what_can() {
        let skipped = |precision, runtime| {
            let params = InferenceParams { precision, ..short(Model::BertTiny, runtime) };
            let failure = testing::run::<ModelInference>(params, 1).unwrap_err();
            assert!(failure.is_skipped(), "{failure}");
            failure.message().to_owned()
        };
        assert_eq!(
            skipped(Precision::Fp16, Runtime::Ort),
            "precision=fp16 does not run on cpu with ONNX Runtime, where it can be fp32, int8"
        );
        assert_eq!(
            skipped(Precision::Int8, Runtime::Native),
            "precision=int8: the runtime `native` has fp32 only; runtime=ort has more"
        );
        let params = InferenceParams { threads: 2, ..short(Model::BertTiny, Runtime::Native) };
        let failure = testing::run::<ModelInference>(params, 1).unwrap_err();
        assert_eq!(failure.message(), "threads=2: the case may use 1 on cpu");
    }

    #[test]
    fn what_does_not_fit_is_refused_before_it_is_tried() {
        let params =
            InferenceParams { batch_size: 1024, image_size: 1024, ..short(Model::VitLarge, Runtime::Native) };
        let message = testing::run::<ModelInference>(params, 1).unwrap_err().to_string();
        assert!(message.starts_with("1024 images of 1024 × 1024 pixels need about "), "{message}");
        assert!(
            message.contains("MiB with vit-large-patch16-224, and the machine has free ")
                && message.ends_with("MiB; choose a smaller batch_size")
        );
        let odd = InferenceParams { image_size: 100, ..short(Model::VitTiny, Runtime::Native) };
        let message = testing::run::<ModelInference>(odd, 1).unwrap_err().to_string();
        assert_eq!(message, "image_size=100 is not a multiple of 16, the side of a patch");
    }
}
