//! Lists the files of the page for `include_bytes!`, and those of its libraries where `cargo xtask setup` has fetched them.

use std::{
    env, fs, io,
    path::{Path, PathBuf},
};

/// The libraries: name within the page, and file below `.tools/web`.
const LIBRARIES: [(&str, &str); 6] = [
    ("lib/uplot.js", "uplot.esm.js"),
    ("lib/uplot.css", "uplot.css"),
    ("lib/preact.js", "preact.mjs"),
    ("lib/hooks.js", "preact-hooks.mjs"),
    ("lib/htm.js", "htm.mjs"),
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
    let out = PathBuf::from(env::var_os("OUT_DIR").ok_or(io::ErrorKind::NotFound)?);
    if is_complete {
        for (name, path) in libraries {
            let path = if name.ends_with(".js") { for_browsers(&name, &path, &out)? } else { path };
            files.push((name, path));
        }
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
    fs::write(
        out.join("files.rs"),
        format!("const IS_COMPLETE: bool = {is_complete};\nconst FILES: &[(&str, &[u8])] = &[\n{list}];\n"),
    )
}

/// A library as a browser can load it: what it imports by the name of its package is a file beside it, and its source map, which
/// is not here, is not mentioned.
fn for_browsers(name: &str, path: &Path, out: &Path) -> io::Result<PathBuf> {
    let text = fs::read_to_string(path)?.replace("from\"preact\"", "from\"./preact.js\"");
    let kept = text.lines().filter(|line| !line.starts_with("//# sourceMappingURL="));
    let place = out.join(name.replace('/', "-"));
    fs::write(&place, kept.flat_map(|line| [line, "\n"]).collect::<String>())?;
    Ok(place)
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
