//! Opening a driver's library, and finding functions in it.
#![allow(unsafe_code, reason = "opening a library runs its initialisers")]

use std::ffi::{CStr, OsStr, c_char};

use libloading::{Library, Symbol};

/// A library under the first of its names that can be opened, kept open for as long as the process lives: a driver that
/// is unloaded leaves threads behind whose code is gone.
pub(super) fn open<Name: AsRef<OsStr>>(names: &[Name]) -> Result<&'static Library, String> {
    let mut said = String::new();
    for name in names {
        // SAFETY: the initialisers of a driver may do anything; this process exists so that they may do it here.
        match unsafe { Library::new(name.as_ref()) } {
            Ok(library) => return Ok(Box::leak(Box::new(library))),
            Err(error) => {
                let error = what_the_linker_said(&error);
                // The error of a library that exists but cannot be loaded says more than those of missing names.
                if said.is_empty() || !error.contains("cannot open shared object file") {
                    said = error;
                }
            }
        }
    }
    Err(said)
}

/// The innermost error: the outer ones add no details.
fn what_the_linker_said(error: &libloading::Error) -> String {
    let mut innermost: &dyn std::error::Error = error;
    while let Some(source) = innermost.source() {
        innermost = source;
    }
    innermost.to_string()
}

/// A function of that name, if the library has it.
///
/// # Safety
/// `T` must be the type of the function that the library exports under that name.
pub(super) unsafe fn function<T>(
    library: &'static Library,
    name: &str,
) -> Result<Symbol<'static, T>, String> {
    // SAFETY: the caller vouches for the type.
    unsafe { library.get(name.as_bytes()) }.map_err(|_| {
        format!("the library has no function `{name}`; it is too old, or another library of that name")
    })
}

/// A string that a driver owns, bounded and printable. Null is empty.
///
/// # Safety
/// `text` must be null or point to a string that ends with a zero byte and lives during the call.
pub(super) unsafe fn text(text: *const c_char) -> String {
    if text.is_null() {
        return String::new();
    }
    // SAFETY: not null, and the caller vouches for the rest.
    let text = unsafe { CStr::from_ptr(text) };
    text.to_string_lossy().trim().to_owned()
}

#[cfg(test)]
mod tests {
    #[test]
    fn a_library_that_is_not_there_is_told_from_one_that_cannot_be_loaded() {
        let absent = super::open(&["libdyno-nowhere.so.1", "libdyno-nowhere.so"]).unwrap_err();
        assert!(absent.contains("libdyno-nowhere.so.1: cannot open shared object file"), "{absent}");
        let folder = tempfile::tempdir().unwrap();
        let broken = folder.path().join("libbroken.so");
        std::fs::write(&broken, "this is no library").unwrap();
        let broken = super::open(&["libdyno-nowhere.so.1", broken.to_str().unwrap()]).unwrap_err();
        assert!(broken.contains("libbroken.so") && !broken.contains("cannot open shared"), "{broken}");
    }
}
