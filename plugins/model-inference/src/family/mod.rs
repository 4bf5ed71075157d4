//! Families of models: one file for each, which says how its members are built from their published configurations.

mod bert;
mod vit;

pub(crate) use self::{
    bert::{Bert, Head, Naming},
    vit::Vit,
};

/// Sizes of a transformer encoder.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Encoder {
    pub(crate) layers: usize,
    /// Numbers per token.
    pub(crate) hidden: usize,
    pub(crate) heads: usize,
    /// Numbers per token inside the feed-forward network.
    pub(crate) inner: usize,
}
