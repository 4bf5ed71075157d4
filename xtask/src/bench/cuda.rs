//! `copy`, `gemm_cublas` and `launch` of `cuda-kernels` beside plain calls of the driver and PyTorch, by device time.

use std::process::Command;

use serde_json::Value;

use super::{
    Bench, Needs,
    host::{Host, median_metric},
    measure::median,
    peer::{self, Peer},
    table::{row, table, time},
};
use crate::{
    failure::{Failure, Outcome},
    process,
};

pub(super) const BENCH: Bench = Bench {
    name: "cuda",
    title: "CUDA kernels, beside plain driver calls and PyTorch",
    needs: Needs::NvidiaGpu,
    run,
};

/// Turns that dyno and its peers take.
const TURNS: usize = 5;

/// Length of the copy: larger than any cache [bytes].
const COPY_BYTES: &str = "1073741824";

/// Rows and columns of the matrices.
const N: &str = "8192";

/// What a line is measured with on dyno's side.
const COPY: [&str; 3] = ["cuda-kernels/copy", "-p", "n=1073741824"];
const GEMM: [&str; 5] = ["cuda-kernels/gemm_cublas", "-p", "n=8192", "-p", "dtype=bf16"];
const LAUNCH: [&str; 5] = ["cuda-kernels/launch", "-p", "batch=1", "-p", "cache=cold"];

fn run(host: &Host) -> Outcome<String> {
    let peer = Peer::compile(host, "cuda", &["-ldl"])?;
    let mut rows = vec![row(["what", "peer", "time of the peer", "dyno, device time", "in relation", "aim"])];

    let (theirs, ours) = turns(host, &COPY, || peer.measure(&["copy", COPY_BYTES]))?;
    rows.push(row([
        "copy of 1 GiB, device to device",
        "cuMemcpyDtoDAsync from C",
        &time(theirs),
        &time(ours),
        &format!("{:.1} % of its bandwidth", 100.0 * theirs / ours),
        "≥ 90 %",
    ]));
    let (theirs, ours) = turns(host, &LAUNCH, || peer.measure(&["launch", "1001"]))?;
    rows.push(row([
        "an empty kernel between two events",
        "nvbench's way: behind a kernel that blocks",
        &time(theirs),
        &time(ours),
        &format!("{} apart", time((ours - theirs).abs())),
        "≤ 1 µs",
    ]));
    let mut text = format!("On {}. Device time by events, medians.\n\n", device(host)?);
    let has_torch =
        process::succeeds(Command::new("python3").args(["-c", "import torch; torch.zeros(1).cuda()"]));
    if has_torch {
        let (theirs, ours) = turns(host, &GEMM, || torch(host))?;
        rows.push(row([
            "bf16 product, n = 8192, by cuBLAS",
            "torch.mm",
            &time(theirs),
            &time(ours),
            &format!("{:+.1} %", 100.0 * (ours / theirs - 1.0)),
            "± 3 %",
        ]));
    } else {
        text.push_str("The bf16 product is unmeasured: python3 has no torch that sees the device here.\n\n");
    }
    text.push_str(&table(&rows));
    Ok(text)
}

/// The peer and dyno by turns: medians of both [ns per iteration].
fn turns(host: &Host, ours: &[&str], mut peer: impl FnMut() -> Outcome<f64>) -> Outcome<(f64, f64)> {
    let arguments = [ours, &["--hardware", "cuda", "--launches", "2", "--time", "1s"]].concat();
    let (mut theirs, mut ours) = (Vec::new(), Vec::new());
    for _ in 0..TURNS {
        theirs.push(peer()?);
        for case in host.cases(&arguments)? {
            ours.push(median_metric(&case, "device_time")?);
        }
    }
    Ok((median(&mut theirs), median(&mut ours)))
}

/// The first GPU, as dyno knows it, with its driver.
fn device(host: &Host) -> Outcome<String> {
    let text = process::output(&mut host.bare_dyno(&["devices", "cuda:0", "--json"]))?;
    let known: Option<Value> = serde_json::from_str(&text).ok();
    let device = known.as_ref().map(|known| &known["devices"][0]);
    let fact = |name: &str| device.and_then(|device| device[name].as_str());
    match (fact("model"), fact("driver"), fact("interface")) {
        (Some(model), Some(driver), Some(interface)) => Ok(format!("{model}, driver {driver}, {interface}")),
        _ => Err(Failure::new(format!("`dyno devices cuda:0` does not say what the GPU is: {text}"))),
    }
}

fn torch(host: &Host) -> Outcome<f64> {
    let mut command = Command::new("python3");
    command.arg(host.project.root.join("xtask/peers/gemm_torch.py")).arg(N);
    peer::nanoseconds(&mut command)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_sides_of_a_line_have_the_same_size() {
        assert!(
            COPY.contains(&format!("n={COPY_BYTES}").as_str()) && GEMM.contains(&format!("n={N}").as_str())
        );
    }
}
