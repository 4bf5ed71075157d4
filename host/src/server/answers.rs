//! Answers that stay right until something is written: kept as bytes, so that a page that many look at costs the
//! database one question.

use std::{
    collections::HashMap,
    sync::{Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

use axum::body::Bytes;

/// Most answers that are kept, and most bytes of each.
const MOST: usize = 512;
const LARGEST: usize = 1 << 20;

/// The answers.
#[derive(Debug, Default)]
pub(super) struct Answers(Mutex<HashMap<String, Kept>>);

#[derive(Debug)]
struct Kept {
    /// Of the database, when the question was asked.
    revision: u64,
    at: Instant,
    bytes: Bytes,
}

impl Answers {
    /// The answer to this question, if nothing was written since `revision` and it is not older than `age`.
    pub(super) fn get(&self, question: &str, revision: u64, age: Duration) -> Option<Bytes> {
        let kept = self.lock();
        let found = kept.get(question)?;
        (found.revision == revision && found.at.elapsed() < age).then(|| found.bytes.clone())
    }

    /// Keeps an answer to a question that was asked at a revision.
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

    /// Forgets everything: what does not lie in the database may have changed.
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
