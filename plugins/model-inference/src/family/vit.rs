//! The vision transformer: Dosovitskiy et al. 2020, <https://arxiv.org/abs/2010.11929>; DeiT, trained otherwise and built alike:
//! Touvron et al. 2020, <https://arxiv.org/abs/2012.12877>.

use super::Encoder;
use crate::network::{Activation, Input, Network, Value};

/// A member of the family, which sorts images into a thousand classes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Vit {
    pub(crate) encoder: Encoder,
}

impl Vit {
    /// Side of a patch [pixels].
    pub(crate) const PATCH: usize = 16;
    const CLASSES: usize = 1_000;

    /// The network for images of `size` × `size` pixels, a multiple of [`Self::PATCH`].
    pub(crate) fn network(self, size: usize) -> Network {
        let hidden = self.encoder.hidden;
        let mut net = Network::new(Input::Image { size, patch: Self::PATCH });
        let x = net.patches("embeddings.patch_embeddings.projection", hidden);
        let x = net.prepend(x, "embeddings.cls_token");
        let rows = net.shape(x).rows;
        let mut x = net.add_rows(x, "embeddings.position_embeddings", &[1, rows, hidden]);
        for layer in 0..self.encoder.layers {
            x = self.layer(&mut net, x, layer);
        }
        // Only the row of the class is looked at, and each row is normalised by itself.
        let x = net.first(x);
        let x = net.normalise(x, "layernorm");
        net.linear(x, "classifier", Self::CLASSES, Activation::Identity);
        net
    }

    fn layer(self, net: &mut Network, x: Value, number: usize) -> Value {
        let Encoder { hidden, heads, inner, .. } = self.encoder;
        let name = |part: &str| format!("encoder.layer.{number}.{part}");
        let before = net.normalise(x, &name("layernorm_before"));
        let looked = ["query", "key", "value"].map(|part| {
            net.linear(before, &name(&format!("attention.attention.{part}")), hidden, Activation::Identity)
        });
        let seen = net.attend(looked, heads);
        let seen = net.linear(seen, &name("attention.output.dense"), hidden, Activation::Identity);
        let x = net.add(seen, x);
        let after = net.normalise(x, &name("layernorm_after"));
        let wide = net.linear(after, &name("intermediate.dense"), inner, Activation::Gelu);
        let narrow = net.linear(wide, &name("output.dense"), hidden, Activation::Identity);
        net.add(narrow, x)
    }
}
