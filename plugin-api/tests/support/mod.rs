//! Checked-in files that are made from code: compared by default, written anew when asked.

use std::{
    env, fs,
    path::{Path, PathBuf},
};

/// A path inside this package.
pub(crate) fn here(path: &str) -> PathBuf {
    let package = env::var_os("CARGO_MANIFEST_DIR").expect("Cargo sets it for the tests that it runs");
    Path::new(&package).join(path)
}

/// Fails when the file differs from `expected`, naming the first line that does; with `DYNO_BLESS=1` writes it.
pub(crate) fn compare_or_bless(path: &str, expected: &str) {
    let file = here(path);
    if env::var_os("DYNO_BLESS").is_some_and(|value| value == "1") {
        fs::create_dir_all(file.parent().expect("a file has a folder")).expect("the checkout is writable");
        fs::write(&file, expected).unwrap_or_else(|error| panic!("cannot write {}: {error}", file.display()));
        return;
    }
    let found = fs::read_to_string(&file).unwrap_or_default();
    if found == expected {
        return;
    }
    let mut lines = found.lines().zip(expected.lines()).enumerate().filter(|(_, (old, new))| old != new);
    let first = lines.next().map_or_else(
        || format!("the file has {} lines, expected {}", found.lines().count(), expected.lines().count()),
        |(at, (old, new))| format!("line {}:\n  in the file: {old}\n  expected:    {new}", at + 1),
    );
    panic!(
        "{} is not what the code says; {first}\n\
         To write it anew: DYNO_BLESS=1 cargo test --release -p dyno-plugin-api --all-features\n\
         Then commit it with the change that caused it.",
        file.display()
    );
}
