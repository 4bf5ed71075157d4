//! Inside the plugin: memory of the host that the device reaches by itself, because its pages stay where they are.

use cudarc::driver::PinnedHostSlice;
use dyno_sdk::prelude::*;

use super::{Buffer, Gpu, error::driver};
use crate::input::size;

#[derive(Debug)]
pub(crate) struct Pinned(PinnedHostSlice<u8>);

impl Pinned {
    /// Pinned memory with these contents.
    pub(crate) fn new(gpu: &Gpu, contents: &[u8]) -> Result<Self, Failure> {
        let asked = || size(contents.len());
        // No flags: not write-combined, which would make reading it on the CPU very slow.
        // SAFETY: it is written below, before anybody reads it.
        let made = unsafe { gpu.context().alloc_pinned_with_flags::<u8>(contents.len(), 0) };
        let mut made = Self(made.map_err(driver("cuMemHostAlloc", asked))?);
        made.bytes_mut()?.copy_from_slice(contents);
        Ok(made)
    }

    /// What is in it. The stream must have been waited for.
    pub(crate) fn bytes(&self) -> Result<&[u8], Failure> {
        self.0.as_slice().map_err(driver("cuEventSynchronize", String::new))
    }

    /// The same, to be written.
    pub(crate) fn bytes_mut(&mut self) -> Result<&mut [u8], Failure> {
        self.0.as_mut_slice().map_err(driver("cuEventSynchronize", String::new))
    }

    /// Puts a copy to the device into the stream.
    pub(crate) fn write(&self, gpu: &Gpu, to: &mut Buffer<u8>) -> Result<(), Failure> {
        gpu.write(self.bytes()?, to)
    }

    /// Puts a copy from the device into the stream.
    pub(crate) fn read(&mut self, gpu: &Gpu, from: &Buffer<u8>) -> Result<(), Failure> {
        gpu.read(from, self.bytes_mut()?)
    }
}
