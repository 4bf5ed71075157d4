//! A cache of serialised answers, valid until the database changes: a page with many viewers costs the database one query.

use std::{
    collections::HashMap,
    sync::{Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

use axum::body::Bytes;

/// Maximum number of cached answers, and the maximum size of each [bytes].
const MOST: usize = 512;
const LARGEST: usize = 1 << 20;

/// Cached answers, by question.
#[derive(Debug, Default)]
pub(super) struct Answers(Mutex<HashMap<String, Kept>>);

#[derive(Debug)]
struct Kept {
    /// Revision of the database when the question was asked.
    revision: u64,
    at: Instant,
    bytes: Bytes,
}

impl Answers {
    /// The cached answer to a question, unless something was committed after `revision` or the answer is older than `age`.
    pub(super) fn get(&self, question: &str, revision: u64, age: Duration) -> Option<Bytes> {
        let kept = self.lock();
        let found = kept.get(question)?;
        (found.revision == revision && found.at.elapsed() < age).then(|| found.bytes.clone())
    }

    /// Caches the answer to a question that was asked at `revision`.
    pub(super) fn keep(&self, question: &str, revision: u64, bytes: &Bytes) {
        if bytes.len() > LARGEST {
            return;
        }
        let mut kept = self.lock();
        if kept.len() >= MOST {
            kept.clear();
        }
        kept.insert(question.to_owned(), Kept { revision, at: Instant::now(), bytes: bytes.clone() });
    }

    /// Clears the cache: plugins or devices, which have no revision, may have changed.
    pub(super) fn forget(&self) {
        self.lock().clear();
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<String, Kept>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const DAY: Duration = Duration::from_secs(86_400);

    #[test]
    fn an_answer_is_right_until_something_is_written() {
        let answers = Answers::default();
        answers.keep("a", 7, &Bytes::from_static(b"1"));
        assert_eq!(answers.get("a", 7, DAY).as_deref(), Some(b"1".as_slice()));
        assert_eq!(answers.get("a", 7, Duration::ZERO), None);
        assert_eq!(answers.get("b", 7, DAY), None);
        assert_eq!(answers.get("a", 8, DAY), None, "it was asked before the writing");
        answers.forget();
        assert_eq!(answers.get("a", 7, DAY), None);
    }

    #[test]
    fn there_are_never_more_than_so_many() {
        let answers = Answers::default();
        for number in 0..3 * MOST {
            answers.keep(&number.to_string(), 0, &Bytes::new());
        }
        assert!(answers.lock().len() <= MOST);
    }
}
