//! The plugin under test: every type of parameter, every stage, every way to go wrong.

use dyno_sdk::prelude::*;

#[derive(ParamEnum, Debug, Clone, Copy, PartialEq)]
pub(crate) enum Layout {
    RowMajor,
    #[param(name = "col\"umn")]
    Column,
}

/// Doc of the parameters.
#[derive(Params, Debug, PartialEq)]
pub(crate) struct Everything {
    /// How many.
    ///
    /// Not part of the description.
    #[param(default = 4096, min = 1, max = 1_048_576, unit = "elements")]
    pub(crate) n: usize,
    #[param(default = -3)]
    pub(crate) small: i8,
    #[param(default = 9_223_372_036_854_775_807)]
    pub(crate) large: u64,
    #[param(default = 0.5, min = -1, max = 1e3)]
    pub(crate) ratio: f32,
    #[param(default = 2, choices = [2, 2.5])]
    pub(crate) exponent: f64,
    #[param(default = true, description = "Says \"yes\".")]
    pub(crate) flag: bool,
    #[param(default = "a\\b\n")]
    pub(crate) text: String,
    #[param(default = "col\"umn")]
    pub(crate) layout: Layout,
    #[param(default = 1, choices = [1, 2, 4], choices_on = [on("cuda", [2, 4])])]
    pub(crate) r#type: u16,
}

/// Does everything right.
#[benchmark(name = "good", category = "test", 
    models = ["bert", model("vit", family = "transformer", modality = "im\"age", parameters = 86_567_656, tags = ["high", "b"],
        precisions = ["fp32", "bf16"]), model("gpt2")],
    hardware = ["cpu", "cuda"], tags = ["a", "b"],
    metrics = [metric("rate", unit = "1/s", better = "higher"), metric("loss", better = "lower")])]
pub(crate) struct Good {
    params: Everything,
    seed: u64,
    prepared: u64,
}

impl Benchmark for Good {
    type Params = Everything;

    fn setup(params: Everything, context: &Context) -> Result<Self, Failure> {
        context.info(format!("device {:?}", context.device()));
        context.log(Level::Debug, "ü");
        context.progress(0.25);
        if context.cancelled() {
            return Err(Failure::skipped("cancelled"));
        }
        Ok(Self { params, seed: context.seed(), prepared: 0 })
    }

    fn verify(&mut self, context: &Context) -> Result<(), Failure> {
        context.warn(format!("{:?}", self.params));
        Ok(())
    }

    fn prepare(&mut self, iterations: u64) -> Result<(), Failure> {
        self.prepared = iterations;
        Ok(())
    }

    fn execute(&mut self, iterations: u64) -> Result<Report, Failure> {
        let n = iterations as f64;
        let report = Report::new().items(n).bytes(2.0 * n).flop(3.0 * n).device_ns(4.0 * n);
        Ok(report.checksum(self.seed ^ self.prepared))
    }

    fn process_results(&mut self, samples: &[Sample], context: &Context) -> Result<(), Failure> {
        let last = samples.last().ok_or("no samples")?;
        context.metric("rate", last.iterations as f64 / last.wall_ns as f64);
        Ok(())
    }
}

#[derive(ParamEnum, Debug, Clone, Copy, PartialEq)]
pub(crate) enum Stage {
    Nowhere,
    Setup,
    Verify,
    Prepare,
    Execute,
    ProcessResults,
    Drop,
    Thread,
}

/// Where and how it goes wrong.
#[derive(Params)]
pub(crate) struct Fault {
    #[param(default = "nowhere")]
    stage: Stage,
    #[param(default = false)]
    panics: bool,
}

#[benchmark(name = "faulty", hardware = ["cpu"])]
pub(crate) struct Faulty(Fault);

impl Faulty {
    fn at(&self, stage: Stage) -> Result<(), Failure> {
        match self.0.stage == stage {
            true if self.0.panics => panic!("panic in {}", stage.as_str()),
            true => Err(Failure::error(format!("error in {}", stage.as_str()))),
            false => Ok(()),
        }
    }
}

impl Benchmark for Faulty {
    type Params = Fault;

    fn setup(params: Fault, _: &Context) -> Result<Self, Failure> {
        let it = Self(params);
        if it.0.stage == Stage::Thread {
            let helper =
                std::thread::Builder::new().name("helper".into()).spawn(|| panic!("panic in a helper"))?;
            helper.join().expect("the helper came back");
        }
        if let Err(failure) = it.at(Stage::Setup) {
            std::mem::forget(it);
            return Err(failure);
        }
        Ok(it)
    }

    fn verify(&mut self, _: &Context) -> Result<(), Failure> {
        self.at(Stage::Verify)
    }

    fn prepare(&mut self, _: u64) -> Result<(), Failure> {
        self.at(Stage::Prepare)
    }

    fn execute(&mut self, _: u64) -> Result<Report, Failure> {
        self.at(Stage::Execute).map(|()| Report::new())
    }

    fn process_results(&mut self, _: &[Sample], _: &Context) -> Result<(), Failure> {
        self.at(Stage::ProcessResults)
    }
}

impl Drop for Faulty {
    fn drop(&mut self) {
        if self.at(Stage::Drop).is_err() {
            panic!("only a panic can leave drop");
        }
    }
}

/// A benchmark may be an enum, and need neither parameters nor a check.
#[benchmark(name = "skips", hardware = ["webgpu"], description = "Given, not the doc comment.")]
pub(crate) enum Skips {}

impl Benchmark for Skips {
    type Params = ();

    fn setup((): (), _: &Context) -> Result<Self, Failure> {
        Err(Failure::skipped("no flux capacitor"))
    }

    fn execute(&mut self, _: u64) -> Result<Report, Failure> {
        match *self {}
    }
}

export_plugin! {
    id: "test-plugin",
    version: "1.2.3-beta+4",
    description: "Says \"hello\"\tand more",
    authors: ["A <a@example.org>", "B"],
    license: "MIT",
    homepage: "https://example.org",
    benchmarks: [Good, Faulty, Skips],
    capabilities: ["network"],
}
