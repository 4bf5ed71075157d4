//! Answers that stay right until something is written: kept as bytes, so that a page that many look at costs the
//! database one question.

use std::{
    collections::HashMap,
    sync::{
        Mutex, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

use axum::body::Bytes;

/// Most answers that are kept, and most bytes of each.
const MOST: usize = 512;
const LARGEST: usize = 1 << 20;

/// The answers.
#[derive(Debug, Default)]
pub(super) struct Answers {
    /// Counts what was written.
    generation: AtomicU64,
    kept: Mutex<HashMap<String, Kept>>,
}

#[derive(Debug)]
struct Kept {
    generation: u64,
    at: Instant,
    bytes: Bytes,
}

impl Answers {
    /// Something was written: nothing that is kept is believed any more.
    pub(super) fn outdate(&self) {
        self.generation.fetch_add(1, Ordering::Release);
    }

    /// The moment at which a question is asked, to be given with its answer.
    pub(super) fn generation(&self) -> u64 {
        self.generation.load(Ordering::Acquire)
    }

    /// The answer to this question, if it is still right and not older than `age`.
    pub(super) fn get(&self, question: &str, age: Duration) -> Option<Bytes> {
        let kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        let found = kept.get(question)?;
        (found.generation == self.generation() && found.at.elapsed() < age).then(|| found.bytes.clone())
    }

    /// Keeps an answer to a question that was asked at `generation`.
    pub(super) fn keep(&self, question: &str, generation: u64, bytes: &Bytes) {
        if bytes.len() > LARGEST || generation != self.generation() {
            return;
        }
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        if kept.len() >= MOST {
            kept.clear();
        }
        kept.insert(question.to_owned(), Kept { generation, at: Instant::now(), bytes: bytes.clone() });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const DAY: Duration = Duration::from_secs(86_400);

    #[test]
    fn an_answer_is_right_until_something_is_written() {
        let answers = Answers::default();
        let asked = answers.generation();
        answers.keep("a", asked, &Bytes::from_static(b"1"));
        assert_eq!(answers.get("a", DAY).as_deref(), Some(b"1".as_slice()));
        assert_eq!(answers.get("a", Duration::ZERO), None);
        assert_eq!(answers.get("b", DAY), None);
        answers.outdate();
        assert_eq!(answers.get("a", DAY), None);
        answers.keep("a", asked, &Bytes::from_static(b"1"));
        assert_eq!(answers.get("a", DAY), None, "it was asked before the writing");
    }

    #[test]
    fn there_are_never_more_than_so_many() {
        let answers = Answers::default();
        for number in 0..3 * MOST {
            answers.keep(&number.to_string(), 0, &Bytes::new());
        }
        assert!(answers.kept.lock().unwrap().len() <= MOST);
    }
}
