//! A cache of serialised answers, valid until the database changes: a page with many viewers costs the database one query.

use std::{
    collections::HashMap,
    sync::{Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

use axum::body::Bytes;

/// Maximum number of cached answers, their maximum size together, and that of each [bytes].
const MOST: usize = 512;
const MOST_BYTES: usize = 16 << 20;
const LARGEST: usize = 1 << 20;

/// Cached answers, by question.
#[derive(Debug, Default)]
pub(super) struct Answers(Mutex<Cache>);

#[derive(Debug, Default)]
struct Cache {
    answers: HashMap<String, Kept>,
    /// Size of the answers together [bytes].
    size: usize,
    /// How often the cache was cleared.
    cleared: u64,
}

/// When a question was asked: what was committed by then, and how often the cache had been cleared.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Moment {
    revision: u64,
    cleared: u64,
}

#[derive(Debug)]
struct Kept {
    /// When the question was asked.
    asked: Moment,
    at: Instant,
    bytes: Bytes,
}

impl Answers {
    /// Now, at a revision of the database.
    pub(super) fn moment(&self, revision: u64) -> Moment {
        Moment { revision, cleared: self.lock().cleared }
    }

    /// The cached answer to a question, unless something has changed since it was asked or the answer is older than `age`.
    pub(super) fn get(&self, question: &str, now: Moment, age: Duration) -> Option<Bytes> {
        let cache = self.lock();
        let found = cache.answers.get(question)?;
        (found.asked == now && found.at.elapsed() < age).then(|| found.bytes.clone())
    }

    /// Caches the answer to a question that was asked at a moment.
    pub(super) fn keep(&self, question: &str, asked: Moment, bytes: &Bytes) {
        if bytes.len() > LARGEST {
            return;
        }
        let mut cache = self.lock();
        if cache.answers.len() >= MOST || cache.size + bytes.len() > MOST_BYTES {
            cache.clear();
        }
        let kept = Kept { asked, at: Instant::now(), bytes: bytes.clone() };
        cache.size += bytes.len();
        if let Some(before) = cache.answers.insert(question.to_owned(), kept) {
            cache.size -= before.bytes.len();
        }
    }

    /// Clears the cache: plugins or devices, which have no revision, may have changed.
    pub(super) fn forget(&self) {
        let mut cache = self.lock();
        cache.clear();
        cache.cleared += 1;
    }

    fn lock(&self) -> MutexGuard<'_, Cache> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Cache {
    fn clear(&mut self) {
        self.answers.clear();
        self.size = 0;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const DAY: Duration = Duration::from_secs(86_400);

    #[test]
    fn an_answer_is_right_until_something_is_written() {
        let answers = Answers::default();
        let asked = answers.moment(7);
        answers.keep("a", asked, &Bytes::from_static(b"1"));
        assert_eq!(answers.get("a", answers.moment(7), DAY).as_deref(), Some(b"1".as_slice()));
        assert_eq!(answers.get("a", asked, Duration::ZERO), None);
        assert_eq!(answers.get("b", asked, DAY), None);
        assert_eq!(answers.get("a", answers.moment(8), DAY), None, "it was asked before the writing");
        answers.forget();
        assert_eq!(answers.get("a", answers.moment(7), DAY), None);
        answers.keep("a", asked, &Bytes::from_static(b"1"));
        assert_eq!(
            answers.get("a", answers.moment(7), DAY),
            None,
            "it was asked before the cache was cleared"
        );
    }

    #[test]
    fn there_are_never_more_than_so_many() {
        let answers = Answers::default();
        for number in 0..3 * MOST {
            answers.keep(&number.to_string(), answers.moment(0), &Bytes::new());
        }
        assert!(answers.lock().answers.len() <= MOST);
    }

    #[test]
    fn they_never_take_more_memory_than_so_much() {
        let answers = Answers::default();
        let large = Bytes::from(vec![b'x'; LARGEST]);
        for number in 0..100 {
            answers.keep(&(number % 30).to_string(), answers.moment(number), &large);
            let cache = answers.lock();
            let size: usize = cache.answers.values().map(|kept| kept.bytes.len()).sum();
            assert_eq!(size, cache.size);
            assert!(size <= MOST_BYTES && size > 0, "{size}");
        }
        answers.keep("larger", answers.moment(0), &Bytes::from(vec![b'x'; LARGEST + 1]));
        assert_eq!(answers.get("larger", answers.moment(0), DAY), None);
    }
}
