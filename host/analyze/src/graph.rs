//! What only all files together show: which file imports which, and which class is derived from which.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use crate::{
    analyzed::FileAnalysis,
    facts::{ImportKind, LanguageId},
};

/// A class: index of its file, and index in it.
pub(crate) type ClassPlace = (usize, usize);

/// The connections between the files of a tree.
#[derive(Debug, Default)]
pub struct Graph {
    /// For each file, the files that import it.
    pub imported_by: Vec<Vec<usize>>,
    /// For each file, the files that it imports.
    pub imports: Vec<Vec<usize>>,
    /// Modules outside the tree, with the files that import them.
    pub external: BTreeMap<String, Vec<usize>>,
    /// For each class with subclasses, those.
    pub(crate) subclasses: HashMap<ClassPlace, Vec<ClassPlace>>,
}

/// Connects the files.
pub(crate) fn build(files: &[FileAnalysis]) -> Graph {
    let index = Index::new(files);
    let mut imports = vec![BTreeSet::new(); files.len()];
    let mut external: BTreeMap<String, BTreeSet<usize>> = BTreeMap::new();
    for (at, file) in files.iter().enumerate() {
        for import in &file.facts.imports {
            let target = match import.kind {
                ImportKind::Import => index.python(&import.name, at),
                ImportKind::ImportFrom => {
                    let module = import.module.as_deref().unwrap_or_default();
                    index.python_from(module, &import.name, at)
                }
                ImportKind::Use => index.rust(import.module.as_deref(), &import.name, at),
                ImportKind::Mod => index.rust_mod(&import.name, at),
                ImportKind::Include => index.include(&import.name, at),
            };
            if let Some(target) = target {
                if target != at {
                    imports[at].insert(target);
                }
            } else if let Some(name) = outside(import.kind, import.module.as_deref(), &import.name) {
                external.entry(name).or_default().insert(at);
            }
        }
    }
    let mut imported_by = vec![Vec::new(); files.len()];
    for (at, targets) in imports.iter().enumerate() {
        for target in targets {
            imported_by[*target].push(at);
        }
    }
    Graph {
        imported_by,
        imports: imports.into_iter().map(|targets| targets.into_iter().collect()).collect(),
        external: external.into_iter().map(|(name, files)| (name, files.into_iter().collect())).collect(),
        subclasses: subclasses(files),
    }
}

/// The name of a module outside the tree.
fn outside(kind: ImportKind, module: Option<&str>, name: &str) -> Option<String> {
    let whole = module.unwrap_or(name);
    match kind {
        ImportKind::Mod => None,
        ImportKind::Use => {
            let first = whole.split("::").next().unwrap_or_default();
            (!matches!(first, "crate" | "self" | "super" | "")).then(|| first.to_owned())
        }
        _ => (!whole.starts_with('.')).then(|| whole.to_owned()),
    }
}

/// Files by their names as modules.
struct Index<'f> {
    files: &'f [FileAnalysis],
    paths: HashMap<&'f str, usize>,
    /// Python files by the last part of their module name.
    python: HashMap<&'f str, Vec<usize>>,
    /// Headers by their file name.
    headers: HashMap<&'f str, Vec<usize>>,
}

impl<'f> Index<'f> {
    fn new(files: &'f [FileAnalysis]) -> Self {
        let mut paths = HashMap::new();
        let mut python: HashMap<&str, Vec<usize>> = HashMap::new();
        let mut headers: HashMap<&str, Vec<usize>> = HashMap::new();
        for (at, file) in files.iter().enumerate() {
            let path = file.path.as_str();
            paths.insert(path, at);
            match file.facts.language {
                LanguageId::Python => python.entry(last(module(path), '/')).or_default().push(at),
                LanguageId::Rust => {}
                LanguageId::C | LanguageId::Cpp | LanguageId::Cuda => {
                    headers.entry(last(path, '/')).or_default().push(at);
                }
            }
        }
        Self { files, paths, python, headers }
    }

    /// The file of a Python module with this full name, seen from a file.
    fn python(&self, name: &str, from: usize) -> Option<usize> {
        let wanted = name.replace('.', "/");
        let candidates = self.python.get(last(&wanted, '/'))?;
        // The root of the tree need not be the folder that Python starts from: a module may lie deeper.
        let fitting = candidates.iter().copied().filter(|at| {
            let module = module(&self.files[*at].path);
            module == wanted || module.strip_suffix(&wanted).is_some_and(|rest| rest.ends_with('/'))
        });
        fitting
            .max_by_key(|at| (shared(&self.files[*at].path, &self.files[from].path), std::cmp::Reverse(*at)))
    }

    fn python_from(&self, module: &str, name: &str, from: usize) -> Option<usize> {
        let dots = module.bytes().take_while(|byte| *byte == b'.').count();
        let rest = module[dots..].trim();
        if dots == 0 {
            return self.python(&format!("{rest}.{name}"), from).or_else(|| self.python(rest, from));
        }
        let mut folder = self.files[from].path.as_str();
        for _ in 0..dots {
            folder = folder.rsplit_once('/').map_or("", |parts| parts.0);
        }
        let base = join(folder, &rest.replace('.', "/"));
        let whole = join(&base, name);
        [
            format!("{whole}.py"),
            format!("{whole}/__init__.py"),
            format!("{base}.py"),
            join(&base, "__init__.py"),
        ]
        .iter()
        .find_map(|path| self.paths.get(path.as_str()).copied())
    }

    /// `mod name;`: beside a root or `mod.rs`, else in the folder of the module.
    fn rust_mod(&self, name: &str, from: usize) -> Option<usize> {
        self.rust_child(&rust_folder(&self.files[from].path), name)
    }

    fn rust_child(&self, folder: &str, name: &str) -> Option<usize> {
        let base = join(folder, name);
        [format!("{base}.rs"), format!("{base}/mod.rs")]
            .iter()
            .find_map(|path| self.paths.get(path.as_str()).copied())
    }

    /// `crate::a::b`, `super::a`, `self::a`: the deepest module on the way that is a file.
    fn rust(&self, module: Option<&str>, name: &str, from: usize) -> Option<usize> {
        let path = &self.files[from].path;
        let whole = module.map_or_else(|| name.to_owned(), |module| format!("{module}::{name}"));
        let mut parts = whole.split("::").peekable();
        let mut folder = match parts.next()? {
            "crate" => {
                let source = path.rfind("src/").map_or(0, |at| at + "src".len());
                path[..source].to_owned()
            }
            "self" => rust_folder(path),
            "super" => parent(&rust_folder(path)),
            _ => return None,
        };
        let mut found = None;
        for part in parts {
            if part == "super" {
                folder = parent(&folder);
                continue;
            }
            let Some(next) = self.rust_child(&folder, part) else { break };
            found = Some(next);
            folder = join(&folder, part);
        }
        found
    }

    fn include(&self, name: &str, from: usize) -> Option<usize> {
        let folder = self.files[from].path.rsplit_once('/').map_or("", |parts| parts.0);
        if let Some(at) = self.paths.get(normal(&join(folder, name)).as_str()) {
            return Some(*at);
        }
        let wanted = normal(name);
        let candidates = self.headers.get(last(&wanted, '/'))?;
        let fitting = candidates.iter().copied().filter(|at| {
            let path = &self.files[*at].path;
            *path == wanted || path.strip_suffix(&wanted).is_some_and(|rest| rest.ends_with('/'))
        });
        fitting
            .max_by_key(|at| (shared(&self.files[*at].path, &self.files[from].path), std::cmp::Reverse(*at)))
    }
}

/// The folder of the submodules of a Rust file.
fn rust_folder(path: &str) -> String {
    let (folder, name) = path.rsplit_once('/').unwrap_or(("", path));
    match name {
        "lib.rs" | "main.rs" | "mod.rs" | "build.rs" => folder.to_owned(),
        _ => join(folder, name.trim_end_matches(".rs")),
    }
}

fn parent(folder: &str) -> String {
    folder.rsplit_once('/').map_or("", |parts| parts.0).to_owned()
}

fn join(folder: &str, name: &str) -> String {
    match (folder.is_empty(), name.is_empty()) {
        (true, _) => name.to_owned(),
        (_, true) => folder.to_owned(),
        _ => format!("{folder}/{name}"),
    }
}

/// A path without `.` and `..`.
fn normal(path: &str) -> String {
    let mut parts: Vec<&str> = Vec::new();
    for part in path.split('/') {
        match part {
            "." | "" => {}
            ".." => {
                parts.pop();
            }
            part => parts.push(part),
        }
    }
    parts.join("/")
}

/// The path of a Python module without its ending.
fn module(path: &str) -> &str {
    let bare = path.rsplit_once('.').map_or(path, |parts| parts.0);
    bare.strip_suffix("/__init__").unwrap_or(bare)
}

fn last(text: &str, separator: char) -> &str {
    text.rsplit(separator).next().unwrap_or(text)
}

/// How long the common beginning of two paths is.
fn shared(left: &str, right: &str) -> usize {
    left.bytes().zip(right.bytes()).take_while(|(left, right)| left == right).count()
}

/// Subclasses by the names of bases. A base that several classes could be is the one in the same file, else the one in
/// a file that the name is imported from or that is nearest.
fn subclasses(files: &[FileAnalysis]) -> HashMap<ClassPlace, Vec<ClassPlace>> {
    let mut names: HashMap<&str, Vec<ClassPlace>> = HashMap::new();
    for (at, file) in files.iter().enumerate() {
        for (place, class) in file.facts.classes.iter().enumerate() {
            // An implementation is not a type of its own.
            if class.kind != "impl" {
                names.entry(class.name.as_str()).or_default().push((at, place));
            }
        }
    }
    let mut found: HashMap<ClassPlace, Vec<ClassPlace>> = HashMap::new();
    for (at, file) in files.iter().enumerate() {
        for (place, class) in file.facts.classes.iter().enumerate() {
            for base in &class.bases {
                let Some(candidates) = names.get(bare(base)) else { continue };
                let score = |candidate: &ClassPlace| {
                    let other = &files[candidate.0];
                    let imported = file.facts.imports.iter().any(|import| {
                        import.name == bare(base)
                            && import.module.as_deref().is_some_and(|module| {
                                last(last(module, '.'), ':') == last(self::module(&other.path), '/')
                            })
                    });
                    (
                        candidate.0 == at,
                        imported,
                        shared(&other.path, &file.path),
                        std::cmp::Reverse(*candidate),
                    )
                };
                let could_be = |candidate: &&ClassPlace| {
                    let other = &files[candidate.0];
                    related(other.facts.language, file.facts.language)
                        && **candidate != (at, place)
                        && (file.facts.language != LanguageId::Python
                            || is_meant(base, file, other, &other.facts.classes[candidate.1].qualified))
                };
                let Some(target) = candidates.iter().filter(could_be).max_by_key(|place| score(place)) else {
                    continue;
                };
                let known = found.entry(*target).or_default();
                if !known.contains(&(at, place)) {
                    known.push((at, place));
                }
            }
        }
    }
    found
}

fn related(left: LanguageId, right: LanguageId) -> bool {
    let family = |language| match language {
        LanguageId::Python => 0,
        LanguageId::Rust => 1,
        LanguageId::C | LanguageId::Cpp | LanguageId::Cuda => 2,
    };
    family(left) == family(right)
}

/// Whether a base that Python reaches through a module or an outer class, like `numpy.K`, is this class of that file.
fn is_meant(base: &str, file: &FileAnalysis, other: &FileAnalysis, qualified: &str) -> bool {
    let whole = canonical(base);
    let Some((owner, name)) = whole.rsplit_once('.') else { return true };
    if qualified == whole || qualified.ends_with(&format!(".{whole}")) {
        return true;
    }
    // `import a.b as c` and `from a import b as c` call the module `b` by the name `c`.
    let imported = file.facts.imports.iter().find(|import| import.alias.as_deref() == Some(owner));
    let module = imported.map_or(owner, |import| import.name.as_str());
    qualified == name && last(module, '.') == last(self::module(&other.path), '/')
}

/// The bare name of a base: `B` of `a.B[T]`, `n::B<T>` and `"B"`.
fn bare(base: &str) -> &str {
    last(last(canonical(base), '.'), ':')
}

/// A base without quotes, and without the arguments of its type: `a.B` of `"a.B[T]"`.
fn canonical(base: &str) -> &str {
    let base = base.trim_matches(['"', '\'']);
    base.split(['[', '<', '(']).next().unwrap_or(base).trim()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        languages::Named,
        read::{self, Parsers},
    };

    fn tree(files: &[(&str, &str)]) -> Vec<FileAnalysis> {
        let read = |(path, text): &(&str, &str)| {
            let language = match last(path, '.') {
                "py" => LanguageId::Python,
                "rs" => LanguageId::Rust,
                _ => LanguageId::Cpp,
            };
            let facts = read::facts(text.as_bytes(), Named::As(language), &mut Parsers::default()).unwrap();
            FileAnalysis { path: (*path).to_owned(), facts }
        };
        files.iter().map(read).collect()
    }

    fn importers(files: &[FileAnalysis], path: &str) -> Vec<String> {
        let graph = build(files);
        let at = files.iter().position(|file| file.path == path).unwrap();
        let mut paths: Vec<String> = graph.imported_by[at].iter().map(|at| files[*at].path.clone()).collect();
        paths.sort();
        paths
    }

    #[test]
    fn python_modules_are_found_by_absolute_and_relative_names() {
        let files = tree(&[
            ("app/pkg/__init__.py", ""),
            ("app/pkg/a.py", "from . import b\nfrom .b import x\nimport numpy as np\n"),
            ("app/pkg/b.py", "import pkg.sub.c\n"),
            ("app/pkg/sub/c.py", "from ..a import y\nfrom pkg import b\n"),
        ]);
        assert_eq!(importers(&files, "app/pkg/b.py"), ["app/pkg/a.py", "app/pkg/sub/c.py"]);
        assert_eq!(importers(&files, "app/pkg/a.py"), ["app/pkg/sub/c.py"]);
        assert_eq!(importers(&files, "app/pkg/sub/c.py"), ["app/pkg/b.py"]);
        let graph = build(&files);
        assert_eq!(graph.external.keys().map(String::as_str).collect::<Vec<_>>(), ["numpy"]);
    }

    #[test]
    fn rust_modules_and_headers_are_found() {
        let files = tree(&[
            ("k/src/lib.rs", "mod a;\nmod b;\nuse serde::Serialize;\n"),
            ("k/src/a.rs", "use crate::b::inner::Thing;\n"),
            ("k/src/b/inner.rs", "use super::super::a;\n"),
            ("k/src/b/mod.rs", "pub mod inner;\n"),
            ("c/include/x/y.hpp", ""),
            ("c/src/m.cpp", "#include \"x/y.hpp\"\n#include <vector>\n"),
        ]);
        assert_eq!(importers(&files, "k/src/a.rs"), ["k/src/b/inner.rs", "k/src/lib.rs"]);
        assert_eq!(importers(&files, "k/src/b/inner.rs"), ["k/src/a.rs", "k/src/b/mod.rs"]);
        assert_eq!(importers(&files, "c/include/x/y.hpp"), ["c/src/m.cpp"]);
        let graph = build(&files);
        assert_eq!(graph.external.keys().map(String::as_str).collect::<Vec<_>>(), ["serde", "vector"]);
    }

    #[test]
    fn a_subclass_is_linked_whichever_file_comes_first() {
        let files = tree(&[
            ("a.py", "from z import Base\nclass Sub(Base[int]): pass\n"),
            ("z.py", "class Base: pass\n"),
        ]);
        assert_eq!(build(&files).subclasses.get(&(1, 0)), Some(&vec![(0, 0)]));
    }

    #[test]
    fn a_base_of_a_module_is_the_class_of_that_module() {
        let files = tree(&[
            (
                "a.py",
                "import b\nimport pkg.b as c\nimport numpy\nclass Base: pass\nclass X(b.Base): pass\nclass Y(c.Base): pass\nclass Z(numpy.Base): pass\nclass W(Outer.Base): pass\nclass Outer:\n    class Base: pass\n",
            ),
            ("b.py", "class Base: pass\n"),
        ]);
        let graph = build(&files);
        let name = |place: &ClassPlace| files[place.0].facts.classes[place.1].qualified.clone();
        let mut edges: Vec<(String, Vec<String>)> = graph
            .subclasses
            .iter()
            .map(|(base, subs)| {
                (format!("{}:{}", files[base.0].path, name(base)), subs.iter().map(name).collect())
            })
            .collect();
        edges.sort();
        let edge =
            |base: &str, subs: &[&str]| (base.to_owned(), subs.iter().map(|it| (*it).to_owned()).collect());
        assert_eq!(edges, [edge("a.py:Outer.Base", &["W"]), edge("b.py:Base", &["X", "Y"])]);
    }
}
