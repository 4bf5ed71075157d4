//! `model_inference` against ONNX Runtime driven from Python, over the same file.

use std::{
    path::{Path, PathBuf},
    process::Command,
};

use super::{
    Bench, Needs,
    host::{Host, median_metric, median_time},
    measure::median,
    table::{row, table, time},
};
use crate::{
    failure::{Failure, Outcome},
    process::{self, say},
    project::make_folder,
};

pub(super) const BENCH: Bench = Bench {
    name: "inference",
    title: "Model inference, beside ONNX Runtime driven from Python",
    needs: Needs::Nothing,
    run,
};

/// The version that the plugin opens, so that both sides run the same code.
const PACKAGE: &str = "onnxruntime==1.32.0";

/// Model and batch size.
const CASES: [(&str, &str); 4] = [
    ("bert-tiny", "1"),
    ("bert-base-uncased", "1"),
    ("bert-base-uncased", "8"),
    ("vit-base-patch16-224", "1"),
];

/// Threads on both sides.
const THREADS: [&str; 2] = ["1", "2"];

/// Turns that dyno and its peer take: what slows the machine for a while then slows both.
const TURNS: usize = 3;

fn run(host: &Host) -> Outcome<String> {
    let folder = host.scratch().join("inference");
    make_folder(&folder)?;
    let python = python(&folder)?;
    write_models(host, &folder)?;
    let mut rows = vec![row([
        "model",
        "batch",
        "threads",
        "Python",
        "runtime `ort`",
        "to Python",
        "runtime `native`",
        "to Python",
        "share of the GEMM rate, `ort` and `native`",
        "loaded, Python, `ort` and `native`",
    ])];
    for (model, batch) in CASES {
        for threads in THREADS {
            rows.push(compared(host, &folder, &python, [model, batch, threads])?);
        }
    }
    Ok(format!(
        "Time of an inference, fp32, texts of 128 tokens, images of 224 × 224 pixels; medians over {TURNS} turns that Python and dyno \
         take. Aims: `ort` ≤ 1.05, `native` ≤ 1.4. GEMM rate: products of 1,024 × 1,024 by the crate `gemm` with as many threads. Loaded: from a warm file of \
         safetensors to a runtime that is ready; aim for bert-base: ≤ 150 ms. ONNX Runtime packs all weights then, on one thread; without that, a session is there in a tenth of the time, and \
         an inference takes a tenth longer.\n\n\
         {}",
        table(&rows)
    ))
}

fn compared(
    host: &Host,
    folder: &Path,
    python: &Path,
    [model, batch, threads]: [&str; 3],
) -> Outcome<Vec<String>> {
    let (mut theirs, mut ours, mut own) = (Vec::new(), Vec::new(), Vec::new());
    let mut their_load = Vec::new();
    let (mut ours_share, mut own_share) = (Vec::new(), Vec::new());
    let (mut ours_load, mut own_load) = (Vec::new(), Vec::new());
    let weights = folder.join(format!("{model}.safetensors")).display().to_string();
    for _ in 0..TURNS {
        let mut peer = Command::new(python);
        // The plugin disables telemetry, too.
        peer.arg("xtask/peers/inference.py")
            .current_dir(&host.project.root)
            .env("ORT_DISABLE_TELEMETRY", "1");
        peer.arg(folder.join(format!("{model}-{batch}.onnx"))).args([threads, "10"]);
        let said = process::output(&mut peer)?;
        let times: Vec<f64> = said.split_whitespace().filter_map(|time| time.parse().ok()).collect();
        let [time, load] = times[..] else {
            return Err(Failure::new(format!("the peer said `{said}`, not two times")));
        };
        theirs.push(time);
        their_load.push(load / 1e6);
        for case in host.cases(&words(&case(&[
            ("model", model),
            ("batch_size", batch),
            ("threads", threads),
            ("weights", &weights),
        ])))? {
            let (times, shares, loads) = match case["params"]["runtime"].as_str() {
                Some("native") => (&mut own, &mut own_share, &mut own_load),
                _ => (&mut ours, &mut ours_share, &mut ours_load),
            };
            times.push(median_time(&case)?);
            shares.push(median_metric(&case, "gemm_share")?);
            loads.push(median_metric(&case, "load_time")?);
        }
    }
    let [theirs, ours, own] = [theirs, ours, own].map(|mut times: Vec<f64>| median(&mut times));
    let middle = |mut values: Vec<f64>| median(&mut values);
    let [ours_share, own_share, their_load, ours_load, own_load] =
        [ours_share, own_share, their_load, ours_load, own_load].map(middle);
    Ok(row([
        model,
        batch,
        threads,
        &time(theirs),
        &time(ours),
        &format!("{:.2}", ours / theirs),
        &time(own),
        &format!("{:.2}", own / theirs),
        &format!("{ours_share:.0} %, {own_share:.0} %"),
        &format!("{their_load:.0} ms, {ours_load:.0} ms, {own_load:.0} ms"),
    ]))
}

/// Arguments of a run on both runtimes.
fn case(params: &[(&str, &str)]) -> Vec<String> {
    let mut arguments =
        ["model-inference/model_inference", "--launches", "2", "--time", "1s"].map(str::to_owned).to_vec();
    for (name, value) in params.iter().chain(&[("runtime", "ort,native")]) {
        arguments.extend(["-p".to_owned(), format!("{name}={value}")]);
    }
    arguments
}

fn words(arguments: &[String]) -> Vec<&str> {
    arguments.iter().map(String::as_str).collect()
}

/// A Python with ONNX Runtime.
fn python(folder: &Path) -> Outcome<PathBuf> {
    let environment = folder.join("python");
    let python = environment.join("bin/python");
    let is_there = || {
        let mut check = Command::new(&python);
        process::succeeds(
            check.args(["-c", "import onnxruntime, sys; sys.exit(onnxruntime.__version__ != '1.32.0')"]),
        )
    };
    if is_there() {
        return Ok(python);
    }
    say(&format!("installing {PACKAGE} from PyPI for the peer"));
    process::run(Command::new("python3").args(["-m", "venv", "--clear"]).arg(&environment))?;
    let mut pip = Command::new(environment.join("bin/pip"));
    process::run(pip.args([
        "install",
        "--quiet",
        "--disable-pip-version-check",
        "--only-binary",
        ":all:",
        PACKAGE,
    ]))
    .map_err(|failure| failure.next("it needs PyPI or a mirror of it"))?;
    Ok(python)
}

/// Has the plugin write its models for the peer.
fn write_models(host: &Host, folder: &Path) -> Outcome<()> {
    let models: Vec<String> = CASES.iter().map(|(model, batch)| format!("{model},{batch}")).collect();
    let mut command = host.project.cargo("test");
    command.args([
        "--release",
        "--locked",
        "-p",
        "model-inference",
        "--lib",
        "write_models",
        "--",
        "--ignored",
    ]);
    command.env("DYNO_EXPORT_TO", folder).env("DYNO_EXPORT_MODELS", models.join(" "));
    process::run(&mut command)
}
