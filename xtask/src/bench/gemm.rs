//! `gemm` of `cpu-kernels` against OpenBLAS, one thread each.

use std::process::Command;

use super::{
    Bench, Needs,
    host::Host,
    peer::Peer,
    table::{row, table, time},
};
use crate::{failure::Outcome, process};

pub(super) const BENCH: Bench =
    Bench { name: "gemm", title: "gemm against OpenBLAS, one thread", needs: Needs::Nothing, run };

/// Sizes of the square matrices.
const SIZES: [&str; 4] = ["64", "256", "512", "1024"];

fn run(host: &Host) -> Outcome<String> {
    let peer = Peer::compile(host, "gemm", &["-lopenblas"]).map_err(|failure| {
        failure.next("OpenBLAS is needed: on Debian, `apt-get install libopenblas-dev`")
    })?;
    let mut rows = vec![row(["n", "type", "OpenBLAS", "dyno, native", "GFLOP/s", "OpenBLAS / dyno", "aim"])];
    for dtype in ["f32", "f64"] {
        for n in SIZES {
            let (size, kind) = (format!("n={n}"), format!("dtype={dtype}"));
            let ours = ["cpu-kernels/gemm", "-p", &size, "-p", &kind, "-p", "threads=1"];
            let (theirs, ours) = peer.against(host, &[n, dtype], &ours)?;
            let flop = 2.0 * n.parse::<f64>().unwrap_or(f64::NAN).powi(3);
            rows.push(row([
                n,
                dtype,
                &time(theirs),
                &time(ours),
                &format!("{:.1}", flop / ours),
                &format!("{:.2}", theirs / ours),
                "≥ 0.8",
            ]));
        }
    }
    let version =
        process::output_if_any(Command::new("dpkg-query").args(["-W", "-f=${Version}", "libopenblas-dev"]));
    let version = version.unwrap_or_else(|| "of unknown version".to_owned());
    Ok(format!("OpenBLAS {version}; time of one product, medians.\n\n{}", table(&rows)))
}
