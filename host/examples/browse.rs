//! What the dashboard takes in a real browser, for `cargo xtask bench dashboard`. Prints lines of a name, a tab and a number.
//!
//! `DYNO_TEST_CHROMIUM=PROGRAM cargo run --release -p dyno-host --example browse -- views|live|hold URL [BENCHMARK|SECONDS]`

#![allow(clippy::print_stdout, reason = "an example prints its result")]
#![allow(clippy::expect_used, reason = "an example ends where it cannot go on")]

use std::{
    env,
    error::Error,
    io::{Read, stdin},
    time::{Duration, Instant},
};

#[allow(dead_code, reason = "the tests of the dashboard use more of it")]
#[path = "../../tests/support/browser.rs"]
mod browser;

use browser::{Browser, Page};

/// Times that each view is opened.
const ROUNDS: usize = 5;
/// A view is complete when nothing of it is loading, and when this holds as well.
const VIEWS: [(&str, &str, &str); 6] = [
    ("overview", "?", "document.querySelectorAll('.spark-card').length > 5"),
    ("runs", "?view=runs", "document.querySelectorAll('tbody tr').length > 5"),
    ("results", "?view=results", "document.querySelectorAll('tbody tr').length > 5"),
    ("heatmap", "?view=results&show=heatmap", "document.querySelectorAll('tbody td').length > 5"),
    ("history", "?view=history&benchmark=BENCHMARK", "document.querySelector('canvas')"),
    (
        "comparison",
        "?view=compare&baseline=last~1&candidate=last&all=1",
        "document.querySelectorAll('tbody tr').length > 5",
    ),
];
const SETTLED: &str = "document.querySelector('main h1') && !document.querySelector('.loading')";

/// Runs `change` and waits until `done` holds and a frame was drawn; gives the milliseconds that took.
const TIMED: &str = "(async (change, done) => {
    const begin = performance.now();
    change();
    while (!done()) await new Promise((next) => setTimeout(next, 1));
    await new Promise((next) => requestAnimationFrame(() => requestAnimationFrame(next)));
    return performance.now() - begin;
})";

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = env::args().skip(1).collect();
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let profile = tempfile::tempdir()?;
    let mut browser = Browser::start(profile.path()).ok_or("DYNO_TEST_CHROMIUM names no browser")?;
    let mut page = browser.page(1400, 900);
    match words.as_slice() {
        ["views", url, benchmark] => views(&mut page, url, benchmark),
        ["live", url, seconds] => live(&mut page, url, Duration::from_secs(seconds.parse()?)),
        ["hold", url] => hold(&mut page, url),
        _ => return Err("usage: browse views URL BENCHMARK | live URL SECONDS | hold URL".into()),
    }
    Ok(())
}

fn tell(name: &str, value: f64) {
    println!("{name}\t{value:.1}");
}

/// Each view from its address until it is complete, and changes of filters.
fn views(page: &mut Page, url: &str, benchmark: &str) {
    for round in 0..ROUNDS {
        for (name, view, ready) in VIEWS {
            let begin = Instant::now();
            page.goto(&format!("{url}/{}", view.replace("BENCHMARK", benchmark)));
            complete(page, &format!("({SETTLED}) && ({ready})"));
            let when = if round == 0 { "first" } else { "again" };
            tell(&format!("{name} {when}"), begin.elapsed().as_secs_f64() * 1e3);
            let paint =
                page.eval("performance.getEntriesByName('first-contentful-paint')[0]?.startTime ?? 0");
            tell(&format!("{name} {when} paint"), paint.as_f64().unwrap_or_default());
        }
    }
    page.goto(&format!("{url}/?"));
    page.until(SETTLED);
    for metric in ["peak_memory", "items_per_second", "time"] {
        let change = format!(
            "() => {{ const it = document.querySelector('main select'); it.value = '{metric}'; \
             it.dispatchEvent(new Event('change', {{ bubbles: true }})); }}"
        );
        let done = format!(
            "() => !document.querySelector('.loading') && document.querySelector('.bars caption')?.innerText.includes('{metric}')"
        );
        time(page, "another metric", &change, &done);
    }
    for family in [1, 0] {
        let change = format!(
            "() => {{ const it = [...document.querySelectorAll('main select')].find((it) => it.closest('label')?.innerText.startsWith('Engine')); \
             it.selectedIndex = {family}; it.dispatchEvent(new Event('change', {{ bubbles: true }})); window.before = document.querySelectorAll('.spark-card').length; }}"
        );
        time(page, "another facet", &change, "() => !document.querySelector('.loading')");
    }
    page.goto(&format!("{url}/?view=history&benchmark={benchmark}"));
    page.until("document.querySelector('canvas')");
    tell("heap after all that", page.heap_mb());
}

/// Waits in the page itself, without a pause between two looks.
fn complete(page: &mut Page, ready: &str) {
    page.eval(&format!(
        "(async () => {{ const end = performance.now() + 20_000; \
         while (!({ready})) {{ \
           if (performance.now() > end) throw new Error('the view is never complete'); \
           await new Promise((next) => setTimeout(next, 2)); }} }})()"
    ));
}

fn time(page: &mut Page, name: &str, change: &str, done: &str) {
    let taken = page.eval(&format!("{TIMED}({change}, {done})"));
    tell(name, taken.as_f64().unwrap_or_default());
}

/// The live view while runs go on: the longest frame, the frames above 50 ms, and the heap from minute to minute.
fn live(page: &mut Page, url: &str, length: Duration) {
    open_live(page, url);
    page.eval(
        "window.gaps = []; window.lastFrame = performance.now(); \
         (function frame(now) { gaps.push(now - lastFrame); lastFrame = now; requestAnimationFrame(frame); })(performance.now())",
    );
    println!("ready");
    let begin = Instant::now();
    let mut minute = 0;
    while begin.elapsed() < length {
        std::thread::sleep(Duration::from_secs(10).min(length.saturating_sub(begin.elapsed())));
        let passed = begin.elapsed().as_secs() / 60;
        if passed > minute {
            minute = passed;
            tell(&format!("heap after minute {minute}"), page.heap_mb());
        }
    }
    for (name, js) in [
        ("frames", "gaps.length"),
        ("longest frame", "Math.max(...gaps.slice(1))"),
        ("frames above 50 ms", "gaps.slice(1).filter((gap) => gap > 50).length"),
    ] {
        tell(name, page.eval(js).as_f64().unwrap_or_default());
    }
}

/// The live view, until standard input ends.
fn hold(page: &mut Page, url: &str) {
    open_live(page, url);
    println!("ready");
    let _ = stdin().read(&mut [0]);
}

fn open_live(page: &mut Page, url: &str) {
    page.goto(&format!("{url}/?view=live"));
    page.until(SETTLED);
    page.until("document.querySelector('#connection').innerText === 'live'");
}
