//! What the layers confine.

use std::path::Path;

/// The foreign code that is about to be loaded.
#[derive(Debug, Clone, Copy)]
pub enum Foreign<'a> {
    /// A library for this machine, which reads what the dynamic linker and drivers read.
    Native {
        /// Where it may write.
        folder: &'a Path,
        /// Whether it may use a device besides the CPU.
        uses_accelerator: bool,
    },
    /// A component of WebAssembly. Its engine forbids it the same: what the layers stop is a component that found a fault of the engine.
    Component {
        /// Code that was compiled of it before, for the engine to read.
        compiled: Option<&'a Path>,
    },
}
