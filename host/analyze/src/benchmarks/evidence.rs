//! What makes two clock readings a benchmark: code that watches a deadline, logs how long a request took or retries
//! reads a clock twice as well. A benchmark repeats its work, or says what it is by a name.

use super::{code, draft, region::Region};
use crate::{facts::LanguageId, scan, seen::Seen};

/// Words that name a measurement.
const WORDS: [&str; 14] = [
    "perf",
    "performance",
    "timing",
    "timings",
    "timeit",
    "measure",
    "measures",
    "measured",
    "measurement",
    "measurements",
    "speed",
    "latency",
    "latencies",
    "throughput",
];

/// What follows `time_` in the name of something that is not timed.
const NOT_TIMED: [&str; 12] =
    ["out", "outs", "left", "limit", "since", "until", "to", "range", "zone", "stamp", "travel", "delta"];

/// Calls that wait for something else. Their duration says nothing about the program's work.
const WAITS: [&[u8]; 16] = [
    b"sleep",
    b"wait",
    b"wait_for",
    b"waitpid",
    b"wait_process",
    b"poll",
    b"select",
    b"epoll_wait",
    b"join",
    b"acquire",
    b"accept",
    b"recv",
    b"park_timeout",
    b"sleep_for",
    b"usleep",
    b"nanosleep",
];

/// Words of a loop that does its work again because it failed, or goes on with it, rather than repeats it.
const PROGRESS: [&str; 11] = [
    "attempt",
    "attempts",
    "retry",
    "retries",
    "tries",
    "epoch",
    "epochs",
    "episode",
    "episodes",
    "download",
    "downloads",
];

/// Words of calls that go on with a work, and never do the same twice.
const TRAINING: [&str; 4] = ["epoch", "epochs", "train", "training"];

/// Words of calls whose duration is that of a network.
const NETWORK: [&str; 8] =
    ["download", "downloads", "upload", "fetch", "urlopen", "urlretrieve", "request", "requests"];

/// What a loop gives back that has failed, so that it was not left because its work succeeded.
const FAILURES: [&str; 11] =
    ["-", "1", "2", "NULL", "nullptr", "None", "False", "false", "Err(", "EXIT_FAILURE", "err"];

/// What stands in the condition of a `break` that has other reasons than success: a failure, or a limit.
const LIMITS: [&str; 11] =
    ["err", "fail", "not ", "!", "NULL", "null", "None", "except", "<", ">", "is_none"];

/// Whether the name of a function or of what is around it says that it measures: `time_sort` does.
pub(super) fn names_function(name: &str) -> bool {
    let times = |part: &str| {
        part.starts_with("time_")
            && words(part).get(1).is_some_and(|second| !NOT_TIMED.contains(&second.as_str()))
    };
    name.split(['.', ':']).any(|part| times(part) || says(part))
}

/// Whether the name of a file or folder does. A file `time_pause` is about time, whatever it measures.
pub(crate) fn names_file(path: &str) -> bool {
    path.split(['.', '/']).any(says)
}

/// Whether a word of a name does.
fn says(name: &str) -> bool {
    words(name).iter().any(|word| {
        WORDS.contains(&word.as_str())
            || word.starts_with("bench")
            || word.ends_with("bench")
            || word.ends_with("benchmark")
            || word.ends_with("perf")
            || word.starts_with("perfcheck")
            || word.starts_with("perftest")
    })
}

/// The words of a name in small letters: `run_GPUBench2` has `run`, `gpu`, `bench`, `2`.
fn words(name: &str) -> Vec<String> {
    let characters: Vec<char> = name.chars().collect();
    let mut found: Vec<String> = vec![String::new()];
    for (at, character) in characters.iter().enumerate() {
        if !character.is_alphanumeric() {
            found.push(String::new());
            continue;
        }
        let before = at.checked_sub(1).and_then(|at| characters.get(at));
        let after = characters.get(at + 1);
        let begins = character.is_uppercase()
            && (before.is_some_and(|before| before.is_lowercase())
                || after.is_some_and(|after| after.is_lowercase()))
            || character.is_numeric() != before.is_some_and(|before| before.is_numeric());
        if begins {
            found.push(String::new());
        }
        if let Some(word) = found.last_mut() {
            word.extend(character.to_lowercase());
        }
    }
    found.retain(|word| !word.is_empty());
    found
}

/// Whether a timed region repeats its work: a loop that counts stands around it or inside it, or the differences of a
/// loop are kept as samples.
pub(super) fn repeats(seen: &Seen<'_>, function: usize, region: &Region, calls: &[(usize, &[u8])]) -> bool {
    // What sleeps, or only waits, measures a clock or another program.
    let sleeps = calls.iter().any(|call| scan::has(call.1, "sleep"));
    let waits =
        calls.iter().any(|call| WAITS.contains(&call.1)) && calls.iter().all(|call| is_waiting(call.1));
    let body = draft::function_range(seen, function);
    if sleeps || waits || is_watched(seen, region, body.end) {
        return false;
    }
    let language = seen.facts.language;
    let named = |words_of: &[&str]| {
        calls.iter().any(|call| {
            let called = String::from_utf8_lossy(call.1);
            words(&called).iter().any(|word| words_of.contains(&word.as_str()))
        })
    };
    let (trains, transfers) = (named(&TRAINING), named(&NETWORK));
    seen.loops.iter().any(|range| {
        let around = range.start < region.range.start
            && region.range.end <= range.end
            && body.start <= range.start
            && range.end <= body.end;
        let within = region.range.start <= range.start && range.end <= region.range.end;
        let head = head(seen.text(range.clone()), language);
        if within {
            let end = range.end - region.range.start;
            let ends = calls.iter().all(|call| call.0 < end || is_report(call.1));
            return counts(head, language)
                && ends
                && !is_comprehension(seen, range.start, head)
                && !is_left(seen, range)
                && !(trains && uses_its_count(head));
        }
        if !around || progresses(head) || trains && uses_its_count(head) {
            return false;
        }
        let kept = keeps(seen, region, range.end);
        match counts(head, language) {
            true => kept.is_some() || !is_left(seen, range),
            // A sum over different things says where a program spends its time.
            false => head.starts_with(b"for") && kept == Some(Kept::Sample) && !transfers,
        }
    })
}

/// Whether a loop is left when its work succeeds: then it tries again what has failed.
fn is_left(seen: &Seen<'_>, range: &std::ops::Range<usize>) -> bool {
    let mut text = code::only(seen, range.clone());
    let first = seen.functions.partition_point(|function| function.start <= range.start);
    for function in seen.functions[first..].iter().take_while(|function| function.start < range.end) {
        let within = function.start - range.start..function.end.min(range.end) - range.start;
        code::blank(text.get_mut(within).unwrap_or_default());
    }
    let returns = scan::words(&text, b"return").any(|at| {
        let rest = text[at + b"return".len()..].trim_ascii_start();
        !FAILURES.iter().any(|failure| rest.starts_with(failure.as_bytes()))
    });
    // In C a `switch` is left by the same word.
    let switches = scan::words(&text, b"switch").next().is_some();
    let breaks = !switches
        && scan::words(&text, b"break").any(|at| {
            let place = range.start + at;
            let inner = seen
                .loops
                .iter()
                .any(|inner| range.start < inner.start && inner.start < place && place < inner.end);
            let line = memchr::memrchr(b'\n', &text[..at]).unwrap_or(0);
            let condition = memchr::memrchr(b'\n', &text[..line]).unwrap_or(0);
            !inner && scan::first_of(&text[condition..at], &LIMITS).is_none()
        });
    returns || breaks
}

/// Whether the head of a loop says that it goes on with a work.
fn progresses(head: &[u8]) -> bool {
    words(&String::from_utf8_lossy(head)).iter().any(|word| PROGRESS.contains(&word.as_str()))
}

/// Whether a loop gives its count a name. One that only repeats does not.
fn uses_its_count(head: &[u8]) -> bool {
    !head.starts_with(b"for _ in")
}

/// Calls after a loop that do not belong to what is measured.
fn is_report(name: &[u8]) -> bool {
    scan::has(name, "ynchronize")
        || matches!(name, b"print" | b"printf" | b"flush" | b"fflush" | b"write" | b"info")
}

/// Whether a loop of Python stands inside of an expression, and does not only repeat it: `[run(i) for i in range(n)]`.
fn is_comprehension(seen: &Seen<'_>, at: usize, head: &[u8]) -> bool {
    let line = memchr::memrchr(b'\n', seen.text(0..at)).map_or(0, |feed| feed + 1);
    let before = seen.text(line..at).trim_ascii();
    seen.facts.language == LanguageId::Python
        && !matches!(before, b"" | b"async")
        && !before.ends_with(b";")
        && !before.ends_with(b":")
        && !head.starts_with(b"for _ in")
        && !scan::has(head, "repeat(")
}

/// Whether the difference is compared with a limit: such code watches a deadline. The search for a best time compares
/// with the best so far.
fn is_watched(seen: &Seen<'_>, region: &Region, end: usize) -> bool {
    let name = difference(seen, region);
    let rest = seen.text(region.difference..end);
    scan::words(rest, name).any(|at| {
        let after = rest[at + name.len()..].trim_ascii_start();
        let before = rest[..at].trim_ascii_end();
        let before = before.strip_suffix(b"=").unwrap_or(before);
        let compared = matches!(after.first(), Some(b'<' | b'>'))
            && !matches!(after.get(1), Some(b'<' | b'>'))
            || matches!(before.last(), Some(b'<' | b'>'))
                && !before.ends_with(b"->")
                && !before.ends_with(b"<<");
        let line = super::region::line_at(seen, region.difference + at).to_ascii_lowercase();
        compared && scan::first_of(&line, &["best", "min", "max", "fast", "slow", "short", "long"]).is_none()
    })
}

/// Calls that wait, and those that belong to waiting.
fn is_waiting(name: &[u8]) -> bool {
    WAITS.contains(&name)
        || matches!(name, b"float" | b"int" | b"from_secs" | b"from_millis" | b"Thread" | b"start")
}

/// The head of a loop: everything before its body.
fn head(text: &[u8], language: LanguageId) -> &[u8] {
    let end = match language {
        LanguageId::Python => {
            let mut depth = 0_i32;
            text.iter().position(|byte| {
                match byte {
                    b'(' | b'[' | b'{' => depth += 1,
                    b')' | b']' | b'}' => depth -= 1,
                    _ => {}
                }
                depth == 0 && *byte == b':'
            })
        }
        LanguageId::Rust => memchr::memchr(b'{', text),
        LanguageId::C | LanguageId::Cpp | LanguageId::Cuda => {
            memchr::memchr(b'(', text).and_then(|open| scan::inside(text, open)).map(|range| range.end)
        }
    };
    &text[..end.unwrap_or(text.len())]
}

/// Whether a loop counts, rather than going through what is there.
fn counts(head: &[u8], language: LanguageId) -> bool {
    if !head.starts_with(b"for") || progresses(head) {
        return false;
    }
    let through = ["len(", ".len()", "size()", "->", "length()", "argc", "args", "max_"];
    if scan::first_of(head, &through).is_some() {
        return false;
    }
    match language {
        LanguageId::Python => {
            scan::first_of(head, &["range(", "repeat("]).is_some()
                // `for size in (10, 100)`
                || scan::first_of(head, &[" in [", " in ("]).is_some_and(|(at, start)| {
                    head.get(at + start.len()).is_some_and(u8::is_ascii_digit)
                })
        }
        LanguageId::Rust => scan::has(head, "..") || scan::has(head, " in ["),
        LanguageId::C | LanguageId::Cpp | LanguageId::Cuda => {
            memchr::memchr_iter(b';', head).count() == 2
                && scan::first_of(head, &["++", "+=", "--"]).is_some()
        }
    }
}

/// How a difference is kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kept {
    /// By itself: appended, or stored under an index.
    Sample,
    /// Added to a sum.
    Sum,
}

/// Whether the difference is kept, and how.
fn keeps(seen: &Seen<'_>, region: &Region, end: usize) -> Option<Kept> {
    const SAMPLE: [&str; 6] = [".append(", ".push(", "push_back(", "emplace_back(", "] =", "yield "];
    let kept = |text: &[u8]| {
        let sample = scan::first_of(text, &SAMPLE).map(|_| Kept::Sample);
        sample.or_else(|| scan::has(text, "+=").then_some(Kept::Sum))
    };
    let name = difference(seen, region);
    let rest = seen.text(region.difference..end);
    let line = kept(super::region::line_at(seen, region.difference));
    let later = scan::words(rest, name).filter_map(|at| {
        let first = memchr::memrchr(b'\n', &rest[..at]).map_or(0, |feed| feed + 1);
        kept(&rest[first..at])
    });
    let all: Vec<Kept> = line.into_iter().chain(later).collect();
    all.iter().copied().find(|kept| *kept == Kept::Sample).or(all.first().copied())
}

/// The name that keeps a difference: `elapsed` of `elapsed = end - start`.
fn difference<'s>(seen: &Seen<'s>, region: &Region) -> &'s [u8] {
    let line = super::region::line_at(seen, region.difference);
    let Some(equals) = memchr::memchr(b'=', line) else { return &[] };
    let left = line[..equals].trim_ascii_end();
    let start = left.iter().rposition(|byte| !scan::is_word(*byte)).map_or(0, |at| at + 1);
    &left[start..]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_measurements_are_told_from_others() {
        for name in [
            "bench_sort",
            "Suite.runBenchmark",
            "sort_perf",
            "_perfcheck",
            "measure",
            "GPUBench2",
            "time_hashlib",
        ] {
            assert!(names_function(name), "{name}");
        }
        for name in [
            "run",
            "perform_request",
            "perfect",
            "superfluous",
            "time_left",
            "timeout",
            "timer",
            "runtime",
            "time",
        ] {
            assert!(!names_function(name), "{name}");
        }
        for path in ["tests/perf/run.py", "sortperf.py", "speed-test", "a/benches/b.rs"] {
            assert!(names_file(path), "{path}");
        }
        for path in ["tests/time_pause.rs", "src/performer.rs", "runtime.py"] {
            assert!(!names_file(path), "{path}");
        }
    }

    #[test]
    fn a_loop_that_counts_is_told_from_one_through_things() {
        for (head, language) in [
            ("for _ in range(10)", LanguageId::Python),
            ("for n in [10, 100]", LanguageId::Python),
            ("for _ in 0..n ", LanguageId::Rust),
            ("for (int i = 0; i < n; ++i", LanguageId::C),
        ] {
            assert!(counts(head.as_bytes(), language), "{head}");
        }
        for (head, language) in [
            ("for test in tests", LanguageId::Python),
            ("for i in range(len(tests))", LanguageId::Python),
            ("for attempt in range(3)", LanguageId::Python),
            ("while True", LanguageId::Python),
            ("for item in &items ", LanguageId::Rust),
            ("for (auto &item : items", LanguageId::Cpp),
            ("while (next())", LanguageId::C),
        ] {
            assert!(!counts(head.as_bytes(), language), "{head}");
        }
    }
}
