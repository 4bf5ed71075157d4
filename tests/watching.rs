//! User story: an operator replaces plugins under a running server, by every way in which files are replaced. What is good is
//! served, what is not good is reported, and no run notices.

mod load;

use std::{
    cell::RefCell,
    collections::BTreeMap,
    fs::{self, File},
    io::Write,
    path::{Path, PathBuf},
    time::{Duration, Instant},
};

use dyno_core::{
    model::{CaseStatus, RunStatus},
    text::hex,
};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use crate::support::{
    arena::{Arena, workers},
    eventually::eventually,
    fixtures,
    served::{Events, Served, word},
};

/// Nothing here takes longer, however busy the machine is.
const PATIENCE: Duration = Duration::from_secs(90);

fn can_build() -> bool {
    let can = fixtures::has_compiler("cc");
    if !can {
        println!("skipped: there is no C compiler on this machine");
    }
    can
}

/// A version of a plugin: its bytes, and bytes behind them that no loader reads.
fn version(of: &Path, number: u32) -> Vec<u8> {
    [fs::read(of).expect("it was built"), number.to_le_bytes().to_vec()].concat()
}

fn good(number: u32) -> Vec<u8> {
    version(&fixtures::native("good", "good_a"), number)
}

fn hash(bytes: &[u8]) -> String {
    hex(&Sha256::digest(bytes))
}

/// Puts a file there as linkers and package managers do.
fn rename(path: &Path, bytes: &[u8]) {
    let partial = path.with_extension("partial");
    fs::write(&partial, bytes).expect("the arena is writable");
    fs::rename(partial, path).expect("the arena is writable");
}

/// A way of replacing a file by these bytes.
type Way<'a> = &'a dyn Fn(&[u8]);

/// A server that watches, over one good plugin.
struct Story {
    arena: Arena,
    server: Served,
    events: RefCell<Events>,
    plugin: PathBuf,
}

impl Story {
    fn begin(arguments: &[&str]) -> Self {
        let arena = Arena::new();
        let plugin = arena.path("plugins/good_a.so");
        rename(&plugin, &good(0));
        let server = Served::start(&arena, arguments);
        let events = RefCell::new(server.events("/api/events"));
        Self { arena, server, events, plugin }
    }

    /// The hash of what is served under each identifier.
    fn served(&self) -> BTreeMap<String, String> {
        let list = self.server.get("/api/plugins");
        let plugins = list["plugins"].as_array().expect("a list of plugins");
        plugins.iter().map(|it| (word(it, "id").to_owned(), word(it, "sha256").to_owned())).collect()
    }

    #[track_caller]
    fn assert_served(&self, id: &str, bytes: &[u8]) {
        let wanted = hash(bytes);
        eventually(&format!("{id} {wanted} is served"), || self.served().get(id) == Some(&wanted));
    }

    /// The sentences about a file or folder.
    fn problems(&self, path: &Path) -> Vec<String> {
        let list = self.server.get("/api/plugins");
        let problems = list["problems"].as_array().expect("a list of problems").iter();
        problems
            .filter(|it| Path::new(word(it, "path")) == path)
            .map(|it| word(it, "message").to_owned())
            .collect()
    }

    /// The next event about plugins.
    #[track_caller]
    fn event(&self) -> Value {
        let until = Instant::now() + PATIENCE;
        loop {
            let told = self.events.borrow_mut().next(until).expect("an event about plugins");
            if told["run"].is_null() {
                return told["event"].clone();
            }
        }
    }

    #[track_caller]
    fn assert_event(&self, name: &str, plugin: &[u8], previous: Option<&[u8]>) {
        let event = self.event();
        assert_eq!(word(&event, "event"), name, "{event}");
        assert_eq!(word(&event["plugin"], "sha256"), hash(plugin), "{event}");
        assert_eq!(event["previous"]["sha256"].as_str().map(str::to_owned), previous.map(hash), "{event}");
    }

    /// Runs benchmarks; the hash of the file that each case ran.
    #[track_caller]
    fn run(&self, benchmarks: &[&str]) -> Vec<String> {
        ran(&self.server, &self.submit(benchmarks))
    }

    #[track_caller]
    fn submit(&self, benchmarks: &[&str]) -> String {
        submit(&self.server, benchmarks)
    }
}

#[track_caller]
fn submit(server: &Served, benchmarks: &[&str]) -> String {
    let stop = json!({"rule": "samples", "launches": 1, "per_launch": 3});
    word(&server.post("/api/runs", &json!({"benchmarks": benchmarks, "stop": stop})), "id").to_owned()
}

#[track_caller]
fn ran(server: &Served, id: &str) -> Vec<String> {
    let record = server.wait(id);
    assert_eq!(record.status, RunStatus::Completed, "{record:?}");
    for case in &record.cases {
        assert_eq!(case.status, CaseStatus::Completed, "{}", case.benchmark);
    }
    record.cases.iter().map(|case| case.plugin.sha256.clone()).collect()
}

#[test]
fn every_way_of_replacing_a_file_serves_its_new_content() {
    if !can_build() {
        return;
    }
    for mode in ["--watch", "--watch=poll"] {
        let story = Story::begin(&[mode]);
        let path = &story.plugin;
        let in_place = |bytes: &[u8]| fs::write(path, bytes).unwrap();
        let slowly = |bytes: &[u8]| {
            let mut file = File::create(path).unwrap();
            for chunk in bytes.chunks(bytes.len() / 8 + 1) {
                // Part of it is there, and the old version is still served.
                assert_eq!(story.served().get("good_a"), Some(&hash(&good(2))));
                file.write_all(chunk).unwrap();
                std::thread::sleep(Duration::from_millis(40));
            }
        };
        let anew = |bytes: &[u8]| {
            fs::remove_file(path).unwrap();
            fs::write(path, bytes).unwrap();
        };
        let at_once = |bytes: &[u8]| rename(path, bytes);
        let ways: [Way<'_>; 4] = [&at_once, &in_place, &slowly, &anew];
        for (way, number) in ways.iter().zip(1..) {
            let (old, new) = (good(number - 1), good(number));
            way(&new);
            story.assert_served("good_a", &new);
            story.assert_event("plugin_replaced", &new, Some(&old));
            assert_eq!(story.run(&["good_a"]), [hash(&new)]);
        }
        assert_eq!(story.problems(path), Vec::<String>::new());
        // What others look at says the same.
        let list = story.arena.dyno(&["list", "--json", "--server", &story.server.url]).json();
        assert_eq!(word(&list["plugins"][0], "sha256"), hash(&good(4)));
    }
}

#[test]
fn files_and_folders_are_added_and_removed() {
    if !can_build() {
        return;
    }
    let story = Story::begin(&["--watch"]);
    let other = fs::read(fixtures::native("good", "good_b")).unwrap();
    let folder = story.arena.path("plugins/more/of/them");
    fs::create_dir_all(&folder).unwrap();
    fs::write(folder.join("good_b.so"), &other).unwrap();
    story.assert_served("good_b", &other);
    story.assert_event("plugin_added", &other, None);
    assert_eq!(story.run(&["good_a", "good_b"]), [hash(&good(0)), hash(&other)]);
    // A component is compiled before it is served.
    let component = fs::read(fixtures::wasm("good", "good_c")).unwrap();
    rename(&story.arena.path("plugins/good_c.wasm"), &component);
    story.assert_served("good_c", &component);
    story.assert_event("plugin_added", &component, None);
    // What is not called like a plugin is none of the server's business.
    fs::write(story.arena.path("plugins/notes.txt"), "text").unwrap();

    fs::remove_dir_all(story.arena.path("plugins/more")).unwrap();
    eventually("good_b is removed", || !story.served().contains_key("good_b"));
    story.assert_event("plugin_removed", &other, None);
    fs::remove_file(&story.plugin).unwrap();
    eventually("good_a is removed", || !story.served().contains_key("good_a"));
    story.assert_event("plugin_removed", &good(0), None);
    let (status, said) = story.server.call("POST", "/api/runs", &json!({"benchmarks": ["good_a"]}));
    assert_eq!(status, 422, "{said}");
    assert!(said.contains("no benchmark `good_a`"), "{said}");
    // The same file again is a new one.
    rename(&story.plugin, &good(0));
    story.assert_served("good_a", &good(0));
    story.assert_event("plugin_added", &good(0), None);
}

#[test]
fn a_bad_version_is_reported_and_the_old_one_is_served_until_a_good_one_comes() {
    if !can_build() {
        return;
    }
    let story = Story::begin(&["--watch"]);
    let path = &story.plugin;
    let whole = good(0);
    let lacks_the_symbol = fs::read(fixtures::native("lacks_the_symbol", "lacks_the_symbol")).unwrap();
    let dies = fs::read(fixtures::native("exit_in_initialiser", "exit_in_initialiser")).unwrap();
    for (bad, said) in [
        (&b"text"[..], "is not a library"),
        (&whole[..whole.len() / 2], ""),
        (&lacks_the_symbol, "cannot be loaded"),
        (&dies, "cannot be loaded"),
    ] {
        let logged = story.server.logged();
        // In place: the old bytes are nowhere but in the store.
        fs::write(path, bad).unwrap();
        let event = story.event();
        assert_eq!(word(&event, "event"), "plugin_refused", "{event}");
        assert_eq!(word(&event, "path"), path.display().to_string());
        assert!(word(&event, "reason").contains(said), "{event}");
        assert_eq!(word(&event["serving"], "sha256"), hash(&whole), "{event}");
        let [problem] = &story.problems(path)[..] else { panic!("{:?}", story.problems(path)) };
        assert!(problem.contains(said) && problem.contains(&hash(&whole)[..8]), "{problem}");
        assert_eq!(story.server.get("/api/plugins")["plugins"][0]["problem"], json!(problem));
        let list = story.arena.dyno(&["list", "--server", &story.server.url]);
        assert!(list.stderr.contains("is still served"), "{}", list.shown());
        eventually("it is logged", || story.server.logged() > logged);
        assert_eq!(story.run(&["good_a"]), [hash(&whole)]);
    }
    // A new file has nothing to fall back to.
    let other = story.arena.path("plugins/other.so");
    fs::write(&other, &dies).unwrap();
    let event = story.event();
    assert_eq!((word(&event, "event"), &event["serving"]), ("plugin_refused", &Value::Null), "{event}");
    assert_eq!(story.served().len(), 1);
    fs::remove_file(&other).unwrap();
    // The very bytes that are served: nothing has to be announced.
    rename(path, &whole);
    eventually("there is nothing to report", || story.problems(path).is_empty());
    rename(path, &good(1));
    story.assert_event("plugin_replaced", &good(1), Some(&whole));
    assert_eq!(story.run(&["good_a"]), [hash(&good(1))]);
}

#[test]
fn a_folder_that_disappears_takes_nothing_with_it_and_one_that_appears_is_found() {
    if !can_build() {
        return;
    }
    let arena = Arena::new();
    let plugin = arena.path("plugins/good_a.so");
    rename(&plugin, &good(0));
    let later = arena.path("mounted/later");
    let server = Served::start(&arena, &["--watch", "--plugins", &later.display().to_string()]);
    let events = RefCell::new(server.events("/api/events"));
    let story = Story { arena, server, events, plugin };
    let [problem] = &story.problems(&later)[..] else { panic!("{:?}", story.problems(&later)) };
    assert!(problem.contains("plugin folder cannot be read") && problem.contains("--plugins"), "{problem}");
    let other = fs::read(fixtures::native("good", "good_b")).unwrap();
    fs::create_dir_all(&later).unwrap();
    rename(&later.join("good_b.so"), &other);
    story.assert_event("plugin_added", &other, None);
    eventually("the folder is there", || story.problems(&later).is_empty());

    let folder = story.arena.path("plugins");
    fs::remove_dir_all(&folder).unwrap();
    let said = "verified copies of 1 plugin in it";
    eventually("the loss is reported", || story.problems(&folder).iter().any(|it| it.contains(said)));
    assert_eq!(story.run(&["good_a", "good_b"]), [hash(&good(0)), hash(&other)]);
    fs::create_dir(&folder).unwrap();
    rename(&story.plugin, &good(1));
    story.assert_event("plugin_replaced", &good(1), Some(&good(0)));
    assert_eq!(story.problems(&folder), Vec::<String>::new());
    // It is watched again.
    rename(&story.plugin, &good(2));
    story.assert_event("plugin_replaced", &good(2), Some(&good(1)));

    // A folder is also replaced as a whole, and one that is empty has no plugins.
    fs::rename(&later, story.arena.path("mounted/old")).unwrap();
    fs::create_dir(&later).unwrap();
    story.assert_event("plugin_removed", &other, None);
}

#[test]
fn a_run_ends_on_the_versions_that_it_began_with() {
    if !can_build() {
        return;
    }
    let story = Story::begin(&["--watch"]);
    story.arena.add(&fixtures::of_story("server/slow.c"), "paced.so");
    eventually("there is a benchmark to wait for", || story.served().contains_key("paced"));
    let body = json!({
        "benchmarks": ["paced", "good_a"],
        "stop": {"rule": "time", "launches": 2, "budget_ns": 2_000_000_000},
    });
    let id = word(&story.server.post("/api/runs", &body), "id").to_owned();
    eventually("the first case is measured", || {
        story.server.get(&format!("/api/runs/{id}"))["status"] == json!("running")
            && workers(story.server.pid()) > 0
    });
    for number in 1..4 {
        fs::write(&story.plugin, good(number)).unwrap();
        story.assert_served("good_a", &good(number));
    }
    let ran = ran(&story.server, &id);
    assert_eq!(ran[1], hash(&good(0)), "its file was written three times before its turn came");
    assert_eq!(story.run(&["good_a"]), [hash(&good(3))]);
}

#[test]
fn where_the_kernel_has_no_watches_left_the_server_says_so_and_looks_by_itself() {
    if !can_build() {
        return;
    }
    for (limit, sysctl) in
        [("max_inotify_instances", "max_user_instances"), ("max_inotify_watches", "max_user_watches")]
    {
        let line = format!("echo 0 > /proc/sys/user/{limit}");
        let can = std::process::Command::new("unshare").args(["-Ur", "sh", "-c", &line]).output();
        if !can.is_ok_and(|output| output.status.success()) {
            println!("skipped: this user may not make a user namespace (`unshare -Ur`)");
            return;
        }
        let arena = Arena::new();
        let plugin = arena.path("plugins/good_a.so");
        rename(&plugin, &good(0));
        let line = format!("exec unshare -Ur sh -c '{line}; exec \"$@\"' sh \"$@\"");
        let server = Served::of(arena.behind(&line, &["serve", "--port", "0", "--watch"]));
        let events = RefCell::new(server.events("/api/events"));
        let story = Story { arena, server, events, plugin };
        eventually("it is said", || {
            let list = story.server.get("/api/plugins");
            let problems = list["problems"].as_array().expect("a list").iter();
            problems
                .map(|it| word(it, "message"))
                .any(|said| said.contains(sysctl) && said.contains("cannot be watched"))
        });
        rename(&story.plugin, &good(1));
        story.assert_event("plugin_replaced", &good(1), Some(&good(0)));
    }
}

#[test]
fn a_rescan_looks_at_once_and_an_unknown_way_to_watch_is_refused() {
    if !can_build() {
        return;
    }
    // The clock would find it a second later, and without --watch every question finds it.
    for mode in ["--watch=poll", "--watch=off"] {
        let story = Story::begin(&[mode]);
        rename(&story.plugin, &good(1));
        let list = story.server.post("/api/plugins/rescan", &Value::Null);
        assert_eq!(word(&list["plugins"][0], "sha256"), hash(&good(1)), "{mode}");
    }
    let outcome = Arena::new().dyno(&["serve", "--watch=often"]);
    assert_eq!(outcome.code, Some(2), "{}", outcome.shown());
    assert!(
        outcome.stderr.contains("`often`") && outcome.stderr.contains("auto, poll or off"),
        "{}",
        outcome.shown()
    );
}
