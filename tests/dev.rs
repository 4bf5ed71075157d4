//! User story: a developer has `dyno dev` open, saves a file, and believes what comes back.

use std::{
    fs::{self, File},
    io::{BufRead, BufReader},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
};

use nix::{
    sys::signal::{Signal, kill},
    unistd::Pid,
};
use serde_json::Value;

use crate::support::{arena::Arena, fixtures, terminal::Terminal};

/// The loop of the example, and one that does everything twice.
const ONCE: &str = "total += sum(it);";
const TWICE: &str = "total += sum(it); dyno_keep(it->values); total += sum(it);";

fn can_build() -> bool {
    let can = fixtures::has_compiler("cc");
    if !can {
        println!("skipped: there is no C compiler on this machine");
    }
    can
}

/// A folder with the example in C.
fn sources(arena: &Arena) -> PathBuf {
    let folder = arena.path("work/k");
    fs::create_dir(&folder).expect("the arena is writable");
    fs::copy(fixtures::root().join("examples/hello-c/hello.c"), folder.join("hello.c"))
        .expect("the arena is writable");
    folder
}

/// Saves a source as editors do: under another name first.
fn save(folder: &Path, edit: impl Fn(&str) -> String) {
    let file = folder.join("hello.c");
    let text = edit(&fs::read_to_string(&file).expect("the arena is writable"));
    let new = folder.join(".hello.c.new");
    fs::write(&new, text).expect("the arena is writable");
    fs::rename(new, file).expect("the arena is writable");
}

/// A session that decides for sure, however busy the machine is.
fn session(arena: &Arena, more: &[&str]) -> Command {
    arena.command(&[&["dev", "k", "--budget", "60s"], more].concat())
}

#[test]
fn a_session_step_by_step() {
    if !can_build() {
        return;
    }
    let arena = Arena::new();
    let folder = sources(&arena);
    let mut screen = Terminal::start(session(&arena, &[]));
    let text = screen.wait_for("build 1 is the baseline");
    assert!(text.contains("dyno dev of") && text.contains("sum_c; the baseline is build 1"), "{text}");
    assert!(text.trim_end().ends_with("q quit"), "the keys stand at the bottom:\n{text}");

    save(&folder, |text| text.replace(ONCE, TWICE));
    let text = screen.wait_for("regressed");
    assert!(
        text.contains("build 2 against build 1, at ") && text.contains("sum_c n=4096 (native, cpu)"),
        "{text}"
    );

    // The first error stands on top, the last verdict stays below.
    save(&folder, |text| text.replace("return DYNO_OK;", "return DYNO_FINE;"));
    let text = screen.wait_for("build 3: failed");
    let place = |what: &str| text.find(what).unwrap_or_else(|| panic!("no `{what}`:\n{text}"));
    assert!(
        place("`cc` ended with exit code 1") < place("error: ") && place("DYNO_FINE") < place("regressed")
    );

    // As it was: the bytes are those of build 2, so there is nothing to measure.
    save(&folder, |text| text.replace("return DYNO_FINE;", "return DYNO_OK;"));
    screen.wait_for("the same bytes as before");

    screen.press("b");
    screen.wait_for("build 2 is the baseline");
    save(&folder, |text| text.replace(TWICE, ONCE));
    let text = screen.wait_for("improved");
    assert!(text.contains("build 5 against build 2, at "), "{text}");
    assert!(text.contains("2 against 1  sum_c"), "the verdict before is history:\n{text}");

    // With another parameter.
    screen.press("pn=12x\u{7f}8\r");
    let text = screen.wait_for("sum_c n=128 (native, cpu)");
    assert!(text.contains("sum_c with n=128; the baseline is build 2"), "{text}");
    screen.wait_for("build 5: compared in");
    // A value that the parameter cannot have is a sentence; the session goes on.
    screen.press("p\u{7f}\u{7f}\u{7f}\u{7f}\u{7f}abc=1\r");
    screen.wait_for("abc");

    screen.press("q");
    let (code, left) = screen.end();
    assert_eq!(code, Some(0), "{left}");
    assert!(left.contains("build 2 against build 1") && left.contains("build 5 against build 2"), "{left}");
}

/// A session that writes JSON.
struct Headless {
    child: Child,
    lines: std::io::Lines<BufReader<std::process::ChildStdout>>,
}

impl Headless {
    fn start(mut command: Command, arena: &Arena) -> Self {
        let errors = File::create(arena.path("stderr")).expect("the arena is writable");
        let mut child =
            command.arg("--headless").stdout(Stdio::piped()).stderr(errors).spawn().expect("dyno is built");
        let lines = BufReader::new(child.stdout.take().expect("it is piped")).lines();
        Self { child, lines }
    }

    /// The next event of that name, before which only those of the others come.
    fn next(&mut self, event: &str, others: &[&str]) -> Value {
        loop {
            let line = self.lines.next().expect("the session goes on").expect("it is text");
            let news: Value = serde_json::from_str(&line).unwrap_or_else(|error| panic!("{error}: {line}"));
            if news["event"] == event {
                return news;
            }
            assert!(others.contains(&news["event"].as_str().expect("a word")), "{line}");
        }
    }
}

#[test]
fn an_editor_gets_a_line_of_json_for_each_event() {
    if !can_build() {
        return;
    }
    let arena = Arena::new();
    let folder = sources(&arena);
    let mut session = Headless::start(session(&arena, &["--follow", "-p", "n=512"]), &arena);
    assert_eq!(session.next("baseline", &["building", "built"])["build"], 1);

    // A plugin that builds and does not work replaces nothing.
    save(&folder, |text| text.replace("sum(it) == expected", "sum(it) != expected"));
    let failed = session.next("failed", &["building"]);
    assert!(failed["why"].as_str().unwrap().contains("stage verify"), "{failed}");
    save(&folder, |text| text.replace("sum(it) != expected", "sum(it) == expected").replace(ONCE, TWICE));
    let judged = session.next("verdict", &["building", "built", "comparing"]);
    assert_eq!((&judged["build"], &judged["baseline"]), (&3.into(), &1.into()));
    let case = &judged["comparison"]["cases"][0];
    assert_eq!(
        (case["metrics"][0]["verdict"].as_str(), case["label"].as_str()),
        (Some("regressed"), Some("sum_c n=512 (native, cpu)"))
    );
    // With `--follow`, the judged build is what the next one is compared with.
    assert_eq!(session.next("baseline", &[])["build"], 3);
    save(&folder, |text| text.replace(TWICE, ONCE));
    let judged = session.next("verdict", &["building", "built", "comparing"]);
    assert_eq!((&judged["build"], &judged["baseline"]), (&4.into(), &3.into()));
    assert_eq!(judged["comparison"]["cases"][0]["metrics"][0]["verdict"], "improved");
    // The comparisons are stored like any others.
    let pid = Pid::from_raw(i32::try_from(session.child.id()).unwrap());
    kill(pid, Signal::SIGTERM).unwrap();
    assert_eq!(session.child.wait().unwrap().code(), Some(0));
    let copies: Vec<_> =
        fs::read_dir(arena.path("tmp")).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    assert!(copies.is_empty(), "copies are left: {copies:?}");
}

#[test]
fn a_file_that_something_else_builds_is_watched_too() {
    if !can_build() {
        return;
    }
    let arena = Arena::new();
    let file = arena.path("work/k");
    fs::create_dir(&file).unwrap();
    let plugin = file.join("k.so");
    fs::copy(fixtures::example("hello-c/hello.c"), &plugin).unwrap();
    let mut session = Headless::start(arena.command(&["dev", "k/k.so", "--budget", "60s"]), &arena);
    assert_eq!(session.next("baseline", &["building", "built"])["build"], 1);
    fs::write(&plugin, "no plugin").unwrap();
    let failed = session.next("failed", &["building"]);
    assert!(failed["why"].as_str().unwrap().contains("k.so"), "{failed}");
    let other = fixtures::example_with("hello-c/hello.c", &["-O0"]);
    fs::copy(other, &plugin).unwrap();
    let judged = session.next("verdict", &["building", "built", "comparing", "failed"]);
    assert_eq!(judged["comparison"]["cases"][0]["metrics"][0]["verdict"], "regressed");
    session.child.kill().unwrap();
    session.child.wait().unwrap();
}

#[test]
fn what_cannot_be_a_session_is_refused_before_it_begins() {
    let arena = Arena::new();
    let said = |arguments: &[&str]| {
        let outcome = arena.dyno(arguments);
        assert_eq!(outcome.code, Some(2), "{}", outcome.shown());
        outcome.stderr
    };
    assert!(said(&["dev", "nowhere"]).contains("`nowhere`"));
    assert!(said(&["dev", "."]).contains("does not say how to build it"));
    if can_build() {
        sources(&arena);
        assert!(said(&["dev", "k"]).contains("needs a terminal"), "standard output is a file");
        assert!(said(&["dev", "k", "--headless", "-p", "n"]).contains("is not NAME=VALUES"));
    }
}
