//! The dashboard in a real browser, on the processors of the server: how long views and filters take over a large database, what
//! live updates do to the page, and what an open page does to a measurement.

use std::{
    collections::BTreeMap,
    io::{BufRead, BufReader, Read},
    path::PathBuf,
    process::{Child, Command, Stdio},
};

use super::{
    load::{get, post},
    observer::observer_effect,
    served::{LARGE, SMALL, Server, filled},
};
use crate::{
    bench::{
        Bench, Needs,
        host::Host,
        measure::median,
        table::{row, table, time},
    },
    failure::{Failure, Outcome},
    project::make_folder,
    setup,
};

pub(super) const BENCH: Bench =
    Bench { name: "dashboard", title: "The dashboard in a browser", needs: Needs::Nothing, run };

const EXAMPLE: &str = "browse";
/// How long the live view is watched [s].
const WATCHED: u32 = 300;
/// Runs that go on meanwhile.
const RUNS: u32 = 20;

fn run(host: &Host) -> Outcome<String> {
    let scratch = host.scratch().join("dashboard");
    make_folder(&scratch)?;
    let browse = Browse::build(host)?;
    let large = filled(host, &scratch, LARGE)?;
    let server = Server::start(host, &scratch, &large)?;
    let found = browse.figures(&["views", &url(&server), "cpu-kernels/kernel_3"])?;
    drop(server);
    let small = filled(host, &scratch, SMALL)?;
    let server = Server::start(host, &scratch, &small)?;
    let mut page = None;
    let shift = observer_effect(&server, &mut |watched| {
        page = if watched { Some(browse.hold(&url(&server))?) } else { None };
        Ok(())
    })?;
    // Last: its runs outlive it.
    let (rows, launches) = live(&browse, &server)?;
    Ok(format!(
        "{}\nOver {} results and {} samples, in headless Chromium at 1,400 × 900 on the processors of the server. `First` includes \
         the server's first answer to each question; `again` is the median of four.\n\n{}\n\
         The live view while {RUNS} runs go on, with {launches:.0} launches per second, each of which is an event.\n\n{}\n",
        table(&views(&found)),
        u64::from(LARGE) * 100,
        u64::from(LARGE) * 1_000,
        table(&rows),
        table(&[
            row(["what", "figure", "aim"]),
            row([
                "median of `sum` (n = 100,000) with the live view open, against no page",
                &shift,
                "< 0.5 %"
            ]),
        ])
    ))
}

fn url(server: &Server) -> String {
    format!("http://{}", server.address)
}

/// Figures by name, in the order of measurement.
type Figures = BTreeMap<String, Vec<f64>>;

fn views(found: &Figures) -> Vec<Vec<String>> {
    let of = |name: &str| found.get(name).map(|values| median(&mut values.clone()));
    let shown = |name: String| of(&name).map_or("–".to_owned(), |ms| time(ms * 1e6));
    let mut rows = vec![row(["view", "first paint", "complete, first", "complete, again", "aim"])];
    for view in ["overview", "runs", "results", "heatmap", "history", "comparison"] {
        rows.push(row([
            view,
            &shown(format!("{view} again paint")),
            &shown(format!("{view} first")),
            &shown(format!("{view} again")),
            "≤ 1 s",
        ]));
    }
    for filter in ["another metric", "another facet"] {
        rows.push(row([filter, "", "", &shown(filter.to_owned()), "≤ 300 ms"]));
    }
    let heap = of("heap after all that").map_or("–".to_owned(), |mb| format!("{mb:.1} MB"));
    rows.push(row(["JavaScript objects after all that", "", "", &heap, ""]));
    rows
}

/// Watches the live view while runs go on. Also gives the launches per second.
fn live(browse: &Browse, server: &Server) -> Outcome<(Vec<Vec<String>>, f64)> {
    let mut watching = browse.start(&["live", &url(server), &WATCHED.to_string()])?;
    watching.ready()?;
    let body = r#"{"benchmarks": ["sum"], "params": {"n": [1000, 2000, 3000]}, "stop": {"rule": "samples", "launches": 100, "per_launch": 3}}"#;
    let mut begun = Vec::new();
    for _ in 0..RUNS {
        begun.push(post(&server.address, "/api/runs", body)?["id"].as_str().unwrap_or_default().to_owned());
    }
    let found = watching.figures()?;
    let mut launches = 0;
    for run in begun {
        let record = get(&server.address, &format!("/api/runs/{run}"))?;
        let cases = record["cases"].as_array().into_iter().flatten();
        launches += cases.filter_map(|case| Some(case["launches"].as_array()?.len())).sum::<usize>();
    }
    let mut rows = vec![row(["live view", "figure", "aim"])];
    let mut add = |name: &str, unit: &str, aim: &str| {
        if let Some(value) = found.get(name).and_then(|values| values.last()) {
            rows.push(row([name, &format!("{value:.0}{unit}"), aim]));
        }
    };
    add("frames", "", "");
    add("frames above 50 ms", "", "0");
    add("longest frame", " ms", "≤ 50 ms");
    for minute in 1..=WATCHED / 60 {
        add(&format!("heap after minute {minute}"), " MB", "flat");
    }
    Ok((rows, launches as f64 / f64::from(WATCHED)))
}

/// The example that drives Chromium.
struct Browse {
    program: PathBuf,
    chromium: PathBuf,
}

impl Browse {
    fn build(host: &Host) -> Outcome<Self> {
        let chromium = setup::chromium().ok_or_else(|| Failure::new("there is no Chromium to measure in"))?;
        Ok(Self { program: host.example(EXAMPLE)?, chromium })
    }

    fn start(&self, arguments: &[&str]) -> Outcome<Browsing> {
        let child = Command::new(&self.program)
            .args(arguments)
            .env("DYNO_TEST_CHROMIUM", &self.chromium)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn();
        let mut child =
            child.map_err(|error| Failure::new(format!("`{EXAMPLE}` cannot be started: {error}")))?;
        let out = child.stdout.take().map(BufReader::new);
        out.map(|out| Browsing { child, out }).ok_or_else(|| Failure::new("its output is not there"))
    }

    fn figures(&self, arguments: &[&str]) -> Outcome<Figures> {
        self.start(arguments)?.figures()
    }

    /// A page that stays open until it is dropped.
    fn hold(&self, url: &str) -> Outcome<Browsing> {
        let mut held = self.start(&["hold", url])?;
        held.ready()?;
        Ok(held)
    }
}

/// The example while it runs. Its browser ends with it.
struct Browsing {
    child: Child,
    out: BufReader<std::process::ChildStdout>,
}

impl Browsing {
    fn ready(&mut self) -> Outcome<()> {
        let mut line = String::new();
        let _ = self.out.read_line(&mut line);
        if line.trim() == "ready" {
            return Ok(());
        }
        Err(Failure::new(format!("`{EXAMPLE}` said `{}` in place of `ready`", line.trim())))
    }

    fn figures(mut self) -> Outcome<Figures> {
        let mut found = Figures::new();
        for line in self.out.by_ref().lines().map_while(Result::ok) {
            let figure = line.split_once('\t').and_then(|(name, value)| Some((name, value.parse().ok()?)));
            let Some((name, value)) = figure else { continue };
            found.entry(name.to_owned()).or_default().push(value);
        }
        let ended = self.child.wait();
        if ended.is_ok_and(|status| status.success()) {
            return Ok(found);
        }
        Err(Failure::new(format!("`{EXAMPLE}` failed; its message is above")))
    }
}

impl Drop for Browsing {
    fn drop(&mut self) {
        // Its end of the pipe closes, and so the browser does.
        drop(self.child.stdin.take());
        let _ = self.child.wait();
    }
}
