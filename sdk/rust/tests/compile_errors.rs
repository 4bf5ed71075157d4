//! What an author sees who makes a mistake: each file in `ui/` with the compiler's words beside it.
//!
//! After a change of a message, `TRYBUILD=overwrite cargo test --release -p dyno-sdk --test compile_errors` writes the
//! new words; read them before they are committed.

use std::{
    env,
    io::{Write, stderr},
    process::Command,
};

#[test]
fn mistakes_are_told_where_they_stand() {
    let cases = trybuild::TestCases::new();
    // Every word is ours.
    cases.compile_fail("tests/ui/*.rs");
    // Our words are in those of the compiler, which differ from release to release.
    let compiler = env::var_os("RUSTC").unwrap_or_else(|| "rustc".into());
    let version = Command::new(compiler).arg("--version").output().expect("a compiler has built this test");
    let version = String::from_utf8_lossy(&version.stdout);
    if version.starts_with("rustc 1.95.") {
        cases.compile_fail("tests/ui/rustc_1_95/*.rs");
    } else {
        let _ = writeln!(stderr(), "skipped tests/ui/rustc_1_95: this is {}", version.trim());
    }
}
