//! The price of the sandbox: every kernel of `cpu-kernels`, native and as a WASM component from the same source.

use serde_json::Value;

use super::{
    Bench, Needs,
    host::{Host, median_time},
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
    Ok(format!(
        "Default parameters, medians; the last column is the share of native speed that is left. Aims: ≥ 0.45 for `gemm` \
         and `conv2d`, ≥ 0.6 for `softmax` and `layernorm`. WASM has vectors of 128 bits, native code here uses up to 512: \
         a kernel that keeps those busy cannot keep more than a quarter.\n\n{}",
        table(&rows)
    ))
}
