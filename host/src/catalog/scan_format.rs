//! The bytes of the scan cache. Pure: bytes in, files out; of bytes that it did not write, nothing comes out.

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
};

use dyno_core::model::{PluginBuild, PluginKind};
use dyno_plugin_api::descriptor::{
    AbiInfo, BenchmarkInfo, Descriptor, MetricInfo, ModelInfo, ParamInfo, ParamKind, PluginInfo,
};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de::DeserializeOwned};
use serde_json::Value;
use sha2::{Digest, Sha256};

use super::entry::{Entry, Problem, Stamp};
use crate::trust::SignatureState;

/// Changes whenever the same bytes could be described differently, so also with every version of dyno.
const VERSION: &str = concat!("7/", env!("CARGO_PKG_VERSION"));

/// Length of the hash at the front [bytes].
const HASH: usize = 32;

/// A file, and how the file system described it when it was read.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct Scanned {
    pub(super) stamp: Stamp,
    pub(super) found: Found,
}

/// What a file is.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[expect(clippy::large_enum_variant, reason = "nearly every file is a plugin")]
pub(super) enum Found {
    Plugin(#[serde(with = "PackedEntry")] Entry),
    Problem(Problem),
}

impl Scanned {
    pub(super) fn path(&self) -> &Path {
        match &self.found {
            Found::Plugin(entry) => &entry.path,
            Found::Problem(problem) => &problem.path,
        }
    }
}

/// A hash of all that follows, the version, the files.
///
/// # Errors
/// When a path is not text, which no plugin's is.
pub(super) fn encode(files: &[Scanned]) -> Result<Vec<u8>, postcard::Error> {
    let mut bytes = postcard::to_extend(&(VERSION, files), vec![0; HASH])?;
    let hash = Sha256::digest(&bytes[HASH..]);
    bytes[..HASH].copy_from_slice(&hash);
    Ok(bytes)
}

/// The files, unless the bytes are damaged or were written by another version.
pub(super) fn decode(bytes: &[u8]) -> Option<Vec<Scanned>> {
    let (hash, rest) = bytes.split_at_checked(HASH)?;
    if Sha256::digest(rest)[..] != *hash {
        return None;
    }
    let (version, rest) = postcard::take_from_bytes::<&str>(rest).ok()?;
    if version != VERSION {
        return None;
    }
    postcard::from_bytes(rest).ok()
}

// The following types are those of the descriptor in the form that a format without names of fields needs: no field is left
// out, and no value may have any type. The compiler checks that they have the same fields.

#[derive(Serialize, Deserialize)]
#[serde(remote = "Entry")]
struct PackedEntry {
    path: PathBuf,
    sha256: String,
    size: u64,
    kind: PluginKind,
    #[serde(with = "PackedDescriptor")]
    descriptor: Descriptor,
    incompatible: Option<String>,
    warnings: Vec<String>,
    #[serde(with = "json")]
    signature: SignatureState,
}

#[derive(Serialize, Deserialize)]
#[serde(remote = "Descriptor")]
struct PackedDescriptor {
    schema: String,
    plugin: PluginInfo,
    #[serde(with = "PackedAbi")]
    abi: AbiInfo,
    build: Option<PluginBuild>,
    #[serde(with = "benchmarks")]
    benchmarks: Vec<BenchmarkInfo>,
    capabilities: Vec<String>,
}

#[derive(Serialize, Deserialize)]
#[serde(remote = "AbiInfo")]
struct PackedAbi {
    kind: PluginKind,
    version: u32,
    layout_hash: Option<String>,
}

#[derive(Serialize, Deserialize)]
#[serde(remote = "BenchmarkInfo")]
struct PackedBenchmark {
    name: String,
    category: String,
    description: String,
    tags: Vec<String>,
    models: Vec<String>,
    #[serde(with = "models")]
    model_details: Vec<ModelInfo>,
    hardware: Vec<String>,
    #[serde(with = "params")]
    params: Vec<ParamInfo>,
    metrics: Vec<MetricInfo>,
}

#[derive(Serialize, Deserialize)]
#[serde(remote = "ModelInfo")]
struct PackedModel {
    name: String,
    family: String,
    modality: String,
    parameters: Option<u64>,
    tags: Vec<String>,
    precisions: Vec<String>,
}

#[derive(Serialize, Deserialize)]
#[serde(remote = "ParamInfo")]
struct PackedParam {
    name: String,
    kind: ParamKind,
    #[serde(with = "json")]
    default: Value,
    #[serde(with = "json")]
    min: Option<Value>,
    #[serde(with = "json")]
    max: Option<Value>,
    #[serde(with = "json")]
    choices: Option<Vec<Value>>,
    #[serde(with = "json")]
    choices_on: BTreeMap<String, Vec<Value>>,
    unit: String,
    description: String,
}

/// A list of such types, which serde does not derive.
macro_rules! list {
    ($module:ident, $type:ident as $form:ident) => {
        mod $module {
            use super::*;

            struct Given<'a>(&'a $type);

            impl Serialize for Given<'_> {
                fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                    $form::serialize(self.0, serializer)
                }
            }

            struct Taken($type);

            impl<'de> Deserialize<'de> for Taken {
                fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                    $form::deserialize(deserializer).map(Self)
                }
            }

            pub(super) fn serialize<S: Serializer>(list: &[$type], serializer: S) -> Result<S::Ok, S::Error> {
                serializer.collect_seq(list.iter().map(Given))
            }

            pub(super) fn deserialize<'de, D: Deserializer<'de>>(
                deserializer: D,
            ) -> Result<Vec<$type>, D::Error> {
                let list = Vec::<Taken>::deserialize(deserializer)?;
                Ok(list.into_iter().map(|taken| taken.0).collect())
            }
        }
    };
}

list!(benchmarks, BenchmarkInfo as PackedBenchmark);
list!(models, ModelInfo as PackedModel);
list!(params, ParamInfo as PackedParam);

/// Values of any type, as their JSON text.
mod json {
    use super::*;

    pub(super) fn serialize<S: Serializer>(value: &impl Serialize, serializer: S) -> Result<S::Ok, S::Error> {
        serde_json::to_string(value).map_err(serde::ser::Error::custom)?.serialize(serializer)
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>, T: DeserializeOwned>(
        deserializer: D,
    ) -> Result<T, D::Error> {
        serde_json::from_str(<&str>::deserialize(deserializer)?).map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// A file whose descriptor has every field that may be absent, or none.
    fn scanned(number: u64, is_full: bool) -> Scanned {
        let descriptor = if is_full {
            r#"{"schema": "dyno.descriptor/1",
                "plugin": {"id": "a", "version": "1.0.0", "description": "d", "authors": ["x"], "license": "MIT", "homepage": "h"},
                "abi": {"kind": "native", "version": 1, "layout_hash": "00"}, "build": "debug", "capabilities": ["net"],
                "benchmarks": [{"name": "b", "category": "c", "description": "×", "tags": ["t"], "models": ["m", "k"],
                  "model_details": [{"name": "m", "family": "f", "modality": "text", "parameters": 9007199254740993,
                    "tags": ["low"], "precisions": ["fp32"]}, {"name": "k"}],
                  "hardware": ["cpu", "cuda"], "metrics": [{"name": "m", "unit": "u", "better": "higher"}],
                  "params": [
                    {"name": "n", "type": "integer", "default": 1, "min": -1, "max": 9007199254740993, "unit": "u"},
                    {"name": "f", "type": "float", "default": 0.1, "choices": [0.1, 1e300]},
                    {"name": "s", "type": "enum", "default": "ö", "choices": ["ö", ""], "choices_on": {"cpu": [""]}, "description": "d"}]}]}"#
        } else {
            r#"{"schema": "dyno.descriptor/1", "plugin": {"id": "a", "version": "1.0.0"},
                "abi": {"kind": "wasm", "version": 1}, "benchmarks": [{"name": "b", "hardware": ["cpu"]}]}"#
        };
        let stamp = Stamp::of(&std::fs::metadata("/").unwrap());
        let entry = Entry {
            path: format!("/plugins/{number}.so").into(),
            sha256: "0".repeat(64),
            size: number,
            kind: PluginKind::Native,
            descriptor: serde_json::from_str(descriptor).unwrap(),
            incompatible: is_full.then(|| "is too new".to_owned()),
            warnings: if is_full { vec!["has an unknown key".to_owned()] } else { Vec::new() },
            signature: if is_full {
                SignatureState::Signed { publisher: "acme".to_owned(), key: "00FF".to_owned() }
            } else {
                SignatureState::NotChecked
            },
        };
        Scanned { stamp, found: Found::Plugin(entry) }
    }

    fn files() -> Vec<Scanned> {
        let problem = Problem::aside(Path::new("/plugins/other.so"), "is another library");
        let other = Scanned { found: Found::Problem(problem), ..scanned(0, false) };
        vec![scanned(1, true), scanned(2, false), other]
    }

    #[test]
    fn what_was_found_is_read_back_whole() {
        assert_eq!(decode(&encode(&files()).unwrap()).unwrap(), files());
        assert_eq!(decode(&encode(&[]).unwrap()).unwrap(), []);
    }

    #[test]
    fn another_version_and_the_form_of_earlier_ones_are_nothing() {
        let other = postcard::to_extend(&("2/0.0.0", files()), Vec::new()).unwrap();
        let hashed = [&Sha256::digest(&other)[..], &other].concat();
        assert_eq!(decode(&hashed), None);
        assert_eq!(decode(br#"{"version": "2/0.1.0", "files": {}}"#), None);
    }

    proptest! {
        #[test]
        fn bytes_with_a_right_hash_and_wrong_contents_never_panic(noise in prop::collection::vec(any::<u8>(), 0..300)) {
            let version = postcard::to_extend(VERSION, Vec::new()).unwrap();
            let bytes = [version, noise].concat();
            let _ = decode(&[&Sha256::digest(&bytes)[..], &bytes].concat());
        }

        #[test]
        fn damaged_and_shortened_bytes_are_nothing(at in any::<prop::sample::Index>(), bit in 0..8u8) {
            let whole = encode(&files()).unwrap();
            let mut damaged = whole.clone();
            damaged[at.index(whole.len())] ^= 1 << bit;
            prop_assert_eq!(decode(&damaged), None);
            prop_assert_eq!(decode(&whole[..at.index(whole.len())]), None);
        }
    }
}
