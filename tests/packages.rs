//! User story: an author ships a plugin as one file, and users install it, whatever is wrong with that file.

#[path = "packages/forge.rs"]
mod forge;
#[path = "packages/web.rs"]
mod web;

use std::{
    fs,
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use dyno_core::model::{CaseStatus, RunRecord};
use nix::{sys::stat::Mode, unistd::mkfifo};
use serde_json::{Value, json};

use self::forge::{Forged, entry, forged};
use crate::support::{
    arena::{Arena, Outcome},
    fixtures,
};

/// Exit code of what the user can correct.
const USAGE: i32 = 2;

fn can_build() -> bool {
    let can = fixtures::has_compiler("cc");
    if !can {
        println!("skipped: there is no C compiler on this machine");
    }
    can
}

fn text(path: &Path) -> String {
    path.display().to_string()
}

#[track_caller]
fn good(arena: &Arena, arguments: &[&str]) -> Outcome {
    let outcome = arena.dyno(arguments);
    assert_eq!(outcome.code, Some(0), "dyno {arguments:?}\n{}", outcome.shown());
    arena.assert_clean(&outcome);
    outcome
}

/// One sentence, which contains all of these.
#[track_caller]
fn refused(arena: &Arena, arguments: &[&str], said: &[&str]) {
    let outcome = arena.dyno(arguments);
    assert_eq!(outcome.code, Some(USAGE), "dyno {arguments:?}\n{}", outcome.shown());
    for part in said {
        assert!(
            outcome.stderr.contains(part),
            "`{part}` is not in what dyno {arguments:?} said:\n{}",
            outcome.stderr
        );
    }
    assert_eq!(
        outcome.stderr.lines().filter(|line| line.starts_with("error: ")).count(),
        1,
        "{}",
        outcome.shown()
    );
    arena.assert_clean(&outcome);
}

/// Packs files into a package in the arena.
#[track_caller]
fn packed(arena: &Arena, name: &str, files: &[&Path]) -> PathBuf {
    let out = arena.path("home").join(name);
    let files: Vec<String> = files.iter().map(|file| text(file)).collect();
    let mut arguments = vec!["pack"];
    arguments.extend(files.iter().map(String::as_str));
    let target = text(&out);
    arguments.extend(["-o", &target]);
    good(arena, &arguments);
    out
}

/// The folder that the arena's `dyno` searches, which packages are installed into.
fn into(arena: &Arena) -> String {
    text(&arena.path("plugins"))
}

#[track_caller]
fn install(arena: &Arena, what: &Path) -> Outcome {
    good(arena, &["install", &text(what), "--into", &into(arena)])
}

/// Name and state of each installed package.
fn installed(arena: &Arena) -> Vec<(String, String)> {
    let outcome = arena.dyno(&["list", "--installed", "--json"]);
    let list = outcome.json();
    let word = |one: &Value, name: &str| one[name].as_str().expect("a word").to_owned();
    list.as_array()
        .expect("a list")
        .iter()
        .map(|one| (format!("{}@{}", word(one, "id"), word(one, "version")), word(one, "state")))
        .collect()
}

fn is_whole(name: &str) -> (String, String) {
    (name.to_owned(), "whole".to_owned())
}

/// Everything in a folder, hidden or not.
fn names(folder: &Path) -> Vec<String> {
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    let mut names: Vec<String> =
        entries.map(|entry| entry.file_name().to_string_lossy().into_owned()).collect();
    names.sort();
    names
}

/// What `dyno` writes on standard output, and then on standard error, to a user who has set nothing and has this folder for
/// data.
#[track_caller]
fn bare(arena: &Arena, data: &Path, arguments: &[&str]) -> [String; 2] {
    let output = Command::new(env!("CARGO_BIN_EXE_dyno"))
        .args(arguments)
        .current_dir(arena.path("work"))
        .env_clear()
        .env("HOME", arena.path("home"))
        .env("XDG_DATA_HOME", data)
        .env("TMPDIR", arena.path("tmp"))
        .env("DYNO_OUTPUT", arena.path("out"))
        .env("DYNO_LEASES", arena.path("leases"))
        .stdin(Stdio::null())
        .output()
        .expect("dyno is built");
    let said = [output.stdout, output.stderr].map(|bytes| String::from_utf8_lossy(&bytes).into_owned());
    assert_eq!(output.status.code(), Some(0), "dyno {arguments:?}\n{said:?}");
    said
}

#[test]
fn a_package_is_moved_to_an_empty_data_folder_installed_and_run() {
    if !can_build() {
        return;
    }
    let arena = Arena::new();
    let folder = arena.path("home/project");
    fs::create_dir_all(folder.join("build")).unwrap();
    fs::copy(fixtures::native("good", "good_p"), folder.join("build/good_p.so")).unwrap();
    fs::copy(fixtures::wasm("good", "good_p"), folder.join("build/good_p.wasm")).unwrap();
    for name in ["LICENSE", "README.md", "notes.txt"] {
        fs::write(folder.join(name), name).unwrap();
    }
    let package = packed(&arena, "good_p.dyno", &[&folder]);
    let again = packed(
        &arena,
        "again.dyno",
        &[&folder.join("README.md"), &folder.join("LICENSE"), &folder.join("build")],
    );
    assert!(
        fs::read(&package).unwrap() == fs::read(again).unwrap(),
        "the same files, in whatever order, are the same bytes"
    );

    let data = arena.path("home/elsewhere");
    fs::create_dir(&data).unwrap();
    let moved = data.join("moved.dyno");
    fs::rename(&package, &moved).unwrap();
    fs::remove_dir_all(&folder).unwrap();
    let dyno = |arguments: &[&str]| bare(&arena, &data, arguments);
    assert!(dyno(&["install", &text(&moved)])[0].contains("installed good_p@1.0.0 in `"));
    fs::remove_file(&moved).unwrap();
    let [said, _] = dyno(&["list", "good_p"]);
    assert!(said.contains("native, wasm"), "{said}");
    let [said, _] = dyno(&["list", "--installed"]);
    assert!(said.contains("good_p") && said.contains("whole"), "{said}");
    let run =
        ["run", "good_p@1.0.0/good_p", "--engine", "all", "--samples", "3", "--launches", "1", "--json"];
    let record: RunRecord = serde_json::from_str(&dyno(&run)[0]).expect("a result");
    let place = data.join("dyno/plugins/good_p@1.0.0");
    assert_eq!(record.cases.len(), 2);
    for case in &record.cases {
        assert_eq!(case.status, CaseStatus::Completed);
        assert!(Path::new(&case.plugin.path).starts_with(&place), "{}", case.plugin.path);
    }
    assert_eq!(fs::read_to_string(place.join("LICENSE")).unwrap(), "LICENSE");
    assert!(place.join("README.md").is_file() && !place.join("notes.txt").exists());
    assert!(dyno(&["remove", "good_p"])[0].contains("removed good_p@1.0.0"));
    assert_eq!(names(&data.join("dyno/plugins")), ["dyno-lock.json"]);
    assert!(dyno(&["list", "--installed"])[1].contains("no package is installed"));
}

#[test]
fn a_package_that_is_not_good_is_refused_in_a_sentence_and_nothing_is_installed() {
    let arena = Arena::new();
    let wasm = fs::read(fixtures::wasm("good", "good_w")).unwrap();
    let target = text(&arena.path("home/bad.dyno"));
    let refuse = |package: &[u8], said: &[&str]| {
        fs::write(&target, package).unwrap();
        refused(&arena, &["install", &target, "--into", &into(&arena)], said);
        let left: Vec<String> =
            names(&arena.path("plugins")).into_iter().filter(|name| name != "dyno-lock.json").collect();
        assert!(left.is_empty(), "{left:?} was left of {said:?}");
    };
    let good = Forged::of("good_w", &wasm);
    let whole = good.package();
    refuse(b"", &["not a package"]);
    refuse(b"PK\x03\x04 this is not one", &["not a package: expected a file made by `dyno pack`"]);
    for cut in [20, whole.len() / 2, whole.len() - 5] {
        refuse(&whole[..cut], &["the package `"]);
    }
    let mut flipped = whole.clone();
    let middle = flipped.len() / 2;
    flipped[middle] ^= 0x55;
    refuse(&flipped, &["the package `"]);

    let with = |pointer: &str, value: Value| {
        let mut forged = good.clone();
        *forged.manifest.pointer_mut(pointer).expect(pointer) = value;
        forged.package()
    };
    refuse(&with("/files/0/sha256", json!("0".repeat(64))), &["has SHA-256", "its manifest says 0000"]);
    refuse(&with("/files/0/size_bytes", json!(7)), &["bytes, its manifest says 7"]);
    refuse(&with("/files/0/size_bytes", json!(10_u64 << 30)), &["at most 1073741824 are allowed"]);
    refuse(&with("/plugin/id", json!("other")), &["is good_w 1.0.0, its manifest says other@1.0.0"]);
    refuse(&with("/plugin/version", json!("../..")), &["plugin.version `../..` is not a semantic version"]);
    refuse(
        &with("/files/0/abi/version", json!(99)),
        &["has no build for this machine", "contract 99", "rebuild the plugin"],
    );
    refuse(
        &with("/files/0/target", json!("linux-sparc64")),
        &["has no build for this machine", "it has WASM"],
    );
    refuse(&with("/version", json!(2)), &["version 2; this dyno reads version 1"]);
    for path in ["../../x.wasm", "/tmp/x.wasm", "a/../../x.wasm", ".x.wasm"] {
        refuse(
            &with("/files/0/path", json!(path)),
            &[&format!("`{path}`, which is not a plain relative path")],
        );
    }

    let manifest = good.manifest.to_string();
    let head = |more: Vec<forge::Entry>| {
        let mut entries = vec![entry("dyno-package.json", b'0', manifest.as_bytes())];
        entries.extend(more);
        forged(&entries)
    };
    let path = good.path();
    refuse(&head(vec![]), &["is missing; get it again"]);
    refuse(&head(vec![entry("../x", b'0', &wasm)]), &["it contains `../x` where"]);
    refuse(&head(vec![entry("/etc/x", b'0', &wasm)]), &["it contains `/etc/x` where"]);
    for (kind, word) in [
        (b'1', "a link"),
        (b'2', "a link"),
        (b'3', "a device"),
        (b'6', "a device"),
        (b'5', "a folder"),
        (b'L', "an entry of"),
    ] {
        refuse(&head(vec![entry(&path, kind, b"")]), &[word, "only regular files"]);
    }
    refuse(
        &head(vec![entry(&path, b'0', &wasm), entry("more", b'0', b"x")]),
        &["contains `more`, which its manifest does not name"],
    );
    refuse(&forged(&[entry(&path, b'0', &wasm)]), &["where `dyno-package.json` is expected"]);
    refuse(&forged(&[entry("dyno-package.json", b'0', b"{]")]), &["is not JSON"]);
    // Ten gigabytes of zeros, said and not said.
    refuse(&forge::zeros(&[("dyno-package.json", 10 << 30)]), &["has a manifest of 10737418240 bytes"]);
    let mut endless = good.clone();
    endless.manifest["files"][0]["size_bytes"] = json!(1_u64 << 30);
    let bomb = forge::zeros_behind(&endless.manifest.to_string(), &path, 10 << 30);
    refuse(&bomb, &["has 10737418240 bytes, its manifest says 1073741824"]);
    refuse(&forge::trailing(&whole), &["more follows after its last file"]);

    let endless = fs::File::create(&target).expect("the arena is writable");
    endless.set_len(10 << 30).expect("the file system has sparse files");
    refused(&arena, &["install", &target], &["has 10737418240 bytes; packages have at most 2147483648"]);

    refused(&arena, &["install", "/nowhere/x.dyno"], &["`/nowhere/x.dyno` cannot be read"]);
    refused(&arena, &["install", "nothing"], &["`nothing` is not a file, folder or URL", "--index"]);
    refused(&arena, &["install", &text(&arena.path("home"))], &["home/bad.dyno` "]);
    refused(&arena, &["install", &text(&arena.path("leases"))], &["there is no package (`*.dyno`)"]);
    fs::write(&target, &whole).unwrap();
    install(&arena, Path::new(&target));
    assert_eq!(installed(&arena), [is_whole("good_w@1.0.0")]);
}

#[test]
fn a_named_pipe_in_the_place_of_a_file_holds_nothing_up() {
    const SAID: &str = "cannot be read: it is not a regular file";

    let arena = Arena::new();
    let pipe = |place: &str| {
        let path = arena.path(place);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        mkfifo(&path, Mode::S_IRWXU).unwrap();
        text(&path)
    };
    let package = pipe("home/pipe.dyno");
    refused(&arena, &["install", &package, "--into", &into(&arena)], &[&package, SAID]);
    let index = pipe("shelf/dyno-index.json");
    refused(&arena, &["list", "--index", &text(&arena.path("shelf"))], &[&index, SAID]);
    let wasm = fs::read(fixtures::wasm("good", "good_w")).unwrap();
    let good = arena.path("home/good.dyno");
    fs::write(&good, Forged::of("good_w", &wasm).package()).unwrap();
    // An index is not written through what stands in its place.
    fs::copy(&good, arena.path("shelf/good.dyno")).unwrap();
    self::good(&arena, &["pack", "--index", &text(&arena.path("shelf"))]);
    assert!(fs::symlink_metadata(&index).unwrap().is_file());
    let lock = pipe("plugins/dyno-lock.json");
    refused(&arena, &["install", &text(&good), "--into", &into(&arena)], &[&lock, SAID]);
}

#[test]
fn a_plugin_for_another_machine_is_packed_and_only_what_fits_is_installed() {
    if !can_build() {
        return;
    }
    let arena = Arena::new();
    let mut foreign = fs::read(fixtures::native("good", "good_m")).unwrap();
    // e_machine: that of the other kind of machine that dyno is built for.
    let (machine, name): (u16, &str) =
        if cfg!(target_arch = "aarch64") { (62, "linux-x86_64") } else { (183, "linux-aarch64") };
    foreign[18..20].copy_from_slice(&machine.to_le_bytes());
    let file = arena.path("home/foreign.so");
    fs::write(&file, &foreign).unwrap();
    let only = packed(&arena, "only.dyno", &[&file]);
    refused(
        &arena,
        &["install", &text(&only), "--into", &into(&arena)],
        &["has no build for this machine", &format!("it has native for {name}")],
    );
    let native = fixtures::native("good", "good_m");
    let wasm = fixtures::wasm("good", "good_m");
    let all = packed(&arena, "all.dyno", &[&file, &native, &wasm]);
    install(&arena, &all);
    let there = names(&arena.path("plugins/good_m@1.0.0"));
    assert!(there.len() == 3 && !there.iter().any(|folder| folder.starts_with(name)), "{there:?}");
    refused(
        &arena,
        &["pack", &text(&native), &text(&fixtures::native("good", "good_n"))],
        &["are both the native build", "leave one out"],
    );
    refused(
        &arena,
        &["pack", &text(&native), &text(&fixtures::wasm("good", "good_n"))],
        &["good_m 1.0.0", "good_n 1.0.0", "one version of one plugin"],
    );
}

#[test]
fn what_cannot_be_packed_is_named() {
    let arena = Arena::new();
    let (empty, stray) = (arena.path("home/empty"), arena.path("home/stray.txt"));
    fs::create_dir(&empty).unwrap();
    fs::write(&stray, "hello").unwrap();
    fs::write(empty.join("data.bin"), "x").unwrap();
    let wasm = text(&fixtures::wasm("good", "good_a"));
    refused(&arena, &["pack", &text(&empty)], &["there is no plugin among the files"]);
    refused(&arena, &["pack", &text(&stray)], &["stray.txt` is neither a plugin nor"]);
    refused(&arena, &["pack", "/nowhere.so"], &["`/nowhere.so` cannot be read"]);
    refused(&arena, &["pack", &wasm, "-o", "/nowhere/x.dyno"], &["there is no folder `/nowhere`"]);
    refused(
        &arena,
        &["pack", &text(&fixtures::bare_wasm("good"))],
        &["a component without a descriptor", "--descriptor"],
    );
    assert!(names(&arena.path("work")).is_empty());
}

#[test]
fn versions_stand_side_by_side_and_other_bytes_of_one_are_refused() {
    if !can_build() {
        return;
    }
    let arena = Arena::new();
    let version = |version: &str, more: &str| {
        let (name, flag) = (format!("sided{more}-{version}.so"), format!("-DVERSION=\"{version}\""));
        let more = format!("-DMORE{more}");
        let file =
            fixtures::of_story_as("hostile/native/good.c", &name, &["-DNAME=\"sided\"", &flag, "-g1", &more]);
        packed(&arena, &format!("{name}.dyno"), &[&file])
    };
    install(&arena, &version("1.9.0", ""));
    install(&arena, &version("1.10.0", ""));
    assert!(install(&arena, &version("1.9.0", "")).stdout.contains("is installed already"));
    assert_eq!(installed(&arena), [is_whole("sided@1.9.0"), is_whole("sided@1.10.0")]);
    for (name, used) in [("sided/sided", "1.10.0"), ("sided@1.9.0/sided", "1.9.0")] {
        let record = arena.run(&[name]).record();
        assert_eq!(record.cases.len(), 1);
        assert_eq!(record.cases[0].plugin.version, used);
    }

    // The same version with another licence beside it is another package.
    let licence = arena.path("home/LICENSE");
    fs::write(&licence, "other").unwrap();
    let file = fixtures::of_story_as(
        "hostile/native/good.c",
        "sided-1.9.0.so",
        &["-DNAME=\"sided\"", "-DVERSION=\"1.9.0\"", "-g1", "-DMORE"],
    );
    let other = packed(&arena, "other.dyno", &[&file, &licence]);
    let before = arena.plugin_bytes();
    refused(
        &arena,
        &["install", &text(&other), "--into", &into(&arena)],
        &["differs from the sided@1.9.0 that is installed", "another version", "dyno remove sided@1.9.0"],
    );
    assert!(before == arena.plugin_bytes());
    refused(
        &arena,
        &["remove", "sided", "--from", &into(&arena)],
        &["several versions of `sided`", "sided@1.9.0, sided@1.10.0"],
    );
    good(&arena, &["remove", "sided@1.9.0", "--from", &into(&arena)]);
    assert_eq!(installed(&arena), [is_whole("sided@1.10.0")]);
    refused(
        &arena,
        &["remove", "sided@1.9.0", "--from", &into(&arena)],
        &["is not installed in `", "sided@1.10.0 is"],
    );
    install(&arena, &other);
}

#[test]
fn what_happened_to_an_installed_package_is_told_and_mended() {
    let arena = Arena::new();
    let package = packed(&arena, "p.dyno", &[&fixtures::wasm("good", "good_h")]);
    install(&arena, &package);
    let folder = arena.path("plugins/good_h@1.0.0");
    let plugin = folder.join("wasm-abi1/good_h.wasm");
    let state = || installed(&arena).pop().map(|(_, state)| state);

    fs::write(&plugin, b"other").unwrap();
    let outcome = arena.dyno(&["list", "--installed"]);
    assert_eq!(outcome.code, Some(5));
    assert!(
        outcome.stderr.contains("is not what was installed as good_h@1.0.0; install it again from"),
        "{}",
        outcome.shown()
    );
    assert_eq!(state().as_deref(), Some("changed"));
    install(&arena, &package);
    assert_eq!(state().as_deref(), Some("whole"));

    fs::remove_dir_all(&folder).unwrap();
    assert_eq!(state().as_deref(), Some("missing"));
    install(&arena, &package);
    assert_eq!(state().as_deref(), Some("whole"));

    // An installation that was cut short, before the lock file was written.
    let lock = arena.path("plugins/dyno-lock.json");
    fs::remove_file(&lock).unwrap();
    fs::create_dir(arena.path("plugins/.dyno-work-killed")).unwrap();
    assert_eq!(state(), None);
    install(&arena, &package);
    assert_eq!(state().as_deref(), Some("whole"));
    assert_eq!(names(&arena.path("plugins")), ["dyno-lock.json", "good_h@1.0.0"]);

    // A folder of somebody else's.
    fs::remove_file(&lock).unwrap();
    fs::write(&plugin, b"mine").unwrap();
    let arguments = ["install", &text(&package), "--into", &into(&arena)];
    refused(&arena, &arguments, &["is there already, and is not in the lock file", "move it away"]);
    assert_eq!(fs::read(&plugin).unwrap(), b"mine");
    for broken in ["{", "[]", r#"{"schema": "dyno.lock", "version": 9}"#] {
        fs::write(&lock, broken).unwrap();
        refused(&arena, &arguments, &["the lock file `", "restore it, or remove it"]);
        assert_eq!(fs::read_to_string(&lock).unwrap(), broken);
    }

    fs::remove_file(&lock).unwrap();
    fs::remove_dir_all(&folder).unwrap();
    install(&arena, &package);
    fs::remove_dir_all(&folder).unwrap();
    good(&arena, &["remove", "good_h", "--from", &into(&arena)]);
    assert_eq!(state(), None);
}

#[test]
fn many_can_install_at_once() {
    let arena = Arena::new();
    let packages: Vec<String> = ["a", "b", "c", "d", "e"]
        .iter()
        .map(|name| {
            text(&packed(
                &arena,
                &format!("{name}.dyno"),
                &[&fixtures::wasm("good", &format!("good_{name}"))],
            ))
        })
        .collect();
    // Each twice: two processes may also install the same.
    let children: Vec<_> = packages
        .iter()
        .chain(&packages)
        .map(|package| {
            let mut command = arena.command(&["install", package, "--into", &into(&arena)]);
            command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("dyno is built")
        })
        .collect();
    for child in children {
        let output = child.wait_with_output().expect("a child ends");
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    }
    let all: Vec<_> =
        ["a", "b", "c", "d", "e"].iter().map(|name| is_whole(&format!("good_{name}@1.0.0"))).collect();
    assert_eq!(installed(&arena), all);
}

#[test]
fn a_component_of_any_tool_chain_gets_its_descriptor() {
    let arena = Arena::new();
    let component = text(&fixtures::bare_wasm("good"));
    let home = |name: &str| text(&arena.path("home").join(name));
    let toml = "[plugin]\nid = \"tooled\"\nversion = \"2.0.0\"\nlicense = \"MIT\"\n\n[[benchmarks]]\nname = \"good\"\nhardware = [\"cpu\"]\n";
    fs::write(home("d.toml"), toml).unwrap();
    fs::write(home("d.json"), r#"{"plugin": {"id": "tooled", "version": "2.0.1"}, "benchmarks": [{"name": "good", "hardware": ["cpu"]}]}"#).unwrap();
    good(&arena, &["pack", &component, "--descriptor", &home("d.toml"), "-o", &home("one.wasm")]);
    let found = good(&arena, &["inspect", &home("one.wasm"), "--json"]).json();
    assert_eq!(found[0]["descriptor"]["plugin"]["id"], "tooled");
    // One that has a descriptor gets another.
    good(&arena, &["pack", &home("one.wasm"), "--descriptor", &home("d.json"), "-o", &home("two.dyno")]);
    install(&arena, Path::new(&home("two.dyno")));
    let record = arena.run(&["tooled@2.0.1/good"]).record();
    assert!(record.cases.len() == 1 && record.cases[0].plugin.version == "2.0.1");

    let refuse = |text: &str, said: &[&str]| {
        fs::write(home("bad.toml"), text).unwrap();
        refused(
            &arena,
            &["pack", &component, "--descriptor", &home("bad.toml"), "-o", &home("bad.dyno")],
            said,
        );
        assert!(!arena.path("home/bad.dyno").exists());
    };
    refuse("plugin = ", &["bad.toml` is not TOML"]);
    refuse(&toml.replace("license", "licence"), &["unknown key `licence` in `plugin`", "license"]);
    refuse(&toml.replace("2.0.0", "2"), &["plugin.version `2` is not a semantic version"]);
    refuse("x = 1", &["unknown key `x`"]);
    refuse("", &["the descriptor `"]);
    let both = [component.as_str(), component.as_str(), "--descriptor", &home("d.toml")];
    refused(&arena, &[&["pack"], &both[..]].concat(), &["--descriptor is for one component", "2 are named"]);
    let module = text(&arena.path("home/module.wasm"));
    fs::write(&module, b"\0asm\x01\0\0\0").unwrap();
    refused(
        &arena,
        &["pack", &module, "--descriptor", &home("d.toml")],
        &["core WASM module, not a component"],
    );
    refused(
        &arena,
        &["pack", &component, "--descriptor", "/nowhere.toml"],
        &["`/nowhere.toml` cannot be read"],
    );
}

#[test]
fn of_a_folder_with_tools_and_parts_the_plugin_is_packed() {
    let arena = Arena::new();
    let folder = arena.path("home/mine");
    let tools = folder.join("node_modules/engine");
    fs::create_dir_all(&tools).unwrap();
    fs::copy(fixtures::wasm("good", "good"), folder.join("good.wasm")).unwrap();
    // What compilers leave beside it, and a component that is none of ours.
    fs::write(folder.join("part.o"), b"\0asm\x01\0\0\0").unwrap();
    fs::copy(fixtures::bare_wasm("good"), tools.join("engine.wasm")).unwrap();
    let packed = good(&arena, &["pack", &text(&folder), "-o", &text(&arena.path("home/good.dyno"))]);
    assert!(packed.stderr.contains("part.o` is left out: it is a core WASM module"), "{}", packed.shown());
    assert!(!packed.stderr.contains("engine"), "{}", packed.shown());
}

/// A plugin `needy` that needs `libstory-outer.so.1`, which needs `libstory-inner.so.1`; all three in folders of their own.
struct Needy {
    plugin: PathBuf,
    outer: PathBuf,
    inner: PathBuf,
}

impl Needy {
    fn build(arena: &Arena) -> Self {
        let inner = fixtures::of_story_as(
            "packages/library.c",
            "libstory-inner.so.1",
            &["-DFUNCTION=story_inner", "-Wl,-soname,libstory-inner.so.1"],
        );
        let outer = fixtures::of_story_as(
            "packages/library.c",
            "libstory-outer.so.1",
            &[
                "-DFUNCTION=story_outer",
                "-DINNER=story_inner",
                "-Wl,-soname,libstory-outer.so.1",
                &text(&inner),
            ],
        );
        let here = format!("-Wl,-rpath-link,{}", text(inner.parent().expect("a folder")));
        let plugin = fixtures::of_story_as(
            "packages/needs.c",
            "needy.so",
            &["-DNAME=\"needy\"", "-DANSWER=82", "-Wl,-rpath,$ORIGIN", &here, &text(&outer)],
        );
        let place = |file: &Path, folder: &str| {
            let folder = arena.path("home").join(folder);
            fs::create_dir_all(&folder).expect("the arena is writable");
            let target = folder.join(file.file_name().expect("a file"));
            fs::copy(file, &target).expect("the arena is writable");
            target
        };
        Self {
            plugin: place(&plugin, "plugin"),
            outer: place(&outer, "outer"),
            inner: place(&inner, "inner"),
        }
    }
}

#[test]
fn libraries_that_a_plugin_brings_along_are_found() {
    if !can_build() {
        return;
    }
    let arena = Arena::new();
    let needy = Needy::build(&arena);
    let sentence =
        "needs the library `libstory-outer.so.1`, which is neither on this machine nor beside the plugin";
    let missing = good(&arena, &["inspect", &text(&needy.plugin)]);
    assert!(
        missing.stdout.split_whitespace().collect::<Vec<_>>().join(" ").contains(sentence),
        "{}",
        missing.shown()
    );
    let checked = arena.dyno(&["check", &text(&needy.plugin), "--json"]);
    assert_eq!(checked.code, Some(4), "{}", checked.shown());
    assert!(checked.stdout.contains(sentence), "{}", checked.shown());
    let ran = arena.run(&[&text(&needy.plugin)]);
    assert!(ran.stdout.contains(sentence), "{}", ran.shown());

    let package = packed(&arena, "needy.dyno", &[&needy.plugin, &needy.inner, &needy.outer]);
    install(&arena, &package);
    let ran = arena.run(&["needy"]);
    assert_eq!(ran.code, Some(0), "{}", ran.shown());
    let found = good(&arena, &["inspect", "needy"]);
    assert!(
        found.stdout.contains("brings along: libstory-inner.so.1, libstory-outer.so.1"),
        "{}",
        found.shown()
    );
    good(&arena, &["remove", "needy", "--from", &into(&arena)]);

    // Not packed, but beside the plugin: first only one of them.
    let beside = |library: &Path| {
        fs::copy(library, needy.plugin.with_file_name(library.file_name().unwrap())).unwrap()
    };
    beside(&needy.outer);
    let ran = arena.run(&[&text(&needy.plugin)]);
    assert!(
        ran.code == Some(4) && ran.stdout.contains("needs the library `libstory-inner.so.1`"),
        "{}",
        ran.shown()
    );
    beside(&needy.inner);
    let ran = arena.run(&[&text(&needy.plugin)]);
    assert_eq!(ran.code, Some(0), "{}", ran.shown());
    let package = packed(&arena, "alone.dyno", &[&needy.plugin]);
    install(&arena, &package);
    assert_eq!(arena.run(&["needy"]).code, Some(0));
}

#[test]
fn libraries_that_do_not_fit_are_named() {
    if !can_build() {
        return;
    }
    let arena = Arena::new();
    let needy = Needy::build(&arena);
    let beside = needy.plugin.with_file_name("libstory-outer.so.1");
    let other = fixtures::of_story_as("packages/library.c", "libnameless.so", &["-DFUNCTION=story_outer"]);
    fs::copy(&other, &beside).unwrap();
    let said = "has no SONAME; link it with `-Wl,-soname,libstory-outer.so.1`";
    refused(&arena, &["pack", &text(&needy.plugin)], &[said]);
    let ran = arena.run(&[&text(&needy.plugin)]);
    assert!(ran.code == Some(4) && ran.stdout.contains(said), "{}", ran.shown());
    fs::write(&beside, b"text").unwrap();
    refused(
        &arena,
        &["pack", &text(&needy.plugin)],
        &["is the library `libstory-outer.so.1` of", "not a library"],
    );
    fs::remove_file(&beside).unwrap();
    refused(
        &arena,
        &["pack", &text(&fixtures::native("good", "good_a")), &text(&needy.inner)],
        &["no plugin here needs a library `libstory-inner.so.1`"],
    );
    refused(
        &arena,
        &["pack", &text(&other), &text(&needy.plugin)],
        &["without a SONAME, so no plugin can need it"],
    );
}

#[test]
fn an_index_in_a_folder_or_on_a_server_is_searched_and_installed_from() {
    let arena = Arena::new();
    let shelf = arena.path("home/shelf");
    fs::create_dir(&shelf).unwrap();
    for name in ["good_x", "good_y"] {
        let file = packed(&arena, &format!("{name}.dyno"), &[&fixtures::wasm("good", name)]);
        fs::rename(file, shelf.join(format!("{name}.dyno"))).unwrap();
    }
    good(&arena, &["pack", "--index", &text(&shelf)]);
    let server = web::serve(&shelf);
    for (place, package) in [(text(&shelf), "good_x"), (server.url.clone(), "good_y@1.0.0")] {
        let found = good(&arena, &["list", "--index", &place]);
        assert!(found.stdout.contains("good_x") && found.stdout.contains("good_y"), "{}", found.shown());
        let found = good(&arena, &["list", "--index", &place, "good_y", "--json"]).json();
        assert_eq!(found.as_array().map(Vec::len), Some(1));
        good(&arena, &["install", package, "--index", &place, "--into", &into(&arena)]);
        refused(&arena, &["install", "good_z", "--index", &place], &["has no package `good_z`", "good_"]);
        refused(
            &arena,
            &["install", "good_x@9.0.0", "--index", &place],
            &["no package `good_x@9.0.0`", "it has good_x@1.0.0"],
        );
    }
    assert_eq!(installed(&arena), [is_whole("good_x@1.0.0"), is_whole("good_y@1.0.0")]);
    let url = format!("{}/good_x.dyno", server.url);
    assert!(good(&arena, &["install", &url, "--into", &into(&arena)]).stdout.contains("installed already"));

    // For a file, no index is asked.
    let file = text(&shelf.join("good_x.dyno"));
    good(&arena, &["install", &file, "--index", "http://127.0.0.1:1", "--into", &into(&arena)]);

    let absent = arena.dyno(&["install", &format!("{}/none.dyno", server.url)]);
    assert!(
        absent.code == Some(5) && absent.stderr.contains("the server answered 404"),
        "{}",
        absent.shown()
    );
    arena.assert_clean(&absent);
    let away = arena.dyno(&["install", &format!("{}/redirect", server.url)]);
    assert!(away.code == Some(5) && away.stderr.contains("cannot download"), "{}", away.shown());
    refused(&arena, &["install", "http://example.org/x.dyno"], &["use https://"]);

    let index = shelf.join("dyno-index.json");
    let text_of = fs::read_to_string(&index).unwrap();
    let document: Value = serde_json::from_str(&text_of).unwrap();
    let with = |pointer: &str, value: Value| {
        let mut document = document.clone();
        *document.pointer_mut(pointer).expect(pointer) = value;
        document.to_string()
    };
    let place = text(&shelf);
    let wrong = "0".repeat(64);
    for (content, said) in [
        ("hello".to_owned(), vec!["the index `", "is not JSON"]),
        ("{}".to_owned(), vec!["is not a document `dyno.index`"]),
        (with("/version", json!(2)), vec!["version 2; this dyno reads version 1"]),
        (
            with("/packages/0/location", json!("../x.dyno")),
            vec!["`../x.dyno`, which is not a plain relative path"],
        ),
        (with("/packages/0/sha256", json!(wrong)), vec!["is not the one that the index", "expected", &wrong]),
        (with("/packages/0/location", json!("good_y.dyno")), vec!["is not the one that the index"]),
        (
            with("/packages/0/builds/0/abi/version", json!(7)),
            vec!["good_x@1.0.0` has no build for this machine"],
        ),
    ] {
        fs::write(&index, content).unwrap();
        for place in [&place, &server.url] {
            refused(&arena, &["install", "good_x", "--index", place, "--into", &into(&arena)], &said);
        }
    }
    fs::remove_file(&index).unwrap();
    refused(&arena, &["list", "--index", &place], &["cannot be read", "dyno pack --index"]);
    refused(&arena, &["list", "--available"], &["no index is named"]);
    fs::copy(shelf.join("good_x.dyno"), shelf.join("twin.dyno")).unwrap();
    refused(&arena, &["pack", "--index", &place], &["is good_x@1.0.0, as is `good_x.dyno`"]);
}
