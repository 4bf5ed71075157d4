//! Inside the plugin: a document like those that services exchange, made from the seed. Input of `json_parse` and
//! `compress`.

use dyno_sdk::prelude::*;
use serde::{Deserialize, Serialize};

const WORDS: [&str; 24] = [
    "alpha", "billing", "cart", "delta", "export", "frame", "gateway", "hello", "index", "join", "kernel",
    "login", "metrics", "node", "order", "profile", "query", "report", "search", "token", "upload", "vector",
    "worker", "zone",
];
const NAMES: [&str; 8] = ["Ada", "Børge", "Chloé", "Dmitri", "Émile", "Fatima", "小林", "Zoë"];

/// Requests that a service answered.
#[derive(Serialize, Deserialize)]
pub(crate) struct Log {
    pub(crate) service: String,
    pub(crate) records: Vec<Record>,
}

/// One request: nested objects, arrays, floats, nulls, escapes and text that is not ASCII.
#[derive(Serialize, Deserialize)]
pub(crate) struct Record {
    pub(crate) id: u64,
    time: String,
    path: String,
    status: u16,
    pub(crate) latency_us: u64,
    load: f64,
    cached: bool,
    error: Option<String>,
    user: User,
    position: [f64; 2],
}

#[derive(Serialize, Deserialize)]
struct User {
    name: String,
    tags: Vec<String>,
}

/// A log of `count` records, numbered from `first`.
pub(crate) fn log(rng: &mut Rng, first: u64, count: u64) -> Log {
    Log {
        service: "shop-frontend".to_owned(),
        records: (first..first + count).map(|id| record(rng, id)).collect(),
    }
}

fn record(rng: &mut Rng, id: u64) -> Record {
    let failed = rng.below(10) == 0;
    let (hour, minute, second) = (id / 3600 % 24, id / 60 % 60, id % 60);
    Record {
        id,
        time: format!("2026-03-14T{hour:02}:{minute:02}:{second:02}.{:03}Z", rng.below(1000)),
        path: format!("/{}/{}?page={}", pick(rng, &WORDS), pick(rng, &WORDS), rng.below(50)),
        status: if failed { 503 } else { 200 },
        latency_us: 200 + rng.below(1000) * rng.below(100),
        load: rng.f64(),
        cached: rng.below(3) == 0,
        error: failed
            .then(|| format!("upstream \"{}\" timed out\n\tafter {} ms", pick(rng, &WORDS), rng.below(5000))),
        user: User {
            name: format!("{} {}", pick(rng, &NAMES), rng.below(100)),
            tags: (0..rng.below(4)).map(|_| pick(rng, &WORDS).to_owned()).collect(),
        },
        position: [rng.f64() * 180.0 - 90.0, rng.f64() * 360.0 - 180.0],
    }
}

fn pick<'a>(rng: &mut Rng, words: &[&'a str]) -> &'a str {
    words[rng.below(words.len() as u64) as usize]
}

/// `length` bytes of such documents, one after the other; the last one may be cut.
pub(crate) fn text(rng: &mut Rng, length: usize) -> Result<Vec<u8>, Failure> {
    const CHUNK: u64 = 256;
    let mut text = Vec::with_capacity(length);
    let mut first = 1;
    while text.len() < length {
        serde_json::to_writer(&mut text, &log(rng, first, CHUNK))?;
        first += CHUNK;
    }
    text.truncate(length);
    Ok(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_document_depends_on_the_seed_alone() {
        let make = |seed| serde_json::to_string(&log(&mut rng(seed), 1, 200)).unwrap();
        assert_eq!(make(1), make(1));
        assert_ne!(make(1), make(2));
        assert!((30_000..60_000).contains(&make(1).len()), "{}", make(1).len());
    }

    #[test]
    fn it_holds_what_makes_parsing_hard() {
        let text = serde_json::to_string(&log(&mut rng(1), 1, 200)).unwrap();
        for part in ["\\n\\t", "\\\"", "null", "true", "小林", "-", "[]"] {
            assert!(text.contains(part), "{part}");
        }
    }

    #[test]
    fn text_has_the_length_that_was_asked_for() {
        for length in [1, 1000, 200_000] {
            assert_eq!(text(&mut rng(1), length).unwrap().len(), length);
        }
    }
}
