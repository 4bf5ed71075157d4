//! Which version of each plugin file a server serves while the files change. Scans and trials go in, a catalog and events come
//! out: what has to be read or run for that is done elsewhere.

use std::{
    cmp::Reverse,
    collections::BTreeMap,
    path::{Path, PathBuf},
    time::{Duration, Instant},
};

use dyno_core::{
    model::{PluginEvent, PluginKind},
    units,
};

use super::{
    Catalog, Entry, Problem, Severity,
    entry::Stamp,
    scan::Scan,
    scan_format::{Found, Scanned},
};

/// A file that cannot be used counts as bad, and no longer as half written, once it has not changed for this long.
const SETTLE: Duration = Duration::from_secs(2);
/// A file counts as removed once it has been gone for this long: some tools delete a file before they create it again.
const ABSENCE: Duration = Duration::from_millis(500);
/// Delay before the host tries again what it could not do.
const REST: Duration = Duration::from_secs(1);
/// Digits of a hash that tell versions apart.
const DIGITS: usize = 8;

/// New content of a file, which is to be tried before it is served.
#[derive(Debug, Clone)]
pub struct Candidate {
    /// The content as described by its descriptor.
    pub entry: Entry,
    stamp: Stamp,
}

/// The outcome of trying new content.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Trial {
    /// It can be served.
    Usable,
    /// It cannot: a sentence.
    Unusable(String),
    /// The host could not try it now: a sentence.
    NotNow(String),
}

/// The plugin files, each with its served version.
#[derive(Debug, Default)]
pub struct Versions {
    folders: Vec<PathBuf>,
    files: BTreeMap<PathBuf, Versioned>,
    /// Remarks of the last complete scan about everything else.
    others: Vec<Problem>,
    /// Why the folders are not watched.
    unwatched: Option<Problem>,
}

/// A plugin file.
#[derive(Debug)]
struct Versioned {
    /// The version in service.
    serving: Option<Entry>,
    content: Content,
}

/// The content of the file, compared with the version in service.
#[derive(Debug)]
enum Content {
    /// It is that version.
    Served,
    /// It has not been tried yet; why not, if the host could not.
    Untried(Option<Delay>),
    /// It cannot be used.
    Unusable { stamp: Stamp, since: Instant, problem: Problem, is_refused: bool },
    /// The file is gone.
    Gone { since: Instant },
}

#[derive(Debug)]
struct Delay {
    until: Instant,
    why: String,
}

impl Versions {
    /// Serves what a scan found, without a trial: as a server does that does not watch.
    #[must_use]
    pub fn found(folders: &[PathBuf], cache: Option<&Path>) -> Self {
        let mut scan = Scan::of(folders, cache);
        let now = Instant::now();
        let mut versions = Self { folders: folders.to_vec(), ..Self::default() };
        for Scanned { stamp, found } in std::mem::take(&mut scan.files) {
            match found {
                Found::Plugin(entry) => {
                    let path = entry.path.clone();
                    versions.files.insert(path, Versioned { serving: Some(entry), content: Content::Served });
                }
                Found::Problem(problem) if problem.severity == Severity::Aside => {
                    versions.others.push(problem)
                }
                Found::Problem(problem) => {
                    let path = problem.path.clone();
                    let content = Content::Unusable { stamp, since: now, problem, is_refused: true };
                    versions.files.insert(path, Versioned { serving: None, content });
                }
            }
        }
        versions.others.append(&mut scan.problems);
        versions
    }

    /// Looks into the folders again. New content is not served yet: it is returned, to be tried.
    pub fn look(&mut self, cache: Option<&Path>, now: Instant) -> Looked {
        let scan = Scan::of(&self.folders, cache);
        self.compare(scan, now)
    }

    fn compare(&mut self, mut scan: Scan, now: Instant) -> Looked {
        let mut candidates = Vec::new();
        let mut events = Vec::new();
        if scan.fault.is_some() {
            // A list that is incomplete says nothing about what is missing.
            return Looked::of(scan, candidates, events);
        }
        self.others = std::mem::take(&mut scan.problems);
        let mut absent = std::mem::take(&mut self.files);
        for Scanned { stamp, found } in std::mem::take(&mut scan.files) {
            let path = match &found {
                Found::Plugin(entry) => entry.path.clone(),
                Found::Problem(problem) => problem.path.clone(),
            };
            let known = absent.remove(&path);
            if let Found::Problem(problem) = &found
                && problem.severity == Severity::Aside
                && known.as_ref().is_none_or(|known| known.serving.is_none())
            {
                self.others.push(problem.clone());
                continue;
            }
            let mut file = known.unwrap_or(Versioned { serving: None, content: Content::Untried(None) });
            candidates.extend(file.take(stamp, found, now));
            events.extend(file.settle(now));
            self.files.insert(path, file);
        }
        let mut kept: BTreeMap<PathBuf, usize> = BTreeMap::new();
        for (path, mut file) in absent {
            let Some(serving) = &file.serving else { continue };
            if let Some(folder) = lost_with(&path, &self.folders, &scan.unreadable) {
                *kept.entry(folder.to_owned()).or_default() += 1;
                file.content = Content::Served;
            } else if let Content::Gone { since } = file.content {
                if now.duration_since(since) >= ABSENCE {
                    events.push(PluginEvent::PluginRemoved { plugin: serving.plugin() });
                    continue;
                }
            } else {
                file.content = Content::Gone { since: now };
            }
            self.files.insert(path, file);
        }
        for (folder, count) in kept {
            let plugins = units::count(count, "plugin");
            let message = format!(
                "until the folder can be read again, {plugins} in it are served from verified copies"
            );
            self.others.push(Problem::note(&folder, message));
        }
        // Components are compiled first, which takes seconds.
        candidates.sort_by_key(|candidate| Reverse(candidate.entry.kind == PluginKind::Native));
        Looked::of(scan, candidates, events)
    }

    /// Takes in the outcome of a trial.
    pub fn judge(&mut self, candidate: Candidate, trial: Trial, now: Instant) -> Option<PluginEvent> {
        let Candidate { entry, stamp } = candidate;
        let file = self.files.get_mut(&entry.path)?;
        match trial {
            Trial::Usable => {
                let plugin = entry.plugin();
                let previous = file.serving.replace(entry);
                file.content = Content::Served;
                Some(match previous {
                    Some(previous) => PluginEvent::PluginReplaced { plugin, previous: previous.plugin() },
                    None => PluginEvent::PluginAdded { plugin },
                })
            }
            Trial::Unusable(why) => {
                let problem = Problem::error(&entry.path, why);
                file.content = Content::Unusable { stamp, since: now, problem, is_refused: false };
                None
            }
            Trial::NotNow(why) => {
                file.content = Content::Untried(Some(Delay { until: now + REST, why }));
                None
            }
        }
    }

    /// Notes why the folders are not watched.
    pub fn set_unwatched(&mut self, why: Option<Problem>) {
        self.unwatched = why;
    }

    /// When a file is due, even if nothing changes until then.
    #[must_use]
    pub fn due(&self) -> Option<Instant> {
        let due = |file: &Versioned| match &file.content {
            Content::Served | Content::Untried(None) | Content::Unusable { is_refused: true, .. } => None,
            Content::Untried(Some(delay)) => Some(delay.until),
            Content::Unusable { since, .. } => Some(*since + SETTLE),
            Content::Gone { since } => Some(*since + ABSENCE),
        };
        self.files.values().filter_map(due).min()
    }

    /// What is served now, with remarks on files whose content is not.
    #[must_use]
    pub fn catalog(&self) -> Catalog {
        let mut problems: Vec<Problem> = self.unwatched.iter().chain(&self.others).cloned().collect();
        problems.extend(self.files.iter().filter_map(|(path, file)| file.remark(path)));
        let served = self.files.values().filter_map(|file| file.serving.clone());
        Catalog::of_found(&self.folders, served.map(Found::Plugin).collect(), problems)
    }
}

impl Versioned {
    /// Takes in the content that a scan found; returns it if it has to be tried.
    fn take(&mut self, stamp: Stamp, found: Found, now: Instant) -> Option<Candidate> {
        match found {
            Found::Plugin(entry) if self.serving.as_ref().is_some_and(|it| it.sha256 == entry.sha256) => {
                self.content = Content::Served;
                None
            }
            // It was tried already.
            _ if matches!(&self.content, Content::Unusable { stamp: known, .. } if *known == stamp) => None,
            Found::Plugin(entry) => {
                self.content = Content::Untried(None);
                Some(Candidate { entry, stamp })
            }
            Found::Problem(problem) => {
                self.content = Content::Unusable { stamp, since: now, problem, is_refused: false };
                None
            }
        }
    }

    /// Refuses content that cannot be used and no longer changes.
    fn settle(&mut self, now: Instant) -> Option<PluginEvent> {
        let Content::Unusable { since, problem, is_refused, .. } = &mut self.content else { return None };
        if *is_refused || now.duration_since(*since) < SETTLE {
            return None;
        }
        *is_refused = true;
        Some(PluginEvent::PluginRefused {
            path: problem.path.display().to_string(),
            reason: problem.message.clone(),
            serving: self.serving.as_ref().map(Entry::plugin),
        })
    }

    /// Why the content of the file is not what is served.
    fn remark(&self, path: &Path) -> Option<Problem> {
        let serving = self.serving.as_ref().map(named);
        match &self.content {
            Content::Served | Content::Untried(None) => None,
            Content::Untried(Some(Delay { why, .. })) => {
                Some(Problem::note(path, format!("is not tried yet, and will be tried again: {why}")))
            }
            Content::Unusable { problem, is_refused: false, .. } => {
                let message = format!("{}; it may not be complete yet", problem.message);
                Some(Problem::note(path, with_served(message, serving)))
            }
            Content::Unusable { problem, .. } => {
                Some(Problem { message: with_served(problem.message.clone(), serving), ..problem.clone() })
            }
            Content::Gone { .. } => Some(Problem::note(path, "was removed just now")),
        }
    }
}

fn with_served(message: String, serving: Option<String>) -> String {
    match serving {
        Some(version) => format!("{message}; {version} is still served: put a good file there"),
        None => message,
    }
}

/// A version, for people.
fn named(entry: &Entry) -> String {
    let plugin = &entry.descriptor.plugin;
    format!("{} {} ({})", plugin.id, plugin.version, entry.sha256.get(..DIGITS).unwrap_or(&entry.sha256))
}

/// The plugin folder without which a file cannot be seen; `None` if another folder would show it.
fn lost_with<'a>(path: &Path, folders: &[PathBuf], unreadable: &'a [PathBuf]) -> Option<&'a Path> {
    let shows = |folder: &&PathBuf| path.starts_with(folder);
    let lost = unreadable.iter().find(shows)?;
    let is_shown = folders.iter().filter(shows).any(|folder| !unreadable.contains(folder));
    (!is_shown).then_some(lost.as_path())
}

/// The outcome of a look into the folders.
#[derive(Debug, Default)]
pub struct Looked {
    /// New content, native libraries first.
    pub candidates: Vec<Candidate>,
    /// What was decided without a trial.
    pub events: Vec<PluginEvent>,
    /// The folders to watch.
    pub folders: Vec<PathBuf>,
    /// Why the look was incomplete, and what is wrong with whole folders, a sentence each.
    pub troubles: Vec<String>,
    /// Whether the look was incomplete for want of a resource.
    pub is_incomplete: bool,
}

impl Looked {
    fn of(scan: Scan, candidates: Vec<Candidate>, events: Vec<PluginEvent>) -> Self {
        let lost = |folder: &PathBuf| {
            format!(
                "the plugin folder `{}` cannot be read; what was served of it is still served",
                folder.display()
            )
        };
        let mut troubles: Vec<String> = scan.unreadable.iter().map(lost).collect();
        troubles.extend(scan.fault.as_ref().map(ToString::to_string));
        Self {
            candidates,
            events,
            folders: scan.read.into_iter().collect(),
            troubles,
            is_incomplete: scan.fault.is_some(),
        }
    }
}
