//! BERT and what is built like it: Devlin et al. 2018, <https://arxiv.org/abs/1810.04805>; DistilBERT: Sanh et al. 2019,
//! <https://arxiv.org/abs/1910.01108>.

use super::Encoder;
use crate::network::{Activation, Input, Network, Value};

/// What the authors called the layers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Naming {
    Bert,
    /// Without types of tokens.
    DistilBert,
}

/// What comes after the last layer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Head {
    /// Nothing: a row for each token.
    Hidden,
    /// The first token through one more layer.
    Pooler,
    /// The direction of the mean of all tokens: the embedding of a sentence.
    Sentence,
}

/// A member of the family.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Bert {
    pub(crate) encoder: Encoder,
    pub(crate) naming: Naming,
    pub(crate) head: Head,
}

impl Bert {
    /// Words of the vocabulary of the English models without capitals.
    const VOCABULARY: usize = 30_522;
    /// The longest text.
    pub(crate) const POSITIONS: usize = 512;
    /// Kinds of sentence.
    const TYPES: usize = 2;

    /// The network for texts of `length` tokens.
    pub(crate) fn network(self, length: usize) -> Network {
        let hidden = self.encoder.hidden;
        let mut net = Network::new(Input::Tokens { length, vocabulary: Self::VOCABULARY });
        let mut x = net.embed("embeddings.word_embeddings.weight", hidden);
        if self.naming == Naming::Bert {
            x = net.add_first(x, "embeddings.token_type_embeddings.weight", Self::TYPES);
        }
        x = net.add_rows(x, "embeddings.position_embeddings.weight", &[Self::POSITIONS, hidden]);
        x = net.normalise(x, "embeddings.LayerNorm");
        for layer in 0..self.encoder.layers {
            x = self.layer(&mut net, x, layer);
        }
        match self.head {
            Head::Hidden => {}
            Head::Pooler => {
                x = net.first(x);
                net.linear(x, "pooler.dense", hidden, Activation::Tanh);
            }
            Head::Sentence => {
                net.mean_direction(x);
            }
        }
        net
    }

    fn layer(self, net: &mut Network, x: Value, number: usize) -> Value {
        let Encoder { hidden, heads, inner, .. } = self.encoder;
        let names = self.naming.layer();
        let name = |part: &str| format!("{}.{number}.{part}", names.before);
        let looked = names.looks.map(|part| net.linear(x, &name(part), hidden, Activation::Identity));
        let seen = net.attend(looked, heads);
        let seen = net.linear(seen, &name(names.seen), hidden, Activation::Identity);
        let sum = net.add(seen, x);
        let x = net.normalise(sum, &name(names.seen_norm));
        let wide = net.linear(x, &name(names.wide), inner, Activation::Gelu);
        let narrow = net.linear(wide, &name(names.narrow), hidden, Activation::Identity);
        let sum = net.add(narrow, x);
        net.normalise(sum, &name(names.norm))
    }
}

/// Names of the parts of a layer.
struct Names {
    before: &'static str,
    /// Query, key and value.
    looks: [&'static str; 3],
    seen: &'static str,
    seen_norm: &'static str,
    wide: &'static str,
    narrow: &'static str,
    norm: &'static str,
}

impl Naming {
    const fn layer(self) -> Names {
        match self {
            Self::Bert => Names {
                before: "encoder.layer",
                looks: ["attention.self.query", "attention.self.key", "attention.self.value"],
                seen: "attention.output.dense",
                seen_norm: "attention.output.LayerNorm",
                wide: "intermediate.dense",
                narrow: "output.dense",
                norm: "output.LayerNorm",
            },
            Self::DistilBert => Names {
                before: "transformer.layer",
                looks: ["attention.q_lin", "attention.k_lin", "attention.v_lin"],
                seen: "attention.out_lin",
                seen_norm: "sa_layer_norm",
                wide: "ffn.lin1",
                narrow: "ffn.lin2",
                norm: "output_layer_norm",
            },
        }
    }
}
