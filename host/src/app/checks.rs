//! Use cases: checking that plugins keep the promises of their descriptors and of the contract.

use std::{collections::BTreeSet, path::Path, time::Duration};

use dyno_core::model::{
    CHECK_SCHEMA, CHECK_VERSION, CheckReport, CheckedFile, ConformanceTest, EngineChoice, Inputs, Layout,
    Settings, TestOutcome, TestResult,
};
use dyno_plugin_api::descriptor::BenchmarkInfo;

use super::{error::AppError, root::App, workers::workers};
use crate::{
    catalog::{self, Entry, glob},
    devices,
    runner::{Cancel, CheckNews, Depth, Kit},
};

/// Much shorter than in `run`: nothing is measured.
const SLICE_NS: u64 = 1_000_000;
const WARM_UP_NS: u64 = 2_000_000;

/// What is checked, and how.
#[derive(Debug, Clone)]
pub struct CheckOptions {
    /// Benchmarks, by name or pattern; empty: all.
    pub benchmarks: Vec<String>,
    /// Devices, by name; empty: the first of each kind that a benchmark runs on.
    pub hardware: Vec<String>,
    /// Time of each test.
    pub budget: Duration,
    /// Seed of the inputs and of random parameters.
    pub seed: u64,
    /// Which tests.
    pub depth: Depth,
}

/// Checking plugins.
#[derive(Debug, Clone, Copy)]
pub struct Checks<'a>(&'a App);

impl App {
    /// The use cases of checking.
    #[must_use]
    pub fn checks(&self) -> Checks<'_> {
        Checks(self)
    }
}

/// A file to check: a plugin, or what is wrong with it.
enum Named {
    Plugin(Box<Entry>),
    NoPlugin { path: String, why: String },
}

impl Checks<'_> {
    /// Tests plugins, each a file or the name of an installed one. `told` hears each result.
    ///
    /// # Errors
    /// When a plugin or benchmark is not known, or the host cannot do its part; never because of a plugin.
    pub fn check(
        &self,
        plugins: &[String],
        options: &CheckOptions,
        cancel: &Cancel,
        told: &mut dyn FnMut(&str, CheckNews<'_>),
    ) -> Result<CheckReport, AppError> {
        let named = plugins.iter().map(|named| self.named(named)).collect::<Result<Vec<_>, AppError>>()?;
        let entries = || {
            named.iter().filter_map(|one| match one {
                Named::Plugin(entry) => Some(entry.as_ref()),
                Named::NoPlugin { .. } => None,
            })
        };
        let benchmarks = || entries().flat_map(|it| &it.descriptor.benchmarks);
        if let Some(unknown) =
            options.benchmarks.iter().find(|name| !benchmarks().any(|it| is_meant(name, it)))
        {
            let known: BTreeSet<&str> = benchmarks().map(|it| it.name.as_str()).collect();
            let known = known.into_iter().collect::<Vec<_>>().join(", ");
            return Err(AppError::Side(format!("no benchmark `{unknown}`; there are {known}")));
        }
        // Each name once: a plugin has many benchmarks for the same kinds.
        let hardware: BTreeSet<&str> = match options.hardware.as_slice() {
            [] => benchmarks().flat_map(|it| &it.hardware).map(String::as_str).collect(),
            named => named.iter().map(String::as_str).collect(),
        };
        let devices = self.0.hardware().meant(hardware.iter().copied())?;
        let mut chosen = Vec::new();
        for name in hardware {
            chosen.extend(devices::find(&devices, name)?);
        }
        let (content, code_cache) = self.0.runs().ready_to_launch()?;
        let kit = Kit {
            content: &content,
            worker: workers(&self.0.settings),
            code_cache,
            leases: self.0.hardware().leases()?,
            settings: self.settings(options),
            cancel: cancel.clone(),
            depth: options.depth,
        };
        let mut files = Vec::new();
        for one in &named {
            let file = match one {
                Named::NoPlugin { path, why } => {
                    let result = no_plugin(why);
                    told(path, CheckNews::Tested(&result));
                    CheckedFile { path: path.clone(), plugin: None, tests: vec![result] }
                }
                Named::Plugin(entry) => {
                    let patterns = &options.benchmarks;
                    let wanted: Vec<&BenchmarkInfo> = entry
                        .descriptor
                        .benchmarks
                        .iter()
                        .filter(|it| patterns.is_empty() || patterns.iter().any(|name| is_meant(name, it)))
                        .collect();
                    let path = entry.path.display().to_string();
                    let tests = kit.check(entry, &wanted, &chosen, &mut |news| told(&path, news))?;
                    CheckedFile { path, plugin: Some(entry.plugin()), tests }
                }
            };
            files.push(file);
            if cancel.is_set() {
                break;
            }
        }
        Ok(CheckReport {
            schema: CHECK_SCHEMA.to_owned(),
            version: CHECK_VERSION,
            dyno_version: env!("CARGO_PKG_VERSION").to_owned(),
            seed: options.seed,
            budget_s: options.budget.as_secs_f64(),
            files,
        })
    }

    fn named(&self, named: &str) -> Result<Named, AppError> {
        let path = Path::new(named);
        if !path.is_file() {
            return Ok(Named::Plugin(Box::new(self.0.plugins().build(named, EngineChoice::Auto)?)));
        }
        Ok(match catalog::admitted_file(path, &self.0.settings.trust.value) {
            Ok(entry) => Named::Plugin(Box::new(entry)),
            Err(problem) => Named::NoPlugin { path: named.to_owned(), why: problem.message },
        })
    }

    fn settings(&self, options: &CheckOptions) -> Settings {
        Settings {
            slice_ns: SLICE_NS,
            warm_up_ns: WARM_UP_NS,
            timeout_ms: u64::try_from(options.budget.as_millis()).unwrap_or(u64::MAX).max(1),
            seed: options.seed,
            inputs: Inputs::Fixed,
            layout: Layout::Fixed,
            memory_limit_bytes: self.0.settings.memory_bytes.value,
            ..Settings::default()
        }
    }
}

/// Whether a benchmark is meant by a name or pattern.
fn is_meant(name: &str, benchmark: &BenchmarkInfo) -> bool {
    glob::matches(name, &benchmark.name)
}

fn no_plugin(why: &str) -> TestResult {
    TestResult {
        test: ConformanceTest::Plugin,
        benchmark: None,
        device: None,
        outcome: TestOutcome::failed(why),
        elapsed_s: 0.0,
    }
}
