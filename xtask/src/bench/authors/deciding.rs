//! `dyno dev` with a kernel in C: how long a verdict on a small change takes, from the end of the build.

use std::{
    fs,
    io::{BufRead, BufReader, Lines},
    path::Path,
    process::{Child, ChildStdout, Stdio},
};

use serde_json::Value;

use crate::{
    bench::{
        host::Host,
        measure::median,
        table::{row, time},
    },
    failure::{Failure, Outcome},
    project::{make_folder, read},
};

/// Changes, half of them there and half back.
const CHANGES: u32 = 20;
/// The loop of the example, and one that does 5 % more.
const ALL: &str = "total += sum(it);";
const MORE: &str = "total += sum(it); if (i % 20 == 0) { dyno_keep(it->values); total += sum(it); }";
const AIM: &str = "≤ 2 s";

pub(super) fn rows(host: &Host, scratch: &Path) -> Outcome<Vec<Vec<String>>> {
    let folder = scratch.join("kernel");
    let _ = fs::remove_dir_all(&folder);
    make_folder(&folder)?;
    let file = folder.join("kernel.c");
    let fast =
        String::from_utf8_lossy(&read(&host.project.root.join("examples/hello-c/hello.c"))?).into_owned();
    let slow = fast.replace(ALL, MORE);
    let save = |text: &str| fs::write(&file, text).map_err(|error| Failure::file("write", &file, &error));
    save(&fast)?;
    let mut command = host.bare_dyno(&["dev", "--headless", "--follow", "--budget", "20s"]);
    command.arg(&folder).arg("--db-path").arg(scratch.join("dev.duckdb"));
    command.arg("--output").arg(scratch.join("results"));
    let child = command.stdin(Stdio::null()).stdout(Stdio::piped()).spawn();
    let child = child.map_err(|error| Failure::new(format!("`dyno dev` cannot be started: {error}")))?;
    let mut session = Session::of(child)?;
    session.next("baseline")?;
    let (mut builds, mut verdicts, mut right) = (Vec::new(), Vec::new(), 0);
    for change in 0..CHANGES {
        let is_slower = change % 2 == 0;
        save(if is_slower { &slow } else { &fast })?;
        builds.push(1e9 * session.next("built")?["took_s"].as_f64().unwrap_or(f64::NAN));
        let judged = session.next("verdict")?;
        verdicts.push(1e9 * judged["took_s"].as_f64().unwrap_or(f64::NAN));
        let verdict = &judged["comparison"]["cases"][0]["metrics"][0]["verdict"];
        right += u32::from(*verdict == if is_slower { "regressed" } else { "improved" });
        session.next("baseline")?;
    }
    verdicts.sort_by(f64::total_cmp);
    let longest = verdicts.last().copied().unwrap_or(f64::NAN);
    Ok(vec![
        row([
            "`dyno dev`: a source in C, from its saving to a build that works",
            &time(median(&mut builds)),
            "–",
        ]),
        row([
            &format!("the verdict on 5 % more or less work, from the end of the build, median of {CHANGES}"),
            &time(median(&mut verdicts)),
            AIM,
        ]),
        row(["the longest of them", &time(longest), "–"]),
        row(["verdicts that are right", &format!("{right} of {CHANGES}"), "all"]),
    ])
}

/// A session, which ends when this is dropped.
struct Session {
    child: Child,
    lines: Lines<BufReader<ChildStdout>>,
}

impl Session {
    fn of(mut child: Child) -> Outcome<Self> {
        let out = child.stdout.take().ok_or_else(|| Failure::new("`dyno dev` has no output"))?;
        Ok(Self { child, lines: BufReader::new(out).lines() })
    }

    /// The next event of that name.
    fn next(&mut self, event: &str) -> Outcome<Value> {
        loop {
            let line = self.lines.next().and_then(Result::ok);
            let line =
                line.ok_or_else(|| Failure::new(format!("`dyno dev` ended before it said `{event}`")))?;
            let news: Value = serde_json::from_str(&line)
                .map_err(|error| Failure::new(format!("`dyno dev` said `{line}`: {error}")))?;
            if news["event"] == event {
                return Ok(news);
            }
            if news["event"] == "failed" {
                return Err(Failure::new(format!("`dyno dev` said: {line}")));
            }
        }
    }
}

impl Drop for Session {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
