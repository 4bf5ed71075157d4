//! Callers that want more than their share, that leave, fall silent, or are not who they say.

use std::{
    collections::BTreeSet,
    os::unix::fs::PermissionsExt,
    sync::atomic::{AtomicBool, Ordering},
    time::{Duration, Instant},
};

use dyno_core::model::RunStatus;
use serde_json::json;

use super::{arena, quick};
use crate::support::{
    arena::Arena,
    eventually::eventually,
    fixtures,
    served::{Served, word},
};

const RUN: &str = "run-token-0123456789";
const READ: &str = "read-token-0123456789";
const ADMIN: &str = "admin-token-0123456789";

/// It would take days.
const ENDLESS: &str =
    "SELECT count(*) FROM range(1000000) a, range(1000000000) b WHERE hash(a.range * b.range) = 7";

/// A file with a token of each scope.
fn tokens(arena: &Arena) -> String {
    let path = arena.path("work/tokens.toml");
    let entry = |name: &str, scope: &str, token: &str| {
        format!("[[token]]\nname = \"{name}\"\nscope = \"{scope}\"\ntoken = \"{token}\"\n")
    };
    let text = entry("ci", "run", RUN) + &entry("eve", "read", READ) + &entry("root", "admin", ADMIN);
    std::fs::write(&path, text).expect("the arena is writable");
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o600)).expect("the file is ours");
    path.display().to_string()
}

fn resident_bytes(server: &Served) -> f64 {
    let metrics = server.text("/metrics");
    let number = metrics.lines().find_map(|line| line.strip_prefix("dyno_resident_bytes "));
    number.and_then(|number| number.parse().ok()).expect("it is counted")
}

#[test]
fn an_answer_to_sql_has_bounds_in_bytes_and_does_not_show_the_audit_log() {
    let arena = arena();
    let mut server = Served::start(&arena, &["--token-file", &tokens(&arena)]);
    let audit = json!({"sql": "SELECT count(*) FROM audit"});
    for (token, status) in [(READ, 403), (RUN, 403), (ADMIN, 200)] {
        server.token = Some(token.to_owned());
        let (found, text) = server.call("POST", "/api/sql", &audit);
        assert_eq!(found, status, "{token}: {text}");
    }
    server.token = Some(READ.to_owned());
    let before = resident_bytes(&server);
    let much = json!({"sql": "SELECT repeat('x', 1000000) FROM range(10000)", "limit": 10_000});
    let (status, text) = server.call("POST", "/api/sql", &much);
    assert!(status == 422 && text.contains("`repeat`"), "{status} {}", &text[..text.len().min(300)]);
    // Twelve hundred bytes a row.
    let row = format!("concat({})", ["md5(i::VARCHAR)"; 40].join(", "));
    let sql = format!("SELECT {row} FROM range(10000) r(i)");
    let (status, text) = server.call("POST", "/api/sql", &json!({"sql": sql, "limit": 10_000}));
    assert!(status == 200 && text.contains("\"truncated\":true"), "{status} {}", &text[..300]);
    assert!((6 << 20..9 << 20).contains(&text.len()), "{}", text.len());
    // More than a megabyte a row.
    let wide = format!("concat({})", ["s"; 1_000].join(", "));
    let sql = format!("SELECT {wide} FROM (SELECT {row} AS s FROM range(5) r(i))");
    let (status, text) = server.call("POST", "/api/sql", &json!({"sql": sql}));
    assert!(status == 422 && text.contains("row 1"), "{status} {}", &text[..text.len().min(300)]);
    let grown = resident_bytes(&server) - before;
    assert!(grown < 400e6, "{grown}");
}

#[test]
fn queries_that_take_all_memory_keep_no_run_from_being_stored() {
    let arena = Arena::new();
    arena.add(&fixtures::wasm("good", "good_a"), "good_a.wasm");
    let server = Served::start(&arena, &[]);
    // Each alone fills the memory of the database.
    let greedy = [
        "SELECT max(s) FROM (SELECT sum(a.range) OVER (ORDER BY a.range * 7919 % 1000003) s FROM range(5000000) a)",
        "SELECT a.range x, list(b.range) FROM range(3000) a, range(5000) b GROUP BY x ORDER BY x LIMIT 1",
    ];
    let ended = AtomicBool::new(false);
    std::thread::scope(|scope| {
        let (server, ended) = (&server, &ended);
        for sql in greedy {
            scope.spawn(move || {
                while !ended.load(Ordering::Relaxed) {
                    let (status, text) = server.call("POST", "/api/sql", &json!({ "sql": sql }));
                    // It is answered, or was too greedy, or made way; never is the server at fault.
                    assert!([200, 408, 422, 503].contains(&status), "{status} {text}");
                }
            });
        }
        let stop = json!({"rule": "samples", "launches": 40, "per_launch": 5});
        let run = server.post("/api/runs", &json!({"benchmarks": ["good_a"], "stop": stop}));
        let record = server.wait(word(&run, "id"));
        ended.store(true, Ordering::Relaxed);
        assert_eq!((record.status, record.cases[0].launches.len()), (RunStatus::Completed, 40));
    });
}

#[test]
fn queries_whose_clients_have_left_are_stopped_and_have_their_places_until_then() {
    let arena = arena();
    let server = Served::start(&arena, &[]);
    for moment in 0..60 {
        server.leave("/api/sql", &json!({"sql": ENDLESS}), Duration::from_micros(moment * 50));
    }
    let count = json!({"sql": "SELECT count(*) FROM runs"});
    eventually("a query is answered", || server.call("POST", "/api/sql", &count).0 == 200);
    eventually("nothing goes on for nobody", || {
        let before = server.processor_ticks();
        std::thread::sleep(Duration::from_secs(1));
        server.processor_ticks() - before < 20
    });
}

#[test]
fn refused_calls_are_counted_and_not_stored() {
    let arena = arena();
    let mut server = Served::start(&arena, &["--token-file", &tokens(&arena)]);
    let refused = |server: &Served| server.call("POST", "/api/runs", &quick("good_a")).0;
    assert_eq!(refused(&server), 401);
    eventually("a peer that is refused all the time is cut short", || {
        let statuses: BTreeSet<u16> = (0..50).map(|_| refused(&server)).collect();
        assert!(statuses.is_subset(&BTreeSet::from([401, 429])), "{statuses:?}");
        statuses.contains(&429)
    });
    // Others behind the same address who have a token are heard.
    server.token = Some(READ.to_owned());
    assert_eq!(refused(&server), 403);
    server.token = Some(RUN.to_owned());
    assert_eq!(refused(&server), 201);
    assert_eq!(server.call("POST", "/api/runs", &json!({})).0, 422);
    server.token = Some(ADMIN.to_owned());
    eventually("what was changed is in the log", || !server.get("/api/audit").as_array().unwrap().is_empty());
    let audit = server.get("/api/audit");
    assert_eq!(audit.as_array().unwrap().len(), 1, "{audit}");
    assert_eq!((word(&audit[0], "who"), &audit[0]["status"]), ("ci", &json!(201)));
    let metrics = server.text("/metrics");
    let refusals = metrics.lines().find_map(|line| line.strip_prefix("dyno_refusals_total ")).unwrap();
    assert!(refusals.parse::<f64>().unwrap() > 100.0, "{refusals}");
}

#[test]
fn what_a_client_asked_for_before_it_left_is_in_the_audit_log() {
    let arena = arena();
    let server = Served::start(&arena, &[]);
    for moment in 0..20 {
        server.leave("/api/runs", &quick("good_a"), Duration::from_micros(moment * 300));
    }
    let count = |path: &str| server.get(path).as_array().unwrap().len();
    eventually("something was asked for", || count("/api/runs?limit=1000") > 0);
    eventually("all of it is in the log", || count("/api/audit?limit=1000") >= count("/api/runs?limit=1000"));
}

#[test]
fn websockets_have_their_places_until_they_close_and_leave_room_for_others() {
    let arena = arena();
    // 144 connections, of which 108 may stay.
    let server = Served::with_files(&arena, 400);
    let mut open = Vec::new();
    let refused = loop {
        match server.try_websocket("/api/events/ws") {
            Ok(socket) => open.push(socket),
            Err(status) => break status,
        }
        assert!(open.len() < 200, "there is no bound");
    };
    assert_eq!((refused, open.len()), (503, 108));
    assert_eq!(server.call("GET", "/api/events", &json!(null)).0, 503);
    assert_eq!(server.call("GET", "/api/runs", &json!(null)).0, 200);
    drop(open.pop());
    eventually("its place is free again", || server.try_websocket("/api/events/ws").is_ok());
}

#[test]
fn a_websocket_whose_client_is_gone_is_closed() {
    let mut arena = arena();
    arena.set("DYNO_HEARTBEAT", "50ms");
    let server = Served::start(&arena, &[]);
    let until = Instant::now() + Duration::from_secs(90);
    let head = "GET /api/events/ws HTTP/1.1\r\nhost: HOST\r\nconnection: Upgrade\r\nupgrade: websocket\r\n\
                sec-websocket-version: 13\r\nsec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n";
    // It hears pings, and answers none.
    let (heard, has_ended) = server.converse(head, until);
    assert!(heard.starts_with("HTTP/1.1 101") && has_ended, "{heard}");
    // One that answers stays.
    let mut socket = server.websocket("/api/events/ws");
    let until = Instant::now() + Duration::from_secs(15);
    while Instant::now() < until {
        assert!(socket.next().is_ping());
    }
}

#[test]
fn a_body_that_is_announced_and_not_sent_is_not_waited_for() {
    let arena = arena();
    let server = Served::start(&arena, &[]);
    let head = "POST /api/runs HTTP/1.1\r\nhost: HOST\r\ncontent-type: application/json\r\n\
                content-length: 100\r\n\r\n{";
    let (heard, has_ended) = server.converse(head, Instant::now() + Duration::from_secs(90));
    assert!(heard.starts_with("HTTP/1.1 408") && heard.contains("within 20 s") && has_ended, "{heard}");
}

#[test]
fn a_request_names_one_host() {
    let arena = arena();
    let server = Served::start(&arena, &[]);
    let until = Instant::now() + Duration::from_secs(60);
    for (head, status) in [
        ("GET /api/runs HTTP/1.1\r\nhost: HOST\r\n", 200),
        ("GET http://HOST/api/runs HTTP/1.1\r\nhost: HOST\r\n", 200),
        ("GET /api/runs HTTP/1.1\r\nhost: HOST\r\nhost: evil.example.org\r\n", 400),
        ("GET /api/runs HTTP/1.1\r\nhost: evil.example.org\r\nhost: HOST\r\n", 400),
        ("GET http://evil.example.org/api/runs HTTP/1.1\r\nhost: HOST\r\n", 400),
        ("GET http://evil.example.org/api/runs HTTP/1.1\r\nhost: evil.example.org\r\n", 403),
        ("GET /api/runs HTTP/1.1\r\n", 400),
        (
            "GET /api/runs HTTP/1.1\r\nhost: HOST\r\norigin: http://HOST\r\norigin: http://evil.example.org\r\n",
            400,
        ),
    ] {
        let (heard, _) = server.converse(&format!("{head}connection: close\r\n\r\n"), until);
        assert!(heard.starts_with(&format!("HTTP/1.1 {status}")), "{head}\n{heard}");
    }
}

#[test]
fn a_refusal_reaches_a_client_that_is_still_sending() {
    let arena = arena();
    let mut server = Served::start(&arena, &["--token-file", &tokens(&arena)]);
    let big = format!("{{\"sql\": \"{}\"}}", "x".repeat(9 << 20));
    server.token = Some(READ.to_owned());
    let (status, body) = server.raw("POST", "/api/sql", &big);
    assert!(status == 413 && body.contains("8 MiB"), "{status} {body}");
    // A run takes more memory for each byte than anything else.
    server.token = Some(RUN.to_owned());
    let (status, body) = server.raw("POST", "/api/runs", &big[..3 << 20]);
    assert!(status == 413 && body.contains("2 MiB"), "{status} {body}");
    server.token = Some(READ.to_owned());
    // Whoever is refused for another reason hears that one.
    assert_eq!(server.raw("POST", "/api/runs", &big).0, 403);
    server.token = None;
    assert_eq!(server.raw("POST", "/api/sql", &big).0, 401);
}
