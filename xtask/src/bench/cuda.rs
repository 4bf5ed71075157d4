//! `copy`, `gemm_cublas` and `launch` of `cuda-kernels` beside plain calls of the driver and PyTorch, by device time.

use std::{path::Path, process::Command};

use super::{
    Bench,
    host::{Host, median_metric},
    measure::median,
    peer::{self, Peer},
    table::{row, table, time},
};
use crate::{failure::Outcome, process};

pub(super) const BENCH: Bench =
    Bench { name: "cuda", title: "CUDA kernels, beside plain driver calls and PyTorch", run };

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
    if let Some(why) = unmeasured() {
        return Ok(why);
    }
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
    let mut text = String::from("Device time by events, medians.\n\n");
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

/// Why nothing can be measured here.
fn unmeasured() -> Option<String> {
    let has_device = ["/dev/nvidiactl", "/dev/dxg"].iter().any(|file| Path::new(file).exists());
    (!has_device).then(|| {
        "Unmeasured: this machine has no NVIDIA GPU (neither /dev/nvidiactl nor /dev/dxg is there). The lines that are \
         measured where there is one: copy of 1 GiB (aim: ≥ 90 % of a plain cuMemcpyDtoDAsync), bf16 product by cuBLAS, \
         n = 8192 (aim: within 3 % of PyTorch), an empty kernel between events (aim: within 1 µs of nvbench's way)."
            .to_owned()
    })
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

    #[test]
    fn what_is_unmeasured_says_why_and_what_is_missing() {
        if let Some(why) = unmeasured() {
            assert!(why.starts_with("Unmeasured: ") && why.contains("no NVIDIA GPU"), "{why}");
            assert!(["1 GiB", "bf16", "empty kernel"].iter().all(|line| why.contains(line)), "{why}");
        }
    }
}
