//! Weights from a seed, which any language can make again.

use std::sync::Arc;

use rayon::prelude::*;

use super::stored::{Bytes, Place, Weights};
use crate::{
    network::{Network, Tensor},
    stream::Stream,
};

/// Half the width of their distribution: a standard deviation of 0.02, as BERT and ViT begin their training.
const SCALE: f32 = 0.035;

/// Numbers that one task makes.
const CHUNK: usize = 1 << 16;

/// All weights of a network.
pub(super) fn make(network: &Network, seed: u64) -> Weights {
    let mut places = Vec::with_capacity(network.tensors.len());
    let mut end = 0;
    for tensor in &network.tensors {
        let bytes = tensor.elements() * size_of::<f32>();
        places.push(Place { offset: end, bytes });
        end += bytes;
    }
    let mut bytes: Arc<[u8]> = std::iter::repeat_n(0, end).collect();
    if let Some(mut rest) = Arc::get_mut(&mut bytes) {
        for (tensor, place) in network.tensors.iter().zip(&places) {
            let (own, after) = rest.split_at_mut(place.bytes);
            fill(tensor, seed, own);
            rest = after;
        }
    }
    Weights { bytes: Bytes::Memory(bytes), places }
}

fn fill(tensor: &Tensor, seed: u64, bytes: &mut [u8]) {
    let stream = Stream::new(seed, &tensor.name);
    // The scales of normalisations are around 1.
    let centre = if tensor.shape.len() == 1 && tensor.name.ends_with(".weight") { 1.0 } else { 0.0 };
    bytes.par_chunks_mut(CHUNK * size_of::<f32>()).enumerate().for_each(|(chunk, bytes)| {
        let (numbers, _) = bytes.as_chunks_mut::<4>();
        for (i, number) in numbers.iter_mut().enumerate() {
            let value = SCALE * stream.signed((chunk * CHUNK + i) as u64) + centre;
            *number = value.to_ne_bytes();
        }
    });
}
