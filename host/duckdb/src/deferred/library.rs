//! Opening the library, once, and pointing the slots of the trampolines to its functions.
#![allow(unsafe_code, reason = "opening a library runs its initialisers")]

use std::{
    env,
    error::Error,
    ffi::{CStr, c_char, c_void},
    fs,
    path::PathBuf,
    sync::{
        Mutex, PoisonError,
        atomic::{AtomicPtr, Ordering},
    },
};

use libloading::Library;

use super::functions::NAMES;
use crate::error::{FILE, OpenError, VERSION};

// SAFETY: `trampolines!` defines this table, with a slot for each name and an address in each slot.
unsafe extern "C" {
    /// Where each trampoline jumps to.
    #[link_name = "dyno_duckdb_slots"]
    safe static SLOTS: [AtomicPtr<c_void>; NAMES.len()];
}

/// The library. It stays open: its functions are called until the process ends.
static LIBRARY: Mutex<Option<Library>> = Mutex::new(None);

/// Opens DuckDB's library if it is not open yet. Every function of DuckDB may then be called.
///
/// The system searches for it as it does for libraries that a program needs to start: in the folders that
/// `LD_LIBRARY_PATH` names, in the program's own folder, in the one that it was built with, and in the system's.
///
/// # Errors
/// When there is no such library, or it is not the one of this version. The next call tries again.
pub fn open() -> Result<(), OpenError> {
    let mut opened = LIBRARY.lock().unwrap_or_else(PoisonError::into_inner);
    if opened.is_some() {
        return Ok(());
    }
    // SAFETY: DuckDB's initialisers set up its own data and memory, and nothing else.
    let library = unsafe { Library::new(FILE) }
        .map_err(|error| OpenError::Unloadable { reason: innermost(&error), searched: searched() })?;
    let functions = functions(&library).map_err(|found| OpenError::OtherVersion { path: loaded_from(), found })?;
    for (slot, function) in SLOTS.iter().zip(functions) {
        slot.store(function, Ordering::Release);
    }
    *opened = Some(library);
    Ok(())
}

/// The addresses of all functions, in the order of the slots; or what the library is instead of the one that has them.
fn functions(library: &Library) -> Result<Vec<*mut c_void>, String> {
    // SAFETY: DuckDB declares it without parameters and with a result of this type.
    let version = unsafe { library.get::<unsafe extern "C" fn() -> *const c_char>("duckdb_library_version") };
    let version = version.map_err(|_| "not DuckDB's library".to_owned())?;
    // SAFETY: it has no preconditions.
    let version = unsafe { version() };
    // SAFETY: DuckDB returns a constant string.
    let version = unsafe { CStr::from_ptr(version) }.to_string_lossy();
    if version != VERSION {
        return Err(format!("DuckDB {version}"));
    }
    let address = |name: &&str| {
        // SAFETY: the address is only stored: who calls it knows its type from `libduckdb-sys`.
        let function = unsafe { library.get::<*mut c_void>(*name) };
        function.map(|function| *function).map_err(|_| format!("DuckDB {version} without the function `{name}`"))
    };
    NAMES.iter().map(address).collect()
}

/// The innermost error: the outer ones add no details.
fn innermost(error: &dyn Error) -> String {
    error.source().map_or_else(|| error.to_string(), innermost)
}

/// Where the system looks for the library, as a list for people.
fn searched() -> String {
    let path = env::var("LD_LIBRARY_PATH").ok().filter(|path| !path.is_empty());
    let own = env::current_exe().ok().and_then(|program| Some(program.parent()?.display().to_string()));
    let built_with = option_env!("DUCKDB_LIB_DIR").map(str::to_owned);
    let mut places: Vec<String> =
        path.into_iter().chain(own).chain(built_with).map(|place| format!("`{place}`")).collect();
    places.push("the system's folders".to_owned());
    places.join(", ")
}

/// The file that the system chose.
fn loaded_from() -> PathBuf {
    let maps = fs::read_to_string("/proc/self/maps").unwrap_or_default();
    let mut files = maps.lines().filter_map(|line| line.find('/').map(|start| &line[start..]));
    files.find(|file| file.ends_with(FILE)).unwrap_or(FILE).into()
}
