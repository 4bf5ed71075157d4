//! The numbers of all weights, in memory or in a file.

use std::{borrow::Cow, path::Path, sync::Arc};

use super::mapped::Mapped;

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
    pub(super) bytes: Bytes,
    /// For each tensor of the network.
    pub(super) places: Vec<Place>,
}

/// Where the bytes are.
#[derive(Debug, Clone)]
pub(super) enum Bytes {
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
