//! The tool chains of components in JavaScript, Python and C, and of CUDA, as their registries have them: tests build the
//! examples with them. The product never uses these copies.

use std::{
    env, fs,
    path::{Path, PathBuf},
    process::Command,
};

use super::debian;
use crate::{
    failure::{Failure, Outcome},
    process::{self, say},
    project::{Project, make_folder, place, tool_cache},
};

/// NVIDIA's compiler, which needs no GPU, with what it includes and calls.
const NVCC: [&str; 4] = ["nvidia-cuda-nvcc", "nvidia-cuda-runtime", "nvidia-cuda-crt", "nvidia-nvvm"];
const NVCC_VERSION: &str = "13.5.37";

/// The folder with `node_modules` and `.venv`, each as far as it can be had. What cannot is said; tests that need it skip.
pub(super) fn find_or_obtain(project: &Project) -> PathBuf {
    // Hundreds of megabytes, which every checkout shares.
    let folder = tool_cache().unwrap_or_else(|| project.root.join(".tools")).join("guests");
    let examples = project.root.join("examples");
    for (name, outcome) in [
        ("JavaScript", javascript(&folder, &examples.join("hello-js/package.json"))),
        ("Python", python(&folder, "python", &[], Some(&examples.join("hello-python/requirements.txt")))),
        ("CUDA", cuda(&folder)),
    ] {
        if let Err(failure) = outcome {
            println!("{failure}");
            println!("    the example in {name} is not built by tests, and they say so");
        }
    }
    if !has_clang_for_wasm() && debian::can_install() {
        say("C for WASM: installing Debian's (clang, lld, wasi-libc)");
        debian::install(&["clang", "lld", "wasi-libc", "libclang-rt-dev-wasm32"]);
    }
    folder
}

fn javascript(folder: &Path, manifest: &Path) -> Outcome<()> {
    let wanted = text(manifest)?;
    let marker = folder.join("JAVASCRIPT");
    if fs::read_to_string(&marker).is_ok_and(|found| found == wanted) {
        return Ok(());
    }
    say("JavaScript: installing componentize-js from npm (about 100 MB, only for tests)");
    make_folder(folder)?;
    place(&folder.join("package.json"), wanted.as_bytes())?;
    let mut npm = Command::new("npm");
    npm.args(["install", "--silent", "--no-audit", "--no-fund", "--no-package-lock"]).current_dir(folder);
    process::run(&mut npm)
        .map_err(|failure| failure.next("it needs npm, and its registry or a mirror of it"))?;
    place(&marker, wanted.as_bytes()).map(|_| ())
}

/// An environment of Python with some packages, each named with its version.
fn python(folder: &Path, name: &str, packages: &[String], listed: Option<&Path>) -> Outcome<()> {
    let listed = listed.map(text).transpose()?.unwrap_or_default();
    let wanted = format!("{}\n{listed}", packages.join("\n"));
    let environment = folder.join(name);
    let marker = environment.join("WANTED");
    if fs::read_to_string(&marker).is_ok_and(|found| found == wanted) {
        return Ok(());
    }
    say(&format!(
        "{name}: installing from PyPI by pip (up to 130 MB, only for tests): {}",
        wanted.split_whitespace().collect::<Vec<_>>().join(", ")
    ));
    make_folder(folder)?;
    process::run(Command::new("python3").args(["-m", "venv", "--clear"]).arg(&environment))
        .map_err(|failure| failure.next("it needs python3 with venv (Debian: python3-venv)"))?;
    let mut pip = Command::new(environment.join("bin/pip"));
    pip.args(["install", "--quiet", "--disable-pip-version-check", "--only-binary", ":all:"]);
    pip.args(wanted.split_whitespace());
    process::run(&mut pip).map_err(|failure| failure.next("it needs PyPI or a mirror of it"))?;
    place(&marker, wanted.as_bytes()).map(|_| ())
}

fn cuda(folder: &Path) -> Outcome<()> {
    if (env::consts::OS, env::consts::ARCH) != ("linux", "x86_64") {
        return Err(Failure::new("nobody has tried NVIDIA's compiler from PyPI on this system"));
    }
    python(folder, "cuda", &NVCC.map(|package| format!("{package}=={NVCC_VERSION}")), None)
}

fn has_clang_for_wasm() -> bool {
    let is_there = |path: &str| Path::new(path).exists();
    env::var_os("WASI_SDK_PATH").is_some()
        || (process::succeeds(Command::new("clang").arg("--version"))
            && is_there("/usr/lib/wasm32-wasi/libc.a"))
}

fn text(file: &Path) -> Outcome<String> {
    fs::read_to_string(file).map_err(|error| Failure::file("read", file, &error))
}
