//! The files of an analysis: names and fields of the suite that dyno replaces, and more beside them.

use std::{
    collections::{BTreeMap, HashMap},
    fs, io,
    io::Write,
    os::unix::fs::PermissionsExt,
    panic::resume_unwind,
    path::{Path, PathBuf},
    thread,
};

use serde::Serialize;
use tempfile::NamedTempFile;

use crate::{
    analysis::Analysis,
    facts::{Argument, ArgumentKind, Function, Lines},
    html, markdown,
    summary::summary,
};

/// An output that could not be written.
#[derive(Debug, thiserror::Error)]
#[error("the output `{}` cannot be written: {error}; give a folder that can be written as --output", path.display())]
pub struct OutputError {
    /// The file or folder.
    pub path: PathBuf,
    /// Why.
    pub error: io::Error,
}

#[derive(Debug, Serialize)]
struct ClassEntry<'a> {
    file: &'a str,
    bases: &'a [String],
    subclasses: Vec<&'a str>,
    methods: usize,
    docstring: bool,
    name: &'a str,
    qualified: &'a str,
    kind: &'a str,
    line: u32,
    end_line: u32,
    decorators: &'a [String],
    outer: Option<&'a str>,
}

#[derive(Debug, Serialize)]
struct Signature<'a> {
    name: &'a str,
    args: Vec<String>,
    return_type: &'a str,
    has_docstring: bool,
    complexity: u32,
    qualified: &'a str,
    class: Option<&'a str>,
    line: u32,
    end_line: u32,
    #[serde(rename = "async")]
    is_async: bool,
    decorators: &'a [String],
    arguments: &'a [Argument],
}

#[derive(Debug, Serialize)]
struct Dependencies<'a> {
    imports: Vec<ImportEntry<'a>>,
    imported_by: Vec<&'a str>,
}

#[derive(Debug, Serialize)]
struct ImportEntry<'a> {
    #[serde(rename = "type")]
    kind: crate::facts::ImportKind,
    #[serde(skip_serializing_if = "Option::is_none")]
    module: Option<&'a str>,
    name: &'a str,
    alias: Option<&'a str>,
    line: u32,
}

#[derive(Debug, Serialize)]
struct ComplexityEntry<'a> {
    cyclomatic_complexity: u32,
    line_count: u32,
    cognitive_complexity: u32,
    nesting: u32,
    language: crate::facts::LanguageId,
    lines: Lines,
    functions: Vec<FunctionComplexity<'a>>,
}

#[derive(Debug, Serialize)]
struct FunctionComplexity<'a> {
    name: &'a str,
    line: u32,
    cyclomatic: u32,
    cognitive: u32,
    nesting: u32,
    code_lines: u32,
    arguments: usize,
}

/// An output that is written. Its type is known, so that the many small pieces of JSON are copied and not called for.
type File<'a> = io::BufWriter<&'a fs::File>;

/// The name of an output, and the function that writes it.
type Output<'a> = (&'static str, &'a (dyn Fn(&mut File<'_>) -> io::Result<()> + Sync));

/// What is collected before it is given to the system [bytes].
const BUFFER: usize = 64 << 10;

/// Writes all files of an analysis into a folder, which is made. Returns their names. Files of earlier analyses are replaced once all new
/// ones are complete. A link in the place of one is replaced, too: what it leads to belongs to somebody else.
///
/// # Errors
/// If the folder or a file cannot be written.
pub fn write(analysis: &Analysis, folder: &Path) -> Result<Vec<&'static str>, OutputError> {
    let fault = |error| OutputError { path: folder.to_owned(), error };
    if folder.exists() && !folder.is_dir() {
        let error = io::Error::new(io::ErrorKind::NotADirectory, "it is a file, and a folder is needed");
        return Err(fault(error));
    }
    fs::create_dir_all(folder).map_err(|error| fault(told(folder, error)))?;
    let keys = class_keys(analysis);
    let summary = summary(analysis);
    let outputs: [Output<'_>; 7] = [
        ("class_hierarchy.json", &|file| json(file, &hierarchy(analysis, &keys))),
        ("function_signatures.json", &|file| json(file, &signatures(analysis))),
        ("dependencies.json", &|file| json(file, &dependencies(analysis))),
        ("complexity.json", &|file| json(file, &complexity(analysis))),
        ("summary.json", &|file| json(file, &summary)),
        ("summary.md", &|file| file.write_all(markdown::page(&summary).as_bytes())),
        ("index.html", &|file| file.write_all(html::page(analysis, &summary, &keys).as_bytes())),
    ];
    let complete: Vec<(PathBuf, NamedTempFile)> = thread::scope(|scope| {
        let started = outputs
            .map(|output| (output, thread::Builder::new().spawn_scoped(scope, move || save(folder, output))));
        let saved = started.into_iter().map(|(output, thread)| match thread {
            Ok(thread) => thread.join().unwrap_or_else(|panic| resume_unwind(panic)),
            // No thread could be started: write it on this one.
            Err(_) => save(folder, output),
        });
        saved.collect::<Result<_, _>>()
    })?;
    for (path, new) in complete {
        new.persist(&path).map_err(|error| OutputError { path, error: error.error })?;
    }
    Ok(outputs.map(|(name, _)| name).to_vec())
}

/// Writes an output to a temporary file in the folder. Returns the path that it belongs at, and the file.
fn save(folder: &Path, (name, content): Output<'_>) -> Result<(PathBuf, NamedTempFile), OutputError> {
    let path = folder.join(name);
    let new = tempfile::Builder::new().permissions(fs::Permissions::from_mode(0o666)).tempfile_in(folder);
    let written = new.and_then(|new| {
        let mut file = File::with_capacity(BUFFER, new.as_file());
        content(&mut file)?;
        file.flush()?;
        drop(file);
        Ok(new)
    });
    match written {
        Ok(new) => Ok((path, new)),
        Err(error) => Err(OutputError { path, error }),
    }
}

/// Why a folder cannot be made. `/proc` says of a new folder that it does not exist, which is no reason.
fn told(folder: &Path, error: io::Error) -> io::Error {
    let around = folder.ancestors().skip(1).find(|around| around.is_dir());
    match (error.kind(), around) {
        (io::ErrorKind::NotFound, Some(around)) => io::Error::other(format!(
            "the file system of `{}` takes no new folders; give a folder on another one",
            around.display()
        )),
        _ => error,
    }
}

fn json(file: &mut File<'_>, value: &impl Serialize) -> io::Result<()> {
    serde_json::to_writer_pretty(&mut *file, value)?;
    file.write_all(b"\n")
}

/// The keys of all classes: file and qualified name. A second class of one name in one file has its line as well.
fn class_keys(analysis: &Analysis) -> Vec<Vec<String>> {
    let mut keys = Vec::with_capacity(analysis.files.len());
    for file in &analysis.files {
        let mut used: HashMap<&str, u32> = HashMap::new();
        let mut mine = Vec::with_capacity(file.facts.classes.len());
        for class in &file.facts.classes {
            let count = used.entry(class.qualified.as_str()).or_default();
            *count += 1;
            mine.push(match count {
                1 => format!("{}::{}", file.path, class.qualified),
                // Two implementations of one type can stand on one line.
                count => format!("{}::{}@{}#{count}", file.path, class.qualified, class.line),
            });
        }
        keys.push(mine);
    }
    keys
}

fn hierarchy<'a>(analysis: &'a Analysis, keys: &'a [Vec<String>]) -> BTreeMap<&'a str, ClassEntry<'a>> {
    let mut found = BTreeMap::new();
    for (at, file) in analysis.files.iter().enumerate() {
        let mut methods = vec![0; file.facts.classes.len()];
        for function in &file.facts.functions {
            if let Some(count) = function.class.and_then(|class| methods.get_mut(class as usize)) {
                *count += 1;
            }
        }
        for (place, class) in file.facts.classes.iter().enumerate() {
            let subclasses =
                analysis.graph.subclasses.get(&(at, place)).map(Vec::as_slice).unwrap_or_default();
            let entry = ClassEntry {
                file: &file.path,
                bases: &class.bases,
                subclasses: subclasses.iter().map(|(file, class)| keys[*file][*class].as_str()).collect(),
                methods: methods[place],
                docstring: class.has_docstring,
                name: &class.name,
                qualified: &class.qualified,
                kind: &class.kind,
                line: class.line,
                end_line: class.end_line,
                decorators: &class.decorators,
                outer: class.outer.and_then(|outer| keys[at].get(outer as usize)).map(String::as_str),
            };
            found.insert(keys[at][place].as_str(), entry);
        }
    }
    found
}

fn signatures(analysis: &Analysis) -> BTreeMap<&str, Vec<Signature<'_>>> {
    let files = analysis.files.iter();
    files
        .map(|file| {
            let class = |function: &Function| {
                let class = function.class.and_then(|class| file.facts.classes.get(class as usize));
                class.map(|class| class.qualified.as_str())
            };
            let functions = file.facts.functions.iter();
            let found = functions.map(|function| Signature {
                name: &function.name,
                args: function.arguments.iter().map(written).collect(),
                return_type: function.return_type.as_deref().unwrap_or("None"),
                has_docstring: function.has_docstring,
                complexity: function.complexity.cyclomatic,
                qualified: &function.qualified,
                class: class(function),
                line: function.line,
                end_line: function.end_line,
                is_async: function.is_async,
                decorators: &function.decorators,
                arguments: &function.arguments,
            });
            (file.path.as_str(), found.collect())
        })
        .collect()
}

/// An argument as one string: `*args: int`, `n: int = 1`. Without a type it is `Any`, as in the suite before.
fn written(argument: &Argument) -> String {
    let stars = match argument.kind {
        ArgumentKind::VarPositional if argument.name != "..." => "*",
        ArgumentKind::VarKeyword => "**",
        _ => "",
    };
    let annotation = argument.annotation.as_deref().unwrap_or("Any");
    let default = argument.default.as_deref().map(|text| format!(" = {text}")).unwrap_or_default();
    format!("{stars}{}: {annotation}{default}", argument.name)
}

fn dependencies(analysis: &Analysis) -> BTreeMap<&str, Dependencies<'_>> {
    let files = analysis.files.iter().enumerate();
    files
        .map(|(at, file)| {
            let imports = file.facts.imports.iter().map(|import| ImportEntry {
                kind: import.kind,
                module: import.module.as_deref(),
                name: &import.name,
                alias: import.alias.as_deref(),
                line: import.line,
            });
            let users = analysis.graph.imported_by[at].iter().map(|user| analysis.files[*user].path.as_str());
            (file.path.as_str(), Dependencies { imports: imports.collect(), imported_by: users.collect() })
        })
        .collect()
}

fn complexity(analysis: &Analysis) -> BTreeMap<&str, ComplexityEntry<'_>> {
    let files = analysis.files.iter();
    files
        .map(|file| {
            let facts = &file.facts;
            let functions = facts.functions.iter().map(|function| FunctionComplexity {
                name: &function.qualified,
                line: function.line,
                cyclomatic: function.complexity.cyclomatic,
                cognitive: function.complexity.cognitive,
                nesting: function.complexity.nesting,
                code_lines: function.code_lines,
                arguments: function.arguments.len(),
            });
            let entry = ComplexityEntry {
                cyclomatic_complexity: facts.complexity.cyclomatic,
                line_count: facts.lines.code,
                cognitive_complexity: facts.complexity.cognitive,
                nesting: facts.complexity.nesting,
                language: facts.language,
                lines: facts.lines,
                functions: functions.collect(),
            };
            (file.path.as_str(), entry)
        })
        .collect()
}
