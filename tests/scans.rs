//! User story: plugins are listed again and again, from a cache that must never show what is no longer so.

use std::{
    fs::{self, File},
    path::PathBuf,
};

use crate::support::{arena::Arena, fixtures};

/// An arena with the example in C.
fn arena() -> Arena {
    let arena = Arena::new();
    arena.add(&fixtures::example("hello-c/hello.c"), "hello-c.so");
    arena
}

/// The files of the scan cache with this ending.
fn scans(arena: &Arena, ending: &str) -> Vec<PathBuf> {
    let files = fs::read_dir(arena.path("cache"))
        .expect("there is a cache")
        .map(|entry| entry.expect("an entry").path());
    files.filter(|path| path.extension().is_some_and(|found| found == ending)).collect()
}

#[test]
fn a_list_from_the_cache_is_the_list_without_it() {
    let arena = arena();
    let plugin = fs::read(arena.path("plugins/hello-c.so")).unwrap();
    // A copy, another build of the same version, and what is not a plugin.
    fs::write(arena.path("plugins/copy.so"), &plugin).unwrap();
    fs::write(arena.path("plugins/rival.so"), [&plugin[..], b"1"].concat()).unwrap();
    fs::write(arena.path("plugins/text.so"), "text").unwrap();
    let listed = || arena.dyno(&["list", "--json"]).stdout;
    let fresh = listed();
    for part in ["is the same file as", "but is also hello-c", "text.so", "sum_c"] {
        assert!(fresh.contains(part), "`{part}` is not in {fresh}");
    }
    assert_eq!(listed(), fresh);

    let [cache] = &scans(&arena, "bin")[..] else { panic!("there is not one cache") };
    let whole = fs::read(cache).unwrap();
    let mut flipped = whole.clone();
    flipped[whole.len() / 2] ^= 1;
    for damaged in [&flipped[..], &whole[..whole.len() - 1], &whole[..40], b"", br#"{"version": "2/0.1.0"}"#]
    {
        fs::write(cache, damaged).unwrap();
        fs::write(cache.with_extension("json"), "{}").unwrap();
        assert_eq!(listed(), fresh, "with {} of {} bytes", damaged.len(), whole.len());
        assert_eq!(fs::read(cache).unwrap(), whole, "the cache was not written again");
        assert!(scans(&arena, "json").is_empty(), "the cache of an earlier version was left");
    }
}

#[test]
fn a_file_that_is_rewritten_in_place_with_its_old_size_and_date_is_read_again() {
    let arena = arena();
    let path = arena.path("plugins/rival.so");
    let plugin = fs::read(arena.path("plugins/hello-c.so")).unwrap();
    let write = |last: &[u8]| fs::write(&path, [&plugin[..], last].concat()).unwrap();
    let hash = || {
        let list = arena.dyno(&["list", "--json"]).json();
        let plugins = list["plugins"].as_array().unwrap().clone();
        let ours = plugins.into_iter().find(|it| it["path"].as_str().unwrap().ends_with("rival.so"));
        ours.expect("it is listed")["sha256"].clone()
    };
    write(b"1");
    let date = fs::metadata(&path).unwrap().modified().unwrap();
    let before = hash();
    assert_eq!(hash(), before);
    write(b"2");
    File::options().write(true).open(&path).unwrap().set_modified(date).unwrap();
    assert_ne!(hash(), before);
}
