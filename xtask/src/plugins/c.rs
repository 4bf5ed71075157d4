//! Plugins in C and C++: a folder without a manifest whose sources make one library.

use std::{
    ffi::{OsStr, OsString},
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use sha2::{Digest, Sha256};

use super::places::{FOLDERS, native_ending};
use crate::{
    failure::{Failure, Outcome},
    process::{self, say},
    project::{self, Project, make_folder, place},
    setup::Compilers,
};

/// Folders that such plugins include from.
const INCLUDES: [&str; 2] = ["plugin-api/include", "sdk/c"];

/// Builds every such plugin that is not up to date. Returns the names of their files.
pub(crate) fn build(project: &Project, compilers: &Compilers) -> Outcome<Vec<String>> {
    let mut names = Vec::new();
    for parent in FOLDERS {
        for folder in entries(&project.root.join(parent))? {
            // Sources beside a descriptor become a component: `dyno build` builds those, in the tests of authors.
            let is_other = ["Cargo.toml", "descriptor.toml"].iter().any(|name| folder.join(name).is_file());
            if !folder.is_dir() || is_other {
                continue;
            }
            let files = entries(&folder)?;
            let in_c = with_extension(&files, "c");
            let in_cpp = with_extension(&files, "cpp");
            let (compiler, standard, sources) = match (in_c.is_empty(), in_cpp.is_empty()) {
                (true, true) => continue,
                (false, true) => (&compilers.c, "-std=c11", in_c),
                _ => (&compilers.cpp, "-std=c++17", in_cpp),
            };
            let name =
                format!("{}.{}", folder.file_name().unwrap_or_default().to_string_lossy(), native_ending());
            let Some(compiler) = compiler else {
                println!("    {name} is left out: there is no compiler for it");
                continue;
            };
            let mut inputs = files.clone();
            for include in INCLUDES {
                inputs.extend(entries(&project.root.join(include))?);
            }
            let plan = Plan { compiler, standard, sources: &sources, inputs: &inputs };
            plan.build(project, &name)?;
            names.push(name);
        }
    }
    Ok(names)
}

/// How one plugin is built.
struct Plan<'a> {
    compiler: &'a OsStr,
    standard: &'a str,
    /// What is compiled.
    sources: &'a [PathBuf],
    /// What the result depends on: sources, and every file that they may include.
    inputs: &'a [PathBuf],
}

impl Plan<'_> {
    /// Compiles, unless the result of the very same inputs is there.
    fn build(&self, project: &Project, name: &str) -> Outcome<()> {
        let target = project.plugins().join(name);
        let stamp = project.metadata.target.join("xtask").join(format!("{name}.inputs"));
        let digest = self.digest()?;
        if target.is_file() && fs::read_to_string(&stamp).is_ok_and(|last| last == digest) {
            return Ok(());
        }
        say(&format!("building {name} from {} source(s)", self.sources.len()));
        let mut partial = OsString::from(&target);
        partial.push(".partial");
        let mut command = Command::new(self.compiler);
        command
            .args([self.standard, "-O2", "-fPIC", "-shared", "-Wall", "-Wextra"])
            .current_dir(&project.root);
        for folder in INCLUDES {
            command.args(["-I", folder]);
        }
        process::run(command.arg("-o").arg(&partial).args(self.sources))?;
        fs::rename(&partial, &target).map_err(|error| Failure::file("write", &target, &error))?;
        make_folder(stamp.parent().unwrap_or(&project.metadata.target))?;
        place(&stamp, digest.as_bytes()).map(|_| ())
    }

    /// Times of files say nothing where several checkouts share a target folder: contents do.
    fn digest(&self) -> Outcome<String> {
        let mut hasher = Sha256::new();
        hasher.update(self.compiler.as_encoded_bytes());
        for file in self.inputs.iter().filter(|file| file.is_file()) {
            let bytes = project::read(file)?;
            hasher.update(file.as_os_str().as_encoded_bytes());
            hasher.update((bytes.len() as u64).to_le_bytes());
            hasher.update(&bytes);
        }
        Ok(project::hex(&hasher.finalize()))
    }
}

/// The entries of a folder, sorted; none where there is no such folder.
fn entries(folder: &Path) -> Outcome<Vec<PathBuf>> {
    if !folder.is_dir() {
        return Ok(Vec::new());
    }
    let refused = |error| Failure::file("read the folder", folder, &error);
    let mut paths = Vec::new();
    for entry in fs::read_dir(folder).map_err(refused)? {
        paths.push(entry.map_err(refused)?.path());
    }
    paths.sort();
    Ok(paths)
}

fn with_extension(files: &[PathBuf], extension: &str) -> Vec<PathBuf> {
    files.iter().filter(|file| file.extension().is_some_and(|found| found == extension)).cloned().collect()
}
