//! The price of the sandboxes: every kernel of `cpu-kernels`, native and as a WASM component from the same source; and native kernels
//! confined and not.

use serde_json::Value;

use super::{
    Bench, Needs,
    host::{Host, median_time, stage},
    measure::{median, shift},
    table::{row, table, time},
};
use crate::failure::Outcome;

pub(super) const BENCH: Bench =
    Bench { name: "sandbox", title: "WASM beside native, from one source", needs: Needs::Nothing, run };

fn run(host: &Host) -> Outcome<String> {
    let cases = host.cases(&["cpu-kernels/*", "--engine", "all", "--time", "250ms", "--launches", "5"])?;
    let is = |case: &Value, kind: &str| case["plugin"]["kind"] == kind;
    let mut rows = vec![row(["benchmark", "native", "WASM", "native / WASM"])];
    for native in cases.iter().filter(|case| is(case, "native")) {
        let twin = |case: &&Value| is(case, "wasm") && case["benchmark"] == native["benchmark"];
        let Some(wasm) = cases.iter().find(twin) else { continue };
        let (ours, theirs) = (median_time(native)?, median_time(wasm)?);
        let name = native["benchmark"].as_str().unwrap_or_default();
        rows.push(row([name, &time(ours), &time(theirs), &format!("{:.2}", ours / theirs)]));
    }
    let confined = confinement(host)?;
    Ok(format!(
        "Default parameters, medians; the last column is the share of native speed that is left. Aims: ≥ 0.45 for `gemm` \
         and `conv2d`, ≥ 0.6 for `softmax` and `layernorm`. WASM has vectors of 128 bits, native code here uses up to 512: \
         a kernel that keeps those busy cannot keep more than a quarter.\n\n{}\n{confined}",
        table(&rows)
    ))
}

/// Kernels that are bound by arithmetic, by memory, and by branches; and one behind an engine, too.
const CLASSES: [[&str; 2]; 4] = [
    ["cpu-kernels/gemm", "native"],
    ["cpu-kernels/stream_triad", "native"],
    ["cpu-kernels/sort", "native"],
    ["cpu-kernels/sort", "wasm"],
];
/// Pairs of runs for each.
const PAIRS: usize = 12;

/// What the rules for files and the filter of system calls do to times, and to the start of a launch.
fn confinement(host: &Host) -> Outcome<String> {
    let mut rows = vec![row(["benchmark", "engine", "shift of its time by confinement"])];
    for [class, engine] in CLASSES {
        let moved = shift(PAIRS, |confined| {
            let cases = [class, "--engine", engine, "--launches", "3", "--time", "300ms", "--isolation"];
            median_time(&host.cases(&[&cases[..], &[level(confined)]].concat())?[0])
        })?;
        rows.push(row([class, engine, &moved]));
    }
    let starts = ["native", "wasm"].map(|engine| starts(host, engine));
    let starts = starts.into_iter().collect::<Outcome<Vec<String>>>()?;
    Ok(format!(
        "Confined (`--isolation full`) and not (`basic`), by turns. Aims: nothing measurable of a time; ≤ 1 ms of a launch.\n\n{}\n\n{}",
        starts.join("\n"),
        table(&rows)
    ))
}

/// What loading a plugin takes.
fn starts(host: &Host, engine: &str) -> Outcome<String> {
    let mut starts = [Vec::new(), Vec::new()];
    for round in 0..10 {
        for confined in [round % 2 == 0, round % 2 != 0] {
            let case =
                ["hello-rust/sum", "--engine", engine, "--samples", "1", "--launches", "10", "--isolation"];
            let cases = host.cases(&[&case[..], &[level(confined)]].concat())?;
            starts[usize::from(confined)].extend(stage(&cases[0], "load"));
        }
    }
    let [without, with] = starts.map(|mut times| median(&mut times));
    Ok(format!(
        "* Loading `hello-rust` ({engine}) takes {} confined and {} not: the layers and their proofs take {}.",
        time(with),
        time(without),
        time(with - without)
    ))
}

fn level(confined: bool) -> &'static str {
    if confined { "full" } else { "basic" }
}
