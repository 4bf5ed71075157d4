//! What a lease costs that nobody else wants: taken and given back, in the folder that is named. Prints one JSON object of
//! times [ms], over two thousand leases.
//!
//! `cargo run --release -p dyno-host --example lease_speed -- FOLDER`

#![allow(clippy::print_stdout, reason = "an example prints its result")]

use std::{error::Error, ops::ControlFlow, path::Path, time::Instant};

use dyno_core::stats::median;
use dyno_host::lease::{Leases, Wish};

/// Enough for a 99th percentile.
const LEASES: usize = 2_000;

fn main() -> Result<(), Box<dyn Error>> {
    let folder = std::env::args().nth(1).ok_or("give a folder for the leases")?;
    let leases = Leases::open(Path::new(&folder), None)?;
    let wish = Wish {
        device: "cpu",
        resource: "cpu",
        purpose: "lease_speed",
        run: None,
        overlap: false,
        patience: None,
    };
    let (mut taken, mut both) = (Vec::with_capacity(LEASES), Vec::with_capacity(LEASES));
    for _ in 0..LEASES {
        let begun = Instant::now();
        let lease = leases.acquire(&wish, |_| ControlFlow::Continue(()))?;
        taken.push(begun.elapsed().as_secs_f64() * 1e3);
        drop(lease);
        both.push(begun.elapsed().as_secs_f64() * 1e3);
    }
    taken.sort_by(f64::total_cmp);
    println!(
        "{}",
        serde_json::json!({
            "taken": median(&taken),
            "taken, 99th percentile": taken.get(LEASES * 99 / 100),
            "taken and given back": median(&both),
        })
    );
    Ok(())
}
