//! No circle between files: what two files need of one another is an idea of its own, and has a file of its own.
//!
//! Each name that a file uses is followed to the file that defines it, through every `mod.rs` that passes it on. To
//! declare a module or to pass on its names is not to use it.

use std::collections::{BTreeMap, BTreeSet};

use super::source::{Named, Source, Violation};

/// How many times a name is passed on at most.
const HOPS: usize = 8;

/// Modules of one crate, by their path from its root: `store::read`.
struct Crate<'a> {
    modules: BTreeMap<String, Module<'a>>,
}

struct Module<'a> {
    source: &'a Source,
    paths: Vec<Named>,
}

/// Which modules each module uses, and on which line first.
type Uses = BTreeMap<String, BTreeMap<String, usize>>;

/// The crate of a file, and its module: `host/`, `store::read`.
fn place(source: &Source) -> Option<(&str, String)> {
    let (root, inside) = source.path.split_once("src/")?;
    let inside = inside.strip_suffix(".rs")?;
    let (folder, name) = inside.rsplit_once('/').unwrap_or(("", inside));
    let module = if matches!(name, "mod" | "lib" | "main") { folder } else { inside };
    Some((root, module.replace('/', "::")))
}

impl Crate<'_> {
    /// The module that a path leads to which stands in the module `at`; `None` if it leads out of the crate.
    fn target(&self, at: &str, path: &[String], hops: usize) -> Option<String> {
        let first = path.first()?;
        let climbs = path.iter().take_while(|part| *part == "super").count();
        let (mut here, mut rest) = match first.as_str() {
            "crate" => (String::new(), &path[1..]),
            "self" => (at.to_owned(), &path[1..]),
            "super" => (above(at, climbs), &path[climbs..]),
            _ if self.child(at, first).is_some() => (at.to_owned(), path),
            _ => return self.imported(at, path, hops),
        };
        while let Some(part) = rest.first() {
            let Some(child) = self.child(&here, part) else {
                return self.imported(&here, rest, hops).or(Some(here));
            };
            (here, rest) = (child, &rest[1..]);
        }
        Some(here)
    }

    fn child(&self, of: &str, name: &str) -> Option<String> {
        let path = if of.is_empty() { name.to_owned() } else { format!("{of}::{name}") };
        self.modules.contains_key(&path).then_some(path)
    }

    /// Where a path leads whose first name the module `at` has from elsewhere.
    fn imported(&self, at: &str, path: &[String], hops: usize) -> Option<String> {
        let import =
            self.modules.get(at)?.paths.iter().find(|import| import.brings.as_ref() == path.first())?;
        let whole: Vec<String> = import.parts.iter().chain(&path[1..]).cloned().collect();
        self.target(at, &whole, hops.checked_sub(1)?)
    }

    fn uses(&self) -> Uses {
        let of = |(at, module): (&String, &Module<'_>)| {
            let mut used = BTreeMap::new();
            for path in module.paths.iter().filter(|path| !path.is_passed_on) {
                if let Some(target) = self.target(at, &path.parts, HOPS).filter(|target| target != at) {
                    used.entry(target).or_insert(path.line);
                }
            }
            (at.clone(), used)
        };
        self.modules.iter().map(of).collect()
    }
}

/// Every use that is part of a circle between files of one crate.
pub(crate) fn circles(sources: &[Source]) -> Vec<Violation> {
    let mut crates: BTreeMap<&str, Crate<'_>> = BTreeMap::new();
    for source in sources.iter().filter(|source| !source.is_test()) {
        let Some((root, module)) = place(source) else { continue };
        let of = crates.entry(root).or_insert_with(|| Crate { modules: BTreeMap::new() });
        // Of a library and a program in one folder, the library has the modules.
        if !source.path.ends_with("/main.rs") || !of.modules.contains_key(&module) {
            of.modules.insert(module, Module { source, paths: source.paths() });
        }
    }
    crates.values().flat_map(within).collect()
}

fn within(of: &Crate<'_>) -> Vec<Violation> {
    let uses = of.uses();
    let mut found = Vec::new();
    for (from, used) in &uses {
        for (to, line) in used.iter().filter(|(to, _)| reaches(&uses, to, from)) {
            let (from, to) = (of.modules[from].source, of.modules[to].source);
            let rule = format!(
                "`{}` in turn leads back to this file: move what both need to a file of its own",
                to.path
            );
            found.push(from.violation(*line, rule));
        }
    }
    found
}

/// The module so many levels above.
fn above(module: &str, levels: usize) -> String {
    let parts: Vec<&str> = module.split("::").collect();
    parts[..parts.len().saturating_sub(levels)].join("::")
}

/// Whether uses lead from one module to another.
fn reaches(uses: &Uses, from: &str, to: &str) -> bool {
    let (mut seen, mut next) = (BTreeSet::new(), vec![from]);
    while let Some(module) = next.pop() {
        if module == to {
            return true;
        }
        if seen.insert(module) {
            next.extend(uses.get(module).into_iter().flat_map(BTreeMap::keys).map(String::as_str));
        }
    }
    false
}
