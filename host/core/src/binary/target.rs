//! Which machines a plugin file is for.

use std::fmt;

use object::Architecture;
use schemars::JsonSchema;
use serde::{Deserialize, Deserializer, Serialize, de::Error};

use super::elf;

/// The machines that a file is for: an operating system and a processor, or all of them. // eg: "linux-x86_64", "any"
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, JsonSchema)]
#[serde(transparent)]
pub struct Target(String);

impl Target {
    /// What is for every machine: a WASM component.
    #[must_use]
    pub fn any() -> Self {
        Self("any".to_owned())
    }

    /// This machine.
    #[must_use]
    pub fn here() -> Self {
        Self::linux(elf::OURS)
    }

    /// Whether files for it run on this machine.
    #[must_use]
    pub fn is_here(&self) -> bool {
        *self == Self::any() || *self == Self::here()
    }

    /// Linux is the only system whose libraries are read.
    pub(super) fn linux(processor: Architecture) -> Self {
        let name = match processor {
            Architecture::X86_64 => "x86_64".to_owned(),
            Architecture::Aarch64 => "aarch64".to_owned(),
            other => format!("{other:?}").to_lowercase(),
        };
        Self(format!("linux-{name}"))
    }

    fn is_good(text: &str) -> bool {
        let is_word = |part: &str, extra: &[char]| {
            let is_good = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || extra.contains(&c);
            (1..=24).contains(&part.len()) && part.chars().all(is_good)
        };
        text == "any"
            || text.split_once('-').is_some_and(|(system, cpu)| is_word(system, &[]) && is_word(cpu, &['_']))
    }
}

impl<'de> Deserialize<'de> for Target {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        if Self::is_good(&text) {
            return Ok(Self(text));
        }
        let shown: String = text.chars().take(40).filter(|c| !c.is_control()).collect();
        Err(D::Error::custom(format!("the target `{shown}` is not of the form `linux-x86_64` or `any`")))
    }
}

impl fmt::Display for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_good_names_are_read() {
        for good in ["any", "linux-x86_64", "linux-aarch64"] {
            let target: Target = serde_json::from_str(&format!("\"{good}\"")).unwrap();
            assert_eq!(target.to_string(), good);
        }
        for bad in ["", "linux", "../x-y", "linux-", "Linux-x86", "linux-x86/64", "linux-x86-64"] {
            assert!(serde_json::from_str::<Target>(&format!("\"{bad}\"")).is_err(), "{bad}");
        }
        assert!(Target::here().is_here() && Target::any().is_here());
        assert!(Target::is_good(&Target::here().0));
        assert!(Target::is_good(&Target::linux(Architecture::PowerPc64).0));
    }
}
