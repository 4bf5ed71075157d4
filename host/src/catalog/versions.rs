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
use crate::trust::TrustStore;

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
    trust: TrustStore,
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
    pub fn found(folders: &[PathBuf], cache: Option<&Path>, trust: &TrustStore) -> Self {
        let mut scan = Scan::of(folders, cache, trust);
        let now = Instant::now();
        let mut versions = Self { folders: folders.to_vec(), trust: trust.clone(), ..Self::default() };
        for Scanned { stamp, found } in std::mem::take(&mut scan.files) {
            match found {
                Found::Plugin(entry) => {
                    let path = entry.path.clone();
                    versions.files.insert(path, Versioned { serving: Some(entry), content: Content::Served });
                }
                Found::Problem(problem) if problem.severity == Severity::Aside => {
                    versions.others.push(problem);
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
        let scan = Scan::of(&self.folders, cache, &self.trust);
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
                "dyno serves its verified copies of {plugins} in it until the folder can be read again"
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
                // The same bytes; another key may have signed them by now.
                self.serving = Some(entry);
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
                "the plugin folder `{}` cannot be read; plugins that were served from it stay in service",
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

#[cfg(test)]
mod tests {
    use std::fs;

    use serde_json::json;

    use super::*;
    use crate::trust::SignatureState;

    /// The stamp of a file of this size.
    fn stamp(size: u64) -> Stamp {
        let file = tempfile::tempfile().unwrap();
        file.set_len(size).unwrap();
        Stamp::of(&file.metadata().unwrap())
    }

    fn plugin(path: &str, sha256: &str) -> Found {
        let descriptor = serde_json::from_value(json!({
            "schema": "dyno.descriptor/1", "plugin": {"id": "p", "version": "1.0.0"},
            "abi": {"kind": "native", "version": 1}, "benchmarks": [],
        }));
        Found::Plugin(Entry {
            path: path.into(),
            sha256: sha256.to_owned(),
            size: 0,
            kind: PluginKind::Native,
            descriptor: descriptor.unwrap(),
            incompatible: None,
            warnings: Vec::new(),
            signature: SignatureState::NotChecked,
        })
    }

    fn broken(path: &str) -> Found {
        Found::Problem(Problem::error(Path::new(path), "the file is empty"))
    }

    fn scan(files: Vec<(Stamp, Found)>) -> Scan {
        let files = files.into_iter().map(|(stamp, found)| Scanned { stamp, found }).collect();
        Scan { files, ..Scan::default() }
    }

    fn serving(path: &str, sha256: &str) -> Versions {
        let mut versions = Versions { folders: vec!["/p".into()], ..Versions::default() };
        let mut looked = versions.compare(scan(vec![(stamp(1), plugin(path, sha256))]), Instant::now());
        let event = versions.judge(looked.candidates.remove(0), Trial::Usable, Instant::now());
        assert!(matches!(event, Some(PluginEvent::PluginAdded { .. })));
        versions
    }

    fn served(versions: &Versions) -> Vec<String> {
        versions.catalog().entries.iter().map(|entry| entry.sha256.clone()).collect()
    }

    fn messages(versions: &Versions) -> String {
        versions.catalog().problems.iter().map(|problem| problem.message.clone()).collect()
    }

    #[test]
    fn content_that_cannot_be_used_is_refused_only_when_it_no_longer_changes() {
        let mut versions = serving("/p/a.so", "old");
        let start = Instant::now();
        let half = stamp(10);
        assert!(versions.compare(scan(vec![(half, broken("/p/a.so"))]), start).events.is_empty());
        assert!(messages(&versions).contains("may not be complete yet; p 1.0.0 (old) is still served"));
        assert_eq!(versions.due(), Some(start + SETTLE));
        // It grows: the time begins anew.
        let more = stamp(20);
        let later = start + SETTLE;
        assert!(versions.compare(scan(vec![(more, broken("/p/a.so"))]), later).events.is_empty());
        let looked = versions.compare(scan(vec![(more, broken("/p/a.so"))]), later + SETTLE);
        assert!(matches!(&looked.events[..], [PluginEvent::PluginRefused { serving: Some(_), .. }]));
        assert_eq!((served(&versions), versions.due()), (vec!["old".to_owned()], None));
        // Once.
        assert!(
            versions.compare(scan(vec![(more, broken("/p/a.so"))]), later + 2 * SETTLE).events.is_empty()
        );
    }

    #[test]
    fn new_content_is_tried_once_and_then_replaces_the_old_or_waits() {
        let mut versions = serving("/p/a.so", "old");
        let now = Instant::now();
        let new = stamp(30);
        let look =
            |versions: &mut Versions, at| versions.compare(scan(vec![(new, plugin("/p/a.so", "new"))]), at);
        let candidate = look(&mut versions, now).candidates.remove(0);
        assert_eq!(served(&versions), ["old"], "it is not tried yet");
        assert_eq!(versions.judge(candidate, Trial::Unusable("it dies".to_owned()), now), None);
        assert!(look(&mut versions, now).candidates.is_empty(), "the same content is not tried again");
        let looked = look(&mut versions, now + SETTLE);
        assert!(
            matches!(&looked.events[..], [PluginEvent::PluginRefused { reason, .. }] if reason == "it dies")
        );
        assert_eq!(served(&versions), ["old"]);

        let other = || scan(vec![(stamp(40), plugin("/p/a.so", "other"))]);
        let candidate = versions.compare(other(), now).candidates.remove(0);
        assert_eq!(versions.judge(candidate, Trial::NotNow("no processes".to_owned()), now), None);
        assert_eq!(versions.due(), Some(now + REST));
        assert!(messages(&versions).contains("will be tried again: no processes"));
        let candidate = versions.compare(other(), now + REST).candidates.remove(0);
        let event = versions.judge(candidate, Trial::Usable, now);
        assert!(
            matches!(event, Some(PluginEvent::PluginReplaced { previous, .. }) if previous.sha256 == "old")
        );
        assert_eq!((served(&versions), messages(&versions)), (vec!["other".to_owned()], String::new()));
    }

    #[test]
    fn a_file_is_removed_when_it_stays_away_and_its_folder_does_not() {
        let mut versions = serving("/p/a.so", "old");
        let now = Instant::now();
        assert!(versions.compare(scan(Vec::new()), now).events.is_empty());
        assert_eq!((served(&versions).len(), versions.due()), (1, Some(now + ABSENCE)));
        // Created again in time.
        versions.compare(scan(vec![(stamp(1), plugin("/p/a.so", "old"))]), now + ABSENCE);
        assert_eq!(versions.due(), None);
        // With its folder, for however long.
        for late in [1, 2, 1_000] {
            let scan = Scan { unreadable: vec!["/p".into()], ..Scan::default() };
            let looked = versions.compare(scan, now + late * ABSENCE);
            assert!(looked.events.is_empty() && looked.troubles[0].contains("`/p`"), "{looked:?}");
            assert!(messages(&versions).contains("verified copies of 1 plugin in it"));
        }
        // An incomplete look says nothing about what is missing.
        let io = std::io::Error::from_raw_os_error(nix::libc::EMFILE);
        let fault = Some(crate::fault::HostFault::new("cannot look", &io, crate::fault::Place::Machine));
        assert!(versions.compare(Scan { fault, ..Scan::default() }, now).is_incomplete);
        versions.compare(scan(Vec::new()), now);
        let looked = versions.compare(scan(Vec::new()), now + ABSENCE);
        assert!(matches!(&looked.events[..], [PluginEvent::PluginRemoved { .. }]));
        assert!(served(&versions).is_empty());
    }

    #[test]
    fn a_folder_inside_another_one_is_not_lost_while_that_shows_it() {
        let folders = ["/p".into(), "/p/q".into()];
        let lost = |gone: &[PathBuf]| lost_with(Path::new("/p/q/a.so"), &folders, gone).is_some();
        assert!(lost(&folders) && !lost(&folders[1..]) && !lost(&[]));
    }

    #[test]
    fn what_is_found_at_the_start_is_served_as_it_is() {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("x.so"), "text").unwrap();
        let mut versions = Versions::found(&[folder.path().to_owned()], None, &TrustStore::default());
        assert!(messages(&versions).contains("not a library"));
        let looked = versions.look(None, Instant::now() + SETTLE);
        assert!(looked.events.is_empty() && looked.candidates.is_empty(), "{looked:?}");
        assert_eq!(looked.folders, [folder.path()]);
    }
}
