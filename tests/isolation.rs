//! User story: an operator runs other people's native plugins, and knows what they may do. The corpus of `hostile/escape` shows what is
//! stopped; here is who decides, and what is said where the kernel cannot stop it.

use std::{
    fs::{self, Permissions},
    io::{Read, Write},
    net::TcpListener,
    os::unix::fs::{PermissionsExt, symlink},
    path::PathBuf,
    thread,
};

use dyno_core::model::{CaseStatus, RunRecord, Stage, StoreBypass};
use serde_json::json;

use crate::{
    support::{arena::Arena, fixtures},
    surroundings::deny,
};

/// One short run, as JSON.
const SHORT: [&str; 5] = ["--samples", "3", "--launches", "1", "--json"];

fn words(arguments: &[&str]) -> Vec<String> {
    arguments.iter().chain(&SHORT).map(|word| (*word).to_owned()).collect()
}

fn ran(arena: &Arena, arguments: &[&str]) -> RunRecord {
    let words = words(arguments);
    arena.dyno(&words.iter().map(String::as_str).collect::<Vec<_>>()).record()
}

fn reason(record: &RunRecord) -> (Stage, String) {
    match &record.cases[0].status {
        CaseStatus::Failed { stage, reason } => (*stage, reason.message.clone()),
        other => panic!("{other:?}"),
    }
}

/// An arena with a native plugin in it, and that plugin's name; `None` where it cannot be built.
fn arena_with(name: &str) -> Option<Arena> {
    if !fixtures::has_compiler("cc") {
        println!("skipped: there is no C compiler on this machine");
        return None;
    }
    let arena = Arena::new();
    let plugin = match name {
        "good_a" => fixtures::native("good", name),
        "asks_in_vain" => fixtures::native(name, name),
        _ => fixtures::escape(name),
    };
    arena.add(&plugin, &format!("{name}.so"));
    Some(arena)
}

#[test]
fn a_layer_that_the_kernel_refuses_is_said_and_can_be_demanded() {
    let Some(arena) = arena_with("good_a") else { return };
    let Some(deny) = deny(&arena) else { return };
    arena.add(&fixtures::wasm("good", "good_w"), "good_w.wasm");
    let refused = [
        (
            "landlock_create_ruleset",
            &["file_rules"][..],
            "the plugin can open all files of this user: the kernel has no Landlock",
        ),
        (
            "seccomp",
            &["no_network", "no_signals", "call_filter"],
            "the plugin can use the network: the kernel refused the filter",
        ),
        (
            "capset",
            &["no_capabilities"],
            "the plugin keeps the rights that root has beyond other users: the kernel refused",
        ),
    ];
    for (call, layers, sentence) in refused {
        let line = format!("exec {} 38 {call} \"$@\"", deny.display());
        let run = |arguments: &[&str]| {
            let words = words(&[&["run"], arguments].concat());
            let words: Vec<&str> = words.iter().map(String::as_str).collect();
            arena.behind(&line, &words).output().unwrap()
        };
        let output = run(&["good_a"]);
        if output.status.code() == Some(77) {
            return println!("skipped: this kernel has no seccomp filters");
        }
        let record: RunRecord = serde_json::from_slice(&output.stdout).unwrap();
        let launch = &record.cases[0].launches[0];
        let missing = launch.missing.join("; ");
        assert!(missing.contains(sentence), "{call}: {missing}");
        let output = run(&["good_w"]);
        let record: RunRecord = serde_json::from_slice(&output.stdout).unwrap();
        assert_eq!(record.cases[0].status, CaseStatus::Completed);
        let missing = record.cases[0].launches[0].missing.join("; ");
        assert!(
            missing.contains(&format!("with a fault of the WASM engine, {sentence}")),
            "{call}: {missing}"
        );
        for layer in layers {
            assert!(!launch.isolation.iter().any(|held| held == layer), "{call}: {:?}", launch.isolation);
            for plugin in ["good_a", "good_w"] {
                let output = run(&[plugin, "--require-isolation", layer]);
                assert_eq!(output.status.code(), Some(4), "{call}");
                let (stage, reason) = reason(&serde_json::from_slice(&output.stdout).unwrap());
                assert_eq!(stage, Stage::Load);
                let expected =
                    format!("the layer of isolation `{layer}` is required, and is not in force here: ");
                assert!(
                    reason.starts_with(&expected) && reason.ends_with("nothing of the plugin was run"),
                    "{reason}"
                );
            }
        }
    }
}

#[test]
fn layers_that_are_there_can_be_demanded_and_an_unknown_one_is_named() {
    let Some(arena) = arena_with("good_a") else { return };
    let record = ran(&arena, &["run", "good_a", "--require-isolation", "no_new_privs,memory_limit"]);
    assert_eq!(record.cases[0].status, CaseStatus::Completed);
    let outcome = arena.dyno(&["run", "good_a", "--require-isolation", "file_rules,walls"]);
    assert_eq!(outcome.code, Some(2), "{}", outcome.shown());
    assert!(
        outcome.stderr.contains("`walls` is not a layer of isolation; there are file_rules"),
        "{}",
        outcome.stderr
    );
}

#[test]
fn a_component_is_compiled_and_run_behind_the_layers_of_a_native_plugin() {
    const LAYERS: &str = "file_rules,no_network,no_signals,call_filter,no_capabilities";

    let arena = Arena::new();
    arena.add(&fixtures::wasm("good", "good_w"), "good_w.wasm");
    let run = ["run", "good_w", "--require-isolation", LAYERS];
    let compiled = || -> Vec<PathBuf> {
        let files = fs::read_dir(arena.path("cache/code")).unwrap().map(|file| file.unwrap().path());
        files.filter(|file| file.extension().is_some_and(|ending| ending == "cwasm")).collect()
    };
    // As the kernel says of a process that is not confined.
    let own = fs::read_to_string("/proc/self/status").unwrap();
    let may_guess = own.lines().find_map(|line| line.strip_prefix("Speculation_Store_Bypass:"));
    let may_guess = may_guess.and_then(|state| match state.trim() {
        "not vulnerable" => Some(StoreBypass::NotAffected),
        "vulnerable" | "thread vulnerable" => Some(StoreBypass::Allowed),
        "thread force mitigated" | "thread mitigated" | "globally mitigated" => Some(StoreBypass::Forbidden),
        _ => None,
    });
    // The first launch compiles, and the host keeps what it made.
    for _ in 0..2 {
        let record = ran(&arena, &run);
        let launch = &record.cases[0].launches[0];
        assert_eq!(record.cases[0].status, CaseStatus::Completed);
        for layer in LAYERS.split(',') {
            assert!(launch.isolation.iter().any(|held| held == layer), "{layer}: {:?}", launch.isolation);
        }
        assert!(launch.missing.is_empty() && launch.refused_calls.is_empty(), "{launch:?}");
        assert_eq!((launch.side_effects.files_left, launch.store_bypass), (0, may_guess));
        assert_eq!(compiled().len(), 1);
    }
    let file = &compiled()[0];
    let is_code = || fs::read(file).unwrap().starts_with(b"\x7fELF");
    fs::write(file, "no code").unwrap();
    let missing = || ran(&arena, &run).cases[0].launches[0].missing.join("; ");
    let said =
        format!("the compiled code in `{}` is damaged; the next launch compiles it again", file.display());
    assert_eq!(missing(), said);
    assert!(compiled().is_empty(), "what is damaged is gone");
    assert_eq!(missing(), "", "and compiled again");
    assert!(is_code(), "and kept");
    // What another user could have put there is not used: a link would also open its target to the worker.
    fs::remove_file(file).unwrap();
    symlink("/etc/passwd", file).unwrap();
    assert_eq!(missing(), "");
    assert!(fs::symlink_metadata(file).unwrap().is_file());
    fs::write(file, "no code").unwrap();
    fs::set_permissions(file, Permissions::from_mode(0o666)).unwrap();
    assert_eq!(missing(), "");
    assert!(is_code());
    let folder = arena.path("cache/code");
    fs::set_permissions(&folder, Permissions::from_mode(0o777)).unwrap();
    let outcome = arena.dyno(&["run", "good_w"]);
    assert_eq!(outcome.code, Some(5), "{}", outcome.shown());
    let said = format!(
        "the folder `{}` for compiled code can be written by others; make it yours alone",
        folder.display()
    );
    assert!(outcome.stderr.contains(&said), "{}", outcome.stderr);
    fs::set_permissions(&folder, Permissions::from_mode(0o700)).unwrap();
    let outcome = arena.dyno(&[&run[..], &["--isolation", "basic"]].concat());
    assert!(
        outcome.code == Some(4) && outcome.stdout.contains("`file_rules` is required"),
        "{}",
        outcome.shown()
    );
    let basic = ran(&arena, &["run", "good_w", "--isolation", "basic"]);
    let launch = &basic.cases[0].launches[0];
    assert!(!launch.isolation.iter().any(|held| held == "file_rules"), "{:?}", launch.isolation);
    let missing = launch.missing.join("; ");
    assert!(
        missing.contains("only the WASM engine isolates the plugin, as `--isolation basic` asks for"),
        "{missing}"
    );
}

#[test]
fn without_confinement_a_plugin_has_the_rights_of_the_user_and_the_record_says_so() {
    let Some(mut arena) = arena_with("reads_the_list_of_users") else { return };
    let run = ["run", "reads_the_list_of_users", "--isolation", "basic"];
    let record = ran(&arena, &run);
    assert_eq!(record.cases[0].status, CaseStatus::Completed);
    let missing = record.cases[0].launches[0].missing.join("; ");
    assert!(
        missing.contains("the plugin has this user's rights, as `--isolation basic` asks for"),
        "{missing}"
    );
    arena.set("DYNO_PROFILE", "server");
    let outcome = arena.dyno(&run);
    assert_eq!(outcome.code, Some(2), "{}", outcome.shown());
    assert!(outcome.stderr.contains("in profile server, isolation is always full"), "{}", outcome.stderr);
}

#[test]
fn a_developers_plugin_gets_what_it_declares_and_a_servers_what_is_also_granted() {
    if !fixtures::has_compiler("cc") {
        return println!("skipped: there is no C compiler on this machine");
    }
    let mut arena = Arena::new();
    let folder = arena.path("data");
    fs::create_dir(&folder).unwrap();
    let [declared, named] = ["declared", "named"].map(|name| folder.join(name));
    for file in [&declared, &named] {
        fs::write(file, "x").unwrap();
    }
    let flags = [
        format!("-DDECLARED=\"{}\"", declared.display()),
        format!("-DCAPABILITY=\"read:{}\"", declared.display()),
    ];
    let plugin: PathBuf = fixtures::asking("reads_files", &arena.path("reads_files.so"), &flags);
    arena.add(&plugin, "reads_files.so");
    let file = format!("file={}", named.display());
    let run = ["run", "reads_files", "-p", file.as_str()];
    assert_eq!(ran(&arena, &run).cases[0].status, CaseStatus::Completed, "profile dev");

    arena.set("DYNO_PROFILE", "server");
    // The profile wants somebody to vouch for the plugin.
    assert_eq!(arena.dyno(&["lock"]).code, Some(0));
    assert_eq!(reason(&ran(&arena, &run)), (Stage::Setup, "the named file is refused".to_owned()));
    let refused = ran(&arena, &run[..2]);
    assert_eq!(reason(&refused), (Stage::Setup, "the declared file is refused".to_owned()));
    let missing = refused.cases[0].launches[0].missing.join("; ");
    assert!(missing.contains("which `[grants.reads_files]` in dyno.toml does not grant"), "{missing}");

    let config = arena.path("dyno.toml");
    let grant =
        |plugin: &str| fs::write(&config, format!("[grants.{plugin}]\nread = [\"{}\"]\n", folder.display()));
    arena.set("DYNO_CONFIG", config.as_os_str());
    grant("another").unwrap();
    assert_eq!(reason(&ran(&arena, &run)).1, "the named file is refused", "granted to another plugin");
    grant("reads_files").unwrap();
    let granted = ran(&arena, &run);
    assert_eq!(granted.cases[0].status, CaseStatus::Completed, "granted");
    let expected = [&declared, &named].map(|file| format!("read:{}", file.display()));
    assert_eq!(granted.cases[0].launches[0].granted, expected, "it is in the record");
    // What is granted is a folder, not a beginning of names.
    let beside = arena.path("data-of-others");
    fs::write(&beside, "x").unwrap();
    let file = format!("file={}", beside.display());
    assert_eq!(reason(&ran(&arena, &["run", "reads_files", "-p", &file])).1, "the named file is refused");
}

#[test]
fn a_plugin_connects_to_what_it_was_granted_and_to_nothing_else() {
    if !fixtures::has_compiler("cc") {
        return println!("skipped: there is no C compiler on this machine");
    }
    let mut arena = Arena::new();
    let plugin = fixtures::asking("connects", &arena.path("connects.so"), &[]);
    arena.add(&plugin, "connects.so");
    let (echo, secret) =
        (TcpListener::bind("127.0.0.1:0").unwrap(), TcpListener::bind("127.0.0.1:0").unwrap());
    let here = echo.local_addr().unwrap();
    let params = [format!("endpoint={here}"), format!("other_port={}", secret.local_addr().unwrap().port())];
    let run = ["run", "connects", "-p", params[0].as_str(), "-p", params[1].as_str()];
    thread::spawn(move || {
        for mut stream in echo.incoming().flatten() {
            let mut word = [0; 5];
            let _ = stream.read_exact(&mut word).and_then(|()| stream.write_all(&word));
        }
    });

    let record = ran(&arena, &run);
    let launch = &record.cases[0].launches[0];
    assert_eq!(record.cases[0].status, CaseStatus::Completed, "profile dev");
    assert_eq!(launch.granted, [format!("connect:{here}")], "it is in the record");
    let held = |word: &str| launch.isolation.iter().any(|layer| layer == word);
    assert!(!held("no_network") && held("call_filter") && held("file_rules"), "{:?}", launch.isolation);
    assert!(held("empty_environment"), "addresses are none of the user's variables: {:?}", launch.isolation);
    let nowhere = ran(&arena, &["run", "connects", "-p", "endpoint=nobody.invalid:80"]);
    let launch = &nowhere.cases[0].launches[0];
    assert!(launch.granted.is_empty(), "nobody has this name: {:?}", launch.granted);
    assert!(launch.missing.join("; ").contains("`nobody.invalid:80` has no address"), "{:?}", launch.missing);
    let launch = &record.cases[0].launches[0];
    let said = format!("the plugin can use the network: it may connect to `{here}`, and to nothing else");
    assert!(launch.missing.contains(&said), "{:?}", launch.missing);
    let demanding = [&run[..], &["--require-isolation", "no_network"]].concat();
    let (stage, why) = reason(&ran(&arena, &demanding));
    assert!(stage == Stage::Load && why.contains("`no_network` is required") && why.contains(&said), "{why}");

    arena.set("DYNO_PROFILE", "server");
    assert_eq!(arena.dyno(&["lock"]).code, Some(0));
    let refused = ran(&arena, &run);
    assert_eq!(reason(&refused).0, Stage::Setup);
    let missing = refused.cases[0].launches[0].missing.join("; ");
    assert!(
        missing.contains(&format!("but `{here}` of a parameter is not in `connect` of `[grants.connects]`")),
        "{missing}"
    );
    let config = arena.path("dyno.toml");
    arena.set("DYNO_CONFIG", config.as_os_str());
    let grant =
        |more: &str| fs::write(&config, format!("[grants.connects]\nconnect = [\"{here}\"]\n{more}\n"));
    grant("").unwrap();
    assert_eq!(ran(&arena, &run).cases[0].status, CaseStatus::Completed, "granted");
    grant("publisher = \"acme\"").unwrap();
    let outcome = arena.dyno(&["list"]);
    let said = "`[grants.connects]` names the publisher `acme`, which is not in the trust store";
    assert!(outcome.code == Some(2) && outcome.stderr.contains(said), "{}", outcome.shown());
    grant("").unwrap();
    let secret_key = arena.path("home/acme.key").display().to_string();
    let made = arena.dyno(&["key", "new", &secret_key, "--no-password", "--json"]).json();
    grant(&format!("publisher = \"acme\"\n[trust.publishers.acme]\nkeys = [{}]", made["key"])).unwrap();
    assert_eq!(reason(&ran(&arena, &run)).0, Stage::Setup, "granted only to what acme signed");
    let file = arena.path("plugins/connects.so").display().to_string();
    let signed = arena.dyno(&["sign", "--key", &secret_key, "--publisher", "acme", &file]);
    assert_eq!(signed.code, Some(0), "{}", signed.shown());
    assert_eq!(ran(&arena, &run).cases[0].status, CaseStatus::Completed, "signed by acme");
    fs::write(&config, "[grants.connects]\nconnect = [\"localhost\"]\n").unwrap();
    let outcome = arena.dyno(&["list"]);
    assert!(
        outcome.code == Some(2) && outcome.stderr.contains("`localhost` has no port"),
        "{}",
        outcome.shown()
    );

    secret.set_nonblocking(true).unwrap();
    assert!(secret.accept().is_err(), "nothing reached what was not granted");
}

#[test]
fn a_call_that_was_refused_is_told_of_runs_and_of_comparisons() {
    const SAID: &str = "the plugin made system calls that workers refuse plugins: socket";

    let Some(arena) = arena_with("asks_in_vain") else { return };
    let run = arena.dyno(&["run", "asks_in_vain", "--samples", "3", "--launches", "1"]);
    assert!(run.code == Some(0) && run.stdout.contains(SAID), "{}", run.shown());
    let file = arena.path("plugins/asks_in_vain.so").display().to_string();
    let compare = ["ab", &file, &file, "--budget", "100ms"];
    let told = arena.dyno(&compare);
    assert!(told.code == Some(0) && told.stdout.contains(SAID), "{}", told.shown());
    let json = arena.dyno(&[&compare[..], &["--json"]].concat()).json();
    let both = json!({"baseline": ["socket"], "candidate": ["socket"]});
    assert_eq!(json["cases"][0]["pairs"]["refused_calls"], both, "{json}");
}
