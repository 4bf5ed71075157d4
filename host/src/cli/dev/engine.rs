//! The engine of a session: builds, tries out, compares. One order at a time, on a thread of its own.

use std::{
    fs::File,
    io::{self, Read, Seek},
    sync::mpsc::{Receiver, Sender},
    time::Instant,
};

use dyno_core::{
    model::{CaseRequest, Event},
    text::shown,
};

use super::{
    control::Control,
    news::{Judged, News, Order},
};
use crate::{
    app::{DevBuild, DuelNews, DuelOptions, Unusable, Workshop},
    cli::{Failure, args::CaseArgs, progress},
    export,
};

/// How much of what the tools said is read [bytes].
const MAX_MESSAGES: u64 = 256 << 10;
/// How many lines of it are kept, from the first error on.
const MAX_LINES: usize = 200;

/// What is measured, and how.
pub(super) struct Plan<'a> {
    /// Names or patterns; none: the first benchmark of the plugin.
    pub(super) benchmarks: Vec<String>,
    /// With which parameters, on which devices.
    pub(super) cases: CaseArgs,
    /// Whether each build that was judged becomes the baseline of the next.
    pub(super) follows: bool,
    /// Options of the next comparison: each has a new seed, unless the developer fixed it.
    pub(super) options: &'a (dyn Fn() -> Result<DuelOptions, Failure> + Sync),
}

/// The engine.
pub(super) struct Engine<'a> {
    pub(super) shop: Workshop<'a>,
    pub(super) plan: Plan<'a>,
    pub(super) control: &'a Control,
    pub(super) news: Sender<News>,
    /// What builds are compared with.
    pub(super) baseline: Option<DevBuild>,
    /// The latest build that works.
    pub(super) latest: Option<DevBuild>,
    /// Whether the latest build still has to be compared.
    pub(super) is_open: bool,
}

impl Engine<'_> {
    /// Carries out orders until the session ends.
    pub(super) fn run(mut self, orders: &Receiver<Order>) {
        self.rebuild();
        while !self.control.has_quit() {
            let Ok(order) = orders.recv() else { return };
            match order {
                // A build that began after the change has seen it.
                Order::Changed if !self.control.has_changed() => {}
                Order::Changed => self.rebuild(),
                Order::Again => self.compare(),
                Order::Accept => self.accept(),
                Order::Benchmarks(names) => {
                    self.plan.benchmarks = names;
                    self.compare();
                }
                Order::Params(params) => {
                    self.plan.cases.param = params;
                    self.compare();
                }
                Order::Quit => return,
            }
        }
    }

    fn tell(&self, news: News) {
        // Nobody listens any more when the session ends.
        let _ = self.news.send(news);
    }

    fn remark(&self, message: impl Into<String>) {
        self.tell(News::Remark { message: message.into() });
    }

    /// Builds until there is a build of what the sources are now; compares it if it is another one.
    fn rebuild(&mut self) {
        loop {
            self.control.begin_build();
            let number = self.shop.next();
            self.tell(News::Building { build: number });
            let begin = Instant::now();
            let mut messages = match tempfile::tempfile() {
                Ok(messages) => messages,
                Err(error) => {
                    return self.failed(number, format!("cannot make a temporary file: {error}"), Vec::new());
                }
            };
            let control = self.control;
            let is_over = || control.has_changed() || control.is_stopped();
            let built = self.shop.build(&messages, &is_over);
            if control.has_changed() && !control.has_quit() {
                continue;
            }
            match built {
                Ok(build) => return self.built(&build, begin.elapsed().as_secs_f64()),
                Err(error) => {
                    return self.failed(number, error.to_string(), from_first_error(&said(&mut messages)));
                }
            }
        }
    }

    fn failed(&self, build: u32, why: String, messages: Vec<String>) {
        if !self.control.has_quit() {
            self.tell(News::Failed { build, why, messages });
        }
    }

    fn built(&mut self, build: &DevBuild, took_s: f64) {
        let same = self.latest.as_ref().is_some_and(|latest| latest.entry.sha256 == build.entry.sha256);
        if same {
            self.shop.forget(build);
            self.tell(News::Built { build: build.number, took_s, same, benchmarks: benchmarks(build) });
            if self.is_open {
                self.compare();
            }
            return;
        }
        let cancel = self.control.begin();
        let tried = self.requests(build).map_err(|failure| failure.to_string()).and_then(|requests| {
            self.shop.try_out(build, &requests, &cancel).map_err(|error: Unusable| error.to_string())
        });
        if let Err(why) = tried {
            self.shop.forget(build);
            return self.failed(build.number, why, Vec::new());
        }
        self.tell(News::Built { build: build.number, took_s, same, benchmarks: benchmarks(build) });
        if let Some(before) = self.latest.replace(build.clone()) {
            self.forget_unless_baseline(&before);
        }
        if self.baseline.is_none() {
            self.baseline = Some(build.clone());
            return self.tell(News::Baseline { build: build.number });
        }
        self.is_open = true;
        self.compare();
    }

    fn forget_unless_baseline(&self, build: &DevBuild) {
        if self.baseline.as_ref().is_none_or(|baseline| baseline.number != build.number) {
            self.shop.forget(build);
        }
    }

    fn accept(&mut self) {
        let Some(latest) = self.latest.clone() else {
            return self.remark("there is no build yet that works; mend the sources first");
        };
        let before = self.baseline.replace(latest.clone());
        if let Some(before) = before.filter(|before| before.number != latest.number) {
            self.shop.forget(&before);
        }
        self.is_open = false;
        self.tell(News::Baseline { build: latest.number });
    }

    fn requests(&self, build: &DevBuild) -> Result<Vec<CaseRequest>, Failure> {
        let names = if self.plan.benchmarks.is_empty() {
            benchmarks(build).into_iter().take(1).collect()
        } else {
            self.plan.benchmarks.clone()
        };
        self.plan.cases.requests(names)
    }

    /// Compares the latest build with the baseline.
    fn compare(&mut self) {
        let (Some(baseline), Some(latest)) = (self.baseline.clone(), self.latest.clone()) else {
            return self.remark("there is no build yet that works; mend the sources first");
        };
        if baseline.number == latest.number {
            return self.remark(format!(
                "build {} is the baseline itself; it is compared with the next one that you make",
                latest.number
            ));
        }
        let planned = self.requests(&latest).and_then(|requests| Ok((requests, (self.plan.options)()?)));
        let (requests, options) = match planned {
            Ok(planned) => planned,
            Err(failure) => return self.remark(failure.to_string()),
        };
        self.is_open = true;
        self.tell(News::Comparing {
            build: latest.number,
            baseline: baseline.number,
            benchmarks: requests.iter().map(|request| request.benchmark.clone()).collect(),
        });
        let begin = Instant::now();
        let cancel = self.control.begin();
        let compared = self.shop.compare((&baseline, &latest), &requests, &options, &cancel, &mut |news| {
            self.pass_on(&news);
            // The pair is complete: what it found is kept, and the next one would be of yesterday's sources.
            if matches!(news, DuelNews::Pair { .. }) && self.control.has_changed() {
                cancel.set();
            }
        });
        let superseded = self.control.has_changed();
        match compared {
            Err(error) => self.remark(error.to_string()),
            Ok(_) if cancel.is_set() => self.tell(News::Stopped { build: latest.number, superseded }),
            Ok(comparison) => {
                self.is_open = false;
                let (build, baseline) = (latest.number, baseline.number);
                let took_s = begin.elapsed().as_secs_f64();
                let is_measured = comparison.has_compared();
                self.tell(News::Verdict(Box::new(Judged { build, baseline, took_s, comparison })));
                if self.plan.follows && is_measured {
                    self.accept();
                }
            }
        }
    }

    fn pass_on(&self, news: &DuelNews<'_>) {
        match news {
            DuelNews::Pair { case, .. } => {
                let effect = case.metrics.first().map_or_else(|| "–".to_owned(), export::effect);
                let pairs = case.pairs.as_ref().map_or(0, |pairs| pairs.effects.len() as u32);
                self.tell(News::Standing { case: case.label.clone(), effect, pairs });
            }
            DuelNews::Compiling { plugin } => self.remark(progress::compiling(plugin)),
            DuelNews::Waiting { device, holder } => {
                self.remark(format!("waiting for {device}, which is leased by {}", shown(holder)));
            }
            DuelNews::Event(Event::WaitingForDatabase { path, holder }) => {
                self.remark(progress::database(path, holder));
            }
            DuelNews::Event(_) => {}
        }
    }
}

fn benchmarks(build: &DevBuild) -> Vec<String> {
    build.entry.descriptor.benchmarks.iter().map(|benchmark| benchmark.name.clone()).collect()
}

/// What the tools said; its beginning, if that is too much.
fn said(messages: &mut File) -> String {
    let mut bytes = Vec::new();
    let read = |messages: &mut File, bytes: &mut Vec<u8>| -> io::Result<()> {
        messages.rewind()?;
        messages.take(MAX_MESSAGES).read_to_end(bytes).map(|_| ())
    };
    // What cannot be read back is not shown; why the build failed is said anyway.
    let _ = read(messages, &mut bytes);
    String::from_utf8_lossy(&bytes).into_owned()
}

/// From the first error on, so that what has to be mended first stands on top, and stays there while other lines change.
fn from_first_error(text: &str) -> Vec<String> {
    let lines: Vec<&str> = text.lines().collect();
    let first = lines.iter().position(|line| line.to_ascii_lowercase().contains("error")).unwrap_or(0);
    lines.into_iter().skip(first).take(MAX_LINES).map(str::to_owned).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_error_stands_on_top() {
        let text =
            "   Compiling x\nwarning: unused\nerror[E0425]: not found\n --> src/lib.rs:3\nerror: aborting";
        assert_eq!(from_first_error(text)[0], "error[E0425]: not found");
        assert_eq!(from_first_error("make: *** [a.so] Broken\n"), ["make: *** [a.so] Broken"]);
        assert!(from_first_error("").is_empty());
        assert_eq!(from_first_error(&"error\n".repeat(1000)).len(), MAX_LINES);
    }
}
