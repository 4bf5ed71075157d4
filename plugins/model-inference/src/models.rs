//! The models, by their names on the Hugging Face hub, with their published configurations.

use dyno_sdk::prelude::*;

use crate::{
    family::{Bert, Encoder, Head, Naming, Vit},
    network::Network,
};

/// A model.
#[derive(ParamEnum, Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Model {
    #[param(name = "bert-tiny")]
    BertTiny,
    #[param(name = "bert-base-uncased")]
    BertBase,
    #[param(name = "bert-large-uncased")]
    BertLarge,
    #[param(name = "distilbert-base-uncased")]
    DistilBert,
    #[param(name = "all-MiniLM-L6-v2")]
    MiniLm,
    #[param(name = "vit-tiny-patch16-224")]
    VitTiny,
    #[param(name = "vit-small-patch16-224")]
    VitSmall,
    #[param(name = "vit-base-patch16-224")]
    VitBase,
    #[param(name = "vit-large-patch16-224")]
    VitLarge,
    #[param(name = "deit-tiny-patch16-224")]
    DeitTiny,
}

/// What a model is built as.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Architecture {
    Bert(Bert),
    Vit(Vit),
}

/// Lengths of the input of one item; a model uses the one of its kind.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Lengths {
    /// Tokens of a text.
    pub(crate) sequence: usize,
    /// Side of an image [pixels].
    pub(crate) image: usize,
}

impl Model {
    /// All of them.
    #[cfg(test)]
    pub(crate) fn all() -> impl Iterator<Item = Self> {
        Self::CHOICES.iter().filter_map(|name| Self::from_choice(name))
    }

    /// Its repository on the hub.
    pub(crate) const fn repository(self) -> &'static str {
        match self {
            Self::BertTiny => "google/bert_uncased_L-2_H-128_A-2",
            Self::BertBase => "google-bert/bert-base-uncased",
            Self::BertLarge => "google-bert/bert-large-uncased",
            Self::DistilBert => "distilbert/distilbert-base-uncased",
            Self::MiniLm => "sentence-transformers/all-MiniLM-L6-v2",
            Self::VitTiny => "WinKawaks/vit-tiny-patch16-224",
            Self::VitSmall => "WinKawaks/vit-small-patch16-224",
            Self::VitBase => "google/vit-base-patch16-224",
            Self::VitLarge => "google/vit-large-patch16-224",
            Self::DeitTiny => "facebook/deit-tiny-patch16-224",
        }
    }

    pub(crate) const fn architecture(self) -> Architecture {
        match self {
            Self::BertTiny => bert(sizes(2, 128, 2), Head::Pooler),
            Self::BertBase => bert(sizes(12, 768, 12), Head::Pooler),
            Self::BertLarge => bert(sizes(24, 1024, 16), Head::Pooler),
            Self::MiniLm => bert(sizes(6, 384, 12), Head::Sentence),
            Self::DistilBert => Architecture::Bert(Bert {
                encoder: sizes(6, 768, 12),
                naming: Naming::DistilBert,
                head: Head::Hidden,
            }),
            Self::VitTiny | Self::DeitTiny => Architecture::Vit(Vit { encoder: sizes(12, 192, 3) }),
            Self::VitSmall => Architecture::Vit(Vit { encoder: sizes(12, 384, 6) }),
            Self::VitBase => Architecture::Vit(Vit { encoder: sizes(12, 768, 12) }),
            Self::VitLarge => Architecture::Vit(Vit { encoder: sizes(24, 1024, 16) }),
        }
    }

    /// The network for inputs of these lengths.
    pub(crate) fn network(self, lengths: Lengths) -> Result<Network, Failure> {
        match self.architecture() {
            Architecture::Bert(bert) => Ok(bert.network(lengths.sequence)),
            Architecture::Vit(vit) => {
                if !lengths.image.is_multiple_of(Vit::PATCH) {
                    return Err(Failure::error(format!(
                        "image_size={} is not a multiple of {}, the side of a patch",
                        lengths.image,
                        Vit::PATCH
                    )));
                }
                Ok(vit.network(lengths.image))
            }
        }
    }
}

const fn bert(encoder: Encoder, head: Head) -> Architecture {
    Architecture::Bert(Bert { encoder, naming: Naming::Bert, head })
}

/// All of these have an inner layer of four times the width.
const fn sizes(layers: usize, hidden: usize, heads: usize) -> Encoder {
    Encoder { layers, hidden, heads, inner: 4 * hidden }
}
