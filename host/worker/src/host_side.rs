//! The functions that plugins may call, as the worker answers them: log, progress, cancelled, metrics, the reason of a
//! failure. Both loaders lead here; everything that comes in is bounded and checked.

use std::sync::{
    Arc, Mutex, MutexGuard, PoisonError,
    atomic::{AtomicBool, AtomicU32, Ordering},
};

use dyno_core::protocol::{MAX_LOG_LINES, MAX_PROGRESS, MAX_TEXT_BYTES, Reply};
use indexmap::IndexMap;

use crate::channel::Replies;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Level {
    Error,
    Warn,
    Info,
    Debug,
}

impl Level {
    fn word(self) -> &'static str {
        match self {
            Self::Error => "error",
            Self::Warn => "warn",
            Self::Info => "info",
            Self::Debug => "debug",
        }
    }
}

/// The state behind the functions that a plugin may call. Any thread may call them.
#[derive(Debug)]
pub(crate) struct HostSide {
    replies: Replies,
    cancelled: Arc<AtomicBool>,
    declared: Vec<String>,
    metrics: Mutex<IndexMap<String, f64>>,
    failure: Mutex<Option<String>>,
    violation: Mutex<Option<String>>,
    last_error: Mutex<Option<String>>,
    log_lines: AtomicU32,
    progress_reports: AtomicU32,
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl HostSide {
    pub(crate) fn new(replies: Replies, cancelled: Arc<AtomicBool>, declared: Vec<String>) -> Self {
        Self {
            replies,
            cancelled,
            declared,
            metrics: Mutex::default(),
            failure: Mutex::default(),
            violation: Mutex::default(),
            last_error: Mutex::default(),
            log_lines: AtomicU32::new(0),
            progress_reports: AtomicU32::new(0),
        }
    }

    pub(crate) fn log(&self, level: Level, text: &str) {
        let text = printable(text);
        if level == Level::Error {
            *lock(&self.last_error) = Some(text.clone());
        }
        match self.log_lines.fetch_add(1, Ordering::Relaxed) {
            count if count < MAX_LOG_LINES => self.send_log(level, text),
            MAX_LOG_LINES => {
                self.send_log(
                    Level::Warn,
                    format!("more than {MAX_LOG_LINES} log lines; the rest is dropped"),
                );
            }
            // Far from wrapping around: a launch that logs four thousand million lines times out first.
            _ => {}
        }
    }

    fn send_log(&self, level: Level, text: String) {
        self.replies.send(&Reply::Log { level: level.word().to_owned(), text });
    }

    pub(crate) fn progress(&self, fraction: f64) {
        if fraction.is_finite() && self.progress_reports.fetch_add(1, Ordering::Relaxed) < MAX_PROGRESS {
            self.replies.send(&Reply::Progress { fraction: fraction.clamp(0.0, 1.0) });
        }
    }

    pub(crate) fn is_cancelled(&self) -> bool {
        self.cancelled.load(Ordering::Relaxed)
    }

    pub(crate) fn metric(&self, name: &str, value: f64) {
        if !self.declared.iter().any(|declared| declared == name) {
            let known = if self.declared.is_empty() { "none".to_owned() } else { self.declared.join(", ") };
            self.violate(format!(
                "the plugin reported the metric `{}`, which its descriptor does not declare (declared: {known})",
                printable(name)
            ));
        } else if value.is_finite() {
            lock(&self.metrics).insert(name.to_owned(), value);
        } else {
            self.violate(format!(
                "the plugin reported {value} for the metric `{name}`; metrics must be finite"
            ));
        }
    }

    pub(crate) fn fail(&self, message: &str) {
        *lock(&self.failure) = Some(printable(message));
    }

    /// Records a broken rule; only the first one counts.
    fn violate(&self, message: String) {
        lock(&self.violation).get_or_insert(message);
    }

    /// The reason that the plugin gave for the failure of the call that just returned.
    pub(crate) fn take_failure(&self) -> Option<String> {
        lock(&self.failure).take()
    }

    /// A rule that the plugin broke, if any.
    pub(crate) fn take_violation(&self) -> Option<String> {
        lock(&self.violation).take()
    }

    /// The last line that the plugin logged as an error: where a guest traps, its panic message.
    pub(crate) fn take_last_error(&self) -> Option<String> {
        lock(&self.last_error).take()
    }

    /// The metrics so far.
    pub(crate) fn metrics(&self) -> IndexMap<String, f64> {
        lock(&self.metrics).clone()
    }
}

/// Untrusted text, made safe for a log: bounded, and without control characters.
pub(crate) fn printable(text: &str) -> String {
    let end = text.floor_char_boundary(MAX_TEXT_BYTES);
    let mut out: String = text[..end]
        .trim_end()
        .chars()
        .map(|c| match c {
            '\n' => ' ',
            c => dyno_core::text::visible(c),
        })
        .collect();
    if end < text.len() {
        out.push('…');
    }
    out
}
