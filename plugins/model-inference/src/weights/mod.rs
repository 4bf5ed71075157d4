//! The numbers of a network's weights: made from a seed, or mapped from a file.

mod file;
mod find;
mod random;

use std::{
    borrow::Cow,
    path::{Path, PathBuf},
    sync::Arc,
};

use dyno_sdk::prelude::*;

use self::file::Mapped;
pub(crate) use self::find::home;
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

/// The numbers of one weight among all bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Place {
    /// The first byte.
    pub(crate) offset: usize,
    /// How many.
    pub(crate) bytes: usize,
}

/// All weights of a network, as floats of 32 bits in the order of this machine.
#[derive(Debug, Clone)]
pub(crate) struct Weights {
    bytes: Bytes,
    /// For each tensor of the network.
    places: Vec<Place>,
}

/// Where the bytes are.
#[derive(Debug, Clone)]
enum Bytes {
    Memory(Arc<[u8]>),
    File(Arc<Mapped>),
}

/// The bytes of all weights, for a runtime that reads them itself.
#[derive(Debug)]
pub(crate) enum Storage<'a> {
    /// They are in memory.
    Memory(&'a Arc<[u8]>),
    /// They are in a file.
    File(&'a Path),
}

impl Weights {
    /// The numbers of a tensor, by its place in the network.
    pub(crate) fn numbers(&self, tensor: usize) -> Cow<'_, [f32]> {
        let Place { offset, bytes } = self.places[tensor];
        let all: &[u8] = match &self.bytes {
            Bytes::Memory(all) => all,
            Bytes::File(file) => file.bytes(),
        };
        let own = &all[offset..offset + bytes];
        // A file may put them anywhere.
        bytemuck::try_cast_slice(own)
            .map_or_else(|_| Cow::Owned(bytemuck::pod_collect_to_vec(own)), Cow::Borrowed)
    }

    /// Where the numbers of a tensor are.
    pub(crate) fn place(&self, tensor: usize) -> Place {
        self.places[tensor]
    }

    /// Where all bytes are.
    pub(crate) fn storage(&self) -> Storage<'_> {
        match &self.bytes {
            Bytes::Memory(all) => Storage::Memory(all),
            Bytes::File(file) => Storage::File(file.path()),
        }
    }

    /// How many bytes the network uses.
    pub(crate) fn size(&self) -> usize {
        self.places.iter().map(|place| place.bytes).sum()
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
