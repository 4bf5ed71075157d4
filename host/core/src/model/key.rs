//! The identity and the names of a case: the one place that matches cases of different runs, and names them.

use std::{
    collections::{BTreeMap, BTreeSet, HashMap, HashSet},
    fmt,
    hash::{Hash, Hasher},
};

use indexmap::IndexMap;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{CaseRecord, Params, PluginKind, PluginRef, RunRecord};

/// Everything that decides what a case measures. Two results belong to the same case if, and only if, their keys are
/// equal, except for the version of the plugin: see [`CaseKey::without_version`].
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct CaseKey {
    /// Identifier of the plugin; empty for results of another tool.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub plugin: String,
    /// Version of the plugin; empty for results of another tool.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub version: String,
    /// Name of the benchmark; for hyperfine, a command line.
    pub benchmark: String,
    /// All parameters by name, as text, in the order of the descriptor; equality does not look at the order.
    #[serde(default, skip_serializing_if = "IndexMap::is_empty")]
    pub params: IndexMap<String, String>,
    /// `native` or `wasm`; empty for results of another tool.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub engine: String,
    /// Name of the device; empty if the tool does not record it. // eg: "cuda:0"
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub device: String,
    /// Further details of a tool, which like a version may differ between results. // eg: a folder of Criterion
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub variant: String,
}

impl Hash for CaseKey {
    fn hash<H: Hasher>(&self, state: &mut H) {
        (&self.plugin, &self.version, &self.benchmark, &self.engine, &self.device, &self.variant).hash(state);
        self.params.iter().collect::<BTreeMap<_, _>>().hash(state);
    }
}

impl CaseKey {
    /// The key of a benchmark that another tool measured under this name.
    #[must_use]
    pub fn named(benchmark: impl Into<String>) -> Self {
        Self { benchmark: benchmark.into(), ..Self::default() }
    }

    /// The key of a benchmark of a plugin.
    #[must_use]
    pub fn new(plugin: &PluginRef, benchmark: &str, params: &Params, device: &str) -> Self {
        Self {
            plugin: plugin.id.clone(),
            version: plugin.version.clone(),
            benchmark: benchmark.to_owned(),
            params: params.iter().map(|(name, value)| (name.clone(), value.to_string())).collect(),
            engine: engine(plugin.kind).to_owned(),
            device: device.to_owned(),
            variant: String::new(),
        }
    }

    /// With one more parameter.
    #[must_use]
    pub fn with(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.params.insert(name.into(), value.into());
        self
    }

    /// The key that a case keeps while its plugin goes from version to version.
    #[must_use]
    pub fn without_version(&self) -> Self {
        Self { version: String::new(), variant: String::new(), ..self.clone() }
    }

    /// Whether it is in the same version as another of the same case.
    #[must_use]
    pub fn is_same_version(&self, other: &Self) -> bool {
        self.version == other.version && self.variant == other.variant
    }

    /// Benchmark and parameters. // eg: "gemm n=256 dtype=f32"
    #[must_use]
    pub fn name(&self) -> String {
        if self.params.is_empty() {
            return self.benchmark.clone();
        }
        format!("{} {}", self.benchmark, self.params())
    }

    /// The parameters on one line. // eg: "n=256 dtype=f32"
    #[must_use]
    pub fn params(&self) -> String {
        let shown: Vec<String> =
            self.params.iter().map(|(name, value)| format!("{name}={}", Value(value))).collect();
        shown.join(" ")
    }

    /// Everything but the plugin, for people: the same for the same case in any run. // eg: "gemm n=256 (native, cpu)"
    #[must_use]
    pub fn label(&self) -> String {
        let place: Vec<&str> =
            [self.engine.as_str(), &self.device].into_iter().filter(|it| !it.is_empty()).collect();
        let name = self.name();
        if place.is_empty() { name } else { format!("{name} ({})", place.join(", ")) }
    }

    /// With the plugin in front: what other tools may keep a series under. // eg: "blas/gemm n=256 (native, cpu)"
    #[must_use]
    pub fn series(&self) -> String {
        let label = self.label();
        if self.plugin.is_empty() { label } else { format!("{}/{label}", self.plugin) }
    }

    /// With plugin and version in front, and all else that there is. // eg: "blas@1.2.0/gemm n=256 (native, cpu)"
    #[must_use]
    pub fn versioned(&self) -> String {
        let mut label = self.label();
        if !self.variant.is_empty() {
            label.push_str(&format!(" [{}]", self.variant));
        }
        if self.plugin.is_empty() { label } else { format!("{}@{}/{label}", self.plugin, self.version) }
    }
}

/// The word for an engine, as in keys and in the database.
fn engine(kind: PluginKind) -> &'static str {
    match kind {
        PluginKind::Native => "native",
        PluginKind::Wasm => "wasm",
    }
}

/// A value in a label: in quotes if it could be read as part of the label.
struct Value<'a>(&'a str);

impl fmt::Display for Value<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let is_plain =
            !self.0.is_empty() && !self.0.contains(|c: char| c.is_whitespace() || "=\"".contains(c));
        if is_plain { f.write_str(self.0) } else { write!(f, "{:?}", self.0) }
    }
}

/// Names for these keys in their order, no two of them equal: each as [`CaseKey::label`], with its plugin if labels
/// would otherwise be equal, with the version if they still would; equal keys are numbered.
#[must_use]
pub fn labels<'a>(keys: impl IntoIterator<Item = &'a CaseKey>) -> Vec<String> {
    told_apart(&keys.into_iter().collect::<Vec<_>>(), &[CaseKey::label, CaseKey::series, CaseKey::versioned])
}

/// Names under which other tools may keep results of these keys from run to run: always with the plugin, so that the name
/// does not depend on what else was measured; with the version only if two versions of a case are among the keys.
#[must_use]
pub fn series<'a>(keys: impl IntoIterator<Item = &'a CaseKey>) -> Vec<String> {
    told_apart(&keys.into_iter().collect::<Vec<_>>(), &[CaseKey::series, CaseKey::versioned])
}

/// Names for cases on one page, and the parameters that these names leave out.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct ShortLabels {
    /// A name per case, as [`labels`] makes it. If a benchmark has several cases, their names leave out the parameters that all of them share.
    pub names: Vec<String>,
    /// The parameters left out, a line per benchmark. // eg: "gemm dtype=f32 threads=1"
    pub shared: Vec<String>,
}

/// Short names for these keys in their order, no two of them equal.
#[must_use]
pub fn short_labels(keys: impl IntoIterator<Item = CaseKey>) -> ShortLabels {
    let mut short: Vec<CaseKey> = keys.into_iter().collect();
    let mut places: IndexMap<(String, String), Vec<usize>> = IndexMap::new();
    for (place, key) in short.iter().enumerate() {
        places.entry((key.plugin.clone(), key.benchmark.clone())).or_default().push(place);
    }
    let mut shared = Vec::new();
    for places in places.into_values().filter(|places| places.len() > 1) {
        let differ = swept(places.iter().map(|place| ((), &short[*place].params))).remove(&());
        let differ: HashSet<String> = differ.unwrap_or_default().into_iter().map(str::to_owned).collect();
        let mut same = short[places[0]].clone();
        same.params.retain(|name, _| !differ.contains(name));
        if !same.params.is_empty() {
            shared.push(same.name());
        }
        for place in places {
            short[place].params.retain(|name, _| differ.contains(name));
        }
    }
    ShortLabels { names: labels(&short), shared }
}

fn told_apart(keys: &[&CaseKey], ways: &[fn(&CaseKey) -> String]) -> Vec<String> {
    let Some((first, longer)) = ways.split_first() else { return Vec::new() };
    let mut out: Vec<String> = keys.iter().map(|key| first(key)).collect();
    for way in longer {
        for places in groups(&out) {
            // Equal keys do not become different by a longer name.
            let differ = places.iter().any(|place| keys[*place] != keys[places[0]]);
            for place in places.into_iter().filter(|_| differ) {
                out[place] = way(keys[place]);
            }
        }
    }
    let mut number: HashMap<String, u32> = HashMap::new();
    let all: HashSet<String> = out.iter().cloned().collect();
    for name in &mut out {
        let count = number.entry(name.clone()).or_insert(0);
        *count += 1;
        while *count > 1 && all.contains(&format!("{name} #{count}")) {
            *count += 1;
        }
        if *count > 1 {
            name.push_str(&format!(" #{count}"));
        }
    }
    out
}

/// Places of the names that occur more than once.
fn groups(names: &[String]) -> Vec<Vec<usize>> {
    let mut places: HashMap<&str, Vec<usize>> = HashMap::new();
    for (place, name) in names.iter().enumerate() {
        places.entry(name).or_default().push(place);
    }
    places.into_values().filter(|places| places.len() > 1).collect()
}

/// The parameters that differ among cases of one benchmark, by the benchmark that `owner` says of each case.
#[must_use]
pub fn swept<'a, Owner: Copy + Eq + Hash, V: PartialEq + 'a>(
    cases: impl IntoIterator<Item = (Owner, &'a IndexMap<String, V>)>,
) -> HashMap<Owner, HashSet<&'a str>> {
    let mut firsts: HashMap<Owner, &IndexMap<String, V>> = HashMap::new();
    let mut found: HashMap<Owner, HashSet<&str>> = HashMap::new();
    for (owner, params) in cases {
        let first = *firsts.entry(owner).or_insert(params);
        let names = first.keys().chain(params.keys());
        let others = names.filter(|name| first.get(*name) != params.get(*name)).map(String::as_str);
        found.entry(owner).or_default().extend(others);
    }
    found
}

impl CaseRecord {
    /// Identifies the same case in another run.
    #[must_use]
    pub fn key(&self) -> CaseKey {
        CaseKey::new(&self.plugin, &self.benchmark, &self.params, &self.device)
    }

    /// Benchmark and parameters on one line, for people. // eg: "gemm n=256 dtype=f32"
    #[must_use]
    pub fn label(&self) -> String {
        self.key().name()
    }
}

impl RunRecord {
    /// The keys of its cases, in their order.
    #[must_use]
    pub fn keys(&self) -> Vec<CaseKey> {
        self.cases.iter().map(CaseRecord::key).collect()
    }

    /// Names of the parameters that differ among the cases of a benchmark, in alphabetical order.
    #[must_use]
    pub fn swept(&self) -> Vec<String> {
        let cases = self.cases.iter().map(|case| ((&case.plugin.id, &case.benchmark), &*case.params));
        let names: BTreeSet<&str> = swept(cases).into_values().flatten().collect();
        names.into_iter().map(str::to_owned).collect()
    }

    /// Names of its cases for other tools, in their order, no two equal: see [`series`].
    #[must_use]
    pub fn series(&self) -> Vec<String> {
        series(&self.keys())
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::model::ParamValue;

    fn key(plugin: &str, version: &str, params: &[(&str, &str)]) -> CaseKey {
        CaseKey {
            plugin: plugin.into(),
            version: version.into(),
            benchmark: "work".into(),
            params: params.iter().map(|(name, value)| ((*name).into(), (*value).into())).collect(),
            engine: "native".into(),
            device: "cpu".into(),
            variant: String::new(),
        }
    }

    #[test]
    fn what_all_cases_of_a_benchmark_share_is_said_once() {
        let (one, other) =
            (key("a", "1", &[("n", "1"), ("dtype", "f32")]), key("a", "1", &[("n", "2"), ("dtype", "f32")]));
        let short = short_labels([one.clone(), other]);
        assert_eq!(short.names, ["work n=1 (native, cpu)", "work n=2 (native, cpu)"]);
        assert_eq!(short.shared, ["work dtype=f32"]);
        // A benchmark with one case keeps its whole name, also beside one of another plugin.
        let beta = key("beta", "1", &[("n", "1"), ("dtype", "f32")]);
        let short = short_labels([one.clone(), beta]);
        assert_eq!(
            short.names,
            ["a/work n=1 dtype=f32 (native, cpu)", "beta/work n=1 dtype=f32 (native, cpu)"]
        );
        assert_eq!(short.shared, Vec::<String>::new());
        // Devices tell cases apart, too.
        let cuda = CaseKey { device: "cuda:0".into(), ..one.clone() };
        let short = short_labels([one, cuda]);
        assert_eq!(short.names, ["work (native, cpu)", "work (native, cuda:0)"]);
        assert_eq!(short.shared, ["work n=1 dtype=f32"]);
        assert_eq!(short_labels([]), ShortLabels::default());
    }

    #[test]
    fn a_label_is_as_long_as_it_must_be() {
        let (one, other) = (key("alpha", "1.0.0", &[]), key("alpha", "2.0.0", &[]));
        let beta = key("beta", "1.0.0", &[]);
        assert_eq!(labels([&one]), ["work (native, cpu)"]);
        assert_eq!(labels([&one, &beta]), ["alpha/work (native, cpu)", "beta/work (native, cpu)"]);
        assert_eq!(
            labels([&one, &beta, &other]),
            ["alpha@1.0.0/work (native, cpu)", "beta/work (native, cpu)", "alpha@2.0.0/work (native, cpu)"]
        );
        assert_eq!(labels([&one, &one]), ["work (native, cpu)", "work (native, cpu) #2"]);
        assert_eq!(series([&one]), ["alpha/work (native, cpu)"], "does not depend on what else is there");
        assert_eq!(labels([&CaseKey::named("x").with("size", "1 0")]), ["x size=\"1 0\""]);
    }

    #[test]
    fn the_order_of_parameters_is_not_part_of_the_key() {
        let (one, other) =
            (key("a", "1", &[("n", "1"), ("m", "2")]), key("a", "1", &[("m", "2"), ("n", "1")]));
        assert_eq!(one, other);
        assert_eq!(HashMap::from([(one, ())]).get(&other), Some(&()));
    }

    proptest! {
        #[test]
        fn no_two_names_are_equal_and_different_values_give_different_labels(
            all in proptest::collection::vec(("[ab]", "[12]", "[ab# 2=\"]{0,3}"), 0..8),
        ) {
            let keys: Vec<CaseKey> =
                all.iter().map(|(plugin, version, value)| key(plugin, version, &[("p", value)])).collect();
            for names in [labels(&keys), series(&keys)] {
                let distinct: HashSet<&String> = names.iter().collect();
                prop_assert_eq!(distinct.len(), keys.len(), "{:?}", names);
            }
            for (one, other) in keys.iter().zip(keys.iter().skip(1)) {
                prop_assert_eq!(one == other, one.versioned() == other.versioned());
            }
        }
    }

    #[test]
    fn swept_parameters_are_those_that_differ_within_a_benchmark() {
        let params = |pairs: &[(&str, i64)]| -> Params {
            pairs.iter().map(|(name, value)| ((*name).to_owned(), ParamValue::Integer(*value))).collect()
        };
        let cases = [
            ("a", params(&[("n", 1), ("k", 2)])),
            ("a", params(&[("n", 3), ("k", 2)])),
            // The same name has another value in another benchmark, and one is missing.
            ("b", params(&[("k", 5), ("m", 1)])),
            ("b", params(&[("k", 5)])),
        ];
        let found = swept(cases.iter().map(|(owner, params)| (*owner, params)));
        assert_eq!(found["a"], HashSet::from(["n"]));
        assert_eq!(found["b"], HashSet::from(["m"]));
    }
}
