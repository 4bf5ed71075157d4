//! Devices: something that work can run on.

use std::fmt;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// The kinds of device that dyno knows: the eight of the original suite.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
#[expect(missing_docs, reason = "the names are the documentation")]
pub enum DeviceKind {
    Cpu,
    Cuda,
    Rocm,
    Mps,
    OpenVino,
    Qnn,
    WebGpu,
    WebNn,
}

impl DeviceKind {
    /// Every kind, in the order in which they are listed.
    pub const ALL: [Self; 8] =
        [Self::Cpu, Self::Cuda, Self::Rocm, Self::Mps, Self::OpenVino, Self::Qnn, Self::WebGpu, Self::WebNn];

    /// The word for it, as in flags, JSON and SQL.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Cpu => "cpu",
            Self::Cuda => "cuda",
            Self::Rocm => "rocm",
            Self::Mps => "mps",
            Self::OpenVino => "openvino",
            Self::Qnn => "qnn",
            Self::WebGpu => "webgpu",
            Self::WebNn => "webnn",
        }
    }

    /// The kind of that word.
    #[must_use]
    pub fn from_word(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.word() == word)
    }
}

impl fmt::Display for DeviceKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.word())
    }
}

/// One device as the host sees it, or a kind that is not there and why.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct DeviceInfo {
    /// What it is called in flags and results. // eg: "cpu", "cuda:0"
    pub name: String,
    /// Its kind.
    pub kind: DeviceKind,
    /// Number among those of its kind, from 0.
    pub index: u32,
    /// What its maker calls it. // eg: "AMD EPYC 9R14"
    #[serde(default)]
    pub model: String,
    /// Its memory [bytes].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub memory_bytes: Option<u64>,
    /// Whether the processor does its work: it is no device of its own, and its numbers say nothing about one.
    #[serde(default, skip_serializing_if = "is_false")]
    pub software: bool,
    /// Why it cannot be used; absent when it can.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unavailable: Option<String>,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde passes a reference")]
fn is_false(value: &bool) -> bool {
    !value
}
