//! Why bytes are not a plugin, as sentences.

/// Why bytes are not a plugin.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum NotAPlugin {
    /// A good library or component, but not for dyno: other software's.
    #[error(
        "not a dyno plugin: it has no descriptor (in Rust `export_plugin!` writes it, in C `DYNO_DESCRIPTOR`; `dyno pack FILE.wasm \
         --descriptor descriptor.toml` puts one into a component)"
    )]
    Foreign,
    /// A library that the Rust compiler loads.
    #[error("not a dyno plugin but a procedural macro, which only the Rust compiler loads")]
    ForCompiler,
    /// A part of a component, as compilers make them.
    #[error("the file is a core WASM module, not a component; make it one (the Rust SDK's guide shows how)")]
    CoreModule,
    /// Broken, for another machine, or with a descriptor that is not one.
    #[error("{0}")]
    Broken(String),
}
