//! The metadata that a plugin file carries: what the catalog reads without running the plugin.
//!
//! [`Descriptor::from_json`] is the only way in, and what it returns is checked: names are well-formed and unique,
//! defaults lie in their ranges, enums have choices. The published JSON Schema is `docs/schemas/descriptor.json`.

use std::{collections::HashSet, fmt};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

pub use crate::param_info::{ParamInfo, ParamKind};
use crate::{layout, names, names::printable, section};

/// The schema that this version of dyno writes and reads.
pub const SCHEMA: &str = "dyno.descriptor/1";

/// Everything a host knows about a plugin before it runs it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Descriptor {
    /// Always `dyno.descriptor/1`.
    pub schema: String,
    /// The plugin's identity.
    pub plugin: PluginInfo,
    /// Its technology, and the contract that it was built for.
    pub abi: AbiInfo,
    /// How its code was compiled; absent if the plugin does not record it. The SDK and the C header do so
    /// automatically.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub build: Option<Build>,
    /// Its benchmarks; at least one.
    pub benchmarks: Vec<BenchmarkInfo>,
    /// Permissions that it asks the operator for, beyond computing.
    #[serde(default)]
    pub capabilities: Vec<String>,
}

/// Identity of a plugin: identifier, version and authors.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct PluginInfo {
    /// Lower-case letters, digits, `-` and `_`, starting with a letter. Several files may share an id: other versions,
    /// or the native and the WASM build of one source.
    pub id: String,
    /// Semantic version.
    pub version: String,
    /// One sentence.
    #[serde(default)]
    pub description: String,
    /// People or organisations.
    #[serde(default)]
    pub authors: Vec<String>,
    /// SPDX expression.
    #[serde(default)]
    pub license: String,
    /// Address of a page about it.
    #[serde(default)]
    pub homepage: String,
}

/// Which of the two kinds of plugin a file is, and the contract it was built for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct AbiInfo {
    /// Native library or WASM component.
    pub kind: Kind,
    /// Version of the native ABI, or of the WIT world.
    pub version: u32,
    /// For native libraries: the hash over all ABI structs, as in `DYNO_LAYOUT_HASH_TEXT`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub layout_hash: Option<String>,
}

/// The technology of a plugin file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Kind {
    /// A shared library.
    Native,
    /// A WebAssembly component.
    Wasm,
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Native => "native",
            Self::Wasm => "wasm",
        })
    }
}

/// How the code of a plugin was compiled.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Build {
    /// Without optimisation, or with debug assertions: its times are not those of a release build.
    Debug,
    /// With optimisation and without debug assertions.
    Release,
}

impl Build {
    /// Its word in descriptors, results and the build section of a native plugin.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Debug => "debug",
            Self::Release => "release",
        }
    }

    /// The build with that word.
    #[must_use]
    pub fn from_word(word: &str) -> Option<Self> {
        [Self::Debug, Self::Release].into_iter().find(|build| build.word() == word)
    }

    /// Reads the build section of a native plugin: one word, and zero bytes that pad it. The C header writes it.
    #[must_use]
    pub fn from_section(bytes: &[u8]) -> Option<Self> {
        let end = bytes.iter().position(|byte| *byte == 0).unwrap_or(bytes.len());
        Self::from_word(std::str::from_utf8(&bytes[..end]).ok()?)
    }
}

impl fmt::Display for Build {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.word())
    }
}

/// One benchmark of a plugin.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct BenchmarkInfo {
    /// Lower-case letters, digits, `-` and `_`, starting with a letter; unique in the plugin.
    pub name: String,
    /// A word to group by. // eg: "linear-algebra"
    #[serde(default)]
    pub category: String,
    /// One sentence.
    #[serde(default)]
    pub description: String,
    /// Words to find it by.
    #[serde(default)]
    pub tags: Vec<String>,
    /// Models that it can run, for a benchmark of models.
    #[serde(default)]
    pub models: Vec<String>,
    /// What is known of these models; absent if nothing is. Each entry is about one of `models`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub model_details: Vec<ModelInfo>,
    /// Kinds of device that it runs on; at least one. // eg: ["cpu", "cuda"]
    pub hardware: Vec<String>,
    /// Typed parameters, in the order in which `setup` receives them.
    #[serde(default)]
    pub params: Vec<ParamInfo>,
    /// Its own metrics, besides time and throughput.
    #[serde(default)]
    pub metrics: Vec<MetricInfo>,
}

/// What a benchmark says about one of its models.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ModelInfo {
    /// One of the benchmark's `models`; no two entries have the same name. // eg: "bert-tiny"
    pub name: String,
    /// Models of one architecture share it. // eg: "bert"
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub family: String,
    /// Kinds of input. // eg: "text", "image"
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub modality: String,
    /// Number of weights. // eg: 4385920
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub parameters: Option<u64>,
    /// Words to find it by; `critical`, `high`, `medium` and `low` are priorities. // eg: ["low"]
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub tags: Vec<String>,
    /// Precisions that it can run in; empty if that is not known. // eg: ["fp32", "bf16"]
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub precisions: Vec<String>,
}

/// One of a benchmark's own metrics.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct MetricInfo {
    /// Letters, digits and `_`, starting with a letter; unique in the benchmark.
    pub name: String,
    /// Unit of the value. // eg: "tokens/s"
    #[serde(default)]
    pub unit: String,
    /// Which direction is good.
    pub better: Better,
}

/// Which direction of a metric is good.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Better {
    /// Less is better: time, memory, energy.
    Lower,
    /// More is better: throughput.
    Higher,
}

/// An unknown key of a descriptor, which dyno ignores.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UnknownKey {
    /// Where it stands; empty at the top. // eg: "benchmarks[0].params[1]"
    pub place: String,
    /// The key, fit for a terminal.
    pub key: String,
    /// The keys that are known there.
    pub known: Vec<String>,
}

/// Maximum number of unknown keys that are reported.
const MOST_UNKNOWN: usize = 20;

/// Why a descriptor is refused.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DescriptorError(String);

impl fmt::Display for DescriptorError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for DescriptorError {}

fn refuse<T>(message: impl Into<String>) -> Result<T, DescriptorError> {
    Err(DescriptorError(message.into()))
}

impl Descriptor {
    /// Reads and checks a descriptor. Zero bytes and white space at the end are padding.
    ///
    /// # Errors
    /// A sentence that names the field, its value and what is allowed.
    pub fn from_json(bytes: &[u8]) -> Result<Self, DescriptorError> {
        if bytes.len() > section::MAX_BYTES {
            return refuse(format!(
                "the descriptor has {} bytes; at most {} are allowed",
                bytes.len(),
                section::MAX_BYTES
            ));
        }
        let end = bytes.iter().rposition(|byte| *byte != 0).map_or(0, |last| last + 1);
        if end == 0 {
            return refuse("the descriptor section is empty");
        }
        let text = std::str::from_utf8(&bytes[..end])
            .map_err(|error| DescriptorError(format!("the descriptor is not UTF-8: {error}")))?;
        // An editor or a script may have put a byte order mark before it.
        let text = text.strip_prefix('\u{feff}').unwrap_or(text);
        let value: Value = serde_json::from_str(text)
            .map_err(|error| DescriptorError(format!("the descriptor is not JSON: {error}")))?;
        match value.get("schema").and_then(Value::as_str) {
            Some(SCHEMA) => {}
            Some(other) => {
                return refuse(format!(
                    "descriptor schema `{other}` is not known; this dyno reads `{SCHEMA}`"
                ));
            }
            None => return refuse(format!("the descriptor has no text field `schema`; expected `{SCHEMA}`")),
        }
        let descriptor: Self = serde_json::from_value(value)
            .map_err(|error| DescriptorError(format!("the descriptor does not fit {SCHEMA}: {error}")))?;
        descriptor.check()?;
        Ok(descriptor)
    }

    /// The keys of a descriptor that its schema does not have, at most 20: a key that is misspelt is read as one that is
    /// missing. Empty for what is not JSON.
    #[must_use]
    pub fn unknown_keys(bytes: &[u8]) -> Vec<UnknownKey> {
        let end = bytes.iter().rposition(|byte| *byte != 0).map_or(0, |last| last + 1);
        let Ok(value) = serde_json::from_slice::<Value>(&bytes[..end.min(section::MAX_BYTES)]) else {
            return Vec::new();
        };
        // The schema is made from the types, so that a new field is known here as soon as it is there.
        let schema = schemars::schema_for!(Self);
        let mut found = Vec::new();
        collect_unknown(&value, schema.as_value(), schema.as_value(), "", &mut found);
        found
    }

    /// The benchmark of that name.
    #[must_use]
    pub fn benchmark(&self, name: &str) -> Option<&BenchmarkInfo> {
        self.benchmarks.iter().find(|benchmark| benchmark.name == name)
    }

    fn check(&self) -> Result<(), DescriptorError> {
        self.plugin.check()?;
        match (self.abi.kind, &self.abi.layout_hash) {
            (Kind::Native, None) => {
                return refuse("abi.layout_hash is missing; native plugins must carry it");
            }
            (Kind::Native, Some(text)) if names::hash(text).is_none() => {
                return refuse(format!(
                    "abi.layout_hash `{}` is not `0x` and 16 hexadecimal digits",
                    printable(text)
                ));
            }
            _ => {}
        }
        if self.benchmarks.is_empty() {
            return refuse("benchmarks is empty; a plugin holds at least one");
        }
        let mut names = HashSet::new();
        for benchmark in &self.benchmarks {
            names::identifier("benchmark name", &benchmark.name).map_err(DescriptorError)?;
            if !names.insert(benchmark.name.as_str()) {
                return refuse(format!("two benchmarks are named `{}`", benchmark.name));
            }
            benchmark
                .check()
                .map_err(|error| DescriptorError(format!("benchmark `{}`: {error}", benchmark.name)))?;
        }
        Ok(())
    }
}

/// Walks a value beside its schema. Depth is bounded by the schema, which does not contain itself.
fn collect_unknown(value: &Value, schema: &Value, root: &Value, place: &str, found: &mut Vec<UnknownKey>) {
    let schema = match schema.get("$ref").and_then(Value::as_str).and_then(|name| name.strip_prefix('#')) {
        Some(pointer) => root.pointer(pointer).unwrap_or(&Value::Null),
        None => schema,
    };
    match value {
        Value::Object(fields) => {
            let Some(known) = schema.get("properties").and_then(Value::as_object) else { return };
            for (key, inner) in fields {
                if found.len() >= MOST_UNKNOWN {
                    return;
                }
                let Some(schema) = known.get(key) else {
                    let known = known.keys().cloned().collect();
                    found.push(UnknownKey { place: place.to_owned(), key: printable(key), known });
                    continue;
                };
                let dot = if place.is_empty() { "" } else { "." };
                collect_unknown(inner, schema, root, &format!("{place}{dot}{key}"), found);
            }
        }
        Value::Array(items) => {
            let Some(schema) = schema.get("items") else { return };
            for (number, item) in items.iter().enumerate() {
                if found.len() >= MOST_UNKNOWN {
                    return;
                }
                collect_unknown(item, schema, root, &format!("{place}[{number}]"), found);
            }
        }
        _ => {}
    }
}

impl PluginInfo {
    /// Whether identifier and version are well-formed: both then are also good names of files.
    ///
    /// # Errors
    /// A sentence that names the field, its value and what is allowed.
    pub fn check(&self) -> Result<(), DescriptorError> {
        names::identifier("plugin.id", &self.id).map_err(DescriptorError)?;
        if names::is_version(&self.version) {
            return Ok(());
        }
        refuse(format!(
            "plugin.version `{}` is not a semantic version; write three numbers, like `1.0.0`",
            printable(&self.version)
        ))
    }
}

impl AbiInfo {
    /// The version of the contract for plugins of this kind.
    #[must_use]
    pub const fn version_here(kind: Kind) -> u32 {
        const WORLD: u32 = 1;
        match kind {
            Kind::Native => crate::abi::DYNO_ABI_VERSION,
            Kind::Wasm => WORLD,
        }
    }

    /// The difference if a plugin was built for another contract, naming both sides; `None` if there is none.
    #[must_use]
    pub fn mismatch(&self) -> Option<String> {
        let ours = Self::version_here(self.kind);
        if self.version != ours {
            return Some(format!(
                "the plugin was built for {} contract version {}, this dyno speaks version {ours}; rebuild the plugin",
                self.kind, self.version
            ));
        }
        let theirs = self.layout_hash.as_deref()?;
        (self.kind == Kind::Native && !names::hash(theirs).is_some_and(layout::is_known)).then(|| {
            format!(
                "the plugin was built with ABI layout {theirs}, this dyno has {}; rebuild the plugin with the SDK or \
                 header of this dyno",
                layout::LAYOUT_HASH_TEXT
            )
        })
    }
}

impl BenchmarkInfo {
    fn check(&self) -> Result<(), DescriptorError> {
        if self.hardware.is_empty() {
            return refuse("hardware is empty; name at least one kind of device, like `cpu`");
        }
        let mut names = HashSet::new();
        for param in &self.params {
            names::word("parameter name", &param.name).map_err(DescriptorError)?;
            if !names.insert(param.name.as_str()) {
                return refuse(format!("two parameters are named `{}`", param.name));
            }
            param
                .check()
                .and_then(|()| param.check_choices_on(&self.hardware))
                .map_err(|error| DescriptorError(format!("parameter `{}`: {error}", param.name)))?;
        }
        let mut names = HashSet::new();
        for metric in &self.metrics {
            names::word("metric name", &metric.name).map_err(DescriptorError)?;
            if !names.insert(metric.name.as_str()) {
                return refuse(format!("two metrics are named `{}`", metric.name));
            }
        }
        let mut models = HashSet::new();
        for model in &self.model_details {
            let name = printable(&model.name);
            model.check().map_err(|why| DescriptorError(format!("model `{name}`: {why}")))?;
            if !self.models.contains(&model.name) {
                return refuse(format!("model_details describes `{name}`, which is not among models"));
            }
            if !models.insert(model.name.as_str()) {
                return refuse(format!("two entries of model_details are named `{name}`"));
            }
        }
        Ok(())
    }
}

impl ModelInfo {
    fn check(&self) -> Result<(), String> {
        names::text("name", &self.name)?;
        for (field, text) in [("family", &self.family), ("modality", &self.modality)] {
            if !text.is_empty() {
                names::text(field, text)?;
            }
        }
        self.tags.iter().try_for_each(|tag| names::text("tag", tag))?;
        self.precisions.iter().try_for_each(|precision| names::text("precision", precision))
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn sample() -> Value {
        json!({
            "schema": SCHEMA,
            "plugin": {"id": "demo", "version": "1.0.0"},
            "abi": {"kind": "native", "version": 1, "layout_hash": layout::LAYOUT_HASH_TEXT},
            "benchmarks": [{
                "name": "gemm", "hardware": ["cpu"],
                "params": [{"name": "n", "type": "integer", "default": 256, "min": 1, "max": 8192}],
            }],
        })
    }

    fn read(value: &Value) -> Result<Descriptor, String> {
        Descriptor::from_json(value.to_string().as_bytes()).map_err(|error| error.to_string())
    }

    #[track_caller]
    fn refused(pointer: &str, new: Value, expected: &str) {
        let mut value = sample();
        *value.pointer_mut(pointer).unwrap() = new;
        let message = read(&value).unwrap_err();
        assert!(message.contains(expected), "`{message}` does not contain `{expected}`");
    }

    #[test]
    fn a_good_descriptor_survives_a_round_trip_and_padding() {
        let descriptor = read(&sample()).unwrap();
        let mut bytes = serde_json::to_vec(&descriptor).unwrap();
        bytes.extend([0; 7]);
        assert_eq!(Descriptor::from_json(&bytes).unwrap(), descriptor);
        assert_eq!(descriptor.abi.mismatch(), None);
    }

    #[test]
    fn how_a_plugin_was_compiled_is_said_by_a_word_or_not_at_all() {
        assert_eq!(read(&sample()).unwrap().build, None, "plugins of before stay valid");
        let mut value = sample();
        for build in [Build::Debug, Build::Release] {
            value["build"] = json!(build.word());
            assert_eq!(read(&value).unwrap().build, Some(build));
            assert_eq!(Build::from_word(build.word()), Some(build));
        }
        value["build"] = json!("fast");
        assert!(read(&value).unwrap_err().contains("unknown variant `fast`"));
    }

    #[test]
    fn the_build_section_holds_one_word_and_padding() {
        assert_eq!(Build::from_section(b"debug\0"), Some(Build::Debug));
        assert_eq!(Build::from_section(b"release\0\0\0"), Some(Build::Release));
        for bytes in [&b""[..], b"\0debug", b"debugger\0", b"DEBUG\0", b"\xff\xfe"] {
            assert_eq!(Build::from_section(bytes), None, "{bytes:?}");
        }
    }

    #[test]
    fn each_mistake_names_its_field() {
        refused("/schema", json!("dyno.descriptor/9"), "dyno.descriptor/9");
        refused("/plugin/id", json!("Bad Id"), "plugin.id `Bad Id`");
        refused("/plugin/version", json!("1"), "plugin.version `1`");
        refused("/abi/layout_hash", json!("12"), "abi.layout_hash `12`");
        refused("/benchmarks", json!([]), "benchmarks is empty");
        refused("/benchmarks/0/name", json!("a\u{1b}[31m"), "benchmark name `a\u{fffd}[31m`");
        refused("/benchmarks/0/hardware", json!([]), "hardware is empty");
        refused(
            "/benchmarks/0/params/0/default",
            json!(0),
            "default 0 is not allowed: an integer from 1 to 8192",
        );
        refused("/benchmarks/0/params/0/type", json!("enum"), "min is only for integer and float");
        refused("/benchmarks/0/params/0/min", json!("x"), "min \"x\" is not of type integer");
    }

    #[test]
    fn details_of_models_are_about_models_of_the_benchmark() {
        let details = |models: Value, details: Value| {
            let mut value = sample();
            value["benchmarks"][0]["models"] = models;
            value["benchmarks"][0]["model_details"] = details;
            read(&value)
        };
        let vit = json!({"name": "vit", "parameters": 86_567_656, "tags": ["high"], "precisions": ["fp32"]});
        let descriptor = details(json!(["bert", "vit"]), json!([vit])).unwrap();
        assert_eq!(json!(descriptor)["benchmarks"][0]["model_details"], json!([vit]));
        assert_eq!(json!(read(&sample()).unwrap())["benchmarks"][0].get("model_details"), None);
        for (wrong, expected) in [
            (json!([vit, vit]), "two entries of model_details are named `vit`"),
            (json!([{"name": "gpt2"}]), "describes `gpt2`, which is not among models"),
            (json!([{"name": "vit", "family": "f".repeat(65)}]), "model `vit`: family `ffff"),
            (json!([{"name": "vit", "tags": ["a\u{1b}"]}]), "model `vit`: tag `a\u{fffd}`"),
            (json!([{"name": "vit", "precisions": [""]}]), "precision `` must have 1 to 64 characters"),
            (json!([{"name": "vit", "parameters": -1}]), "invalid value"),
        ] {
            let message = details(json!(["bert", "vit"]), wrong).unwrap_err();
            assert!(message.contains(expected), "`{message}` does not contain `{expected}`");
        }
    }

    #[test]
    fn text_that_is_not_a_descriptor_is_refused_with_a_sentence() {
        for (bytes, expected) in [
            (&b""[..], "empty"),
            (b"\0\0", "empty"),
            (b"\xff\xfe", "not UTF-8"),
            (b"hello", "not JSON"),
            (b"{}", "no text field `schema`"),
        ] {
            let message = Descriptor::from_json(bytes).unwrap_err().to_string();
            assert!(message.contains(expected), "{message}");
        }
        let long = vec![b' '; section::MAX_BYTES + 1];
        assert!(Descriptor::from_json(&long).unwrap_err().to_string().contains("at most"));
    }

    #[test]
    fn another_layout_or_version_names_both_sides() {
        let mut descriptor = read(&sample()).unwrap();
        descriptor.abi.layout_hash = Some("0x0000000000000001".to_owned());
        let message = descriptor.abi.mismatch().unwrap();
        assert!(
            message.contains("0x0000000000000001") && message.contains(layout::LAYOUT_HASH_TEXT),
            "{message}"
        );
        descriptor.abi.version = 7;
        assert!(descriptor.abi.mismatch().unwrap().contains("version 7"));
    }

    #[test]
    fn keys_that_nobody_reads_are_found_wherever_they_stand() {
        let mut value = sample();
        assert_eq!(Descriptor::unknown_keys(value.to_string().as_bytes()), []);
        value["benchmarks"][0]["descriptin"] = json!("x");
        value["benchmarks"][0]["params"][0]["maxx"] = json!(1);
        value["plugin"]["licence\u{1b}"] = json!("MIT");
        value["extra"] = json!({"not": "entered"});
        let found = Descriptor::unknown_keys(value.to_string().as_bytes());
        let places: Vec<String> = found.iter().map(|it| format!("{}/{}", it.place, it.key)).collect();
        for expected in
            ["benchmarks[0]/descriptin", "benchmarks[0].params[0]/maxx", "plugin/licence\u{fffd}", "/extra"]
        {
            assert!(places.contains(&expected.to_owned()), "{expected} is not in {places:?}");
        }
        assert_eq!(found.len(), 4);
        assert!(found.iter().any(|it| it.known.contains(&"description".to_owned())));
        assert_eq!(Descriptor::unknown_keys(b"{not json"), []);
    }

    #[test]
    fn a_parameter_may_have_fewer_choices_on_some_hardware() {
        let with = |choices_on: Value| {
            let mut value = sample();
            value["benchmarks"][0]["hardware"] = json!(["cpu", "cuda"]);
            value["benchmarks"][0]["params"] = json!([
                {"name": "p", "type": "enum", "default": "fp32", "choices": ["fp32", "int8"], "choices_on": choices_on}
            ]);
            read(&value)
        };
        let descriptor = with(json!({"cpu": ["fp32"]})).unwrap();
        let param = &descriptor.benchmarks[0].params[0];
        assert_eq!(param.choices_for("cpu"), Some(&[json!("fp32")][..]));
        assert_eq!(param.choices_for("cuda").map(<[Value]>::len), Some(2));
        assert_eq!(param.lacks(&json!("int8"), "cuda"), None);
        assert_eq!(
            param.lacks(&json!("int8"), "cpu").as_deref(),
            Some("p=int8 does not run on cpu, where it can be fp32")
        );
        for (wrong, expected) in [
            (json!({"webgpu": ["fp32"]}), "choices_on names `webgpu`, which is not in hardware"),
            (json!({"cpu": []}), "choices_on has no choice for `cpu`"),
            (json!({"cpu": ["fp64"]}), "choices_on has \"fp64\" for `cpu`, which is not among choices"),
        ] {
            let message = with(wrong).unwrap_err();
            assert!(message.contains(expected), "`{message}` does not contain `{expected}`");
        }
    }
}
