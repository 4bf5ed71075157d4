//! What must be there before anything is built, checked and, where it is missing, obtained.

mod archive;
mod chromium;
mod compilers;
mod debian;
mod duckdb;
mod guests;
mod npm;
mod nvrtc;
mod onnxruntime;
mod pypi;
mod vulkan;
mod wasm;
mod web;

pub(crate) use self::{
    compilers::Compilers,
    duckdb::DuckDb,
    wasm::{TARGET as WASM_TARGET, Toolchain, folder as wasm_folder},
};

use std::path::PathBuf;

use crate::{failure::Outcome, options::Options, process::say, project::Project};

/// What plugins are built with, and what they open.
#[derive(Debug)]
pub(crate) struct Tools {
    /// What builds WASM components, where anything does.
    pub(crate) wasm: Option<Toolchain>,
    /// What builds C and C++ plugins.
    pub(crate) compilers: Compilers,
    /// Where ONNX Runtime is, if it can be had.
    pub(crate) onnxruntime: Option<PathBuf>,
}

/// `cargo xtask setup`.
pub(crate) fn run(options: &Options) -> Outcome<()> {
    let project = Project::open()?;
    let duckdb = duckdb(&project, options)?;
    let shown =
        |found: Option<PathBuf>| found.map_or_else(|| "none".to_owned(), |path| path.display().to_string());
    let web = web::find_or_obtain(&project);
    let tools = tools(&project);
    println!("  DuckDB  {duckdb}");
    println!("  Web     {}", shown(web));
    println!("  WASM    {}", tools.wasm.map_or_else(|| "none".to_owned(), |toolchain| toolchain.to_string()));
    println!("  C, C++  {}", tools.compilers);
    println!("  ONNX Runtime  {}", shown(tools.onnxruntime));
    println!("  Vulkan  {}", vulkan());
    println!("  NVRTC   {}", shown(nvrtc(&project)));
    println!("  MiniLM  {}", shown(minilm(&project)));
    openvino();
    println!("  Chromium  {}", shown(chromium()));
    println!("  axe     {}", shown(axe(&project)));
    println!("  JavaScript, Python, CUDA for tests  {}", guests(&project).display());
    say("everything that can be had is there; next: `cargo xtask demo`");
    Ok(())
}

/// Checks and obtains what the host is built from: the database library, without which there is no host, and what its
/// dashboard embeds, without which there is no dashboard.
pub(crate) fn host(project: &Project, options: &Options) -> Outcome<DuckDb> {
    let duckdb = duckdb(project, options)?;
    web::find_or_obtain(project);
    Ok(duckdb)
}

fn duckdb(project: &Project, options: &Options) -> Outcome<DuckDb> {
    if options.bundled { Ok(DuckDb::Bundled) } else { duckdb::find_or_obtain(project) }
}

/// Checks and obtains what WebGPU benchmarks run on. Without it, they and their tests are skipped.
pub(crate) fn vulkan() -> vulkan::Vulkan {
    vulkan::find_or_obtain()
}

/// Checks and obtains the compiler of device code, which only tests use. Without it, they skip what needs it.
pub(crate) fn nvrtc(project: &Project) -> Option<PathBuf> {
    nvrtc::find_or_obtain(project)
}

/// Checks and obtains a small model with real weights, which only tests use. Without it, they skip what needs it.
pub(crate) fn minilm(project: &Project) -> Option<PathBuf> {
    onnxruntime::weights(project)
}

/// Checks and obtains OpenVINO for ONNX Runtime, which only tests use. Without it, they skip what needs it.
pub(crate) fn openvino() {
    onnxruntime::openvino();
}

/// Checks and obtains the browser that only tests of the dashboard use. Without it, they are skipped.
pub(crate) fn chromium() -> Option<PathBuf> {
    chromium::find_or_obtain()
}

/// Checks and obtains the accessibility checks that only tests of the dashboard use. Without them, these are skipped.
pub(crate) fn axe(project: &Project) -> Option<PathBuf> {
    web::axe(project)
}

/// Obtains the tool chains of other languages, which only tests use. Without some of them, they skip what needs those.
pub(crate) fn guests(project: &Project) -> PathBuf {
    guests::find_or_obtain(project)
}

/// Checks and obtains what plugins are built with, and what they open. Without some of it, there are fewer plugins, or they skip
/// some cases.
pub(crate) fn tools(project: &Project) -> Tools {
    Tools {
        wasm: wasm::find_or_obtain(project),
        compilers: Compilers::find_or_obtain(),
        onnxruntime: onnxruntime::find_or_obtain(),
    }
}
