//! Which tests there are and in what order: those of the file, then those of each of its benchmarks.

use std::{
    path::PathBuf,
    sync::Arc,
    time::{Duration, Instant},
};

use dyno_core::{
    binary::Import,
    model::{
        Capability, ConformanceTest, DeviceInfo, NoCapability, PluginBuild, Settings, TestOutcome,
        TestResult, build_remark,
    },
};
use dyno_plugin_api::descriptor::BenchmarkInfo;

use super::{
    calls,
    lifecycle::lifecycle,
    ranges,
    trial::{Stop, Tested, Trial},
};
use crate::{
    catalog::{ContentStore, ContentStoreError, Entry, Resolved, imports_of},
    devices::{keep_off, place},
    lease::{Holder, Leases},
    runner::{
        Cancel, RunError, Workers,
        compiled::will_compile,
        compiling::compile,
        expand::subject,
        turn::{Asking, Said, Turn},
    },
};

/// News of a check.
#[derive(Debug)]
pub enum CheckNews<'a> {
    /// A test has ended.
    Tested(&'a TestResult),
    /// The plugin's code is compiled first, which takes a while.
    Compiling,
    /// A device is used by someone else.
    Waiting {
        /// The device.
        device: &'a str,
        /// Who uses it.
        holder: String,
    },
}

/// How much of a benchmark is tested.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Depth {
    /// The life of one instance, with the defaults: whether it works at all.
    Life,
    /// Every test.
    Full,
}

/// What the tests need of the host.
#[derive(Debug)]
pub struct Kit<'a> {
    /// The store of verified bytes.
    pub content: &'a ContentStore,
    /// The program of workers, and what plugins may do.
    pub worker: Workers,
    /// Where compiled WASM code is kept.
    pub code_cache: PathBuf,
    /// The leases of devices.
    pub leases: Leases,
    /// Seed, processors, memory; the time limit of a stage is that of a test.
    pub settings: Settings,
    /// The user's wish to stop.
    pub cancel: Cancel,
    /// Which tests.
    pub depth: Depth,
}

/// How a test is carried out.
type Act = fn(&Trial<'_>) -> Tested;

/// The tests of a benchmark that works at all.
const MORE: [(ConformanceTest, Act); 9] = [
    (ConformanceTest::NoIteration, calls::no_iteration),
    (ConformanceTest::OneIteration, calls::one_iteration),
    (ConformanceTest::Reproducible, calls::reproducible),
    (ConformanceTest::Independent, calls::independent),
    (ConformanceTest::Steady, calls::steady),
    (ConformanceTest::Repeat, calls::repeat),
    (ConformanceTest::Cancel, calls::cancel),
    (ConformanceTest::Limits, ranges::limits),
    (ConformanceTest::Fuzz, ranges::fuzz),
];

impl Kit<'_> {
    /// Tests a plugin file with some of its benchmarks. `told` hears each result. When the user gives up, the results so far are
    /// all there are.
    ///
    /// # Errors
    /// When the host cannot do its part; never because of the plugin.
    pub fn check(
        &self,
        entry: &Entry,
        benchmarks: &[&BenchmarkInfo],
        devices: &[DeviceInfo],
        told: &mut dyn FnMut(CheckNews<'_>),
    ) -> Result<Vec<TestResult>, RunError> {
        let mut book = Book { results: Vec::new(), told };
        for (test, outcome) in of_file(entry) {
            book.note(None, test, outcome, Duration::ZERO);
        }
        if entry.incompatible.is_some() {
            return Ok(book.results);
        }
        for benchmark in benchmarks {
            match self.check_benchmark(entry, benchmark, devices, &mut book) {
                Ok(()) => {}
                Err(Stop::GaveUp) => break,
                Err(Stop::Fault(error)) => return Err(error),
            }
        }
        Ok(book.results)
    }

    /// On the first device of each kind that it runs on.
    fn check_benchmark(
        &self,
        entry: &Entry,
        benchmark: &BenchmarkInfo,
        devices: &[DeviceInfo],
        book: &mut Book<'_>,
    ) -> Result<(), Stop> {
        let mut absent = Vec::new();
        let mut is_tested = false;
        for kind in &benchmark.hardware {
            let mut of_kind = devices.iter().filter(|device| device.kind.word() == kind);
            match of_kind.clone().find(|device| device.unavailable.is_none()) {
                Some(device) => {
                    is_tested = true;
                    self.check_on(entry, benchmark, device, book)?;
                }
                None => absent.extend(of_kind.find_map(|device| device.unavailable.clone())),
            }
        }
        if !is_tested {
            let why = if absent.is_empty() {
                "no such device was named".to_owned()
            } else {
                format!("none of that is here: {}", absent.join("; "))
            };
            let said = format!("not tested: it runs on {}, and {why}", benchmark.hardware.join(", "));
            let about = Some((benchmark.name.as_str(), None));
            book.note(about, ConformanceTest::Load, TestOutcome::noted(said), Duration::ZERO);
        }
        Ok(())
    }

    fn check_on(
        &self,
        entry: &Entry,
        benchmark: &BenchmarkInfo,
        device: &DeviceInfo,
        book: &mut Book<'_>,
    ) -> Result<(), Stop> {
        let about = Some((benchmark.name.as_str(), Some(device.name.as_str())));
        let bytes = match self.content.admit(&entry.path, &entry.sha256) {
            Ok(bytes) => bytes,
            Err(ContentStoreError::Host(fault)) => return Err(fault.into()),
            Err(changed) => {
                book.note(
                    about,
                    ConformanceTest::Load,
                    TestOutcome::failed(changed.to_string()),
                    Duration::ZERO,
                );
                return Ok(());
            }
        };
        let trial = Trial {
            info: benchmark,
            subject: Arc::new(subject(&Resolved { entry, benchmark }, device.clone())),
            bytes,
            settings: &self.settings,
            worker: self.worker.clone(),
            code_cache: self.code_cache.clone(),
            cancel: &self.cancel,
            has_run_time: brings_run_time(entry),
        };
        let defaults = trial.with_defaults();
        let compiles = will_compile(&self.code_cache, &defaults);
        if compiles {
            (book.told)(CheckNews::Compiling);
        }
        let stages = self.in_turn(&trial, book.told, || {
            // Also in turn: a compiler would disturb whoever measures on this device.
            if compiles {
                compile(&trial.assignment(&defaults, &self.cancel));
            }
            lifecycle(&trial)
        })?;
        let mut works = true;
        let mut is_reproducible = true;
        for (test, outcome, took) in stages {
            let is_early =
                matches!(test, ConformanceTest::Load | ConformanceTest::Setup | ConformanceTest::Verify);
            works &= !is_early || matches!(outcome, TestOutcome::Passed | TestOutcome::Noted { .. });
            book.note(about, test, outcome, took);
        }
        let more = match self.depth {
            Depth::Life => &[],
            Depth::Full => MORE.as_slice(),
        };
        for (test, act) in more.iter().copied() {
            let needless = if !works {
                Some("the benchmark does not come past `verify`")
            } else if test == ConformanceTest::Independent && !is_reproducible {
                Some("there is no checksum that is the same in every process")
            } else {
                None
            };
            let (outcome, took) = match needless {
                Some(why) => (TestOutcome::skipped(why), Duration::ZERO),
                None => self.in_turn(&trial, book.told, || {
                    let begin = Instant::now();
                    act(&trial).map(|outcome| (outcome, begin.elapsed()))
                })?,
            };
            if test == ConformanceTest::Reproducible {
                is_reproducible = outcome == TestOutcome::Passed;
            }
            book.note(about, test, outcome, took);
        }
        Ok(())
    }

    /// Does something while the device is ours, with the threads of the host elsewhere.
    fn in_turn<T>(
        &self,
        trial: &Trial<'_>,
        told: &mut dyn FnMut(CheckNews<'_>),
        act: impl FnOnce() -> Result<T, Stop>,
    ) -> Result<T, Stop> {
        let device = &trial.subject.device;
        let asking = Asking {
            leases: &self.leases,
            device,
            purpose: &format!("dyno check of {}", trial.subject.benchmark),
            run: None,
            settings: &self.settings,
            cancel: &self.cancel,
        };
        let mut said: Said = None;
        let waited = asking.wait(&mut said, &mut |holder: &Holder| {
            told(CheckNews::Waiting { device: &device.name, holder: holder.to_string() });
        });
        let _lease = match waited.map_err(|error| Stop::Fault(error.into()))? {
            Turn::Ours(lease) => lease,
            // There is no limit to the wait but the user's patience.
            Turn::GaveUp | Turn::TooLong(_) => return Err(Stop::GaveUp),
        };
        let _elsewhere = keep_off(&place(&self.settings.cpus, 1).cpus).ok();
        act()
    }
}

/// The results so far, and who hears of them.
struct Book<'a> {
    results: Vec<TestResult>,
    told: &'a mut dyn FnMut(CheckNews<'_>),
}

impl Book<'_> {
    /// Notes the result of a test: of a benchmark on a device, or of the file.
    fn note(
        &mut self,
        about: Option<(&str, Option<&str>)>,
        test: ConformanceTest,
        outcome: TestOutcome,
        took: Duration,
    ) {
        let result = TestResult {
            test,
            benchmark: about.map(|(benchmark, _)| benchmark.to_owned()),
            device: about.and_then(|(_, device)| device.map(str::to_owned)),
            outcome,
            elapsed_s: took.as_secs_f64(),
        };
        (self.told)(CheckNews::Tested(&result));
        self.results.push(result);
    }
}

/// What the file alone tells.
fn of_file(entry: &Entry) -> [(ConformanceTest, TestOutcome); 3] {
    let descriptor = &entry.descriptor;
    let plugin = match &entry.incompatible {
        Some(why) => TestOutcome::failed(why.clone()),
        None => TestOutcome::Passed,
    };
    let is_malformed = |(_, fault): (&str, NoCapability)| matches!(fault, NoCapability::Malformed(_));
    let known = match entry.warnings.as_slice() {
        [] => TestOutcome::Passed,
        warnings if Capability::faults(&descriptor.capabilities).any(is_malformed) => {
            TestOutcome::failed(warnings.join("; "))
        }
        warnings => TestOutcome::noted(warnings.join("; ")),
    };
    let build = match (build_remark(&descriptor.plugin.id, descriptor.build), descriptor.build) {
        (Some(remark), _) => TestOutcome::noted(remark),
        (None, Some(PluginBuild::Release)) => TestOutcome::Passed,
        (None, _) => TestOutcome::skipped("the plugin does not say how it was compiled"),
    };
    [(ConformanceTest::Plugin, plugin), (ConformanceTest::Descriptor, known), (ConformanceTest::Build, build)]
}

/// Whether a component brings the run time of a language along: only those import WASI unasked.
fn brings_run_time(entry: &Entry) -> bool {
    let imports = imports_of(&entry.path).unwrap_or_default();
    imports.iter().any(|name| !matches!(Import::of(name), Import::Ours))
}
