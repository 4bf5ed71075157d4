//! `cargo xtask bench`: dyno measured beside its floors and peers; each bench writes a section of `docs/benchmarks.md`.
//!
//! A new bench is a file here with a `BENCH`, and a line in [`BENCHES`].

mod analyze;
mod authors;
mod comparisons;
mod cuda;
mod devices;
mod document;
mod gemm;
mod host;
mod inference;
mod loops;
mod machine;
mod measure;
mod peer;
mod sandbox;
mod scan;
mod section;
mod server;
mod signatures;
mod startup;
mod store;
mod table;
mod triad;
mod verdicts;

use self::section::{Bench, Needs};
use crate::{
    failure::{Failure, Outcome},
    options::Options,
    process::say,
};

/// Every bench, in the order of the document.
const BENCHES: &[Bench] = &[
    startup::BENCH,
    devices::BENCH,
    scan::BENCH,
    analyze::BENCH,
    authors::BENCH,
    store::BENCH,
    loops::BENCH,
    triad::BENCH,
    gemm::BENCH,
    sandbox::BENCH,
    signatures::BENCH,
    verdicts::BENCH,
    comparisons::BENCH,
    server::BENCH,
    server::ABUSE,
    server::BACKUP,
    server::MEMORY,
    server::MEMORY_HOUR,
    server::GROWTH,
    server::DASHBOARD,
    cuda::BENCH,
    inference::BENCH,
];

/// `cargo xtask bench [NAME…|all]`.
pub(crate) fn run(options: &Options) -> Outcome<()> {
    if options.rest.is_empty() {
        println!("usage: cargo xtask bench all | NAME…\n");
        for bench in BENCHES {
            println!("  {:<10} {}", bench.name, bench.title);
        }
        return Ok(());
    }
    let chosen = choose(&options.rest)?;
    let host = host::Host::build(options)?;
    for bench in chosen {
        say(&format!("bench {}: {}", bench.name, bench.title));
        if let Some(what) = bench.needs.missing() {
            println!("    not measured: {what}; the document keeps what another machine measured");
            continue;
        }
        let facts = machine::facts(&host.project);
        let text = (bench.run)(&host)?;
        println!("\n{text}");
        document::write(
            &host.project.root.join("docs/benchmarks.md"),
            bench.name,
            bench.title,
            &facts,
            &text,
        )?;
    }
    Ok(())
}

fn choose(names: &[String]) -> Outcome<Vec<&'static Bench>> {
    if names == ["all"] {
        return Ok(BENCHES.iter().collect());
    }
    let known = || BENCHES.iter().map(|bench| bench.name).collect::<Vec<_>>().join(", ");
    names
        .iter()
        .map(|name| {
            BENCHES.iter().find(|bench| bench.name == name).ok_or_else(|| {
                Failure::new(format!("there is no bench `{name}`"))
                    .next(format!("there are: all, {}", known()))
            })
        })
        .collect()
}
