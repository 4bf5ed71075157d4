//! A request, checked once: flags, suites and REST requests all become a [`RunSpec`].

use std::time::Duration;

use indexmap::IndexMap;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{IsolationLayer, Scenario};

/// One request: some cases, and how to measure them. Serialisable, so that another machine could execute it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct RunSpec {
    /// The suite that it came from.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub suite: Option<SuiteInfo>,
    /// The requested benchmarks, before expansion.
    pub requests: Vec<CaseRequest>,
    /// How to measure.
    pub settings: Settings,
    /// Words to find the run by.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub tags: Vec<String>,
}

/// Most tags that a run may be given when it is asked for, and the longest of them [bytes].
const MOST_TAGS: usize = 100;
const LONGEST_TAG: usize = 200;
/// What stands between tags where they are stored; no tag contains it.
pub const TAG_SEPARATOR: char = '\u{1f}';
/// Most entries of a request, before expansion.
const MOST_REQUESTS: usize = 100_000;

impl RunSpec {
    /// Whether the request is within bounds: its tags, its length, and its settings.
    ///
    /// # Errors
    /// One sentence: what was given, and what is accepted.
    pub fn check(&self) -> Result<(), String> {
        if self.tags.len() > MOST_TAGS {
            return Err(format!("the run has {} tags; give at most {MOST_TAGS}", self.tags.len()));
        }
        let is_tag = |tag: &&String| {
            !tag.trim().is_empty() && tag.len() <= LONGEST_TAG && !tag.contains(TAG_SEPARATOR)
        };
        if let Some(tag) = self.tags.iter().find(|tag| !is_tag(tag)) {
            let shown: String = tag.chars().filter(|letter| !letter.is_control()).take(40).collect();
            return Err(format!(
                "`{shown}` cannot be a tag; give 1 to {LONGEST_TAG} bytes without the character U+001F"
            ));
        }
        if self.requests.len() > MOST_REQUESTS {
            return Err(format!(
                "the request has {} entries; give at most {MOST_REQUESTS}",
                self.requests.len()
            ));
        }
        self.settings.check()
    }
}

/// Name and purpose of a suite.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct SuiteInfo {
    /// Name.
    pub name: String,
    /// One sentence.
    #[serde(default)]
    pub description: String,
}

/// One benchmark with lists of parameter values: as many cases as the Cartesian product has elements.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct CaseRequest {
    /// `name`, `plugin/name` or `plugin@version/name`; `*` matches any run of characters.
    pub benchmark: String,
    /// Values per parameter, as given; other parameters have their defaults.
    #[serde(default)]
    pub params: IndexMap<String, Vec<Value>>,
    /// Devices, by kind or by name. // eg: ["cpu"], ["cuda:0"]
    pub hardware: Vec<String>,
    /// Which builds of the plugin to run.
    #[serde(default)]
    pub engine: EngineChoice,
    /// Only the plugin file with this SHA-256, in hexadecimal: a resumed run measures the bytes that it began with.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sha256: Option<String>,
}

/// Which builds of a plugin to run, if it comes both as a native library and as a WASM component.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum EngineChoice {
    /// The native build if there is one, otherwise the WASM build.
    #[default]
    Auto,
    /// Only native libraries.
    Native,
    /// Only WASM components.
    Wasm,
    /// Every build.
    All,
}

/// How to measure every case of a run.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Settings {
    /// When a case has been measured enough.
    pub stop: StopRule,
    /// Target length of a sample [ns].
    pub slice_ns: u64,
    /// Minimum time spent warming up in each launch [ns].
    pub warm_up_ns: u64,
    /// How queries arrive; absent for plain samples.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub scenario: Option<Scenario>,
    /// Maximum time of any stage of a launch [ms].
    pub timeout_ms: u64,
    /// Seed for inputs, for orders, and for resampling.
    pub seed: u64,
    /// Whether every launch has its own inputs. Runs of older versions used one seed for all their launches.
    #[serde(default)]
    pub inputs: Inputs,
    /// Whether workers run with address randomisation.
    pub layout: Layout,
    /// Size of the pages of an instance's memory.
    #[serde(default)]
    pub pages: Pages,
    /// Maximum memory of a worker [bytes].
    pub memory_limit_bytes: u64,
    /// Whether CPU cases may run at the same time as those of other runs that also allow it.
    #[serde(default, skip_serializing_if = "is_false")]
    pub overlap: bool,
    /// Maximum wait for a device [ms]; absent: indefinitely.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lease_timeout_ms: Option<u64>,
    /// The processors to measure on, by number; empty: dyno chooses.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub cpus: Vec<u32>,
    /// Whether the measured thread asks for real-time priority.
    #[serde(default, skip_serializing_if = "is_false")]
    pub realtime: bool,
    /// Whether hardware counters and the energy of the machine are read.
    #[serde(default, skip_serializing_if = "is_false")]
    pub counters: bool,
    /// Layers of isolation without which no plugin is loaded, besides those that the host demands.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub require_isolation: Vec<IsolationLayer>,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde passes a reference")]
fn is_false(value: &bool) -> bool {
    !value
}

impl Default for Settings {
    /// The settings of a user who gives none.
    fn default() -> Self {
        Self {
            stop: StopRule::Precision {
                target: 0.01,
                min_launches: 5,
                max_launches: 30,
                budget_ns: 3_000_000_000,
            },
            // Long against the clock and the call, short against most disturbances.
            slice_ns: 5_000_000,
            // Four slices: caches, branch predictors and frequency have settled.
            warm_up_ns: 20_000_000,
            scenario: None,
            timeout_ms: 60_000,
            seed: 0,
            inputs: Inputs::Fresh,
            layout: Layout::Fixed,
            pages: Pages::Normal,
            memory_limit_bytes: 4 << 30,
            overlap: false,
            lease_timeout_ms: None,
            cpus: Vec::new(),
            realtime: false,
            counters: false,
            require_isolation: Vec::new(),
        }
    }
}

/// Maximum number of launches of a case, of samples of a launch, and of streams of a scenario.
const MOST_LAUNCHES: u32 = 10_000;
const MOST_SAMPLES: u32 = 1_000_000;
const MOST_STREAMS: u64 = 1_000_000;
/// Maximum number of scheduled queries per second.
const MOST_QPS: f64 = 1e7;
/// The maximum of every time: a day [ns].
const DAY_NS: u64 = 86_400_000_000_000;

impl Settings {
    /// Refuses settings that would fill memory, divide by zero, or never end.
    ///
    /// # Errors
    /// A sentence that names the field, its value and what is allowed.
    pub fn check(&self) -> Result<(), String> {
        let within = |name: &str, value: u64, least: u64, most: u64| {
            let holds = (least..=most).contains(&value);
            holds.then_some(()).ok_or_else(|| format!("`{name}` is {value}; give {least} to {most}"))
        };
        let launches = |name: &str, value: u32| within(name, value.into(), 1, MOST_LAUNCHES.into());
        match self.stop {
            StopRule::Time { launches: count, budget_ns } => {
                launches("stop.launches", count)?;
                within("stop.budget_ns", budget_ns, 1, DAY_NS)?;
            }
            StopRule::Samples { launches: count, per_launch } => {
                launches("stop.launches", count)?;
                within("stop.per_launch", per_launch.into(), 1, MOST_SAMPLES.into())?;
            }
            StopRule::Precision { target, min_launches, max_launches, budget_ns } => {
                launches("stop.min_launches", min_launches)?;
                launches("stop.max_launches", max_launches)?;
                within("stop.budget_ns", budget_ns, 1, DAY_NS)?;
                if !(target > 0.0 && target <= 1.0) {
                    return Err(format!(
                        "`stop.target` is {target}; give a share above 0 and up to 1, like 0.01"
                    ));
                }
            }
        }
        within("slice_ns", self.slice_ns, 1, DAY_NS)?;
        within("warm_up_ns", self.warm_up_ns, 0, DAY_NS)?;
        within("timeout_ms", self.timeout_ms, 1, DAY_NS / 1_000_000)?;
        within("memory_limit_bytes", self.memory_limit_bytes, 1, 1 << 50)?;
        match &self.scenario {
            Some(Scenario::MultiStream { streams }) => within("scenario.streams", *streams, 1, MOST_STREAMS),
            Some(Scenario::Server { target_qps: Some(rate), .. }) if !(*rate > 0.0 && *rate <= MOST_QPS) => {
                Err(format!("`scenario.target_qps` is {rate}; give a rate above 0 and up to {MOST_QPS}"))
            }
            _ => Ok(()),
        }
    }

    /// The seed for the inputs of a launch, or of both sides of a pair of launches, by its number. Below 2⁵³, so that every
    /// reader of JSON gets it exactly.
    #[must_use]
    pub fn input_seed(&self, number: u64) -> u64 {
        match self.inputs {
            Inputs::Fixed => self.seed,
            // SplitMix64 (Steele, Lea & Flood, OOPSLA 2014): neighbouring numbers give unrelated seeds.
            Inputs::Fresh => {
                let mut z =
                    self.seed.wrapping_add(number.wrapping_add(1).wrapping_mul(0x9e37_79b9_7f4a_7c15));
                z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
                z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
                (z ^ (z >> 31)) >> 11
            }
        }
    }

    /// Maximum wait for a device.
    #[must_use]
    pub fn lease_timeout(&self) -> Option<Duration> {
        self.lease_timeout_ms.map(Duration::from_millis)
    }

    /// Maximum time of any stage of a launch.
    #[must_use]
    pub fn timeout(&self) -> Duration {
        Duration::from_millis(self.timeout_ms)
    }
}

/// Whether workers run with address-space layout randomisation. A fixed layout makes launches of code that works on the
/// heap differ six times less; a random one shows which changes only that layout explains. `docs/statistics.md` has the
/// figures.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Layout {
    /// Randomisation off: every launch has the same layout.
    #[default]
    Fixed,
    /// Randomisation on.
    Random,
}

/// Whether launches share their inputs. A branch predictor learns some inputs better than others: measured on a state
/// machine with many branches, two builds of equal speed differ by up to 11 % in either direction on one input. With a
/// new input for each launch, the confidence interval covers this effect; with a fixed input, it is a bias.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Inputs {
    /// Every launch has the seed of the settings.
    #[default]
    Fixed,
    /// Every launch, or pair of launches, has its own seed, derived from that of the settings.
    Fresh,
}

/// Size of the pages of an instance's memory. The kernel places small pages differently in every process: measured
/// here, a walk over 64 MiB differs by 10 % between processes with small pages, and by 1 % with huge ones.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Pages {
    /// The kernel's default.
    #[default]
    Normal,
    /// After `setup`, large blocks of memory are moved to huge pages.
    Huge,
}

/// When a case has been measured enough.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "rule", rename_all = "lowercase")]
pub enum StopRule {
    /// A fixed measuring time, divided evenly among the launches.
    Time {
        /// Number of launches.
        launches: u32,
        /// Measuring time over all launches [ns].
        budget_ns: u64,
    },
    /// A fixed number of samples per launch.
    Samples {
        /// Number of launches.
        launches: u32,
        /// Samples in each launch.
        per_launch: u32,
    },
    /// Launches until the interval on the median is narrow enough.
    Precision {
        /// Target for the half-width of the interval, relative to the median. // eg: 0.01
        target: f64,
        /// Minimum number of launches.
        min_launches: u32,
        /// Maximum number of launches.
        max_launches: u32,
        /// Measuring time over all launches after which to stop even if the target is missed [ns].
        budget_ns: u64,
    },
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fresh_inputs_differ_from_launch_to_launch_and_fixed_ones_do_not() {
        let mut settings = Settings { seed: 7, ..Settings::default() };
        let mut seeds: Vec<u64> = (0..1_000).map(|number| settings.input_seed(number)).collect();
        assert!(seeds.iter().all(|seed| *seed < 1 << 53), "exact in any reader of JSON");
        seeds.sort_unstable();
        seeds.dedup();
        assert_eq!(seeds.len(), 1_000);
        settings.inputs = Inputs::Fixed;
        assert!((0..10).all(|number| settings.input_seed(number) == 7));
    }

    #[test]
    fn settings_of_older_versions_had_one_seed_for_all_launches() {
        let mut old = serde_json::to_value(Settings::default()).unwrap();
        old.as_object_mut().unwrap().remove("inputs");
        assert_eq!(serde_json::from_value::<Settings>(old).unwrap().inputs, Inputs::Fixed);
    }

    #[test]
    fn tags_are_few_short_and_printable() {
        let with = |tags: &[&str]| {
            let tags = tags.iter().map(|&tag| tag.to_owned()).collect();
            RunSpec { suite: None, requests: Vec::new(), settings: Settings::default(), tags }.check()
        };
        assert_eq!(with(&["nightly", "resumes:0193", "größe"]), Ok(()));
        for (tags, said) in [
            (vec!["x"; 101], "101 tags"),
            (vec![" "], "` `"),
            (vec!["a\u{1f}b"], "`ab`"),
            (vec!["a\u{1f}"], "U+001F"),
        ] {
            assert!(with(&tags).expect_err("out of bounds").contains(said), "{tags:?}");
        }
        assert!(with(&[&"x".repeat(201)]).is_err());
    }

    #[test]
    fn what_would_never_end_or_fill_memory_is_refused_by_name() {
        assert_eq!(Settings::default().check(), Ok(()));
        let with = |change: fn(&mut Settings)| {
            let mut settings = Settings::default();
            change(&mut settings);
            settings.check().expect_err("it is out of bounds")
        };
        for (said, named) in [
            (with(|it| it.stop = StopRule::Samples { launches: 0, per_launch: 1 }), "stop.launches"),
            (with(|it| it.stop = StopRule::Samples { launches: 1, per_launch: u32::MAX }), "stop.per_launch"),
            (with(|it| it.stop = StopRule::Time { launches: 1, budget_ns: u64::MAX }), "stop.budget_ns"),
            (
                with(|it| {
                    it.stop = StopRule::Precision {
                        target: f64::NAN,
                        min_launches: 1,
                        max_launches: 2,
                        budget_ns: 1,
                    };
                }),
                "stop.target",
            ),
            (with(|it| it.slice_ns = 0), "slice_ns"),
            (with(|it| it.timeout_ms = 0), "timeout_ms"),
            (with(|it| it.scenario = Some(Scenario::MultiStream { streams: u64::MAX })), "scenario.streams"),
            (
                with(|it| {
                    it.scenario = Some(Scenario::Server { target_qps: Some(1e300), latency_bound_ns: 1 });
                }),
                "scenario.target_qps",
            ),
        ] {
            assert!(said.contains(named), "{said}");
        }
    }
}
