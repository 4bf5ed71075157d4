//! Opening the database: for writing by one process, for reading by several, and what an earlier process left unfinished.

use std::{
    fs::{self, File},
    io::{self, Read},
    path::Path,
    sync::Arc,
};

use duckdb::{AccessMode, Config, Connection};

use super::{
    beside,
    claim::Claim,
    error::{StoreError, doing, is_damage, log_of},
    gate::Gate,
    log::Log,
    migrate,
    recent::Recent,
    revision::Revision,
    strangers::Strangers,
    swap::settle,
};
use crate::user_file::folder_of;

/// Maximum memory of DuckDB, which then spills to a folder beside the file.
const MEMORY: &str = "512MiB";

/// The same after [`Store::confine`]: all connections share it. Queries of callers may take two thirds.
const MEMORY_CONFINED: &str = "384MiB";

/// Maximum that is spilled to disk after [`Store::confine`].
const SPILL: &str = "1GiB";

/// Size at which the write-ahead log is folded into the file. Closing the database folds it as well. A server's stays shorter.
const LOG: &str = "16MiB";

/// Size of the blocks of a new file [bytes]. DuckDB keeps a block in memory for each column that was written to since the last checkpoint.
/// A server writes to 169 columns: 44 MB in blocks of 256 KiB, which is DuckDB's default. With blocks of 32 KiB, files are twice as large,
/// because samples no longer compress well.
const BLOCK: &str = "65536";

/// Length of the beginning of a log that is checked for zeros [bytes]. Each entry begins with its length, which is not 0.
const LOG_BEGIN: u64 = 4096;

/// An open database, as one connection to it.
#[derive(Debug)]
pub struct Store {
    pub(super) connection: Connection,
    /// Identifier and key of the run that was written to last, which is usually the next one too.
    pub(super) current: Option<(String, i32)>,
    pub(super) read_only: bool,
    /// Shared by all connections.
    pub(super) revision: Revision,
    /// Shared by all connections, if lists are kept in memory.
    pub(super) recent: Option<Arc<Recent>>,
    /// Shared by all connections, if the log is kept short.
    pub(super) log: Option<Arc<Log>>,
    /// Shared by all connections.
    pub(super) gate: Gate,
    /// Shared by all connections.
    pub(super) strangers: Strangers,
    /// Dropped after the last connection is closed.
    claim: Arc<Claim>,
}

impl Store {
    /// Opens a database for writing, and makes it if it does not exist. Unfinished runs are marked `interrupted`: only one
    /// process can have the database open for writing, so the process that ran them is gone. Queued runs stay queued.
    ///
    /// # Errors
    /// When it is open elsewhere, is not a database of dyno, or was written by a newer dyno.
    pub fn open(path: &Path) -> Result<Self, StoreError> {
        if let Some(folder) = path.parent() {
            fs::create_dir_all(folder).map_err(|error| StoreError::Open {
                path: path.to_owned(),
                message: format!("its folder cannot be made: {error}"),
            })?;
        }
        let claim = claimed(path)?;
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

    /// Opens a database for reading. Several processes can read at a time, but none while another has it open for
    /// writing; so an unfinished run is read as `interrupted`.
    ///
    /// # Errors
    /// When it is open for writing elsewhere, is not a database of dyno, or has another version.
    pub fn open_read_only(path: &Path) -> Result<Self, StoreError> {
        let claim = claimed(path)?;
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
    /// Opens a database of this or an earlier dyno for writing, and changes nothing in it: neither its version nor its runs.
    ///
    /// # Errors
    /// When it is open elsewhere, is not a database of dyno, or was written by a newer dyno.
    pub fn open_as_it_is(path: &Path) -> Result<Self, StoreError> {
        let claim = claimed(path)?;
        let connection = connect(path, AccessMode::ReadWrite)?;
        let (found, known) = (migrate::version(&connection, path)?, migrate::VERSION);
        if found > known {
            return Err(StoreError::Newer { path: path.to_owned(), found, known });
        }
        Ok(Self::new(connection, false, claim))
    }

    /// The file, links followed.
    pub(super) fn path(&self) -> &Path {
        self.claim.path()
    }

    /// The file itself, open for reading until the database is closed. The lock of DuckDB belongs to this process: it would be
    /// lost as soon as this process closed the file once, through whichever descriptor. Call it with the gate closed, so that no
    /// second descriptor is made and dropped.
    pub(super) fn file(&self) -> io::Result<&File> {
        if let Some(file) = self.claim.file.get() {
            return Ok(file);
        }
        let file = File::open(self.claim.path())?;
        Ok(self.claim.file.get_or_init(|| file))
    }

    fn new(connection: Connection, read_only: bool, claim: Claim) -> Self {
        Self {
            connection,
            current: None,
            read_only,
            revision: Revision::default(),
            recent: None,
            log: None,
            gate: Gate::default(),
            strangers: Strangers::default(),
            claim: Arc::new(claim),
        }
    }

    /// Another connection to the same database. It sees what others have committed, and does not wait for them.
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
            recent: self.recent.clone(),
            log: self.log.clone(),
            gate: self.gate.clone(),
            strangers: self.strangers.clone(),
            claim: Arc::clone(&self.claim),
        })
    }

    /// Prepares for a server: from now on, this connection and those made from it keep the newest runs and results in memory, and
    /// keep the write-ahead log short. Only the process that writes can do so, because it knows of every change.
    #[must_use]
    pub fn for_server(mut self) -> Self {
        debug_assert!(!self.read_only, "another process may write");
        beside::sweep(self.path());
        self.recent = Some(Arc::default());
        self.log = Some(Arc::new(Log::in_folder(folder_of(self.claim.path()))));
        self
    }

    /// Counts what is committed, through this connection and all others of this process.
    #[must_use]
    pub fn revision(&self) -> Revision {
        self.revision.clone()
    }

    /// Cuts all connections of this process off from files outside `scratch`, network, extensions and settings. This
    /// cannot be undone.
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

/// Claims a database for this process, as an earlier one left it.
fn claimed(path: &Path) -> Result<Claim, StoreError> {
    settle(path);
    let claim = Claim::new(path)?;
    refuse_empty_log(path)?;
    Ok(claim)
}

/// Refuses a log of zeros, which a crash of the machine leaves if the log was not yet written to disk. DuckDB would take it
/// for an empty log and continue without the lost transactions.
pub(super) fn refuse_empty_log(path: &Path) -> Result<(), StoreError> {
    let log = log_of(path);
    let Ok(mut file) = File::open(&log) else { return Ok(()) };
    let mut begin = Vec::new();
    let read = file.by_ref().take(LOG_BEGIN).read_to_end(&mut begin);
    if read.is_ok() && !begin.is_empty() && begin.iter().all(|byte| *byte == 0) {
        return Err(StoreError::EmptyLog { path: path.to_owned(), log });
    }
    Ok(())
}

/// The first connection to a database, which opens DuckDB's library if nothing did before.
#[expect(clippy::disallowed_methods, reason = "here the library is open")]
pub(super) fn connect(path: &Path, mode: AccessMode) -> Result<Connection, StoreError> {
    dyno_duckdb::open()?;
    // One thread: the others would run on the processor that is being measured. Nothing is loaded from elsewhere.
    let config = Config::default()
        .access_mode(mode)
        .and_then(|config| config.threads(1))
        .and_then(|config| config.max_memory(MEMORY))
        .and_then(|config| config.enable_autoload_extension(false))
        .and_then(|config| config.with("autoinstall_known_extensions", "false"))
        .and_then(|config| config.with("checkpoint_threshold", LOG))
        .and_then(|config| config.with("default_block_size", BLOCK))
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
