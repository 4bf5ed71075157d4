//! How long results are kept: the table `[retention]` of `dyno.toml`.

use dyno_core::units;
use serde::{Deserialize, Serialize};

/// The table as it is written.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct RetentionTable {
    /// Age up to which runs are kept. // eg: "90d"
    pub keep: Option<String>,
    /// Age up to which all samples of a run are kept. // eg: "30d"
    pub keep_samples: Option<String>,
}

/// How long results are kept; absent: indefinitely.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct Retention {
    /// Age up to which runs are kept [ns].
    pub keep_ns: Option<u64>,
    /// Age up to which all samples of a run are kept [ns].
    pub keep_samples_ns: Option<u64>,
}

impl Retention {
    /// Whether everything is kept.
    #[must_use]
    pub fn keeps_everything(&self) -> bool {
        *self == Self::default()
    }
}

impl TryFrom<&RetentionTable> for Retention {
    /// A sentence that names the key, the value, and what is accepted.
    type Error = String;

    fn try_from(table: &RetentionTable) -> Result<Self, String> {
        let age = |name: &str, text: &Option<String>| -> Result<Option<u64>, String> {
            let Some(text) = text else { return Ok(None) };
            match units::parse_duration(text).map_err(|why| format!("`{name}`: {why}"))? {
                0 => Err(format!(
                    "`{name}`: `{text}` would keep nothing; give more, or leave the key out to keep everything"
                )),
                ns => Ok(Some(ns)),
            }
        };
        let (keep_ns, keep_samples_ns) =
            (age("keep", &table.keep)?, age("keep-samples", &table.keep_samples)?);
        match (keep_ns, keep_samples_ns) {
            (Some(runs), Some(samples)) if samples > runs => Err(format!(
                "`keep-samples` is {}, longer than `keep`, {}: samples are removed with their run; give less",
                table.keep_samples.as_deref().unwrap_or_default(),
                table.keep.as_deref().unwrap_or_default()
            )),
            _ => Ok(Self { keep_ns, keep_samples_ns }),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<Retention, String> {
        Retention::try_from(&toml::from_str::<RetentionTable>(text).map_err(|error| error.to_string())?)
    }

    #[test]
    fn ages_are_read_and_contradictions_refused() {
        const DAY: u64 = 86_400_000_000_000;
        assert!(read("").unwrap().keeps_everything());
        let both = Retention { keep_ns: Some(90 * DAY), keep_samples_ns: Some(30 * DAY) };
        assert_eq!(read("keep = '90d'\nkeep-samples = '30d'"), Ok(both));
        for (text, said) in [
            ("keep = '30d'\nkeep-samples = '90d'", "longer than `keep`"),
            ("keep = '0d'", "would keep nothing"),
            ("keep = 'soon'", "`keep`: `soon` is not a duration"),
            ("kept = '9d'", "unknown field `kept`"),
        ] {
            let refused = read(text).unwrap_err();
            assert!(refused.contains(said), "{refused}");
        }
    }
}
