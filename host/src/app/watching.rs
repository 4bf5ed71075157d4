//! Use cases: a server that watches its plugin folders. One thread looks into them, tries new content in a worker, and replaces the
//! catalog as a whole; everyone else reads the catalog of the moment.

use std::{
    collections::BTreeSet,
    fs,
    path::PathBuf,
    sync::{Arc, Condvar, Mutex, PoisonError, RwLock, Weak},
    time::{Duration, Instant},
};

use dyno_core::model::{PluginEvent, Settings};

use super::{error::AppError, workers::workers};
use crate::{
    catalog::{self, Bell, Catalog, Changes, ContentStore, Versions},
    config::{Origin, Resolved, Watch},
    fault::{HostFault, Place},
    runner::{Cancel, Loading, Workers},
};

/// How often the versions in use are marked as used, and the cache is held to its limit: more often than the cache forgets.
const UPKEEP: Duration = Duration::from_secs(240);
/// Maximum wait for a look into the folders, or for the end of all looks: a network file system may never answer.
const PATIENCE: Duration = Duration::from_secs(5);
/// Delay before an incomplete look is repeated.
const REST: Duration = Duration::from_secs(1);
/// Maximum number of looks in a row because of folders that just appeared.
const MOST_LOOKS: u32 = 8;

/// News of the watched folders.
#[derive(Debug)]
pub enum WatchNews<'a> {
    /// The served plugins changed.
    Plugins(&'a PluginEvent),
    /// Something is wrong with a whole folder, or with watching: a sentence.
    Trouble(&'a str),
    /// That is over.
    Over(&'a str),
}

/// The plugins that a watching server serves.
#[derive(Debug)]
pub struct Watching {
    folders: Vec<PathBuf>,
    cache: PathBuf,
    cache_limit_bytes: u64,
    content: ContentStore,
    code_cache: PathBuf,
    worker: Workers,
    settings: Settings,
    only_polls: bool,
    /// Replaced as a whole, by the thread that watches.
    catalog: RwLock<Arc<Catalog>>,
    versions: Mutex<Versions>,
    bell: Bell,
    ends: Cancel,
    looks: Mutex<Looks>,
    looked: Condvar,
}

/// Numbers of looks into the folders.
#[derive(Debug, Default)]
struct Looks {
    begun: u64,
    /// The last one that is over.
    done: u64,
    /// Whether there will be no more.
    is_over: bool,
}

impl Watching {
    /// Serves the plugins of the folders from now on as they are now, until [`Self::run`] finds others.
    ///
    /// # Errors
    /// When there is no cache, or the process has no descriptors left.
    pub(super) fn new(
        settings: &Resolved,
        content: ContentStore,
        code_cache: PathBuf,
    ) -> Result<Self, AppError> {
        let cache = settings.cache_folder()?.to_owned();
        if let (Origin::Default, Some(own)) = (&settings.plugins.origin, &settings.packages.value) {
            // A package that is installed later is then found; without the folder, it is found at the next start.
            let _ = fs::create_dir_all(own);
        }
        let folders = settings.plugin_folders();
        let versions = Versions::found(&folders, Some(&cache), &settings.trust.value);
        let bell = Bell::new()
            .map_err(|error| HostFault::new("cannot watch the plugin folders", &error, Place::Machine))?;
        Ok(Self {
            folders,
            cache,
            cache_limit_bytes: settings.cache_limit_bytes.value,
            content,
            code_cache,
            worker: workers(settings),
            settings: Settings {
                timeout_ms: settings.timeout_ms(),
                memory_limit_bytes: settings.memory_bytes.value,
                ..Settings::default()
            },
            only_polls: settings.watch.value == Watch::Poll,
            catalog: RwLock::new(Arc::new(versions.catalog())),
            versions: Mutex::new(versions),
            bell,
            ends: Cancel::default(),
            looks: Mutex::default(),
            looked: Condvar::new(),
        })
    }

    fn loading(&self) -> Loading<'_> {
        Loading {
            content: &self.content,
            worker: self.worker.clone(),
            code_cache: self.code_cache.clone(),
            settings: &self.settings,
            cancel: &self.ends,
        }
    }

    /// The plugins that are served now.
    #[must_use]
    pub fn catalog(&self) -> Arc<Catalog> {
        Arc::clone(&self.catalog.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// Looks into the folders now, and waits until that is done, at most 5 s.
    pub fn look_now(&self) {
        let looks = self.looks.lock().unwrap_or_else(PoisonError::into_inner);
        // One that was begun already may have passed by what the caller changed.
        let next = looks.begun + 1;
        self.bell.ring();
        let is_due = |looks: &mut Looks| looks.done < next && !looks.is_over;
        drop(self.looked.wait_timeout_while(looks, PATIENCE, is_due));
    }

    /// Ends [`Self::run`], and a trial that is going on.
    pub fn end(&self) {
        self.ends.set();
        self.bell.ring();
    }

    /// Waits until [`Self::run`] has ended, at most 5 s.
    pub fn wait_for_end(&self) {
        let looks = self.looks.lock().unwrap_or_else(PoisonError::into_inner);
        drop(self.looked.wait_timeout_while(looks, PATIENCE, |looks| !looks.is_over));
    }

    /// Copies the bytes of what is served, so that it stays served whatever happens to its files. A server does this before it
    /// is ready: from then on, a file may be replaced at any moment.
    pub(crate) fn keep_served(&self) {
        self.keep_bytes(&self.catalog());
    }

    fn keep_bytes(&self, catalog: &Catalog) {
        for entry in &catalog.entries {
            // If the file changes at this moment, its new content is tried next.
            let _ = self.content.admit_unsealed(&entry.path, &entry.sha256);
        }
    }

    /// Watches the folders until [`Self::end`]. `told` hears of changes once they are served.
    pub fn run(&self, told: &mut dyn FnMut(WatchNews<'_>)) {
        let mut versions = self.versions.lock().unwrap_or_else(PoisonError::into_inner);
        let changes = Changes::new(self.bell.clone(), &self.folders, self.only_polls);
        let mut watcher = Watcher {
            watching: self,
            versions: &mut versions,
            changes,
            told,
            troubles: BTreeSet::new(),
            replaced: Vec::new(),
            kept_up: None,
        };
        while !self.ends.is_set() {
            self.count(|looks| looks.begun += 1);
            let due = watcher.look();
            watcher.keep_up();
            self.count(|looks| looks.done = looks.begun);
            watcher.changes.wait(due);
        }
        self.count(|looks| looks.is_over = true);
    }

    fn count(&self, change: impl FnOnce(&mut Looks)) {
        change(&mut self.looks.lock().unwrap_or_else(PoisonError::into_inner));
        self.looked.notify_all();
    }
}

/// What only the thread that watches needs.
struct Watcher<'a> {
    watching: &'a Watching,
    versions: &'a mut Versions,
    changes: Changes,
    told: &'a mut dyn FnMut(WatchNews<'_>),
    troubles: BTreeSet<String>,
    /// Earlier catalogs, which runs may still use.
    replaced: Vec<Weak<Catalog>>,
    kept_up: Option<Instant>,
}

impl Watcher<'_> {
    /// Brings what is served up to date; returns when to look again, even if nothing changes.
    fn look(&mut self) -> Option<Instant> {
        for _ in 0..MOST_LOOKS {
            let looked = self.versions.look(Some(&self.watching.cache), Instant::now());
            let is_new = self.changes.cover(&looked.folders);
            self.versions.set_unwatched(self.changes.trouble().cloned());
            self.serve();
            self.tell(&looked.events);
            self.report(looked.troubles);
            for candidate in looked.candidates {
                if self.watching.ends.is_set() {
                    return None;
                }
                let trial = self.watching.loading().try_out(&candidate.entry);
                let event = self.versions.judge(candidate, trial, Instant::now());
                self.serve();
                self.tell(event.as_slice());
            }
            if looked.is_incomplete {
                return Some(Instant::now() + REST);
            }
            // A file may have come into a new folder before it was watched.
            if !is_new {
                break;
            }
        }
        self.versions.due()
    }

    /// Replaces the catalog.
    fn serve(&mut self) {
        let new = Arc::new(self.versions.catalog());
        let mut catalog = self.watching.catalog.write().unwrap_or_else(PoisonError::into_inner);
        let old = std::mem::replace(&mut *catalog, new);
        drop(catalog);
        self.replaced.push(Arc::downgrade(&old));
        drop(old);
        self.replaced.retain(|catalog| catalog.strong_count() > 0);
    }

    fn tell(&mut self, events: &[PluginEvent]) {
        for event in events {
            (self.told)(WatchNews::Plugins(event));
        }
    }

    /// Reports each trouble once, and its end.
    fn report(&mut self, troubles: Vec<String>) {
        let unwatched = self.changes.trouble().map(ToString::to_string);
        let now: BTreeSet<String> = troubles.into_iter().chain(unwatched).collect();
        for trouble in now.difference(&self.troubles) {
            (self.told)(WatchNews::Trouble(trouble));
        }
        for trouble in self.troubles.difference(&now) {
            (self.told)(WatchNews::Over(trouble));
        }
        self.troubles = now;
    }

    /// Keeps the bytes of the versions that are served or still run, and nothing else beyond the limit of the cache.
    fn keep_up(&mut self) {
        if self.kept_up.is_some_and(|last| last.elapsed() < UPKEEP) {
            return;
        }
        self.kept_up = Some(Instant::now());
        let in_use = self.replaced.iter().filter_map(Weak::upgrade).chain([self.watching.catalog()]);
        in_use.for_each(|catalog| self.watching.keep_bytes(&catalog));
        catalog::prune_cache(&self.watching.cache, self.watching.cache_limit_bytes);
    }
}
