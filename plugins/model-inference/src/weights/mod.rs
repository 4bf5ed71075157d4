//! The numbers of a network's weights: made from a seed, or mapped from a file.

mod file;
mod find;
mod mapped;
mod random;
mod stored;

use std::path::PathBuf;

use dyno_sdk::prelude::*;

pub(crate) use self::stored::{Storage, Weights};
use crate::{models::Model, network::Network};

/// Where weights come from: the parameter `weights`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Source {
    /// Made from a seed.
    Random(u64),
    /// A file of safetensors, or a folder with one.
    Path(PathBuf),
    /// What the tools of the Hugging Face hub have downloaded.
    Hub,
}

impl Source {
    /// Reads the parameter.
    pub(crate) fn parse(text: &str) -> Result<Self, Failure> {
        if text == "hub" {
            return Ok(Self::Hub);
        }
        let Some(seed) = text.strip_prefix("random:") else {
            if text.is_empty() || text == "random" {
                return Err(Failure::error(format!(
                    "weights=`{text}` names no weights; write `random:1`, `hub`, or the path of a file or folder"
                )));
            }
            return Ok(Self::Path(PathBuf::from(text)));
        };
        seed.parse().map(Self::Random).map_err(|_| {
            Failure::error(format!("weights=`{text}`: the seed is a whole number from 0, as in `random:1`"))
        })
    }

    /// The weights of a network.
    pub(crate) fn load(&self, model: Model, network: &Network) -> Result<Weights, Failure> {
        match self {
            Self::Random(seed) => Ok(random::make(network, *seed)),
            Self::Path(path) => file::open(&find::in_path(path)?, network),
            Self::Hub => file::open(&find::in_hub(model)?, network),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_parameter_is_a_seed_a_path_or_the_hub() {
        assert_eq!(Source::parse("random:7").unwrap(), Source::Random(7));
        assert_eq!(Source::parse("hub").unwrap(), Source::Hub);
        assert_eq!(Source::parse("./a/b").unwrap(), Source::Path("./a/b".into()));
        for wrong in ["", "random", "random:", "random:-1", "random:x"] {
            let message = Source::parse(wrong).unwrap_err().to_string();
            assert!(message.starts_with(&format!("weights=`{wrong}`")), "{message}");
        }
    }
}
