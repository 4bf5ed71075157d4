//! Files that are no plugins at all, or not whole ones: a directory that holds them is listed, and its good plugins run.

use std::{
    fs,
    os::unix::fs::{PermissionsExt, symlink},
    path::{Path, PathBuf},
    sync::atomic::{AtomicBool, Ordering},
};

use dyno_core::model::{CaseStatus, Stage};

use super::{arena_with_neighbours, neighbours};
use crate::support::{
    arena::{Arena, Outcome},
    fixtures,
};

/// A whole plugin, to be broken.
fn whole() -> Vec<u8> {
    let path = if fixtures::has_compiler("cc") {
        fixtures::native("good", "broken")
    } else {
        println!(
            "skipped in part: there is no C compiler on this machine, so a WASM plugin is broken instead"
        );
        fixtures::wasm("good", "broken")
    };
    fs::read(path).expect("it was built")
}

/// Lists and runs with something odd beside the good plugins: `make` puts it at the given path. Returns the problems.
fn beside(file_name: &str, make: impl FnOnce(&Path)) -> Vec<String> {
    let arena = arena_with_neighbours();
    make(&arena.path("plugins").join(file_name));
    let problems = problems(&arena);
    let outcome = arena.run(&["good_a", "good_z"]);
    assert_eq!(outcome.code, Some(0), "{}", outcome.shown());
    neighbours(&outcome.record(), &outcome);
    arena.assert_clean(&outcome);
    problems
}

/// What `dyno list` says of files that it cannot use.
fn problems(arena: &Arena) -> Vec<String> {
    let listed = arena.dyno(&["list", "--json"]);
    assert_eq!(listed.code, Some(0), "{}", listed.shown());
    let json = listed.json();
    json["problems"].as_array().expect("a list").iter().map(ToString::to_string).collect()
}

#[track_caller]
fn named(problems: &[String], file_name: &str, fragment: &str) {
    assert!(
        problems.iter().any(|problem| problem.contains(file_name) && problem.contains(fragment)),
        "no problem names {file_name} with `{fragment}`: {problems:?}"
    );
}

#[test]
fn truncated_library() {
    let bytes = whole();
    for keep in [1, 3, 16, 63, 64, bytes.len() / 4, bytes.len() / 2, bytes.len() - 1] {
        let problems = beside("cut.so", |path| fs::write(path, &bytes[..keep]).unwrap());
        assert!(!problems.is_empty(), "a library of {keep} of {} bytes is no problem", bytes.len());
        named(&problems, "cut.so", "");
    }
}

#[test]
fn library_for_another_machine() {
    let mut bytes = whole();
    // e_machine of the ELF header: MIPS.
    bytes[18..20].copy_from_slice(&8u16.to_le_bytes());
    let problems = beside("mips.so", |path| fs::write(path, &bytes).unwrap());
    named(&problems, "mips.so", "Mips");
}

#[test]
fn text_named_like_a_library() {
    named(&beside("text.so", |path| fs::write(path, "hello, I am a text\n").unwrap()), "text.so", "");
}

#[test]
fn text_named_like_a_component() {
    named(&beside("text.wasm", |path| fs::write(path, "hello, I am a text\n").unwrap()), "text.wasm", "");
}

#[test]
fn empty_file() {
    named(&beside("empty.so", |path| fs::write(path, "").unwrap()), "empty.so", "empty");
}

#[test]
fn directory_named_like_a_library() {
    beside("folder.so", |path| fs::create_dir(path).unwrap());
}

#[test]
fn pipe_named_like_a_library() {
    // Reading it would wait for a writer that never comes.
    beside("pipe.so", |path| nix::unistd::mkfifo(path, nix::sys::stat::Mode::S_IRWXU).unwrap());
}

#[test]
fn link_to_itself() {
    beside("loop.so", |path| symlink(path, path).unwrap());
}

#[test]
fn folder_that_contains_itself() {
    beside("folder", |path| {
        fs::create_dir(path).unwrap();
        symlink("..", path.join("up")).unwrap();
    });
}

#[test]
fn link_to_nothing() {
    beside("dangling.so", |path| symlink("/nonexistent/plugin.so", path).unwrap());
}

#[test]
fn unreadable_file() {
    let bytes = whole();
    let problems = beside("secret.so", |path| {
        fs::write(path, &bytes).unwrap();
        fs::set_permissions(path, fs::Permissions::from_mode(0o000)).unwrap();
    });
    if nix::unistd::geteuid().is_root() {
        println!("skipped in part: root reads every file, so nothing is unreadable here");
    } else {
        named(&problems, "secret.so", "ermission");
    }
}

#[test]
fn name_that_is_no_text() {
    use std::{ffi::OsStr, os::unix::ffi::OsStrExt};

    let arena = arena_with_neighbours();
    let good = fs::read(arena.path("plugins/good_a.wasm")).unwrap();
    for (name, bytes) in [(&b"\xff\x1b[2J.so"[..], &b"no plugin"[..]), (b"\x1b[31m.wasm", &good)] {
        fs::write(arena.path("plugins").join(OsStr::from_bytes(name)), bytes).unwrap();
    }
    let listed = arena.dyno(&["list"]);
    assert_eq!(listed.code, Some(0), "{}", listed.shown());
    assert!(!listed.stdout.contains('\u{1b}') && !listed.stderr.contains('\u{1b}'), "{}", listed.shown());
    let problems = problems(&arena);
    named(&problems, "[2J.so", "not printable text");
    named(&problems, "[31m.wasm", "not printable text");
    let outcome = arena.run(&["good_a", "good_z"]);
    assert_eq!(outcome.code, Some(0), "{}", outcome.shown());
    neighbours(&outcome.record(), &outcome);
}

#[test]
fn component_with_garbage_in_it() {
    let mut bytes = fs::read(fixtures::wasm("good", "garbled")).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle..middle + 40].fill(0xff);
    named(&beside("garbled.wasm", |path| fs::write(path, &bytes).unwrap()), "garbled.wasm", "broken");
}

/// A file that a linker or a copy is still writing: a whole plugin, half a plugin and nothing at all in turns.
#[test]
fn file_replaced_while_it_is_read() {
    let one = whole();
    let arena = arena_with_neighbours();
    let target = arena.path("plugins/broken.so");
    fs::write(&target, &one).unwrap();
    let stop = AtomicBool::new(false);
    let outcomes: Vec<Outcome> = std::thread::scope(|scope| {
        scope.spawn(|| rewrite(&target, &one, &stop));
        let outcomes = (0..6)
            .map(|_| {
                problems(&arena);
                arena.run(&["good_a", "*broken", "good_z"])
            })
            .collect();
        stop.store(true, Ordering::Relaxed);
        outcomes
    });
    for outcome in &outcomes {
        let code = outcome.code;
        // Complete, failed, or not there at the moment of the scan: each of these is true at some moment.
        assert!(matches!(code, Some(0 | 2 | 4)), "exit code {code:?}\n{}", outcome.shown());
        if code == Some(2) {
            continue;
        }
        let record = outcome.record();
        neighbours(&record, outcome);
        for case in record.cases.iter().filter(|case| case.benchmark == "broken") {
            if let CaseStatus::Failed { stage, .. } = &case.status {
                assert_eq!(*stage, Stage::Load, "{:?}", case.status);
            }
        }
    }
    arena.assert_clean(outcomes.last().expect("six runs"));
}

/// Replaces the file over and over: in place by pieces, truncated, and whole by a rename.
fn rewrite(target: &PathBuf, whole: &[u8], stop: &AtomicBool) {
    let mut other = whole.to_vec();
    other.extend(b"padding");
    let beside = target.with_extension("new");
    while !stop.load(Ordering::Relaxed) {
        let half = whole.len() / 2;
        fs::write(target, &whole[..half]).expect("the arena is writable");
        fs::write(target, &other).expect("the arena is writable");
        fs::write(&beside, whole).expect("the arena is writable");
        fs::rename(&beside, target).expect("the arena is writable");
        std::thread::yield_now();
    }
}
