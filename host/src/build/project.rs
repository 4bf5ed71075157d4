//! A folder of sources: which tool chain it declares, and what that makes.

use std::{
    ffi::OsStr,
    fs, io,
    path::{Path, PathBuf},
};

use super::{
    cargo,
    compiler::{self, Language},
    component,
    declared::{self, Declared},
    error::BuildError,
    guest, output,
    wish::Wish,
};

/// The file in which a folder says how it is built, where that cannot be seen from its sources.
const DECLARATION: &str = "plugin.toml";
/// A folder of sources that can be built.
#[derive(Debug)]
pub struct Project {
    folder: PathBuf,
    toolchain: Toolchain,
}

/// What builds a folder.
#[derive(Debug)]
enum Toolchain {
    Declared(Declared),
    Cargo,
    Component(guest::Sources),
    Compiler(Language, Vec<PathBuf>),
}

impl Project {
    /// Looks at a folder: its `plugin.toml` has precedence over its `Cargo.toml`, that over a source beside a descriptor, and
    /// that over single sources.
    ///
    /// # Errors
    /// When there is no such folder, or it does not say how to build it.
    pub fn open(folder: &Path) -> Result<Self, BuildError> {
        let no_folder = |source| BuildError::NoFolder { folder: folder.to_owned(), source };
        let real = fs::canonicalize(folder).map_err(no_folder)?;
        if !real.is_dir() {
            return Err(no_folder(io::ErrorKind::NotADirectory.into()));
        }
        let declaration = real.join(DECLARATION);
        let toolchain = if declaration.is_file() {
            Toolchain::Declared(declared::read(&declaration)?)
        } else if real.join(cargo::MANIFEST).is_file() {
            Toolchain::Cargo
        } else if let Some(sources) = guest::sources(&real)? {
            Toolchain::Component(sources)
        } else {
            let (language, sources) = compiler::sources(&real).map_err(no_folder)?.ok_or_else(|| {
                guest::undescribed(&real).unwrap_or(BuildError::NoToolchain(folder.to_owned()))
            })?;
            Toolchain::Compiler(language, sources)
        };
        Ok(Self { folder: real, toolchain })
    }

    /// The folder, without links in its path.
    #[must_use]
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// What a plugin is called that says nothing else: like the folder.
    #[must_use]
    pub fn name(&self) -> String {
        let name = self.folder.file_name().unwrap_or(OsStr::new("plugin"));
        name.to_string_lossy().into_owned()
    }

    /// What builds it, in a word.
    #[must_use]
    pub fn builder(&self) -> &str {
        match &self.toolchain {
            Toolchain::Declared(declared) => declared.program(),
            Toolchain::Cargo => "cargo",
            Toolchain::Component(sources) => sources.guest.word(),
            Toolchain::Compiler(language, _) => language.word(),
        }
    }

    /// Whether a change of this file or folder, given without links in its path, may change the plugin. What building writes
    /// does not count, nor do hidden files and those that editors keep beside the one that is edited.
    #[must_use]
    pub fn is_source(&self, path: &Path) -> bool {
        let Ok(below) = path.strip_prefix(&self.folder) else { return false };
        let is_written = below.components().next().is_some_and(|first| {
            let first = first.as_os_str();
            [output::NAME, "target", "node_modules", "__pycache__", "dyno-results"]
                .iter()
                .any(|name| first == *name)
        });
        let is_aside = below.components().any(|part| part.as_os_str().as_encoded_bytes().starts_with(b"."))
            || below.as_os_str().as_encoded_bytes().ends_with(b"~");
        let is_made = match &self.toolchain {
            Toolchain::Declared(declared) => declared.makes(below),
            Toolchain::Cargo => below == Path::new("Cargo.lock"),
            Toolchain::Component(_) | Toolchain::Compiler(..) => false,
        };
        !(is_written || is_aside || is_made)
    }

    /// Builds it: the finished plugin files, native before WASM.
    ///
    /// # Errors
    /// When a tool is missing or fails, or what it made cannot be made a plugin file.
    pub fn build(&self, wish: &Wish<'_>) -> Result<Vec<PathBuf>, BuildError> {
        let output = self.folder.join(output::NAME);
        match &self.toolchain {
            Toolchain::Declared(declared) => {
                let made = declared.build(&self.folder, wish)?;
                let mut files = Vec::new();
                for file in made {
                    files.push(component::finished(file, &output, declared.descriptor.as_deref())?);
                }
                Ok(files)
            }
            Toolchain::Cargo => cargo::build(&self.folder, &output, wish),
            Toolchain::Component(sources) => Ok(vec![sources.build(&self.folder, &self.name(), wish)?]),
            Toolchain::Compiler(language, sources) => {
                output::make(&output)?;
                let file = output.join(format!("{}.{}", self.name(), std::env::consts::DLL_EXTENSION));
                compiler::build(*language, sources, &self.folder, &file, wish)?;
                Ok(vec![file])
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn opened(files: &[(&str, &str)]) -> (tempfile::TempDir, Result<Project, BuildError>) {
        let folder = tempfile::tempdir().unwrap();
        for (name, text) in files {
            fs::write(folder.path().join(name), text).unwrap();
        }
        let project = Project::open(folder.path());
        (folder, project)
    }

    #[test]
    fn a_folder_says_by_its_files_what_builds_it() {
        let builder = |files: &[_]| opened(files).1.unwrap().builder().to_owned();
        assert_eq!(builder(&[("Cargo.toml", "")]), "cargo");
        assert_eq!(builder(&[("a.c", ""), ("a.h", "")]), "cc");
        assert_eq!(builder(&[("a.cc", "")]), "c++");
        assert_eq!(builder(&[("a.c", ""), ("descriptor.toml", "")]), "clang");
        assert_eq!(builder(&[("a.mjs", ""), ("descriptor.json", "")]), "componentize-js");
        assert_eq!(builder(&[("app.py", ""), ("more.py", ""), ("descriptor.toml", "")]), "componentize-py");
        assert_eq!(builder(&[("a.cu", ""), ("b.cpp", "")]), "nvcc");
        let declaration = "[build]\ncommand = [\"make\"]\noutput = [\"a.so\"]\n";
        assert_eq!(builder(&[("plugin.toml", declaration), ("Cargo.toml", "")]), "make");
        let nothing = opened(&[("README.md", "")]).1.unwrap_err().to_string();
        assert!(nothing.contains("`plugin.toml`") && nothing.contains("dyno new"), "{nothing}");
        let said = |files: &[_]| opened(files).1.unwrap_err().to_string();
        let undescribed = said(&[("bench.js", "")]);
        assert!(
            undescribed.contains("no `descriptor.toml`") && undescribed.contains("--lang js"),
            "{undescribed}"
        );
        let several = said(&[("one.py", ""), ("two.py", ""), ("descriptor.toml", "")]);
        assert!(several.contains("has 2 files in Python: call the one that"), "{several}");
        // A script beside sources in C is none of the plugin.
        assert_eq!(builder(&[("a.c", ""), ("generate.py", "")]), "cc");
        let mixed = [("a.c", ""), ("generate.py", ""), ("descriptor.toml", "")];
        assert!(said(&mixed).contains("several languages"));
        let absent = Project::open(Path::new("/nowhere/at/all")).unwrap_err().to_string();
        assert!(absent.contains("/nowhere/at/all"), "{absent}");
    }

    #[test]
    fn what_building_writes_is_no_source() {
        let declaration = "[build]\ncommand = [\"make\"]\noutput = [\"out/a.so\"]\n";
        let (_folder, project) = opened(&[("plugin.toml", declaration)]);
        let project = project.unwrap();
        let is_source = |name: &str| project.is_source(&project.folder().join(name));
        assert!(is_source("a.c") && is_source("src/deep/target.rs") && is_source("plugin.toml"));
        for written in
            ["build/a.so", "target/release/x", "dyno-results/y", "out/a.so", "out/a.o", ".git/index", "a.c~"]
        {
            assert!(!is_source(written), "{written}");
        }
        assert!(!project.is_source(Path::new("/elsewhere/a.c")));
    }
}
