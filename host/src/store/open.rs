//! Opening the database: who may, how, and what an earlier process left unfinished.

use std::{
    collections::BTreeSet,
    fs,
    io::Read,
    path::{Path, PathBuf},
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
};

use duckdb::{AccessMode, Config, Connection};

use super::{
    error::{StoreError, doing, is_damage, log_of},
    migrate,
};

/// Most memory that DuckDB takes for itself; beyond it, it spills to a folder beside the file.
const MEMORY: &str = "512MiB";

/// The same while strangers may ask: all connections together have no more, and a query of theirs may want all of it.
const MEMORY_CONFINED: &str = "256MiB";

/// Most that is spilled to disk while strangers may ask.
const SPILL: &str = "1GiB";

/// The write-ahead log is folded into the file when it grows past this, and when the database is closed.
const LOG: &str = "16MiB";

/// Bytes of a log by which one of zeros is told [bytes]: each entry begins with its length, which is not 0.
const LOG_BEGIN: u64 = 4096;

/// Counts what was committed through all connections to a database: who keeps an answer knows by it whether the answer is
/// still right.
#[derive(Debug, Clone, Default)]
pub struct Revision(Arc<AtomicU64>);

impl Revision {
    /// The count.
    #[must_use]
    pub fn get(&self) -> u64 {
        self.0.load(Ordering::Acquire)
    }

    /// Something was committed.
    pub(super) fn raise(&self) {
        self.0.fetch_add(1, Ordering::Release);
    }
}

/// An open database.
#[derive(Debug)]
pub struct Store {
    pub(super) connection: Connection,
    /// The key of the run that was written to last.
    pub(super) current: Option<(String, i32)>,
    pub(super) read_only: bool,
    /// Shared by all connections.
    pub(super) revision: Revision,
    /// Dropped last: after the last connection is closed.
    claim: Arc<Claim>,
}

impl Store {
    /// Opens a database for writing, making it where there is none. Runs that a dead process left unfinished are
    /// marked `interrupted`: the database can be open for writing in one process only, so they are nobody's. What waits in
    /// the queue of a server goes on waiting.
    ///
    /// # Errors
    /// When it is open elsewhere, is no database of dyno, or is newer than this dyno.
    pub fn open(path: &Path) -> Result<Self, StoreError> {
        if let Some(folder) = path.parent() {
            fs::create_dir_all(folder).map_err(|error| StoreError::Open {
                path: path.to_owned(),
                message: format!("its folder cannot be made: {error}"),
            })?;
        }
        let claim = Claim::new(path)?;
        refuse_empty_log(path)?;
        let mut connection = connect(path, AccessMode::ReadWrite)?;
        migrate::migrate(&mut connection, path)?;
        connection
            .execute_batch(
                "UPDATE runs SET status = 'interrupted'
                 WHERE status = 'running'
                    OR status = 'queued' AND id NOT IN (SELECT run_id FROM submissions WHERE begun_at IS NULL)",
            )
            .map_err(doing("marking interrupted runs"))?;
        Ok(Self::new(connection, false, claim))
    }

    /// Opens a database for reading. Several processes may read at a time, but none while another writes; so here too
    /// an unfinished run is one whose host died.
    ///
    /// # Errors
    /// When it is open for writing elsewhere, is no database of dyno, or is of another version.
    pub fn open_read_only(path: &Path) -> Result<Self, StoreError> {
        let claim = Claim::new(path)?;
        refuse_empty_log(path)?;
        let connection = connect(path, AccessMode::ReadOnly)?;
        let found = migrate::version(&connection, path)?;
        let (path, known) = (path.to_owned(), migrate::VERSION);
        match found {
            found if found > known => Err(StoreError::Newer { path, found, known }),
            found if found < known => Err(StoreError::Older { path, found, known }),
            _ => Ok(Self::new(connection, true, claim)),
        }
    }
}

impl Store {
    fn new(connection: Connection, read_only: bool, claim: Claim) -> Self {
        Self { connection, current: None, read_only, revision: Revision::default(), claim: Arc::new(claim) }
    }

    /// Another connection to the same database: what one writes, the others see once it is committed, and nobody waits
    /// for anybody.
    ///
    /// # Errors
    /// When DuckDB refuses.
    pub fn another(&self) -> Result<Self, StoreError> {
        let connection = self.connection.try_clone().map_err(doing("connecting once more"))?;
        Ok(Self {
            connection,
            current: None,
            read_only: self.read_only,
            revision: self.revision.clone(),
            claim: Arc::clone(&self.claim),
        })
    }

    /// Counts what is committed, through this connection and all others of this process.
    #[must_use]
    pub fn revision(&self) -> Revision {
        self.revision.clone()
    }

    /// From now on no statement, of whomever, reaches a file outside `scratch`, the network, an extension or a setting.
    ///
    /// # Errors
    /// When DuckDB refuses.
    pub fn confine(&self, scratch: &Path) -> Result<(), StoreError> {
        let scratch = scratch.to_string_lossy().replace('\'', "''");
        let sql = format!(
            "SET allowed_directories = ['{scratch}'];
             SET max_temp_directory_size = '{SPILL}';
             SET memory_limit = '{MEMORY_CONFINED}';
             SET enable_external_access = false;
             SET lock_configuration = true;"
        );
        self.connection.execute_batch(&sql).map_err(doing("confining it"))
    }
}

/// The databases that this process has open. DuckDB's own lock is between processes: within one it would open a file
/// twice, and each would overwrite what the other wrote.
static OPEN: Mutex<BTreeSet<PathBuf>> = Mutex::new(BTreeSet::new());

/// The right of this process to open a file once.
#[derive(Debug)]
struct Claim(PathBuf);

impl Claim {
    fn new(path: &Path) -> Result<Self, StoreError> {
        // The file may not be there yet; its folder is, or opening will say so.
        let name = path.file_name().unwrap_or_default();
        let folder = path.parent().filter(|folder| *folder != Path::new("")).unwrap_or(Path::new("."));
        let real = fs::canonicalize(path)
            .or_else(|_| fs::canonicalize(folder).map(|folder| folder.join(name)))
            .unwrap_or_else(|_| path.to_owned());
        if !OPEN.lock().unwrap_or_else(PoisonError::into_inner).insert(real.clone()) {
            return Err(StoreError::Locked { path: path.to_owned(), holder: "this process".to_owned() });
        }
        Ok(Self(real))
    }
}

impl Drop for Claim {
    fn drop(&mut self) {
        OPEN.lock().unwrap_or_else(PoisonError::into_inner).remove(&self.0);
    }
}

/// A log of zeros is what a crash of the machine leaves of one that was not written out. DuckDB would take it for an empty one
/// and go on without what it held.
fn refuse_empty_log(path: &Path) -> Result<(), StoreError> {
    let log = log_of(path);
    let Ok(mut file) = fs::File::open(&log) else { return Ok(()) };
    let mut begin = Vec::new();
    let read = file.by_ref().take(LOG_BEGIN).read_to_end(&mut begin);
    if read.is_ok() && !begin.is_empty() && begin.iter().all(|byte| *byte == 0) {
        return Err(StoreError::EmptyLog { path: path.to_owned(), log });
    }
    Ok(())
}

fn connect(path: &Path, mode: AccessMode) -> Result<Connection, StoreError> {
    // One thread: the others would run on the processor that is being measured. Nothing is loaded from elsewhere.
    let config = Config::default()
        .access_mode(mode)
        .and_then(|config| config.threads(1))
        .and_then(|config| config.max_memory(MEMORY))
        .and_then(|config| config.enable_autoload_extension(false))
        .and_then(|config| config.with("autoinstall_known_extensions", "false"))
        .and_then(|config| config.with("checkpoint_threshold", LOG))
        .map_err(doing("setting it up"))?;
    Connection::open_with_flags(path, config).map_err(|error| refusal(path, &error.to_string()))
}

fn refusal(path: &Path, message: &str) -> StoreError {
    let path = path.to_owned();
    if message.contains("Could not set lock on file") {
        return StoreError::Locked { path, holder: holder(message) };
    }
    if message.contains("not a valid DuckDB database file") {
        return StoreError::NotADatabase { path };
    }
    if is_damage(message) {
        let message = message.lines().next().unwrap_or_default().to_owned();
        return StoreError::Damaged { path, message };
    }
    StoreError::Open { path, message: message.lines().next().unwrap_or_default().to_owned() }
}

/// DuckDB names the process in parentheses. // eg: `Conflicting lock is held in /usr/bin/dyno (PID 42)`
fn holder(message: &str) -> String {
    let process = message.split_once("(PID ").and_then(|(before, rest)| {
        let program = before.rsplit_once("held in ").map_or("", |(_, program)| program.trim());
        Some(format!("process {} ({program})", rest.split_once(')')?.0))
    });
    process.unwrap_or_else(|| "another process".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_holder_of_a_lock_is_named() {
        let message = "IO Error: Could not set lock on file \"/x\": Conflicting lock is held in /usr/bin/dyno (PID 42) by user a. See";
        assert_eq!(holder(message), "process 42 (/usr/bin/dyno)");
        assert!(matches!(refusal(Path::new("/x"), message), StoreError::Locked { .. }));
        assert_eq!(holder("no idea"), "another process");
    }
}
