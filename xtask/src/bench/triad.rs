//! `stream_triad` of `cpu-kernels` against the same loop in C.

use super::{
    Bench, Needs,
    host::Host,
    peer::Peer,
    table::{row, table, time},
};
use crate::failure::Outcome;

pub(super) const BENCH: Bench =
    Bench { name: "triad", title: "stream_triad against C (-O3 -march=native)", needs: Needs::Nothing, run };

/// Elements per array: in the first-level cache, in the last-level cache, in memory.
const SIZES: [&str; 3] = ["1024", "65536", "4194304"];

fn run(host: &Host) -> Outcome<String> {
    let peer = Peer::compile(host, "triad", &[])?;
    let mut rows = vec![row(["elements", "type", "C", "dyno, native", "C / dyno", "aim"])];
    for dtype in ["f64", "f32"] {
        for n in SIZES {
            let (count, kind) = (format!("n={n}"), format!("dtype={dtype}"));
            let ours = ["cpu-kernels/stream_triad", "-p", &count, "-p", &kind];
            let (theirs, ours) = peer.against(host, &[n, dtype], &ours)?;
            rows.push(row([
                n,
                dtype,
                &time(theirs),
                &time(ours),
                &format!("{:.2}", theirs / ours),
                "≥ 0.95",
            ]));
        }
    }
    Ok(format!("Time of one triad over the arrays, one thread, medians.\n\n{}", table(&rows)))
}
