//! User story: an operator gives tokens that expire, takes one back, and renews the certificate, all while the server runs.
//!
//! `access/` holds two certificates for this machine with their keys, which are in public and good for nothing else.

use std::{
    fs,
    io::{Read, Write},
    net::TcpStream,
    os::unix::fs::PermissionsExt,
    path::PathBuf,
    time::Duration,
};

use dyno_core::model::{CaseStatus, IsolationLayer};
use serde_json::{Value, json};

use crate::support::{
    arena::Arena,
    eventually::eventually,
    fixtures,
    served::{Served, word},
};

/// An arena with a quick benchmark.
fn arena() -> Arena {
    let arena = Arena::new();
    arena.add(&fixtures::native("good", "good_a"), "good_a.so");
    arena
}

fn status(server: &Served, token: &str) -> u16 {
    answer(server, token).0
}

fn answer(server: &Served, token: &str) -> (u16, String) {
    // More than ten refused calls a second are too many.
    std::thread::sleep(Duration::from_millis(200));
    server.with_header("GET", "/api/me", "authorization", &format!("Bearer {token}"))
}

/// A token that `dyno token new` made.
#[track_caller]
fn new_token(arena: &Arena, file: &str, arguments: &[&str]) -> String {
    let made = arena.dyno(&[&["token", "new", "--token-file", file], arguments].concat());
    assert_eq!(made.code, Some(0), "{}", made.shown());
    assert!(made.stderr.contains("shown only now"), "{}", made.shown());
    made.stdout.trim().to_owned()
}

#[test]
fn tokens_come_expire_and_go_while_the_server_runs() {
    let arena = arena();
    let path = arena.path("work/tokens.toml");
    let file = path.display().to_string();
    let boss = new_token(&arena, &file, &["boss", "--scope", "admin"]);
    assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
    let mut server = Served::start(&arena, &["--token-file", &file]);
    assert_eq!((status(&server, &boss), status(&server, "dyno_nobodys")), (200, 401));

    // One more, which is found by its hash alone.
    let ci = new_token(&arena, &file, &["ci", "--scope", "run", "--expires", "2h"]);
    assert!(!fs::read_to_string(&path).unwrap().contains(&ci));
    eventually("the new token is accepted", || status(&server, &ci) == 200);
    let me: Value = serde_json::from_str(&answer(&server, &ci).1).unwrap();
    assert!(word(&me, "expires_at").ends_with('Z') && word(&me, "scope") == "run", "{me}");
    let listed = arena.dyno(&["token", "list", "--token-file", &file]);
    assert!(listed.stdout.contains("boss") && listed.stdout.contains("never"), "{}", listed.shown());

    // Who listens with a token that is taken back is sent away.
    let mut socket = server.websocket(&format!("/api/events/ws?access_token={ci}"));
    socket.say("ping");
    assert_eq!(socket.next_json(), json!({"pong": true}));
    let gone = arena.dyno(&["token", "revoke", "ci", "--token-file", &file]);
    assert_eq!(gone.code, Some(0), "{}", gone.shown());
    eventually("the token is refused", || status(&server, &ci) == 401);
    // Pings keep it from being silent.
    eventually("the socket is closed", || socket.is_closed());

    // A time that is over is said to whoever has the token.
    let before = fs::read_to_string(&path).unwrap();
    let entry = "[[token]]\nname = \"late\"\nscope = \"read\"\ntoken = \"late-token-0123456789\"\nexpires = 2020-01-31\n";
    fs::write(&path, format!("{before}\n{entry}")).unwrap();
    eventually("it is known as expired", || {
        answer(&server, "late-token-0123456789").1.contains("`late` expired at 2020-02-01")
    });

    // Half a file takes nobody's rights away, and is told.
    fs::write(&path, "[[token]]\nname = ").unwrap();
    server.token = Some(boss.clone());
    eventually("the file is refused", || server.text("/metrics").contains("dyno_token_file_refused 1"));
    server.token = None;
    assert_eq!((status(&server, &boss), status(&server, "late-token-0123456789")), (200, 401));
    fs::write(&path, "token = []").unwrap();
    eventually("all are gone", || status(&server, &boss) == 401);
    drop(server);

    let pipe = arena.path("work/pipe");
    nix::unistd::mkfifo(&pipe, nix::sys::stat::Mode::S_IRWXU).unwrap();
    let pipe = pipe.display().to_string();
    for (arguments, said) in [
        (vec!["serve", "--port", "0", "--token-file", &pipe], "is not a regular file"),
        (vec!["serve", "--port", "0", "--token-file", &file], "holds no token"),
        (vec!["token", "revoke", "ci", "--token-file", &file], "has no token `ci`; it has none"),
        (vec!["token", "list"], "no token file is named"),
        (vec!["token", "new", "x", "--scope", "god", "--token-file", &file], "--scope: `god` is not a scope"),
        (
            vec!["token", "new", "x", "--expires", "soon", "--token-file", &file],
            "--expires: `soon` is neither a day",
        ),
        (
            vec!["token", "new", "x", "--require-isolation", "walls", "--token-file", &file],
            "`walls` is not a layer",
        ),
        (vec!["token", "new", "", "--token-file", &file], "cannot name a token"),
        (vec!["token", "new", "x", "--token-file", "absent/tokens.toml"], "/absent`"),
    ] {
        let refused = arena.dyno(&arguments);
        assert!(refused.code != Some(0) && refused.stderr.contains(said), "{said}: {}", refused.shown());
    }
}

#[test]
fn a_token_can_demand_layers_of_isolation_that_no_request_takes_back() {
    let arena = arena();
    let file = arena.path("work/tokens.toml").display().to_string();
    let strict = new_token(&arena, &file, &["strict", "--scope", "run", "--require-isolation", "no_network"]);
    let lax = new_token(&arena, &file, &["lax", "--scope", "run"]);
    let mut server = Served::start(&arena, &["--token-file", &file]);
    let run = json!({"benchmarks": ["good_a"], "stop": {"rule": "samples", "launches": 1, "per_launch": 3}});
    server.token = Some(lax.clone());
    let first = server.wait(word(&server.post("/api/runs", &run), "id"));
    assert!(first.spec.settings.require_isolation.is_empty());
    server.token = Some(strict);
    for path in ["/api/runs", "/api/runs/last/rerun"] {
        let record = server.wait(word(&server.post(path, &run), "id"));
        assert_eq!(record.spec.settings.require_isolation, [IsolationLayer::NoNetwork], "{path}");
        assert_eq!(record.cases[0].status, CaseStatus::Completed, "{path}");
    }
    drop(server);

    // Where the layer is not there, only what it submits fails, before anything of the plugin is loaded.
    let strict =
        new_token(&arena, &file, &["strict2", "--scope", "run", "--require-isolation", "no_network"]);
    let mut server = Served::start(&arena, &["--token-file", &file, "--config", &basic(&arena)]);
    for (token, fails) in [(lax, false), (strict, true)] {
        server.token = Some(token);
        let record = server.wait(word(&server.post("/api/runs", &run), "id"));
        match &record.cases[0].status {
            CaseStatus::Completed => assert!(!fails),
            CaseStatus::Failed { reason, .. } => {
                assert!(fails && format!("{reason:?}").contains("no_network"), "{reason:?}");
            }
            other => panic!("{other:?}"),
        }
    }
}

/// A configuration without confinement.
fn basic(arena: &Arena) -> String {
    let path = arena.path("work/basic.toml");
    fs::write(&path, "isolation = \"basic\"\n").expect("the arena is writable");
    path.display().to_string()
}

/// Certificate and key of that name, in files that the server uses.
fn install(arena: &Arena, name: &str, kinds: &[&str]) -> (PathBuf, PathBuf) {
    let folder = fixtures::root().join("tests/access");
    let (certificate, key) = (arena.path("work/server.pem"), arena.path("work/server.key"));
    for (kind, to, mode) in [("pem", &certificate, 0o644), ("key", &key, 0o600)] {
        if kinds.contains(&kind) {
            let bytes = fs::read(folder.join(name).with_extension(kind)).expect("it is there");
            fs::write(to, bytes).expect("the arena is writable");
            fs::set_permissions(to, fs::Permissions::from_mode(mode)).expect("it is ours");
        }
    }
    (certificate, key)
}

#[test]
fn a_server_speaks_tls_itself_and_its_certificate_is_renewed_while_it_runs() {
    let mut arena = arena();
    let (certificate, key) = install(&arena, "one", &["pem", "key"]);
    let (pem, secret) = (certificate.display().to_string(), key.display().to_string());
    let server = Served::start(&arena, &["--tls-cert", &pem, "--tls-key", &secret]);
    assert!(server.url.starts_with("https://"), "{}", server.url);
    let there = format!("https://localhost:{}", server.port());
    let trusted = |arena: &mut Arena, name: &str| {
        arena.set("SSL_CERT_FILE", fixtures::root().join(format!("tests/access/{name}.pem")));
        arena.dyno(&["results", "--list", "--server", &there])
    };
    // From another machine, so to speak: by https, with the certificate that the user trusts.
    let asked = trusted(&mut arena, "one");
    assert_eq!(asked.code, Some(0), "{}", asked.shown());
    let refused = trusted(&mut arena, "two");
    assert!(refused.code != Some(0) && refused.stderr.contains("in SSL_CERT_FILE"), "{}", refused.shown());
    // On this machine: the server is found beside its database, whatever its certificate says.
    let run = arena.dyno(&["run", "good_a", "--launches", "1", "--samples", "3"]);
    assert!(run.code == Some(0), "{}", run.shown());
    // Who speaks plain HTTP is told.
    let mut plain = TcpStream::connect(("127.0.0.1", server.port())).unwrap();
    plain.write_all(b"GET /healthz HTTP/1.1\r\nhost: localhost\r\n\r\n").unwrap();
    let mut said = String::new();
    plain.read_to_string(&mut said).unwrap();
    assert!(said.starts_with("HTTP/1.1 400") && said.contains("write https:// instead of http://"), "{said}");

    // A certificate without its key is not taken; with it, it is.
    install(&arena, "two", &["pem"]);
    eventually("the mismatch is logged", || {
        server.logged() > 1 && trusted(&mut arena, "one").code == Some(0)
    });
    install(&arena, "two", &["key"]);
    eventually("the new certificate is served", || trusted(&mut arena, "two").code == Some(0));
    drop(server);

    fs::set_permissions(&key, fs::Permissions::from_mode(0o644)).unwrap();
    for (arguments, said) in [
        (vec!["--tls-cert", &pem], "--tls-cert needs --tls-key"),
        (vec!["--tls-key", &secret], "--tls-key needs --tls-cert"),
        (vec!["--tls-cert", &pem, "--tls-key", &secret], "`chmod 600` it"),
        (vec!["--tls-cert", &secret, "--tls-key", &secret], "holds no certificate"),
        (vec!["--tls-cert", "absent.pem", "--tls-key", &secret], "absent.pem` cannot be read"),
    ] {
        let refused = arena.dyno(&[vec!["serve", "--port", "0"], arguments].concat());
        assert!(refused.code == Some(2) && refused.stderr.contains(said), "{said}: {}", refused.shown());
    }
    fs::set_permissions(&key, fs::Permissions::from_mode(0o600)).unwrap();
    install(&arena, "one", &["key"]);
    let refused = arena.dyno(&["serve", "--port", "0", "--tls-cert", &pem, "--tls-key", &secret]);
    assert!(
        refused.code == Some(2) && refused.stderr.contains("does not fit the certificate"),
        "{}",
        refused.shown()
    );
}
