//! User story: the dashboard in a real browser: seen, steered by mouse and keyboard, linked to, attacked by what plugins say,
//! and cut off from its server.

use std::{fs, os::unix::fs::PermissionsExt, path::PathBuf};

use nix::sys::signal::Signal;
use serde_json::{Value, json};

use crate::support::{
    arena::Arena,
    browser::{Browser, Page, axe_source},
    built,
    eventually::eventually,
    fixtures,
    served::{Served, word},
};

/// Every view, with what an address needs for it to show something.
const VIEWS: [&str; 12] = [
    "?",
    "?view=live&start=1",
    "?view=runs",
    "?view=run&run=last&row=0",
    "?view=compare&baseline=last~1&candidate=last&all=1&stats=1",
    "?view=history&benchmark=known/known",
    "?view=results",
    "?view=results&show=heatmap",
    "?view=reports",
    "?view=sql",
    "?view=plugins",
    "?view=help",
];

/// Where pictures stay after a test, to be looked at.
fn album() -> PathBuf {
    let folder = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("dashboard");
    fs::create_dir_all(&folder).expect("the target directory is writable");
    folder
}

/// A build of the plugin whose metric `extra` has this value.
fn known(value: &str) -> PathBuf {
    let value = format!("-DVALUE={value}");
    let name = format!("known{value}.so");
    fixtures::of_story_as("dashboard/known_effect.c", &name, &["-DNAME=\"known\"", &value])
}

fn arena() -> Arena {
    let arena = Arena::new();
    arena.add(&known("1000.0"), "known.so");
    arena.add(&fixtures::native("loop_forever", "loop_forever"), "loop_forever.so");
    arena
}

/// A run of the benchmark `known` that is over soon.
fn measured(server: &Served) -> String {
    let stop = json!({"rule": "samples", "launches": 6, "per_launch": 3});
    let accepted =
        server.post("/api/runs", &json!({"benchmarks": ["known"], "stop": stop, "tags": ["nightly"]}));
    server.wait(word(&accepted, "id")).id
}

fn open(page: &mut Page, server: &Served, address: &str) {
    page.goto(&format!("{}/{address}", server.url));
    settle(page);
}

/// Waits until a view has all it asked for.
fn settle(page: &mut Page) {
    page.until("document.querySelector('main h1') && !document.querySelector('.loading')");
}

fn choose(page: &mut Page, css: &str, value: &str) {
    page.until(&format!(
        "[...(document.querySelector(`{css}`)?.options ?? [])].some((it) => it.value === {value:?})"
    ));
    // Until the page is drawn again: what is clicked next must not move under the mouse.
    page.eval(&format!(
        "(async () => {{ const it = document.querySelector(`{css}`); it.value = {value:?}; \
         it.dispatchEvent(new Event('change', {{ bubbles: true }})); \
         for (let frame = 0; frame < 3; frame += 1) await new Promise(requestAnimationFrame); }})()"
    ));
}

fn shows(page: &mut Page, text: &str) {
    page.until(&format!("document.body.innerText.includes({text:?})"));
}

/// Nothing went wrong that only a developer would see, and nobody else was asked.
fn assert_quiet(page: &mut Page, server: &Served) {
    assert_eq!(page.console(), Vec::<String>::new());
    let home = server.url.trim_start_matches("http");
    let is_foreign = |address: &String| {
        !["http", "ws"]
            .iter()
            .any(|scheme| address.strip_prefix(scheme).is_some_and(|rest| rest.starts_with(home)))
            && !address.starts_with("blob:")
            && !address.starts_with("about:")
            && !address.starts_with("data:")
    };
    let foreign: Vec<String> = page.requests().into_iter().filter(is_foreign).collect();
    assert_eq!(foreign, Vec::<String>::new());
}

#[test]
fn every_view_is_whole_in_light_and_dark_on_a_phone_and_a_laptop() {
    let arena = arena();
    let Some(mut browser) = Browser::start(&arena.path("browser")) else { return };
    let axe = axe_source();
    let server = Served::start(&arena, &[]);
    for _ in 0..2 {
        measured(&server);
    }
    let mut page = browser.page(1400, 900);
    let mut found = Vec::new();
    for (number, view) in VIEWS.into_iter().enumerate() {
        for (width, is_dark) in [(1400, false), (360, true)] {
            page.resize(width, 900);
            page.dark(is_dark);
            open(&mut page, &server, view);
            page.screenshot(&album().join(format!("{number:02}-{width}.png")));
            let wide = page.eval("document.documentElement.scrollWidth - innerWidth");
            if wide.as_f64().is_none_or(|pixels| pixels > 1.0) {
                found.push(format!("{view} at {width}: {wide} px too wide"));
            }
            let violations = axe.as_ref().map(|axe| page.axe(axe)).unwrap_or_default();
            found.extend(violations.into_iter().map(|violation| format!("{view} at {width}: {violation}")));
            assert!(!page.text().contains("This view failed"), "{view}: {}", page.text());
        }
    }
    assert_eq!(found, Vec::<String>::new());
    assert_quiet(&mut page, &server);
}

#[test]
fn a_run_is_started_from_the_form_and_watched_to_its_end_and_another_is_cancelled() {
    let arena = arena();
    let Some(mut browser) = Browser::start(&arena.path("browser")) else { return };
    let server = Served::start(&arena, &[]);
    let mut page = browser.page(1400, 1000);
    open(&mut page, &server, "?view=live");
    shows(&mut page, "Nothing is running");
    page.click("main section.card button");
    choose(&mut page, "#start select[name=benchmark]", "known/known");
    page.click("#start-run");
    shows(&mut page, "was accepted");
    shows(&mut page, "Ended since this page was opened");
    page.until("[...document.querySelectorAll('main section')].at(-1).innerText.includes('completed')");
    page.click("main section:last-of-type li a");
    settle(&mut page);
    shows(&mut page, "completed");
    assert!(page.text().contains("known 1.0.0 (native)"), "{}", page.text());
    page.back();
    settle(&mut page);
    assert_eq!(page.eval("document.querySelector('h1').innerText"), json!("Live"));

    choose(&mut page, "#start select[name=benchmark]", "loop_forever/loop_forever");
    page.click("#start-run");
    page.until("document.querySelector('.run-card')");
    page.until("document.querySelector('.run-card .now')");
    page.click(".run-card .action button");
    shows(&mut page, "Really cancel?");
    page.click(".run-card .action button");
    shows(&mut page, "cancelled");
    shows(&mut page, "Nothing is running");
    assert_eq!(server.get("/api/runs?limit=1")[0]["status"], json!("cancelled"));
    assert_quiet(&mut page, &server);
}

#[test]
fn a_change_of_ten_percent_is_said_in_words_and_a_row_unfolds_to_what_is_behind_it() {
    let arena = arena();
    let Some(mut browser) = Browser::start(&arena.path("browser")) else { return };
    let server = Served::start(&arena, &[]);
    let before = measured(&server);
    arena.add(&known("1100.0"), "known.so");
    server.post("/api/plugins/rescan", &json!({}));
    let after = measured(&server);
    let mut page = browser.page(1400, 1600);
    open(&mut page, &server, &format!("?view=compare&baseline={before}&candidate={after}"));
    shows(&mut page, "improved");
    let row = page.eval("[...document.querySelectorAll('tbody tr')].map((it) => it.innerText).find((it) => it.includes('extra'))");
    let row = row.as_str().unwrap_or_default();
    let share: f64 = row
        .split(" % more (better)")
        .next()
        .and_then(|text| text.split_whitespace().last()?.parse().ok())
        .unwrap_or(0.0);
    assert!((9.5..10.5).contains(&share), "{row}");
    assert!(row.contains("higher is better"), "{row}");
    assert!(page.text().contains("hidden"), "the other rows are hidden, and that is said");
    let hidden = page.eval("document.querySelector('.hidden-rows').innerText");
    assert!(hidden.as_str().is_some_and(|text| text.contains("row")), "{hidden}");
    // What was chosen is in the address: another tab shows the same.
    page.click("tbody .row-toggle");
    shows(&mut page, "Measure this pair again");
    page.until("document.querySelectorAll('.unfolded canvas').length >= 1");
    let command = page.eval("document.querySelector('.copyable code').innerText");
    assert_eq!(command, json!("dyno run known@1.0.0/known --hardware cpu"));
    let link = page.eval("location.href");
    let mut other = browser.page(1400, 1600);
    other.goto(link.as_str().unwrap());
    shows(&mut other, "Measure this pair again");
    // The chart reacts to the pointer.
    other.hover(".unfolded .u-over");
    other.screenshot(&album().join("compare-unfolded.png"));
    assert_quiet(&mut page, &server);
    assert_quiet(&mut other, &server);
    // The older build is no longer in the plugin folder, but its verified bytes are in the cache: both are measured again.
    page.click(".unfolded .action button");
    shows(&mut page, "Both wait in the queue");
    let build_of = |run: &str| server.wait(run).cases[0].plugin.sha256.clone();
    let again = server.get("/api/runs?tag=again");
    let again: Vec<String> =
        again.as_array().unwrap().iter().rev().map(|run| build_of(word(run, "id"))).collect();
    assert_eq!(again, [build_of(&before), build_of(&after)]);
    // A plugin that was taken away as a whole is not brought back.
    fs::remove_file(arena.path("plugins/known.so")).unwrap();
    server.post("/api/plugins/rescan", &json!({}));
    page.goto(link.as_str().unwrap());
    settle(&mut page);
    page.click(".unfolded .action button");
    shows(&mut page, "put that build back");
}

#[test]
fn a_link_shows_the_row_that_it_names_whatever_the_verdict_on_it() {
    let arena = arena();
    let Some(mut browser) = Browser::start(&arena.path("browser")) else { return };
    let server = Served::start(&arena, &[]);
    let (before, after) = (measured(&server), measured(&server));
    let compared = server.get(&format!("/api/compare?baseline={before}&candidate={after}"));
    let case = &compared["cases"][0];
    // Of one build, no row matters: all are hidden without a link to them.
    let extra = case["metrics"].as_array().unwrap().iter().find(|metric| metric["name"] == "extra").unwrap();
    assert_eq!(extra["verdict"], "equivalent");
    let mut page = browser.page(1400, 1600);
    let view = format!("?view=compare&baseline={before}&candidate={after}");
    open(&mut page, &server, &view);
    shows(&mut page, "No row matters");
    let row = format!("{} extra", word(case, "label")).replace(' ', "%20");
    for filter in ["", "&only=improved"] {
        open(&mut page, &server, &format!("{view}{filter}&row={row}"));
        shows(&mut page, "Measure this pair again");
        assert_eq!(page.eval("document.querySelectorAll('.row-toggle').length"), json!(1));
    }
    // Closed, it is hidden like the others.
    page.click("tbody .row-toggle");
    page.until("!document.querySelector('.row-toggle')");
    assert_quiet(&mut page, &server);
}

#[test]
fn sql_answers_with_tables_sentences_and_files() {
    let arena = arena();
    let Some(mut browser) = Browser::start(&arena.path("browser")) else { return };
    let server = Served::start(&arena, &[]);
    measured(&server);
    let downloads = arena.path("downloads");
    fs::create_dir_all(&downloads).unwrap();
    browser.downloads_to(&downloads);
    let mut page = browser.page(1400, 900);
    open(&mut page, &server, "?view=sql");
    page.type_text("#sql-text", "SELEKT 1");
    page.click("#run-sql");
    shows(&mut page, "give one SELECT");
    page.type_text("#sql-text", "SELECT '=1+1' AS formula, 42 AS answer");
    page.key("Control+Enter");
    shows(&mut page, "1 row in");
    assert!(page.text().contains("42"));
    page.eval(
        "[...document.querySelectorAll('.actions button')].find((it) => it.innerText === 'CSV').click()",
    );
    let file = downloads.join("query.csv");
    eventually("the file is saved", || fs::metadata(&file).is_ok_and(|it| it.len() > 0));
    assert_eq!(fs::read_to_string(&file).unwrap(), "\"formula\",\"answer\"\r\n\"'=1+1\",\"42\"\r\n");

    open(&mut page, &server, "?view=results");
    for (format, beginning) in [("CSV", "run,case,created_at"), ("JSON", "[{\"run\":"), ("Parquet", "PAR1")] {
        page.eval(&format!("[...document.querySelectorAll('.actions button')].find((it) => it.innerText === '{format}').click()"));
        let file = downloads.join(format!("dyno-results.{}", format.to_lowercase()));
        eventually("the file is saved", || fs::metadata(&file).is_ok_and(|it| it.len() > 0));
        let bytes = fs::read(&file).unwrap();
        assert!(bytes.starts_with(beginning.as_bytes()), "{format}: {}", String::from_utf8_lossy(&bytes));
    }
    // The error was announced by the browser as well; nothing else was.
    let others: Vec<String> = page.console().into_iter().filter(|line| !line.contains("422")).collect();
    assert_eq!(others, Vec::<String>::new());
}

#[test]
fn the_page_comes_back_by_itself_after_its_server_was_killed() {
    let arena = arena();
    let Some(mut browser) = Browser::start(&arena.path("browser")) else { return };
    let server = Served::start(&arena, &[]);
    let port = server.port().to_string();
    let mut page = browser.page(1400, 900);
    open(&mut page, &server, "?");
    page.until("document.querySelector('#connection').innerText.includes('live')");
    server.end(Signal::SIGKILL);
    page.until("document.querySelector('#connection').innerText.includes('connection lost')");
    let server = Served::of(arena.command(&["serve", "--port", &port]));
    page.until("document.querySelector('#connection').innerText === 'live'");
    // What happens from now on reaches the page.
    let run = measured(&server);
    page.until(&format!("document.querySelector(`a[href*='{run}']`)"));
}

#[test]
fn a_page_that_is_open_for_days_forgets_what_it_no_longer_shows() {
    let arena = arena();
    let Some(mut browser) = Browser::start(&arena.path("browser")) else { return };
    let server = Served::start(&arena, &[]);
    let mut page = browser.page(1400, 900);
    open(&mut page, &server, "?view=live");
    page.until("document.querySelector('#connection').innerText === 'live'");
    let first = measured(&server);
    let shown = format!("document.querySelector(`li a[href*='{first}']`)");
    page.until(&shown);
    page.eval(&format!("window.first = new WeakRef({shown}.closest('li')); null"));
    // More runs than the page keeps.
    let stop = json!({"rule": "samples", "launches": 1, "per_launch": 1});
    let run = json!({"benchmarks": ["known"], "stop": stop});
    let newer: Vec<Value> = (0..24).map(|_| server.post("/api/runs", &run)).collect();
    server.wait(word(newer.last().expect("there are some"), "id"));
    page.until(&format!("!{shown}"));
    eventually("the element of the first run is collected", || {
        page.heap_mb();
        page.eval("first.deref() === undefined") == Value::Bool(true)
    });
}

#[test]
fn a_server_elsewhere_is_shown_and_steered_from_this_machine() {
    let arena = arena();
    let Some(mut browser) = Browser::start(&arena.path("browser")) else { return };
    let server = Served::start(&arena, &[]);
    let api = server.url.clone();
    let near = Served::of(arena.command(&["dashboard", "--port", "0", "--api-url", &api]));
    assert_ne!(near.url, server.url);
    let mut page = browser.page(1400, 900);
    open(&mut page, &near, "?");
    page.until("document.querySelector('#connection').innerText === 'live'");
    // Calls that change something go through, and so do the events about them.
    let run = measured(&near);
    page.until(&format!("document.querySelector(`a[href*='{run}']`)"));
    assert_eq!(server.get(&format!("/api/runs/{run}"))["id"], run.as_str());
    assert_quiet(&mut page, &near);
    // A foreign page in this machine's browser gets nothing of it.
    for (name, value) in [("host", "lab.example.org"), ("origin", "http://lab.example.org")] {
        let (status, said) = near.with_header("GET", "/api/runs", name, value);
        assert!(status == 403 && said.contains("lab.example.org"), "{status} {said}");
    }
    // Without the server, the page is there and says so.
    let port = server.port().to_string();
    server.end(Signal::SIGKILL);
    page.until("document.querySelector('#connection').innerText.includes('connection lost')");
    let (status, said) = near.call("GET", "/api/runs", &Value::Null);
    assert!(status == 502 && said.contains(&api) && said.contains("--api-url"), "{status} {said}");
    let server = Served::of(arena.command(&["serve", "--port", &port]));
    page.until("document.querySelector('#connection').innerText === 'live'");
    assert_eq!(near.end(Signal::SIGTERM), Some(0));
    drop(server);
}

#[test]
fn a_dashboard_of_nothing_says_what_to_do() {
    let arena = Arena::new();
    for (url, fragment) in [("lab:8000", "does not begin with http"), ("ftp://lab", "neither http nor https")]
    {
        let refused = arena.dyno(&["dashboard", "--api-url", url]);
        assert_eq!(refused.code, Some(2), "{}", refused.shown());
        assert!(refused.stderr.contains(fragment) && refused.stderr.contains(url), "{}", refused.shown());
    }
}

/// The plugins of the project on everything that this machine has: processor, WASM, and a software adapter if there is one.
/// `None`: they are not built.
fn kernels() -> Option<(Arena, Vec<&'static str>)> {
    let arena = Arena::new();
    for name in ["cpu-kernels.so", "cpu-kernels.wasm", "webgpu-kernels.so"] {
        arena.add(&built::plugin(name)?, name);
    }
    let devices = arena.dyno(&["devices", "--json"]).json();
    let has_adapter =
        devices["devices"].as_array().is_some_and(|all| all.iter().any(|it| it["software"] == true));
    let mut runs = vec!["cpu-kernels/stream_triad --engine all"];
    if has_adapter {
        runs.push("webgpu-kernels/stream_triad --hardware webgpu");
    } else {
        println!("skipped in part: there is no software adapter for WebGPU: {devices}");
    }
    Some((arena, runs))
}

#[test]
fn kernels_are_seen_on_every_device_and_in_a_report_that_opens_from_a_file() {
    let Some((arena, runs)) = kernels() else {
        println!("skipped: the plugins of the project are not built");
        return;
    };
    let Some(mut browser) = Browser::start(&arena.path("browser")) else { return };
    let quick = ["--param", "n=4096,16384", "--launches", "2", "--time", "50ms"];
    for run in &runs {
        let arguments: Vec<&str> = ["run"].into_iter().chain(run.split(' ')).chain(quick).collect();
        let ended = arena.dyno(&arguments);
        assert_eq!(ended.code, Some(0), "{}", ended.shown());
    }
    let report = |run: &str, file: &str| {
        let file = arena.path(file);
        let name = file.display().to_string();
        let written = arena.dyno(&["report", run, "--format", "html", "-o", &name]);
        assert_eq!(written.code, Some(0), "{}", written.shown());
        file
    };
    let file = report(if runs.len() > 1 { "last~1" } else { "last" }, "report.html");
    let server = Served::start(&arena, &[]);
    let mut page = browser.page(1400, 900);
    for (view, name, words) in [
        ("?", "kernels", ["stream_triad", "wasm"]),
        ("?view=results&show=heatmap", "heatmap", ["stream_triad", "wasm"]),
        ("?view=results&show=roofline", "roofline", ["stream_triad", "measured by triad"]),
    ] {
        open(&mut page, &server, view);
        page.screenshot(&album().join(format!("{name}.png")));
        let text = page.text();
        assert!(words.iter().all(|word| text.contains(word)), "{view}: {text}");
        assert!(runs.len() == 1 || text.contains("webgpu"), "{view}: {text}");
    }
    assert_quiet(&mut page, &server);

    // The file needs no server.
    server.end(Signal::SIGTERM);
    let mut page = browser.page(1400, 900);
    page.goto(&format!("file://{}", file.display()));
    // One chart over `n`, one comparison of the engines per value of it, and two charts for each of the four cases.
    page.until("document.querySelectorAll('#relations .plot canvas').length === 1");
    page.until("document.querySelectorAll('#relations .bars').length === 2");
    page.eval("document.querySelector('[data-case=\"3\"]').scrollIntoView()");
    page.until("document.querySelectorAll('[data-case=\"3\"] canvas').length === 2");
    page.eval("scrollTo(0, 0)");
    for (width, is_dark) in [(1400, false), (360, true)] {
        page.resize(width, 900);
        page.dark(is_dark);
        page.screenshot(&album().join(format!("report-{width}.png")));
        let wide = page.eval("document.documentElement.scrollWidth - innerWidth");
        assert!(wide.as_f64().is_some_and(|pixels| pixels <= 1.0), "{wide} px too wide at {width}");
        let violations = axe_source().map(|axe| page.axe(&axe)).unwrap_or_default();
        assert_eq!(violations, Vec::<String>::new());
    }
    assert_eq!(page.console(), Vec::<String>::new());
    let elsewhere =
        page.requests().into_iter().filter(|it| !it.starts_with("file://") && !it.starts_with("data:"));
    assert_eq!(elsewhere.collect::<Vec<_>>(), Vec::<String>::new());
}

#[test]
fn a_report_is_opened_in_the_browser_of_the_desktop() {
    let arena = arena();
    let run = ["run", "known", "--launches", "2", "--time", "20ms"];
    assert_eq!(arena.dyno(&run).code, Some(0));
    // The desktop's launcher, which writes down what it is given.
    let launcher = arena.path("xdg-open");
    let opened = arena.path("opened");
    fs::write(&launcher, format!("#!/bin/sh\nprintf %s \"$1\" > '{}'\n", opened.display())).unwrap();
    fs::set_permissions(&launcher, fs::Permissions::from_mode(0o755)).unwrap();
    let shown = |path: &str| {
        let mut command = arena.command(&["report", "--open"]);
        command.env("PATH", path);
        arena.outcome(command)
    };
    let folder = launcher.parent().unwrap().display().to_string();
    let outcome = shown(&folder);
    assert_eq!(outcome.code, Some(0), "{}", outcome.shown());
    let file = fs::read_to_string(&opened).unwrap();
    assert!(
        file.ends_with(".html") && fs::read_to_string(&file).unwrap().starts_with("<!DOCTYPE html>"),
        "{file}"
    );
    // Without one, the report is written all the same, and where it is stands there.
    let outcome = shown("/var/empty");
    assert_eq!(outcome.code, Some(0), "{}", outcome.shown());
    assert!(outcome.stderr.contains("no browser") && outcome.stderr.contains(&file), "{}", outcome.shown());
    let refused = arena.dyno(&["report", "--open", "--format", "csv"]);
    assert!(refused.code == Some(2) && refused.stderr.contains("--open"), "{}", refused.shown());
}

#[test]
fn text_of_plugins_is_never_markup() {
    let arena = Arena::new();
    arena.add(&fixtures::of_story_as("dashboard/markup.c", "markup.so", &["-DNAME=\"markup\""]), "markup.so");
    let Some(mut browser) = Browser::start(&arena.path("browser")) else { return };
    let server = Served::start(&arena, &[]);
    let stop = json!({"rule": "samples", "launches": 2, "per_launch": 3});
    let tag = "<script>window.wasRun=1</script>";
    let accepted = server.post("/api/runs", &json!({"benchmarks": ["markup"], "stop": stop, "tags": [tag]}));
    let record = server.wait(word(&accepted, "id"));
    assert!(record.cases[0].launches.iter().any(|it| !it.output.is_empty()), "the plugin wrote its markup");
    let mut page = browser.page(1400, 900);
    let plugin = "?view=plugins&plugin=";
    for view in VIEWS.into_iter().filter(|view| !view.contains("known")).chain([
        "?view=history&benchmark=markup/markup",
        "?view=<script>window.wasRun=1</script>",
        "?view=reports&report=<script>window.wasRun=1</script>",
        "?view=results&q=<script>window.wasRun=1</script>",
        plugin,
    ]) {
        open(&mut page, &server, view);
        assert_eq!(page.eval("window.wasRun ?? null"), Value::Null, "{view}");
        assert_eq!(
            page.eval("document.querySelectorAll('main script, main img').length"),
            json!(0),
            "{view}"
        );
    }
    open(&mut page, &server, "?view=run&run=last&row=0");
    assert!(
        page.text().contains("<script>window.wasRun=1</script>"),
        "the tag is shown as it is: {}",
        page.text()
    );
    let report = format!("?view=reports&report={}/report.html", record.id);
    open(&mut page, &server, &report);
    page.until("document.querySelector('iframe')");
    assert_eq!(page.eval("window.wasRun ?? null"), Value::Null);
}

#[test]
fn a_token_is_asked_for_and_what_it_does_not_allow_is_not_offered() {
    let arena = arena();
    let Some(mut browser) = Browser::start(&arena.path("browser")) else { return };
    let write = |text: &str| {
        let file = arena.path("work/tokens.toml");
        fs::write(&file, text).expect("the arena is writable");
        fs::set_permissions(&file, fs::Permissions::from_mode(0o600)).expect("the file is ours");
        file.display().to_string()
    };
    let both = "[[token]]\nname = \"ci\"\nscope = \"run\"\ntoken = \"run-token-0123456789\"\n\
                [[token]]\nname = \"eve\"\nscope = \"read\"\ntoken = \"read-token-0123456789\"\n";
    let tokens = write(both);
    let server = Served::start(&arena, &["--token-file", &tokens]);
    let port = server.port().to_string();
    let mut page = browser.page(1400, 900);
    page.goto(&format!("{}/?view=live", server.url));
    shows(&mut page, "This server needs a token");
    page.type_text("input[type=password]", "read-token-0123456789");
    page.key("Enter");
    shows(&mut page, "Nothing is running");
    page.until("document.querySelector('#connection').innerText === 'live'");
    assert!(!page.text().contains("Start a run"), "`read` may not start runs: {}", page.text());
    assert_eq!(page.eval("localStorage.getItem('dyno-token')"), Value::Null, "it must not outlive the tab");
    // The operator revokes the token: the page says so, and lets nobody stay.
    server.end(Signal::SIGTERM);
    let server = {
        let only = "[[token]]\nname = \"ci\"\nscope = \"run\"\ntoken = \"run-token-0123456789\"\n";
        let tokens = write(only);
        Served::of(arena.command(&["serve", "--port", &port, "--token-file", &tokens]))
    };
    shows(&mut page, "no longer accepts this token");
    page.type_text("input[type=password]", "run-token-0123456789");
    page.key("Enter");
    shows(&mut page, "Start a run");
    drop(server);
}

#[test]
fn everything_can_be_done_with_the_keyboard() {
    let arena = arena();
    let Some(mut browser) = Browser::start(&arena.path("browser")) else { return };
    let server = Served::start(&arena, &[]);
    measured(&server);
    let mut page = browser.page(1400, 900);
    open(&mut page, &server, "?");
    let focused =
        |page: &mut Page| page.eval("document.activeElement.innerText ?? document.activeElement.tagName");
    page.key("Tab");
    assert_eq!(focused(&mut page), json!("Skip to the content"));
    for (key, title) in
        [("r", "Runs"), ("h", "History"), ("t", "Results"), ("s", "SQL"), ("l", "Live"), ("o", "Overview")]
    {
        page.eval("document.activeElement.blur()");
        page.key("g");
        page.key(key);
        page.until(&format!("document.querySelector('h1').innerText === {title:?}"));
    }
    page.key("?");
    page.until("document.querySelector('h1').innerText === 'Help'");
    page.back();
    page.until("document.querySelector('h1').innerText === 'Overview'");
    settle(&mut page);
    page.key("/");
    assert_eq!(page.eval("document.activeElement.closest('main') !== null"), json!(true));
    // A run can be reached and opened with Tab and Enter alone.
    let mut walked = 0;
    while page.eval("document.activeElement.getAttribute('href')?.includes('view=run&') ?? false")
        != json!(true)
    {
        page.key("Shift+Tab");
        walked += 1;
        assert!(walked < 60, "no link to a run can be reached: {}", focused(&mut page));
    }
    page.key("Enter");
    page.until("document.querySelector('h1').innerText.startsWith('Run ')");
    assert_quiet(&mut page, &server);
}

#[test]
fn the_page_itself_tells_nothing_and_may_do_nothing() {
    let arena = arena();
    let server = Served::start(&arena, &[]);
    let page = server.text("/");
    if page.contains("built without the dashboard") {
        println!("skipped: this dyno was built without the dashboard");
        return;
    }
    assert!(
        page.contains("page/app.js") && !page.contains("href=\"/") && !page.contains("src=\"/"),
        "{page}"
    );
    let (status, problem) = server.call("GET", "/page/no-such-file.js", &json!(null));
    assert!(status == 404 && problem.contains("begins at /"), "{status} {problem}");
    let (status, _) = server.call("GET", "/page/../Cargo.toml", &json!(null));
    assert_eq!(status, 404);
    assert_eq!(server.media_type("/page/app.css"), "text/css; charset=utf-8");
}

/// The aim for the whole page, compressed [bytes].
const MOST_BYTES: usize = 150_000;

#[test]
fn the_page_is_small_and_names_nobody_else() {
    if !dyno_dashboard::is_complete() {
        println!("skipped: {}", dyno_dashboard::MISSING);
        return;
    }
    // The report's file is not part of the page.
    let page = || dyno_dashboard::files().iter().filter(|file| file.name != "lib/uplot.iife.js");
    let size: usize = page().map(|file| file.packed().len()).sum();
    println!("the page has {size} bytes, compressed");
    assert!(size <= MOST_BYTES, "{size}");
    // An SVG file names its own language by an address.
    let ours = page().filter(|file| !file.name.starts_with("lib/") && !file.name.ends_with(".svg"));
    for file in ours {
        let text = std::str::from_utf8(file.bytes).unwrap();
        for foreign in ["https://", "http://", "innerHTML", "dangerouslySetInnerHTML", "eval("] {
            assert!(!text.contains(foreign), "{} has {foreign}", file.name);
        }
    }
}
