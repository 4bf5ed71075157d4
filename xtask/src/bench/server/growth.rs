//! How the cost of commands and of the server's answers grows with what is stored.

use std::{path::Path, process::Command, time::Instant};

use super::{
    load::{get, times},
    served::{Server, Size, filled_with},
};
use crate::{
    bench::{
        Bench, Needs,
        host::Host,
        measure::{exponent, median, program},
        table::{table, time},
    },
    failure::Outcome,
    project::make_folder,
};

pub(super) const BENCH: Bench = Bench { name: "growth", title: "Growth", needs: Needs::Nothing, run };

/// A series of databases that differ in one thing.
struct Series {
    what: &'static str,
    sizes: &'static [(&'static str, Size)],
}

const fn size(runs: u32, cases: u32, samples: u32) -> Size {
    Size { runs, cases, samples }
}

const SERIES: [Series; 3] = [
    Series {
        what: "results, 100 per run",
        sizes: &[
            ("10,000", size(100, 100, 10)),
            ("100,000", size(1_000, 100, 10)),
            ("1,000,000", size(10_000, 100, 10)),
        ],
    },
    Series {
        what: "runs, one case each",
        sizes: &[
            ("100", size(100, 1, 10)),
            ("1,000", size(1_000, 1, 10)),
            ("10,000", size(10_000, 1, 10)),
            ("100,000", size(100_000, 1, 10)),
        ],
    },
    Series {
        what: "samples, in 100 runs of 10 cases",
        sizes: &[
            ("1,000,000", size(100, 10, 1_000)),
            ("10,000,000", size(100, 10, 10_000)),
            ("100,000,000", size(100, 10, 100_000)),
        ],
    },
];

/// Questions to the server. NUMBER makes each another one: what is kept would answer in no time.
const QUESTIONS: [&str; 11] = [
    "/api/benchmark/query?limit=NUMBER",
    "/api/benchmark/query?model=kernel_0&limit=NUMBER",
    "/api/benchmark/query?model=nosuch&limit=NUMBER",
    "/api/runs?limit=NUMBER",
    "/api/runs?limit=NUMBER&order=oldest&status=completed",
    "/api/runs?benchmark=kernel_0&limit=NUMBER",
    "/api/runs/last~NUMBER",
    "/api/runs/last~NUMBER/cases/0/samples",
    "/api/queue?NUMBER",
    "/api/history/kernel_0",
    "/api/compare?baseline=last~NUMBER&candidate=last",
];

/// Commands of the command line.
const COMMANDS: [&[&str]; 6] = [
    &["results", "--list"],
    &["results", "last"],
    &["report", "last", "--format", "json"],
    &["history", "kernel_0"],
    &["compare", "last~1", "last"],
    &["sql", "SELECT count(*), sum(wall_ns) FROM samples"],
];

/// How often each is asked.
const TIMES: u32 = 7;

fn run(host: &Host) -> Outcome<String> {
    let scratch = host.scratch().join("growth");
    make_folder(&scratch)?;
    let tables = SERIES.iter().map(|series| measured(host, &scratch, series)).collect::<Outcome<Vec<_>>>()?;
    Ok(format!(
        "{}Medians of {TIMES}, including the connection or the start of the program; almost no request is repeated. The exponent is \
         that of a power of the size through the first and the last column: 0 does not grow, 1 grows as the size does. The growth \
         with plugins is in \"Scanning folders of plugins\".\n",
        tables.concat()
    ))
}

/// The table of a series: a row for each question, a column for each size.
fn measured(host: &Host, scratch: &Path, series: &Series) -> Outcome<String> {
    let mut columns = Vec::new();
    for (_, size) in series.sizes {
        let database = filled_with(host, scratch, *size)?;
        columns.push(column(host, scratch, &database)?);
        // The largest takes gigabytes.
        let _ = std::fs::remove_file(&database);
    }
    let mut head = vec![format!("number of {}", series.what)];
    head.extend(series.sizes.iter().map(|(name, _)| (*name).to_owned()));
    head.push("exponent".to_owned());
    let mut rows = vec![head];
    let growth = |values: &[f64]| {
        let factor = |size: &Size| f64::from(size.runs) * f64::from(size.cases) * f64::from(size.samples);
        let (first, last) = (&series.sizes[0].1, &series.sizes[series.sizes.len() - 1].1);
        exponent(values[0], values[values.len() - 1], factor(last) / factor(first))
    };
    for (index, (name, _)) in columns[0].iter().enumerate() {
        let values: Vec<f64> = columns.iter().map(|column| column[index].1).collect();
        let shown = |value: &f64| if name.ends_with("MB") { format!("{value:.0}") } else { time(*value) };
        let mut row = vec![name.clone()];
        row.extend(values.iter().map(shown));
        row.push(format!("{:.2}", growth(&values)));
        rows.push(row);
    }
    Ok(format!("{}\n", table(&rows)))
}

/// What everything takes of one database, by name.
fn column(host: &Host, scratch: &Path, database: &Path) -> Outcome<Vec<(String, f64)>> {
    let mut figures = Vec::new();
    for arguments in COMMANDS {
        let command = || {
            let mut command: Command = host.bare_dyno(arguments);
            command.arg("--db-path").arg(database).arg("--output").arg(scratch.join("results"));
            command
        };
        figures.push((format!("`dyno {}`", arguments.join(" ")), program(TIMES as usize, command)?));
    }
    let begin = Instant::now();
    let server = Server::start(host, scratch, database)?;
    get(&server.address, "/readyz")?;
    figures.push(("`dyno serve`, until it is ready".to_owned(), begin.elapsed().as_secs_f64() * 1e9));
    let idle = server.resident_mb()?;
    for question in QUESTIONS {
        // The first question may read what is then kept in memory.
        let asked = |number: u32| get(&server.address, &question.replace("NUMBER", &number.to_string()));
        let first = times(20..21, asked)?[0];
        if question == QUESTIONS[0] {
            figures.push((format!("`GET {question}`, the first"), first));
        }
        let mut later = times(21..21 + TIMES, asked)?;
        figures.push((format!("`GET {question}`"), median(&mut later)));
    }
    figures.push(("memory of the server, idle, MB".to_owned(), idle));
    figures.push(("memory of the server, at most, MB".to_owned(), server.most_resident_mb()?));
    Ok(figures)
}
