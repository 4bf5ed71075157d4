//! Lists the files of the page for `include_bytes!`, and those of its libraries where `cargo xtask setup` has fetched them.

use std::{
    env, fs, io,
    path::{Path, PathBuf},
};

/// The libraries: name within the page, and file below `.tools/web`.
const LIBRARIES: [(&str, &str); 4] = [
    ("lib/uplot.js", "uplot.esm.js"),
    ("lib/uplot.css", "uplot.css"),
    ("lib/preact.js", "preact.mjs"),
    ("lib/uplot.iife.js", "uplot.iife.js"),
];

fn main() -> io::Result<()> {
    let here = PathBuf::from(env::var_os("CARGO_MANIFEST_DIR").ok_or(io::ErrorKind::NotFound)?);
    let page = here.join("page");
    println!("cargo:rerun-if-changed={}", page.display());
    let mut files = Vec::new();
    collect(&page, &page, &mut files)?;
    files.sort();
    let tools = here.join("../../.tools");
    let web = tools.join("web");
    // Watching a path that does not exist makes every build run this again, so the libraries' own folder is watched only if
    // it is there.
    let watched = if web.is_dir() { &web } else { &tools };
    println!("cargo:rerun-if-changed={}", watched.display());
    let libraries: Vec<(String, PathBuf)> =
        LIBRARIES.iter().map(|(name, file)| ((*name).to_owned(), web.join(file))).collect();
    let is_complete = libraries.iter().all(|(_, path)| path.is_file());
    if is_complete {
        files.extend(libraries);
    } else {
        println!(
            "cargo:warning=the dashboard's JavaScript libraries are missing, so this build has no dashboard; \
             `cargo xtask setup` fetches them"
        );
    }
    let entry = |(name, path): &(String, PathBuf)| {
        format!("    ({name:?}, include_bytes!({:?})),\n", path.display().to_string())
    };
    let list: String = files.iter().map(entry).collect();
    let out = PathBuf::from(env::var_os("OUT_DIR").ok_or(io::ErrorKind::NotFound)?);
    fs::write(
        out.join("files.rs"),
        format!("const IS_COMPLETE: bool = {is_complete};\nconst FILES: &[(&str, &[u8])] = &[\n{list}];\n"),
    )
}

fn collect(root: &Path, folder: &Path, files: &mut Vec<(String, PathBuf)>) -> io::Result<()> {
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        if path.is_dir() {
            collect(root, &path, files)?;
        } else if let Ok(name) = path.strip_prefix(root) {
            files.push((name.to_string_lossy().into_owned(), path.clone()));
        }
    }
    Ok(())
}
