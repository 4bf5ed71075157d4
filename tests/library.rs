//! User story: DuckDB's library is missing, broken or of another version, and only what needs the database is refused.

use std::{fs, path::PathBuf, process::Command};

use crate::support::{
    arena::{Arena, Outcome},
    fixtures,
};

/// An arena in which the system finds this file first when it looks for the library.
fn arena_with(library: &[u8]) -> (Arena, PathBuf) {
    let mut arena = Arena::new();
    arena.add(&fixtures::example("hello-c/hello.c"), "hello-c.so");
    let file = arena.path("libduckdb.so");
    fs::write(&file, library).expect("the arena is writable");
    let folder = file.parent().expect("it is in a folder").to_owned();
    arena.set("LD_LIBRARY_PATH", folder);
    (arena, file)
}

/// A library made of a line of C.
fn compiled(source: &str) -> Vec<u8> {
    let folder = tempfile::tempdir().expect("the temporary directory is writable");
    let (from, to) = (folder.path().join("library.c"), folder.path().join("library.so"));
    fs::write(&from, source).expect("the folder is writable");
    let compiled = Command::new("cc")
        .args(["-shared", "-fPIC", "-o"])
        .arg(&to)
        .arg(&from)
        .status()
        .expect("there is a compiler");
    assert!(compiled.success());
    fs::read(to).expect("it was made")
}

/// Whether there is something to test: a compiler, and a library that is a file of its own.
fn is_possible() -> bool {
    let is_possible = fixtures::has_compiler("cc") && !cfg!(feature = "bundled");
    if !is_possible {
        println!("skipped: there is no C compiler on this machine, or DuckDB is part of dyno");
    }
    is_possible
}

#[track_caller]
fn refused(outcome: &Outcome, fragments: &[&str]) {
    assert_eq!(outcome.code, Some(5), "{}", outcome.shown());
    for fragment in fragments.iter().chain(&["copy the `libduckdb.so` of DuckDB v"]) {
        assert!(outcome.stderr.contains(fragment), "`{fragment}` is not in {}", outcome.shown());
    }
}

#[test]
fn commands_that_need_no_database_do_not_need_the_library() {
    if !is_possible() {
        return;
    }
    let (arena, _) = arena_with(b"not a library");
    for command in [&["--version"][..], &["list"], &["inspect", "hello-c"], &["config"], &["doctor"]] {
        let outcome = arena.dyno(command);
        assert_eq!(outcome.code, Some(0), "{command:?}: {}", outcome.shown());
    }
}

#[test]
fn a_library_that_cannot_be_loaded_says_why_and_where_it_was_looked_for() {
    if !is_possible() {
        return;
    }
    let (arena, file) = arena_with(b"not a library");
    let folder = format!("`{}`, `", file.parent().unwrap().display());
    let fragments = [&file.display().to_string(), "dyno looked for `libduckdb.so` in ", folder.as_str()];
    refused(&arena.dyno(&["run", "sum_c", "--time", "20ms", "--launches", "1"]), &fragments);
    fs::remove_file(&file).unwrap();
    let outcome = arena.dyno(&["run", "sum_c", "--time", "20ms", "--launches", "1"]);
    assert_eq!(outcome.code, Some(0), "the next place was not tried: {}", outcome.shown());
    fs::write(&file, "not a library").unwrap();
    refused(&arena.dyno(&["results", "--list"]), &fragments);
    refused(&arena.dyno(&["serve", "--port", "0"]), &fragments);
}

#[test]
fn another_library_is_named_with_its_version() {
    if !is_possible() {
        return;
    }
    let claiming = |version: &str| {
        compiled(&format!("const char *duckdb_library_version(void) {{ return \"{version}\"; }}"))
    };
    let right = dyno_duckdb::VERSION;
    for (library, found) in [
        (compiled("int nothing;"), "is not DuckDB's library".to_owned()),
        (claiming("v1.0.0"), "is DuckDB v1.0.0".to_owned()),
        (claiming(right), format!("is DuckDB {right} without the function `duckdb_")),
    ] {
        let (arena, file) = arena_with(&library);
        let named = format!("`{}` {found}", file.display());
        refused(&arena.dyno(&["run", "sum_c"]), &[&named, &format!("this dyno needs DuckDB {right}")]);
    }
}
