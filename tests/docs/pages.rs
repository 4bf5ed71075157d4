//! The pages of the documentation, taken apart: fenced blocks, links, flags.

use std::{
    collections::BTreeSet,
    fs,
    path::{Path, PathBuf},
};

/// The root of the checkout whose tests Cargo runs. Another one may have compiled them, where several share a target folder.
fn root() -> PathBuf {
    let package = std::env::var_os("CARGO_MANIFEST_DIR").expect("Cargo sets it for the tests that it runs");
    Path::new(&package).join("..")
}

/// A file of the repository.
#[track_caller]
pub(crate) fn read(name: &str) -> String {
    fs::read_to_string(root().join(name)).unwrap_or_else(|error| panic!("{name}: {error}"))
}

/// Every page: those at the root, and those in `docs/` and `docs/plugins/`.
pub(crate) fn all() -> Vec<String> {
    let mut names = Vec::new();
    for folder in ["", "docs/", "docs/plugins/"] {
        for file in fs::read_dir(root().join(folder)).expect("the repository can be read").flatten() {
            let name = file.file_name().to_string_lossy().into_owned();
            if name.ends_with(".md") {
                names.push(format!("{folder}{name}"));
            }
        }
    }
    names.sort();
    names
}

/// The tasks of `cargo xtask`, by its usage text.
pub(crate) fn tasks() -> BTreeSet<String> {
    let source = read("xtask/src/main.rs");
    let usage = source.split_once("usage: cargo xtask").map_or("", |(_, rest)| rest);
    usage
        .lines()
        .take_while(|line| !line.ends_with("\";"))
        .filter_map(|line| line.strip_prefix("  ")?.split_whitespace().next().map(str::to_owned))
        .collect()
}

/// Whether a link of a page leads to a file of the repository, or out of it.
pub(crate) fn target_exists(page: &str, target: &str) -> bool {
    if target.contains("://") || target.starts_with("mailto:") {
        return true;
    }
    let (file, heading) = target.split_once('#').unwrap_or((target, ""));
    let place = root().join(page);
    let path = if file.is_empty() { place } else { place.with_file_name("").join(file) };
    let Ok(text) = fs::read_to_string(&path) else {
        // A folder, or a file that is not text.
        return path.exists() && heading.is_empty();
    };
    heading.is_empty()
        || text.contains(&format!("<a id=\"{heading}\">"))
        || text.lines().filter_map(|line| line.strip_prefix('#')).any(|line| anchor(line) == heading)
}

/// The name that a heading can be linked by.
fn anchor(heading: &str) -> String {
    let text = heading.trim_start_matches('#').trim().to_lowercase();
    text.chars().filter(|c| c.is_alphanumeric() || " -_".contains(*c)).collect::<String>().replace(' ', "-")
}

/// The long flags in a text.
pub(crate) fn flags_in(text: &str) -> BTreeSet<String> {
    text.split(|c: char| !(c.is_ascii_alphanumeric() || c == '-'))
        .filter(|word| word.starts_with("--") && word[2..].starts_with(|c: char| c.is_ascii_lowercase()))
        .map(str::to_owned)
        .collect()
}

/// One page.
pub(crate) struct Page {
    pub(crate) name: String,
    pub(crate) blocks: Vec<Block>,
    /// Everything outside of blocks, with line numbers from 1.
    prose: Vec<(usize, String)>,
}

/// One fenced block.
pub(crate) struct Block {
    /// Where it begins, from 1.
    pub(crate) line: usize,
    /// The words behind the fence.
    info: Vec<String>,
    pub(crate) text: String,
}

impl Page {
    pub(crate) fn read(name: &str) -> Self {
        let mut page = Self { name: name.to_owned(), blocks: Vec::new(), prose: Vec::new() };
        let mut open: Option<Block> = None;
        for (number, line) in (1..).zip(read(name).lines()) {
            match (line.strip_prefix("```"), open.take()) {
                (Some(info), None) => {
                    let info = info.split_whitespace().map(str::to_owned).collect();
                    open = Some(Block { line: number, info, text: String::new() });
                }
                (Some(_), Some(block)) => page.blocks.push(block),
                (None, Some(mut block)) => {
                    block.text.push_str(line);
                    block.text.push('\n');
                    open = Some(block);
                }
                (None, None) => page.prose.push((number, line.to_owned())),
            }
        }
        assert!(open.is_none(), "{name}: the last block is not closed");
        page
    }

    /// Targets of links, with their lines.
    pub(crate) fn links(&self) -> Vec<(usize, String)> {
        self.prose
            .iter()
            .flat_map(|(number, line)| {
                line.split("](")
                    .skip(1)
                    .filter_map(|rest| Some((*number, rest.split_once(')')?.0.to_owned())))
            })
            .collect()
    }
}

impl Block {
    pub(crate) fn language(&self) -> &str {
        self.info.first().map_or("", String::as_str)
    }

    pub(crate) fn has(&self, word: &str) -> bool {
        self.info.iter().any(|other| other == word)
    }

    /// `NAME=VALUE` behind the fence.
    pub(crate) fn attribute(&self, name: &str) -> Option<&str> {
        self.info.iter().find_map(|word| word.strip_prefix(name)?.strip_prefix('='))
    }

    /// Each command with the lines that are shown after it.
    pub(crate) fn commands(&self) -> Vec<(String, Vec<String>)> {
        let mut out: Vec<(String, Vec<String>)> = Vec::new();
        let mut continued = false;
        for line in self.text.lines() {
            if let Some(command) = line.strip_prefix("$ ") {
                out.push((command.to_owned(), Vec::new()));
            } else if let Some((command, shown)) = out.last_mut() {
                if continued {
                    command.push_str(line);
                } else {
                    shown.push(line.to_owned());
                }
            }
            continued = false;
            if let Some((command, shown)) = out.last_mut()
                && shown.is_empty()
                && command.ends_with('\\')
            {
                command.pop();
                continued = true;
            }
        }
        out
    }
}
