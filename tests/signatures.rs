//! User story: an operator runs only what publishers signed whose keys the operator trusts, and authors sign what they ship.

use std::{
    fs,
    io::Write,
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
    process::Stdio,
};

use serde_json::Value;

use crate::support::{
    arena::{Arena, Outcome},
    eventually::eventually,
    fixtures,
    served::Served,
};

/// Exit codes of what the user can correct, and of files whose signature does not count.
const USAGE: i32 = 2;
const NOT_SIGNED: i32 = 4;

fn text(path: &Path) -> String {
    path.display().to_string()
}

#[track_caller]
fn ended(arena: &Arena, arguments: &[&str], code: i32) -> Outcome {
    let outcome = arena.dyno(arguments);
    assert_eq!(outcome.code, Some(code), "dyno {arguments:?}\n{}", outcome.shown());
    outcome
}

/// One sentence on standard error, which contains all of these.
#[track_caller]
fn refused(arena: &Arena, arguments: &[&str], said: &[&str]) {
    let outcome = ended(arena, arguments, USAGE);
    for part in said {
        assert!(outcome.stderr.contains(part), "`{part}` is not in\n{}", outcome.stderr);
    }
    let errors = outcome.stderr.lines().filter(|line| line.starts_with("error: ")).count();
    assert_eq!(errors, 1, "{}", outcome.shown());
}

/// A pair of keys: the file of the secret one, and the text of the public one.
#[track_caller]
fn key(arena: &Arena, name: &str) -> (String, String) {
    let file = text(&arena.path("home").join(name));
    let made = ended(arena, &["key", "new", &file, "--no-password", "--json"], 0).json();
    (file, made["key"].as_str().expect("a key").to_owned())
}

#[track_caller]
fn sign(arena: &Arena, key: &str, files: &[&Path]) {
    let files: Vec<String> = files.iter().map(|file| text(file)).collect();
    let mut arguments = vec!["sign", "--key", key, "--publisher", "acme"];
    arguments.extend(files.iter().map(String::as_str));
    ended(arena, &arguments, 0);
}

/// Writes the configuration of every later command in the arena.
fn configure(arena: &Arena, require: &str, keys: &[&str], revoked: &[&str]) {
    let list = |keys: &[&str]| keys.iter().map(|key| format!("\"{key}\"")).collect::<Vec<_>>().join(", ");
    let (keys, revoked) = (list(keys), list(revoked));
    let text = format!(
        "[trust]\nrequire = \"{require}\"\n[trust.publishers.acme]\nkeys = [{keys}]\nrevoked = [{revoked}]\n"
    );
    fs::write(arena.path("work/dyno.toml"), text).expect("the arena is writable");
}

/// Identifiers of the plugins that `dyno list` offers, each with the state of its signature, and what it says of others.
#[track_caller]
fn listed(arena: &Arena) -> (Vec<(String, String)>, Vec<String>) {
    let list = ended(arena, &["list", "--json"], 0).json();
    let word = |value: &Value| value.as_str().expect("a word").to_owned();
    let plugins = list["plugins"]
        .as_array()
        .expect("a list")
        .iter()
        .map(|plugin| (word(&plugin["descriptor"]["plugin"]["id"]), word(&plugin["signature"]["state"])));
    let problems = list["problems"].as_array().expect("a list").iter();
    let problems = problems.map(|it| format!("{}: {}", word(&it["path"]), word(&it["message"])));
    (plugins.collect(), problems.collect())
}

fn signed(id: &str) -> (String, String) {
    (id.to_owned(), "signed".to_owned())
}

/// A WASM plugin in the plugin folder.
fn plugin(arena: &Arena, name: &str) -> PathBuf {
    arena.add(&fixtures::wasm("good", name), &format!("{name}.wasm"))
}

/// Appends a custom section without contents: another component, which is as good.
fn tamper(path: &Path) {
    let mut file = fs::OpenOptions::new().append(true).open(path).expect("it is there");
    file.write_all(&[0, 2, 1, b'x']).expect("the arena is writable");
}

#[test]
fn a_server_offers_what_is_signed_and_names_the_rest() {
    let arena = Arena::new();
    let (secret, public) = key(&arena, "k");
    let (one, tampered) = (plugin(&arena, "sig_good"), plugin(&arena, "sig_tampered"));
    plugin(&arena, "sig_unsigned");
    sign(&arena, &secret, &[&one, &tampered]);
    tamper(&tampered);
    configure(&arena, "signature", &[&public], &[]);
    fs::set_permissions(arena.path("plugins"), fs::Permissions::from_mode(0o755)).unwrap();
    let server = Served::start(&arena, &["--profile", "server"]);
    let answer = server.get("/api/plugins");
    let plugins = answer["plugins"].as_array().expect("a list");
    assert_eq!(plugins.len(), 1, "{answer}");
    assert_eq!(plugins[0]["id"], "sig_good");
    assert_eq!(plugins[0]["signature"]["state"], "signed");
    assert_eq!(plugins[0]["signature"]["publisher"], "acme");
    let problems = answer["problems"].to_string();
    for part in ["sig_tampered.wasm", "does not match its signature", "sig_unsigned.wasm", "is not signed"] {
        assert!(problems.contains(part), "`{part}` is not in {problems}");
    }
    drop(server);
    // The same for the command line, whose cache knows all three by now.
    for _ in 0..2 {
        let (plugins, problems) = listed(&arena);
        assert_eq!(plugins, [signed("sig_good")]);
        assert_eq!(problems.len(), 2, "{problems:?}");
    }
    let run = |name: &str| {
        let arguments = ["run", name, "--samples", "3", "--launches", "1", "--json"];
        (arena.dyno(&arguments).code, arguments[1].to_owned())
    };
    assert_eq!(run("sig_good/*").0, Some(0));
    assert_eq!(run("sig_unsigned/*").0, Some(USAGE));
    // A file that is named is no way around it, on any of the ways on which it would run.
    for file in ["sig_unsigned.wasm", "sig_tampered.wasm"] {
        let file = text(&arena.path("plugins").join(file));
        refused(&arena, &["run", &file], &[&file, "sign"]);
        refused(&arena, &["ab", &file, &text(&one)], &[&file, "sign"]);
        let checked = ended(&arena, &["check", &file], NOT_SIGNED);
        assert!(checked.stdout.contains("sign"), "{}", checked.shown());
        let shown = ended(&arena, &["inspect", &file], 0);
        assert!(
            shown.stdout.contains("signature: unsigned") || shown.stdout.contains("signature: not accepted")
        );
    }
}

#[test]
fn the_list_says_who_signed_where_there_is_a_trust_store() {
    let mut arena = Arena::new();
    arena.set("COLUMNS", "80");
    let (secret, public) = key(&arena, "k");
    let (one, tampered) = (plugin(&arena, "sig_good"), plugin(&arena, "sig_tampered"));
    plugin(&arena, "sig_unsigned");
    let list = || ended(&arena, &["list"], 0).stdout;
    assert!(!list().contains("signed by"), "nobody looks at signatures: {}", list());
    sign(&arena, &secret, &[&one, &tampered]);
    tamper(&tampered);
    configure(&arena, "none", &[&public], &[]);
    let list = list();
    assert!(list.lines().next().is_some_and(|head| head.contains("signed by")), "{list}");
    for (name, signer) in [("good", "acme"), ("tampered", "(not accepted)"), ("unsigned", "(unsigned)")] {
        let line = list.lines().find(|line| line.starts_with(&format!("sig_{name} ")));
        assert!(line.is_some_and(|line| line.contains(signer)), "{name}: {list}");
    }
    assert!(list.lines().all(|line| line.chars().count() <= 80), "{list}");
}

#[test]
fn a_server_for_strangers_runs_only_what_somebody_vouches_for() {
    let arena = Arena::new();
    let file = plugin(&arena, "sig_loose");
    let folder = arena.path("plugins");
    fs::set_permissions(&folder, fs::Permissions::from_mode(0o755)).unwrap();
    let server = Served::start(&arena, &["--profile", "server"]);
    let seen = || {
        let answer = server.get("/api/plugins");
        (answer["plugins"].as_array().map_or(0, Vec::len), answer["problems"].to_string())
    };
    let (count, problems) = seen();
    assert!(
        count == 0 && problems.contains("is in no lock file") && problems.contains("dyno lock"),
        "{problems}"
    );
    let lock = || ended(&arena, &["lock", &text(&folder)], 0).stdout;
    let said = lock();
    assert!(said.contains("locked 1 file in") && said.contains("new: sig_loose.wasm"), "{said}");
    eventually("the plugin is offered", || seen().0 == 1);
    tamper(&file);
    eventually("it is not offered any more", || seen().0 == 0);
    assert!(seen().1.contains("has other bytes than the lock file"), "{}", seen().1);
    let said = lock();
    assert!(said.contains("changed: sig_loose.wasm"), "{said}");
    eventually("it is offered again", || seen().0 == 1);
    drop(server);
    // Neither a file that others can write to nor a link that leads out is served.
    let start = |said: &str| {
        let refused = ended(&arena, &["serve", "--port", "0", "--profile", "server"], USAGE);
        assert!(refused.stderr.contains(said), "{}", refused.shown());
    };
    fs::set_permissions(&file, fs::Permissions::from_mode(0o666)).unwrap();
    start("others could put plugins there");
    fs::remove_file(&file).unwrap();
    std::os::unix::fs::symlink("/dev/null", &file).unwrap();
    start("leads out of its plugin folder");
}

#[test]
fn a_plugin_that_is_signed_again_is_offered_without_a_new_start() {
    let arena = Arena::new();
    let (secret, public) = key(&arena, "k");
    let file = plugin(&arena, "sig_late");
    configure(&arena, "signature", &[&public], &[]);
    let server = Served::start(&arena, &["--watch"]);
    let count = || server.get("/api/plugins")["plugins"].as_array().map_or(0, Vec::len);
    assert_eq!(count(), 0);
    sign(&arena, &secret, &[&file]);
    eventually("the plugin is offered", || count() == 1);
}

#[test]
fn keys_rotate_and_are_revoked() {
    let arena = Arena::new();
    let ((old, old_public), (new, new_public)) = (key(&arena, "old"), key(&arena, "new"));
    let (first, second) = (plugin(&arena, "sig_first"), plugin(&arena, "sig_second"));
    sign(&arena, &old, &[&first]);
    sign(&arena, &new, &[&second]);
    configure(&arena, "signature", &[&old_public], &[]);
    let (plugins, problems) = listed(&arena);
    assert_eq!(plugins, [signed("sig_first")]);
    assert!(
        problems[0].contains("not in the trust store") && problems[0].contains("sig_second"),
        "{problems:?}"
    );
    configure(&arena, "signature", &[&old_public, &new_public], &[]);
    assert_eq!(listed(&arena).0, [signed("sig_first"), signed("sig_second")]);
    configure(&arena, "signature", &[&old_public, &new_public], &[&old_public]);
    let (plugins, problems) = listed(&arena);
    assert_eq!(plugins, [signed("sig_second")]);
    assert!(problems[0].contains("which `acme` has revoked"), "{problems:?}");
    // Where nothing is required, what does not count is only a warning.
    configure(&arena, "none", &[&new_public], &[&old_public]);
    let (plugins, _) = listed(&arena);
    assert_eq!(plugins, [("sig_first".to_owned(), "invalid".to_owned()), signed("sig_second")]);
    let warned = ended(&arena, &["list"], 0).stderr;
    assert!(warned.contains("warning: ") && warned.contains("does not count"), "{warned}");
}

#[test]
fn a_signed_package_is_installed_and_its_signature_vouches_for_its_files() {
    let arena = Arena::new();
    let (secret, public) = key(&arena, "k");
    let package = arena.path("home/sig_packed.dyno");
    let source = fixtures::wasm("good", "sig_packed");
    ended(&arena, &["pack", &text(&source), "-o", &text(&package)], 0);
    configure(&arena, "both", &[&public], &[]);
    let into = text(&arena.path("plugins"));
    let package_text = text(&package);
    let install = ["install", &package_text, "--into", &into];
    refused(&arena, &install, &["is not signed", "`.minisig`"]);
    sign(&arena, &secret, &[&package]);
    let said = ended(&arena, &install, 0);
    assert!(said.stdout.contains("signed by acme"), "{}", said.shown());
    let folder = arena.path("plugins/sig_packed@1.0.0");
    assert_eq!(
        fs::read(folder.join("dyno-package.minisig")).unwrap(),
        fs::read(arena.path("home/sig_packed.dyno.minisig")).unwrap()
    );
    assert_eq!(listed(&arena).0, [signed("sig_packed")]);
    assert_eq!(ended(&arena, &["verify", &package_text], 0).stdout.lines().count(), 1);
    // Another file in the place of an installed one.
    let file = folder.join("wasm-abi1/sig_packed.wasm");
    tamper(&file);
    let (plugins, problems) = listed(&arena);
    assert!(plugins.is_empty() && problems[0].contains("install the package again"), "{problems:?}");
    ended(&arena, &install, 0);
    assert_eq!(listed(&arena).0, [signed("sig_packed")]);
    // A package that was changed after it was signed.
    tamper(&package);
    refused(&arena, &install, &["does not match its signature", "get both files again"]);
    fs::write(arena.path("home/sig_packed.dyno.minisig"), vec![b'x'; 1 << 20]).unwrap();
    refused(&arena, &install, &["more than 8192 bytes"]);
    // A plugin that was put there by hand is signed, but not in the lock file.
    let loose = plugin(&arena, "sig_loose");
    sign(&arena, &secret, &[&loose]);
    let (plugins, problems) = listed(&arena);
    assert_eq!(plugins, [signed("sig_packed")]);
    assert!(problems[0].contains("is in no lock file"), "{problems:?}");
}

#[test]
fn a_library_that_a_signed_plugin_brings_along_must_be_signed_as_well() {
    if !fixtures::has_compiler("cc") {
        println!("skipped: there is no C compiler on this machine");
        return;
    }
    let arena = Arena::new();
    let (secret, public) = key(&arena, "k");
    let library = fixtures::of_story_as(
        "packages/library.c",
        "libstory-signed.so.1",
        &["-DFUNCTION=story_outer", "-Wl,-soname,libstory-signed.so.1"],
    );
    let needy = fixtures::of_story_as(
        "packages/needs.c",
        "sig_needy.so",
        &["-DNAME=\"sig_needy\"", "-DANSWER=41", "-Wl,-rpath,$ORIGIN", &text(&library)],
    );
    let (needy, library) = (arena.add(&needy, "sig_needy.so"), arena.add(&library, "libstory-signed.so.1"));
    sign(&arena, &secret, &[&needy]);
    configure(&arena, "signature", &[&public], &[]);
    let run = ["run", "sig_needy/*", "--samples", "3", "--launches", "1"];
    let outcome = ended(&arena, &run, NOT_SIGNED);
    for part in ["libstory-signed.so.1", "is not signed"] {
        assert!(outcome.stdout.contains(part) || outcome.stderr.contains(part), "{}", outcome.shown());
    }
    sign(&arena, &secret, &[&library]);
    ended(&arena, &["verify", &text(&library)], 0);
    ended(&arena, &run, 0);
}

#[test]
fn keys_and_files_that_cannot_be_used_are_refused_in_a_sentence() {
    let arena = Arena::new();
    let (secret, public) = key(&arena, "k");
    let file = text(&plugin(&arena, "sig_any"));
    refused(&arena, &["key", "new", &secret, "--no-password"], &["is there already", "never overwritten"]);
    // Nobody can be asked here, and nothing is written.
    let other = text(&arena.path("home/other"));
    refused(&arena, &["key", "new", &other], &["--no-password"]);
    assert!(!Path::new(&other).exists());
    fs::set_permissions(&secret, fs::Permissions::from_mode(0o644)).unwrap();
    refused(&arena, &["sign", &file, "--key", &secret], &["mode 644", &format!("`chmod 600 {secret}`")]);
    fs::set_permissions(&secret, fs::Permissions::from_mode(0o600)).unwrap();
    refused(&arena, &["sign", &secret, "--key", &secret], &["cannot be signed", "expected a plugin"]);
    refused(&arena, &["sign", &file, "--key", &secret, "--publisher", "a b"], &["`a b`", "like acme"]);
    let verified = ended(&arena, &["verify", &file], NOT_SIGNED);
    assert!(verified.stdout.contains(": unsigned"), "{}", verified.shown());
    sign(&arena, &secret, &[Path::new(&file)]);
    let unknown = ended(&arena, &["verify", &file], NOT_SIGNED);
    assert!(unknown.stdout.contains("not in the trust store"), "{}", unknown.shown());
    let named = ended(&arena, &["verify", &file, "--key", &format!("{secret}.pub")], 0);
    assert!(named.stdout.contains("signed by acme"), "{}", named.shown());
    configure(&arena, "signature", &["RWshort"], &[]);
    refused(&arena, &["list"], &["trust from file", "publisher `acme`", "`RWshort`", "56 characters"]);
    configure(&arena, "all", &[&public], &[]);
    refused(&arena, &["list"], &["`require` is `all`", "none, either, lock, signature or both"]);
    configure(&arena, "signature", &[], &[]);
    refused(&arena, &["list"], &["would reject every plugin"]);
}

#[test]
fn a_key_with_a_password_signs_for_those_who_have_it() {
    let arena = Arena::new();
    let file = text(&plugin(&arena, "sig_word"));
    let secret = text(&arena.path("home/locked"));
    let with = |arguments: &[&str], word: &str| {
        let mut command = arena.command(arguments);
        let mut child = command
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .expect("dyno is built");
        let mut input = child.stdin.take().expect("it is piped");
        // It may have ended before.
        let _ = writeln!(input, "{word}");
        drop(input);
        let output = child.wait_with_output().expect("it ends");
        (output.status.code(), String::from_utf8_lossy(&output.stderr).into_owned())
    };
    assert_eq!(with(&["key", "new", &secret], "word").0, Some(0));
    let (code, said) = with(&["sign", &file, "--key", &secret], "wrong");
    assert!(code == Some(USAGE) && said.contains("password does not open"), "{code:?} {said}");
    assert_eq!(with(&["sign", &file, "--key", &secret], "word").0, Some(0));
    ended(&arena, &["verify", &file, "--key", &format!("{secret}.pub")], 0);
}
