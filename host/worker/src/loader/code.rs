//! Compiled code of components: read from the cache, or made now for the host to keep there.
#![allow(unsafe_code, reason = "a loader: compiled code from the cache is mapped and run")]

use std::{
    fs::{self, File, Metadata},
    hash::{DefaultHasher, Hash, Hasher},
    io::{self, Write},
    os::unix::fs::MetadataExt,
    path::{Path, PathBuf},
};

use dyno_core::protocol::{COMPILED_FILE, CompiledCode, Load, compiled_name};
use wasmtime::{Engine, component::Component};

use super::{bytes::Verified, engine};
use crate::instance::Failure;

/// Where the compiled code of a component comes from, decided while the worker may still look.
pub(super) struct Code {
    /// The compatibility hash of the engine.
    compatibility: u64,
    place: Place,
}

enum Place {
    /// A file of the cache.
    Kept(PathBuf),
    /// It is compiled in this launch, and written to this file.
    New(io::Result<File>),
    /// It is compiled in this launch, and not kept: others can write to the cache.
    Nowhere,
}

/// A component, and what came of compiling it.
pub(super) struct Compiled {
    pub(super) component: Component,
    /// What the host should know.
    pub(super) code: Option<CompiledCode>,
    /// A sentence about code that is not kept.
    pub(super) missing: Option<String>,
}

impl Code {
    pub(super) fn find(engine: &Engine, load: &Load) -> Self {
        let mut hasher = DefaultHasher::new();
        engine.precompile_compatibility_hash().hash(&mut hasher);
        let compatibility = hasher.finish();
        let kept = load.code_cache.join(compiled_name(&load.sha256, compatibility));
        let place = if !fs::metadata(&load.code_cache).is_ok_and(|about| about.is_dir() && is_ours(&about)) {
            Place::Nowhere
        } else if fs::symlink_metadata(&kept).is_ok_and(|about| about.is_file() && is_ours(&about)) {
            Place::Kept(kept)
        } else {
            // In the folder of the launch, where the worker runs.
            Place::New(File::options().write(true).create_new(true).open(COMPILED_FILE))
        };
        Self { compatibility, place }
    }

    /// The file of the cache to read.
    pub(super) fn kept(&self) -> Option<&Path> {
        match &self.place {
            Place::Kept(file) => Some(file),
            Place::New(_) | Place::Nowhere => None,
        }
    }

    /// Loads what is kept, or compiles the component.
    pub(super) fn load(self, engine: &Engine, verified: &Verified) -> Result<Compiled, Failure> {
        let Self { compatibility, place } = self;
        if let Place::Kept(path) = &place {
            // SAFETY: the file and its folder belong to this user, and nobody else can write to them. The host puts only code
            // there that this engine made from the same verified bytes, complete before it gets its name.
            if let Ok(component) = unsafe { Component::deserialize_file(engine, path) } {
                return Ok(Compiled { component, code: None, missing: None });
            }
        }
        let code = engine
            .precompile_component(&verified.bytes()?)
            .map_err(|error| format!("the component is not valid: {}", engine::words(&error)))?;
        // What cannot be kept costs time, not results.
        let (said, missing) = match place {
            Place::Nowhere => (None, None),
            Place::Kept(path) => {
                let path = path.display();
                let missing =
                    format!("the compiled code in `{path}` is damaged; the next launch compiles it again");
                (Some(CompiledCode::Damaged(compatibility)), Some(missing))
            }
            Place::New(file) => match file.and_then(|mut file| file.write_all(&code)) {
                Ok(()) => (Some(CompiledCode::New(compatibility)), None),
                Err(error) => (
                    None,
                    Some(format!(
                        "compiled code could not be written to the folder of the launch ({error}), so that every launch \
                         compiles the component again"
                    )),
                ),
            },
        };
        // SAFETY: the bytes were made by this engine a few lines above.
        let component = unsafe { Component::deserialize(engine, &code) }
            .map_err(|error| format!("compiled code does not load: {error}"))?;
        Ok(Compiled { component, code: said, missing })
    }
}

/// Whether no other user could have written there.
fn is_ours(about: &Metadata) -> bool {
    about.uid() == nix::unistd::geteuid().as_raw() && about.mode() & 0o022 == 0
}
