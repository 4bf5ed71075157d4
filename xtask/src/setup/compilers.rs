//! The C and C++ compilers, for plugins in those languages. Rust's own linker call needs `cc` as well.

use std::{env, ffi::OsString, fmt, process::Command};

use super::debian;
use crate::process::{self, say};

/// What compiles C and C++ here.
#[derive(Debug)]
pub(crate) struct Compilers {
    /// `CC`, or `cc`.
    pub(crate) c: Option<OsString>,
    /// `CXX`, or `c++`.
    pub(crate) cpp: Option<OsString>,
}

impl fmt::Display for Compilers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = |compiler: &Option<OsString>| {
            compiler.as_ref().map_or_else(|| "none".to_owned(), |name| name.to_string_lossy().into_owned())
        };
        write!(f, "{}, {}", name(&self.c), name(&self.cpp))
    }
}

impl Compilers {
    /// Looks for them, and has Debian install what is missing.
    pub(crate) fn find_or_obtain() -> Self {
        let mut found = Self::find();
        if found.is_whole() {
            return found;
        }
        if debian::can_install() {
            say("C and C++ compilers: installing Debian's (gcc, g++)");
            debian::install(&["gcc", "g++", "libc6-dev"]);
            found = Self::find();
        }
        if !found.is_whole() {
            println!(
                "    no C or no C++ compiler (CC, cc, CXX, c++): plugins in that language are left out; \
                 install gcc and g++, or clang"
            );
        }
        found
    }

    fn find() -> Self {
        Self { c: compiler("CC", "cc"), cpp: compiler("CXX", "c++") }
    }

    fn is_whole(&self) -> bool {
        self.c.is_some() && self.cpp.is_some()
    }
}

fn compiler(variable: &str, usual: &str) -> Option<OsString> {
    let name = env::var_os(variable).unwrap_or_else(|| usual.into());
    process::succeeds(Command::new(&name).arg("--version")).then_some(name)
}
