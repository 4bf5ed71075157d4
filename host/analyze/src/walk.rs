//! Which files of a folder are read: sources in a language that is known, without those that ignore files name.

use std::{
    os::unix::fs::FileTypeExt,
    path::{Path, PathBuf},
    sync::{Arc, Mutex, PoisonError},
};

use dyno_core::text::visible;
use ignore::WalkBuilder;

use crate::{
    foreign::Foreign,
    languages::{self, Named},
    problem::{Problem, ProblemKind},
};

/// Deepest folder. Deeper ones come from links that lead in circles which no check can name.
const DEEPEST: usize = 256;

/// `ELOOP` of Linux, for which the standard library has no stable name.
const TOO_MANY_LINKS: i32 = 40;

/// A file to be read.
#[derive(Debug)]
pub(crate) struct Source {
    /// Where it is.
    pub(crate) path: PathBuf,
    /// Its path relative to the root, with `/`.
    pub(crate) shown: String,
    /// What its name says about its language.
    pub(crate) named: Named,
}

/// What a walk found.
#[derive(Debug)]
pub(crate) struct Walked {
    /// The sources in order of their names.
    pub(crate) sources: Vec<Source>,
    /// What cannot be read.
    pub(crate) problems: Vec<Problem>,
    /// The sentence about folders that were left out.
    pub(crate) left_out: Option<String>,
}

/// The sources below `root`, and what was met on the way.
pub(crate) fn sources(root: &Path, ignore_files: bool) -> Walked {
    let mut found = Vec::new();
    let mut problems = Vec::new();
    let whole = root.canonicalize().unwrap_or_else(|_| root.to_owned());
    if let Some(why) = whole.ancestors().filter(|_| ignore_files).find_map(endless) {
        problems.push(Problem::new(".".to_owned(), ProblemKind::Special, why));
        return Walked { sources: found, problems, left_out: None };
    }
    let foreign = Arc::new(Foreign::default());
    let refused = Arc::new(Mutex::new(Vec::new()));
    let (watching, refusing, above) = (Arc::clone(&foreign), Arc::clone(&refused), root.to_owned());
    let walk = WalkBuilder::new(root)
        .standard_filters(ignore_files)
        // A tree without a repository has ignore files as well, and those of the folders around the root count.
        .require_git(false)
        .follow_links(false)
        .max_depth(Some(DEEPEST))
        // What the user names as the root is meant.
        .filter_entry(move |entry| {
            let is_folder = entry.depth() > 0 && entry.file_type().is_some_and(|kind| kind.is_dir());
            if !(ignore_files && is_folder) {
                return true;
            }
            if let Some(why) = endless(entry.path()) {
                let problem = Problem::new(shown(&above, entry.path()), ProblemKind::Special, why);
                refusing.lock().unwrap_or_else(PoisonError::into_inner).push(problem);
                return false;
            }
            !watching.is(entry.path())
        })
        .build();
    for entry in walk {
        let entry = match entry {
            Ok(entry) => entry,
            Err(error) => {
                problems.push(problem(root, &error));
                continue;
            }
        };
        let ending = entry.path().extension().and_then(|ending| ending.to_str());
        let named = ending.and_then(languages::by_ending);
        let shown = shown(root, entry.path());
        let is_file = if entry.path_is_symlink() {
            match link(&whole, entry.path()) {
                Link::Elsewhere => {}
                Link::Problem(kind, reason) => {
                    // What is linked under the name of no source concerns nobody, unless it is a folder.
                    if kind == ProblemKind::Loop || named.is_some() || entry.path().is_dir() {
                        problems.push(Problem::new(shown, kind, reason));
                    }
                }
            }
            continue;
        } else {
            if let Some(what) = entry.file_type().filter(|_| named.is_some()).and_then(special) {
                let reason = format!("This is {what} and not a file, and it was not read.");
                problems.push(Problem::new(shown, ProblemKind::Special, reason));
                continue;
            }
            entry.file_type().is_some_and(|kind| kind.is_file())
        };
        if let Some(named) = named.filter(|_| is_file) {
            found.push(Source { path: entry.into_path(), shown, named });
        }
    }
    problems.append(&mut refused.lock().unwrap_or_else(PoisonError::into_inner));
    found.sort_by(|left, right| left.shown.cmp(&right.shown));
    problems.sort_by(|left, right| left.file.cmp(&right.file));
    Walked { sources: found, problems, left_out: foreign.sentence() }
}

/// Why the ignore files of a folder are not read, nor what is in it: reading a pipe or a device may never end.
fn endless(folder: &Path) -> Option<String> {
    let what = |name: &str| special(std::fs::metadata(folder.join(name)).ok()?.file_type());
    let (name, what) = [".gitignore", ".ignore", ".git/info/exclude"]
        .into_iter()
        .find_map(|name| Some((name, what(name)?)))?;
    Some(format!(
        "The `{name}` in `{}` is {what} and not a file, and nothing was read there. Remove it, or use `--no-ignore`.",
        folder.display()
    ))
}

/// What is neither a file nor a folder: reading it may never end.
fn special(kind: std::fs::FileType) -> Option<&'static str> {
    [
        (kind.is_fifo(), "a named pipe"),
        (kind.is_socket(), "a socket"),
        (kind.is_char_device() || kind.is_block_device(), "a device"),
    ]
    .into_iter()
    .find_map(|(is, what)| is.then_some(what))
}

/// What a link leads to.
enum Link {
    /// Something that is met at its own place, or no source.
    Elsewhere,
    /// Something that is not analysed.
    Problem(ProblemKind, String),
}

/// Links to folders are not followed, so that no loop can occur and no file counts twice.
fn link(root: &Path, path: &Path) -> Link {
    let target = match path.canonicalize() {
        Ok(target) => target,
        // A link to itself is a loop that the system notices.
        Err(error) if error.raw_os_error() == Some(TOO_MANY_LINKS) => {
            return Link::Problem(
                ProblemKind::Loop,
                "This link leads back to itself and was not followed.".to_owned(),
            );
        }
        Err(error) => {
            return Link::Problem(ProblemKind::Unreadable, format!("This link leads nowhere: {error}."));
        }
    };
    let folder = path.parent().and_then(|folder| folder.canonicalize().ok()).unwrap_or_default();
    if target.is_dir() && folder.starts_with(&target) {
        let reason = "This link leads back to a folder around it and was not followed.";
        return Link::Problem(ProblemKind::Loop, reason.to_owned());
    }
    if target.starts_with(root) {
        return Link::Elsewhere;
    }
    if target.is_dir() {
        let reason = format!(
            "This link leads to the folder `{}` outside the root, and such links are not followed. Analyse that folder by itself.",
            target.display()
        );
        return Link::Problem(ProblemKind::Outside, reason);
    }
    if !target.is_file() {
        return Link::Elsewhere;
    }
    // Whoever made the tree chose the target, and its text would be quoted.
    let reason = format!(
        "This link leads to `{}` outside the root, and such links are not followed.",
        target.display()
    );
    Link::Problem(ProblemKind::Outside, reason)
}

/// A path as it is shown: relative to the root, with `/`.
fn shown(root: &Path, path: &Path) -> String {
    let relative = path.strip_prefix(root).unwrap_or(path);
    let relative = if relative.as_os_str().is_empty() { Path::new(".") } else { relative };
    relative.to_string_lossy().replace('\\', "/").chars().map(visible).collect()
}

/// What the walk says about an entry that it could not use.
fn problem(root: &Path, error: &ignore::Error) -> Problem {
    let mut at = error;
    let mut path = None;
    loop {
        match at {
            ignore::Error::WithPath { path: inner, err } => {
                path = Some(inner.as_path());
                at = err;
            }
            ignore::Error::WithDepth { err, .. } | ignore::Error::WithLineNumber { err, .. } => at = err,
            ignore::Error::Loop { ancestor, child } => {
                let reason = format!(
                    "The link leads back to the folder `{}` around it and was not followed.",
                    shown(root, ancestor)
                );
                return Problem::new(shown(root, child), ProblemKind::Loop, reason);
            }
            other => {
                let reason = match other.io_error() {
                    Some(error) => format!("This entry cannot be read: {error}."),
                    None => format!("This entry cannot be used: {other}."),
                };
                let path = path.map_or_else(|| ".".to_owned(), |path| shown(root, path));
                return Problem::new(path, ProblemKind::Unreadable, reason);
            }
        }
    }
}
