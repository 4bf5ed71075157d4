//! How fast the store is: a million samples committed, and the last run read back. Prints one JSON object of times [ms].
//!
//! `cargo run --release -p dyno-host --example store_speed -- [FOLDER]`

#![allow(clippy::print_stdout, reason = "an example prints its result")]

use std::{error::Error, path::PathBuf, time::Instant};

use dyno_core::model::{CaseStatus, LaunchRecord, RunRecord, RunStatus, Sample, Work};
use dyno_host::store::Store;

const SAMPLES: u64 = 1_000_000;

fn main() -> Result<(), Box<dyn Error>> {
    let folder = std::env::args().nth(1).map_or_else(std::env::temp_dir, PathBuf::from);
    let folder = tempfile::tempdir_in(folder)?;
    let mut figures = serde_json::Map::new();
    for launches in [1, 10, 100, 1000] {
        let path = folder.path().join(format!("{launches}.duckdb"));
        let mut run: RunRecord = serde_json::from_str(include_str!("../src/export/testdata/record.json"))?;
        let template = run.cases[0].launches[0].clone();
        run.cases.truncate(1);
        run.cases[0].launches = Vec::new();
        let mut store = Store::open(&path)?;

        let (mut total, mut cpu, mut slowest) = (0.0_f64, 0.0_f64, 0.0_f64);
        store.begin_run(&run)?;
        for index in 0..launches {
            let launch = launch(&template, index, SAMPLES / u64::from(launches));
            let (begun, cpu_before) = (Instant::now(), cpu_ms()?);
            store.commit_launch(&run.id, 0, &launch)?;
            let took = ms(begun);
            cpu += cpu_ms()? - cpu_before;
            total += took;
            slowest = slowest.max(took);
        }
        store.finish_case(&run.id, &run.cases[0])?;
        store.finish_run(&run.id, RunStatus::Completed, "2026-01-02T03:05:05.25Z")?;

        // A small run after the large one: the last run of a database with a million samples.
        run.id = "019a0000-0000-7000-8000-00000000ffff".to_owned();
        store.begin_run(&run)?;
        store.commit_launch(&run.id, 0, &launch(&template, 0, 1_000))?;
        run.cases[0].status = CaseStatus::Completed;
        store.finish_case(&run.id, &run.cases[0])?;
        store.finish_run(&run.id, RunStatus::Completed, "2026-01-02T03:05:05.25Z")?;
        let begun = Instant::now();
        drop(store);
        let close = ms(begun);

        let begun = Instant::now();
        let store = Store::open_read_only(&path)?;
        let open = ms(begun);
        let read = |selector: &str, samples: bool| -> Result<f64, Box<dyn Error>> {
            let begun = Instant::now();
            store.run(selector, samples)?;
            Ok(ms(begun))
        };
        figures.insert(
            format!("{launches} launches"),
            serde_json::json!({
                "commit": total,
                "commit, processor time": cpu,
                "slowest commit": slowest,
                "close": close,
                "file_mb": std::fs::metadata(&path)?.len() as f64 / 1e6,
                "open": open,
                "read last": read("last", false)?,
                "read last with its 1,000 samples": read("last", true)?,
                "read million": read("last~1", false)?,
                "read million with samples": read("last~1", true)?,
            }),
        );
    }
    println!("{}", serde_json::to_string_pretty(&figures)?);
    Ok(())
}

fn launch(template: &LaunchRecord, index: u32, samples: u64) -> LaunchRecord {
    let sample = |number: u64| Sample {
        iterations: 1_000,
        wall_ns: 5_000_000 + number.wrapping_mul(2_654_435_761) % 100_000,
        cpu_ns: 4_990_000 + number.wrapping_mul(2_246_822_519) % 100_000,
        device_ns: 0.0,
        work: Work { items: 1_000.0, bytes: 6.4e7, flop: 1.28e8 },
        checksum: 0x1234_5678_9abc_def0,
        preemptions: u32::from(number.is_multiple_of(97)),
    };
    LaunchRecord { index, samples: (0..samples).map(sample).collect(), ..template.clone() }
}

fn ms(since: Instant) -> f64 {
    (since.elapsed().as_secs_f64() * 1e6).round() / 1e3
}

/// Processor time of this process so far [ms]: what the store costs on a machine that is busy with other things.
fn cpu_ms() -> Result<f64, nix::Error> {
    let time = nix::time::clock_gettime(nix::time::ClockId::CLOCK_PROCESS_CPUTIME_ID)?;
    Ok(time.tv_sec() as f64 * 1e3 + time.tv_nsec() as f64 / 1e6)
}
